"""Ensemble: the forecaster to use unless there is a reason not to."""

from __future__ import annotations

from carbon_sources.forecasting.blending import blended
from carbon_sources.forecasting.boosted import BoostedMember
from carbon_sources.forecasting.boosting import Growth
from carbon_sources.forecasting.hourly import HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.kernel import KernelMember
from carbon_sources.forecasting.learning import LearningForecaster
from carbon_sources.forecasting.linear import LinearMember
from carbon_sources.forecasting.local_linear import LocalMember
from carbon_sources.forecasting.provider import ArchivedForecasts

_GROWTH = Growth(trees=120, depth=6, rate=0.06, damping=60.0, inputs=0.3, rows=0.5)


class Ensemble(LearningForecaster):
    """A linear model of all leads at once, and one of each lead by itself with trees on top, mixed by how well each has done.

    The first carries on where the level of a grid leaves what has been seen; the second knows what is not linear. Where the provider
    forecasts, too, its forecast is mixed in once a day of it could be compared: it knows the weather.

    Args:
        issues: The provider's forecasts, if it makes any.
        seed: Decides which samples and inputs each tree is grown from.
    """

    def __init__(self, issues: ArchivedForecasts | None = None, *, seed: int = 0) -> None:
        super().__init__(
            [LinearMember(penalty=10.0), BoostedMember(LocalMember(penalty=10.0), _GROWTH, seed)],
            absolute=[LinearMember(penalty=10.0), LocalMember(penalty=10.0), KernelMember(penalty=0.3)],
        )
        self._issues = issues

    def predict(self, history: HourlyIntensity, hours: int) -> HourlyForecast:
        own, past = self.predict_looking_back(history, hours)
        return own if self._issues is None or past is None else blended(own, past, self._issues, history.now)
