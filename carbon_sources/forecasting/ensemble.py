"""Ensemble: the forecaster to use unless there is a reason not to."""

from __future__ import annotations

from carbon_sources.forecasting.kernel import KernelMember
from carbon_sources.forecasting.learning import LearningForecaster
from carbon_sources.forecasting.linear import LinearMember


class Ensemble(LearningForecaster):
    """A linear and a kernel model, mixed by how well each would have done in the last four weeks."""

    def __init__(self) -> None:
        super().__init__([LinearMember(penalty=10.0), KernelMember(width=8.0, linear=0.01, penalty=0.3)])
