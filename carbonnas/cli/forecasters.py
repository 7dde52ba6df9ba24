"""What forecasters have to do with the forecasts of a provider, told by their constructors before any is made."""

from __future__ import annotations

import inspect

from carbon_sources.errors import PluginError
from carbon_sources.forecasting.provider import Provider
from carbon_sources.groups import FORECASTERS

_ISSUES = "issues"
"""The service that hands the forecasts of a provider to a forecaster."""


def takes_issues(name: str) -> bool:
    """Say whether a forecaster uses the forecasts of a provider, be it only where there are any."""
    return _issues(name) is not None


def needs_issues(name: str) -> bool:
    """Say whether a forecaster can't do without the forecasts of a provider."""
    parameter = _issues(name)
    return parameter is not None and parameter.default is inspect.Parameter.empty


def passes_on_issues(name: str) -> bool:
    """Say whether a forecaster only hands on what it is given, and learns nothing, so that it is as good as the archive itself.

    A constructor does not tell: one that needs the forecasts may correct them by what it has learnt.
    """
    try:
        return issubclass(FORECASTERS.load(name), Provider)
    except PluginError:
        return False


def _issues(name: str) -> inspect.Parameter | None:
    """Return the parameter of the constructor; one that can't be loaded, which is told when it is made, has none."""
    try:
        parameters = inspect.signature(FORECASTERS.load(name)).parameters
    except PluginError:
        return None
    parameter = parameters.get(_ISSUES)
    is_service = parameter is not None and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    return parameter if is_service else None
