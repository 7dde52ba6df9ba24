"""Ensemble: the forecaster to use unless there is a reason not to."""

from __future__ import annotations

from carbon_sources.forecasting.boosted import BoostedMember
from carbon_sources.forecasting.boosting import Growth
from carbon_sources.forecasting.learning import LearningForecaster
from carbon_sources.forecasting.linear import LinearMember
from carbon_sources.forecasting.local_linear import LocalMember

_GROWTH = Growth(trees=120, depth=4, rate=0.06, damping=60.0, inputs=0.3, rows=0.6)


class Ensemble(LearningForecaster):
    """A linear model of all leads at once, and one of each lead by itself with trees on top, mixed by how well each has done.

    The first carries on where the level of a grid leaves what has been seen; the second knows what is not linear.

    Args:
        seed: Decides which samples and inputs each tree is grown from.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__([LinearMember(penalty=10.0), BoostedMember(LocalMember(penalty=5.0), _GROWTH, seed)])
