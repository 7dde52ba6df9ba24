"""The grid as a configuration describes it: the carbon source with its cache, and the forecaster."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from carbon_sources.archive import IntensityArchive, Subject
from carbon_sources.cache import CachedSource
from carbon_sources.clock import Clock, SystemClock
from carbon_sources.errors import CarbonSourceError
from carbon_sources.forecasting.desk import ForecastDesk, at_once, in_background
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.groups import CARBON_SOURCES, FORECASTERS
from carbon_sources.http import HttpClient
from carbon_sources.monitor import IntensityMonitor, Polling
from carbon_sources.plugins import PluginGroup
from carbon_sources.secrets import Secrets
from carbon_sources.source import CarbonSource
from carbonnas.config import AccountingSection, ClockSection, ForecastingSection, SearchConfig
from carbonnas.errors import ConfigError
from carbonnas.plugins import PluginChoice

T = TypeVar("T")

_OVERLAP = timedelta(days=1)
"""How far back a source is asked again each time: values that come late come within a day."""
_TAIL = timedelta(days=2)
"""How far back it is asked again at least a few times a day: most revise their values within two days."""


@dataclass(frozen=True, slots=True)
class GridSettings:
    """What a configuration says of its grid.

    Attributes:
        carbon_source: Where intensities come from.
        forecaster: What looks ahead.
        forecasting: How far and how often it does.
        accounting: How often the source is asked, and how much of the past is wanted.
        clock: The clock that is lived by.
    """

    carbon_source: PluginChoice
    forecaster: PluginChoice
    forecasting: ForecastingSection
    accounting: AccountingSection
    clock: ClockSection

    @classmethod
    def of(cls, config: SearchConfig) -> GridSettings:
        """Return those of a search."""
        return cls(config.carbon_source, config.forecaster, config.forecasting, config.accounting, config.clock)


def make_source(choice: PluginChoice, clock: Clock, archive: IntensityArchive) -> CarbonSource:
    """Return the carbon source that a configuration names; what it fetches from elsewhere is kept in the archive.

    Args:
        choice: Its name and options.
        clock: The time that is asked about, for plug-ins that want it; what is kept is stamped with the machine's.
        archive: Keeps what is fetched.

    Raises:
        ConfigError: If it refuses its options, or a token is missing.
    """
    services: dict[str, object] = {
        "http": HttpClient(rng=random.Random()),  # noqa: S311 - jitter of retries
        "secrets": Secrets(os.environ),
        "clock": clock,
    }

    def member(use: str, options: Mapping[str, Any]) -> CarbonSource:
        return CARBON_SOURCES.create(use, options, services)

    services["make_source"] = member
    source = _create(CARBON_SOURCES, "carbon_source", choice, services)
    if not source.names:
        return source
    # What is fetched is fetched now, whatever time the search lives in.
    return CachedSource(source, archive, SystemClock())


def make_monitor(config: GridSettings, clock: Clock, archive: IntensityArchive) -> IntensityMonitor:
    """Return the monitor of the grid that a configuration describes.

    Raises:
        ConfigError: If source or forecaster refuse their options, or a token is missing.
    """
    source = make_source(config.carbon_source, clock, archive)
    make_forecaster(config.forecaster, source, archive)
    desk = ForecastDesk(
        lambda: make_forecaster(config.forecaster, source, archive),
        config.forecaster.use,
        source.history,
        config.forecasting.times,
        at_once if config.clock.use == "simulated" else in_background,
    )
    return IntensityMonitor(source, polling(config, source), desk)


def polling(config: GridSettings | SearchConfig, source: CarbonSource) -> Polling:
    """Return how a configuration asks its source."""
    section = config.accounting
    return Polling(section.poll_interval, section.lookback, _OVERLAP, max(_TAIL, source.revised_for))


def make_forecaster(choice: PluginChoice, source: CarbonSource, archive: IntensityArchive) -> Forecaster:
    """Return the forecaster that a configuration names.

    Args:
        choice: Its name and options.
        source: The source whose forecasts it may pass on.
        archive: Where those are kept; a source that is on this machine is asked itself.

    Raises:
        ConfigError: If it refuses its options.
    """
    subject = Subject.of(source)
    issues = (lambda now: archive.newest_forecast(subject, now)) if source.names else source.forecast
    return _create(FORECASTERS, "forecaster", choice, {"issues": issues})


def _create(group: PluginGroup[T], key: str, choice: PluginChoice, services: Mapping[str, object]) -> T:
    try:
        return group.create(choice.use, choice.options, services)
    except (ValueError, CarbonSourceError) as error:
        raise ConfigError(f"[{key}]", (str(error),)) from error
