"""Emission budgets: a limit in grams over a window, and how much of it is gone."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from carbon_sources.interval import Interval, require_utc
from schedulers.errors import BudgetError

SET_ASIDE = 1.25
"""Budgets set aside so many times the energy that a trial of its sort is expected to need."""
_ROUNDED = 1 + 1e-9
"""Shares of what is left may sum to a little more than that; whatever was admitted stops at the limit itself."""


class Window(enum.Enum):
    """The stretch of time over which a budget counts; calendar windows start anew."""

    SEARCH = "search"
    DAY = "day"
    WEEK = "week"
    """Starts on Monday."""
    MONTH = "month"
    TOTAL = "total"
    """For ever: only a budget over many searches has it."""


class AtLimit(enum.Enum):
    """What a search does once nothing more fits its budget."""

    STOP = "stop"
    SCORE_ONLY = "score_only"
    """Trainings end when the next one does not fit; scoring spends what is left, and no more."""
    WAIT = "wait"
    """Rest until the next window starts; a budget over the whole search has none and stops instead."""


@dataclass(frozen=True, slots=True)
class EmissionBudget:
    """A limit on emissions.

    Attributes:
        limit_g: Grams of CO2 equivalent that may be emitted inside one window, above zero.
        window: What the limit counts over.
        at_limit: What happens when it is reached.
        warn_at: Share of the limit, 0..1, from which the user is warned.
        timezone: Name of the time zone in which days, weeks and months begin.

    Raises:
        BudgetError: If the limit is not above zero, `warn_at` is outside 0..1, or the time zone is unknown.
    """

    limit_g: float
    window: Window = Window.SEARCH
    at_limit: AtLimit = AtLimit.STOP
    warn_at: float = 0.8
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.limit_g) and self.limit_g > 0):
            raise BudgetError(f"a budget must be above zero, got {self.limit_g} g")
        if not 0 <= self.warn_at <= 1:
            raise BudgetError(f"warn_at is a share between 0 and 1, got {self.warn_at}")
        _zone(self.timezone)

    def window_at(self, instant: datetime) -> Interval | None:
        """Return the calendar window that holds `instant`, in UTC; `None` for a budget over the whole search, or for ever.

        Windows follow the wall clock of the budget's time zone, so that a day may last 23 or 25 hours.

        Raises:
            ValueError: If `instant` is not an aware datetime in UTC.
        """
        require_utc(instant, "instant")
        if self.window in {Window.SEARCH, Window.TOTAL}:
            return None
        # fold=0: where clocks go back over midnight the day begins at the first of the two.
        midnight = instant.astimezone(_zone(self.timezone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.window is Window.DAY:
            first, after = midnight, midnight + timedelta(days=1)
        elif self.window is Window.WEEK:
            first = midnight - timedelta(days=midnight.weekday())
            after = first + timedelta(days=7)
        else:
            first = midnight.replace(day=1)
            after = (first + timedelta(days=32)).replace(day=1)
        return Interval(first.astimezone(UTC), after.astimezone(UTC))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BudgetError(
            f"unknown time zone {name!r}: write an IANA name such as 'Europe/Berlin' or 'UTC' "
            "(if right names are refused, install the tzdata package)"
        ) from None


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How one budget stands at one instant, in grams.

    Attributes:
        budget: The budget.
        spent_g: Emissions inside the window, priced; unpriced energy counts with what is expected of it at most.
        reserved_g: Upper estimates of the work that is running.
        window: The calendar window, or `None` for the whole search.
        unpriced_g: The part of `spent_g` that is for unpriced energy, at least zero.
        doubt_g: How much more that energy may turn out to have emitted, should the expectation be wrong and the grid have been as dirty as the
            configured bound, at least zero.

    Raises:
        BudgetError: If an amount is not a number, because such a budget would never be exhausted, or `unpriced_g` or `doubt_g` is below zero.
    """

    budget: EmissionBudget
    spent_g: float
    reserved_g: float
    window: Interval | None = None
    unpriced_g: float = 0.0
    doubt_g: float = 0.0

    def __post_init__(self) -> None:
        amounts = (self.spent_g, self.reserved_g, self.unpriced_g, self.doubt_g)
        if any(map(math.isnan, amounts)) or min(self.unpriced_g, self.doubt_g) < 0:
            raise BudgetError(
                "what is spent, reserved, unpriced and in doubt must be numbers, the last two at least zero, got"
                f" {self.spent_g} g, {self.reserved_g} g, {self.unpriced_g} g and {self.doubt_g} g"
            )

    @property
    def remaining_g(self) -> float:
        """What is surely neither spent nor reserved; below zero when the limit was overshot, never clipped."""
        return self.budget.limit_g - self.spent_g - self.doubt_g - self.reserved_g

    @property
    def exhausted(self) -> bool:
        """Whether the limit is reached by what was spent, or may be: a forecast can be wrong, and a limit is hard."""
        return self.spent_g + self.doubt_g >= self.budget.limit_g

    @property
    def surely_exhausted(self) -> bool:
        """Whether the limit is reached by what has a price: no value that comes late gives anything back."""
        return self.spent_g - self.unpriced_g >= self.budget.limit_g

    @property
    def warned(self) -> bool:
        """Whether spending has reached the share at which the user wants to hear of it."""
        return self.spent_g >= self.budget.warn_at * self.budget.limit_g

    def admits(self, estimate_g: float) -> bool:
        """Whether work of at most `estimate_g` grams surely fits beside what is spent and reserved; an estimate that is not a number never does."""
        return self.spent_g + self.doubt_g + self.reserved_g + estimate_g <= self.budget.limit_g * _ROUNDED

    def may_admit(self, estimate_g: float) -> bool:
        """Whether that work would fit if what is unpriced had emitted nothing."""
        return self.spent_g - self.unpriced_g + self.reserved_g + estimate_g <= self.budget.limit_g * _ROUNDED
