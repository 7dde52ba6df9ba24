"""The plug-in groups of this package."""

from __future__ import annotations

from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.plugins import PluginGroup
from carbon_sources.source import CarbonSource

CARBON_SOURCES: PluginGroup[CarbonSource] = PluginGroup("carbonnas.carbon_sources", CarbonSource)
FORECASTERS: PluginGroup[Forecaster] = PluginGroup("carbonnas.forecasters", Forecaster)

DEFAULT_FORECASTER = "ensemble"
"""What a configuration that names no forecaster uses."""
