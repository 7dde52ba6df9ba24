"""What the electricity grid is like: carbon intensity of a zone from recorded traces and providers.

Knows nothing of searches or schedulers. Importing it costs neither `requests` nor pandas nor torch.
"""

from carbon_sources.clock import Clock, ReplayClock, SimulatedClock, SystemClock, monotonic_s
from carbon_sources.errors import (
    CarbonSourceError,
    PluginError,
    SourceAccessError,
    SourceAnswerError,
    SourceUnavailableError,
    TraceError,
    UnknownZoneError,
)
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval, parse_instant, require_utc
from carbon_sources.plugins import PluginGroup
from carbon_sources.source import CarbonSource

__all__ = [
    "Basis",
    "CarbonSource",
    "CarbonSourceError",
    "Clock",
    "Forecast",
    "IntensityKind",
    "IntensitySample",
    "IntensitySeries",
    "Interval",
    "PluginError",
    "PluginGroup",
    "Provenance",
    "ReplayClock",
    "SimulatedClock",
    "SourceAccessError",
    "SourceAnswerError",
    "SourceUnavailableError",
    "SystemClock",
    "TraceError",
    "UnknownZoneError",
    "monotonic_s",
    "parse_instant",
    "require_utc",
]
