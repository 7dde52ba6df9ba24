"""Train in the hours that will turn out to be the cleanest: what no policy can beat."""

from __future__ import annotations

from datetime import datetime, timedelta

from carbon_sources.intensity import IntensitySeries
from carbon_sources.units import Duration
from schedulers.decision import SchedulingContext
from schedulers.interrupting import InterruptingPolicy
from schedulers.outlook import Outlook


class Oracle(InterruptingPolicy):
    """The clairvoyant plan: as `suspend_resume`, with the intensities that will really be measured in place of a forecast.

    A yardstick for simulations: at no cost of switching no schedule of the same work before the same deadline emits less.

    Args:
        actual: The intensities of past and future; only a simulation knows them.
        stretch: How many times as long as without a pause a search without a deadline may take, at least 1.
        review: Longest time between two decisions, above zero.
        count_rest: Whether what the node draws at rest until the search ends counts; not if the machine is on anyway.

    Raises:
        ValueError: If nobody knows the future, or an option is out of range.
    """

    uses_forecast = False

    def __init__(
        self,
        actual: IntensitySeries | None = None,
        *,
        stretch: float = 2.0,
        review: Duration = timedelta(hours=1),
        count_rest: bool = True,
    ) -> None:
        super().__init__(stretch=stretch, review=review, count_rest=count_rest)
        if actual is None:
            raise ValueError(
                "the oracle has to know the future, which only a simulation does: choose another scheduler, or compare with it"
                " in `carbonnas simulate`"
            )
        self._actual = actual

    def outlook(self, context: SchedulingContext, until: datetime) -> Outlook:
        return Outlook.of_series(self._actual, context.now, until)
