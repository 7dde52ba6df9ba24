"""When a budget will be used up if things go on as they are and the grid does as is forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.intensity import Forecast, IntensitySample
from carbon_sources.units import J_PER_KWH
from carbonnas.status import SearchStatus
from schedulers.budget import BudgetState


@dataclass(frozen=True, slots=True)
class Spending:
    """What one search draws at the moment, and what its grid is expected to be like.

    Attributes:
        watts: Power, overhead of the building included; `None` while nobody knows.
        current: The intensity of the present; `None` while it is unknown.
        forecast: What is expected of the time to come; `None` if nothing can be.
    """

    watts: float | None
    current: IntensitySample | None
    forecast: Forecast | None

    @classmethod
    def of(cls, status: SearchStatus, watts: float | None) -> Spending:
        """Return the spending of a search that stands as `status` says and draws `watts`."""
        return cls(watts, status.observation.current, status.observation.forecast)

    def at(self, instant: datetime) -> IntensitySample | None:
        """Return what the grid is, or is expected to be like; `None` if nobody knows."""
        if self.current is not None and self.current.interval.contains(instant):
            return self.current
        return None if self.forecast is None else self.forecast.series.at(instant)


def exhausted_at(state: BudgetState, spending: Sequence[Spending], now: datetime) -> datetime | None:
    """Return when the budget is used up; `None` if not within its window and the forecasts, or if nobody knows."""
    left_g = state.remaining_g + state.reserved_g
    if left_g <= 0:
        return now
    if not spending or any(each.watts is None for each in spending):
        return None
    at = now
    while (step := _step(spending, at)) is not None:
        end, g_per_s = step
        need_s = left_g / g_per_s if g_per_s > 0 else float("inf")
        if need_s <= (end - at).total_seconds():
            ends_at = at + timedelta(seconds=need_s)
            return ends_at if state.window is None or ends_at < state.window.end else None
        left_g -= g_per_s * (end - at).total_seconds()
        at = end
    return None


def _step(spending: Sequence[Spending], at: datetime) -> tuple[datetime, float] | None:
    """Return until when all intensities stay as they are at `at`, and what is emitted then in g/s; `None` where one is unknown."""
    samples = [each.at(at) for each in spending]
    known = [sample for sample in samples if sample is not None]
    if len(known) < len(samples):
        return None
    g_per_s = sum((e.watts or 0.0) * s.g_per_kwh / J_PER_KWH for e, s in zip(spending, known, strict=True))
    return min(sample.interval.end for sample in known), g_per_s
