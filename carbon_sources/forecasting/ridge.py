"""Ridge: a light linear model of the last weeks."""

from __future__ import annotations

from carbon_sources.forecasting.learning import LearningForecaster
from carbon_sources.forecasting.linear import LinearMember


class Ridge(LearningForecaster):
    """Ridge regression of all leads at once on the last four weeks and the calendar.

    Args:
        penalty: Weight of the squared coefficients against the squared errors for the first day, above zero; later days have more.
    """

    def __init__(self, *, penalty: float = 10.0) -> None:
        if not penalty > 0:
            raise ValueError(f"penalty must be above zero, got {penalty}")
        super().__init__([LinearMember(penalty)])
