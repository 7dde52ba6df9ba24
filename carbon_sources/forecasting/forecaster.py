"""The interface of every forecaster."""

from __future__ import annotations

from abc import ABC, abstractmethod

from carbon_sources.forecasting.hourly import HourlyForecast, HourlyIntensity


class Forecaster(ABC):
    """Expects the hourly intensity after a history.

    A forecaster is never handed anything later than the instant of issue (`issue` in `carbon_sources.forecasting.issue` cuts
    it off), reads no clock and draws no randomness but from a seed of its own: the same history gives the same forecast.

    Plug-ins: keyword-only parameters of `__init__` are the options of the configuration; the service `issues` returns the
    newest forecast of the provider that was issued by an instant, for forecasters that pass it on.
    """

    @abstractmethod
    def fit(self, history: HourlyIntensity) -> None:
        """Learn from a history, a year or so of it; calling it again replaces what was learnt.

        Too little history is no error: what can't be learnt is replaced by something simpler.
        """

    @abstractmethod
    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        """Return what is expected of the `hours` hours after `history`, which need not be the one learnt from.

        Raises:
            ForecastError: If there is nothing to go by, such as a history without any value.
        """
