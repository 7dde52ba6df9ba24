"""From megawatts by hour and fuel to priced hours: an hour is priced only when the fuels that matter are there.

Providers publish fuel by fuel, so that the newest hours lack some, and outages take single fuels away. A mix without its gas is
not cleaner, it is unknown. An hour is therefore compared with the week before it, and with nothing else, so that its value does
not depend on what else was asked for:

* A fuel whose mean share at this hour of the day was at least `MATERIAL_SHARE` must be there. What is smaller may be missing: it
  moves the intensity by less than that share of the distance between its factor and the mean. The hour of the day counts
  because some providers leave out solar power at night.
* Zero in place of a fuel that gave `NEVER_ZERO_SHARE` or more at this hour on every one of these days is taken as missing. Where a
  plant really stopped, this costs one day.
* More than `HIGHEST_TIMES` or less than `LOWEST_TIMES` the median generation of the week can't be true.
* Where the week says nothing of this hour of the day, nothing can be said of the hour.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from carbon_sources.answers.reading import Identity, Parsed, SampleCollector
from carbon_sources.intensity import IntensitySample, Provenance
from carbon_sources.interval import HOUR, Interval, full_hour
from carbon_sources.mix import FactorTable, Fuel, mix_intensity

REFERENCE_DAYS = 7
REFERENCE = timedelta(days=REFERENCE_DAYS)
"""How much before an hour has to be known to price it."""

MATERIAL_SHARE = 0.01
NEVER_ZERO_SHARE = 0.05
HIGHEST_TIMES = 10.0
LOWEST_TIMES = 0.05
OWN_USE_SHARE = 0.01
"""A plant that stands still draws a little; above this share of all generation a negative value can't be its own use."""

_HOURS = 24 * REFERENCE_DAYS
_FIRST_YEAR = datetime(2000, 1, 1, tzinfo=UTC)
_LAST_YEAR = datetime(9000, 1, 1, tzinfo=UTC)


def floor_hour(instant: datetime) -> datetime:
    """Return the full hour at or before an instant, within the years in which grids were metered by the hour."""
    return full_hour(min(max(instant, _FIRST_YEAR), _LAST_YEAR))


def ceil_hour(instant: datetime) -> datetime:
    """Return the full hour at or after an instant, within the years in which grids were metered by the hour."""
    hour = floor_hour(instant)
    return hour if hour >= instant or hour == _LAST_YEAR else hour + HOUR


@dataclass(slots=True)
class Generation:
    """Mean power in MW (or energy in MWh) by hour and by the provider's code of the fuel.

    Attributes:
        remarks: What was odd about the rows, counted.
    """

    remarks: Counter[str] = field(default_factory=Counter)
    _hours: dict[datetime, dict[str, float | None]] = field(default_factory=dict)

    def add(self, hour: datetime, code: str, amount: float | None) -> None:
        """Take the value of one fuel for the hour that begins at `hour`; `None` and what is not finite is unknown.

        A value that comes twice counts once; two that differ are unknown, because nobody can say which is right.
        """
        if amount is not None and not math.isfinite(amount):
            self.remarks["values that are no numbers were left out"] += 1
            amount = None
        fuels = self._hours.setdefault(hour, {})
        if code in fuels:
            self.remarks["rows came twice"] += 1
            if fuels[code] != amount:
                self.remarks["rows came twice with different values, which were left out"] += 1
                amount = None
        fuels[code] = amount

    def at(self, hour: datetime) -> Mapping[str, float | None]:
        """Return what is reported of an hour, by code."""
        return self._hours.get(hour, {})

    @property
    def newest(self) -> datetime | None:
        """Begin of the newest hour of which anything is reported."""
        return max(self._hours, default=None)

    def __iter__(self) -> Iterator[tuple[datetime, Mapping[str, float | None]]]:
        return iter(self._hours.items())


@dataclass(frozen=True, slots=True)
class MixPricer:
    """Prices hours of one zone.

    Attributes:
        identity: What the samples have in common.
        table: The factors; of the identity's basis.
        fuels: The fuel of each code of the provider; others are `Fuel.OTHER`.
        may_be_negative: Codes that include pumping or charging, so that a negative value says that they generate nothing.
    """

    identity: Identity
    table: FactorTable
    fuels: Mapping[str, Fuel]
    may_be_negative: frozenset[str] = frozenset()

    def price(self, generation: Generation, start: datetime, end: datetime) -> Parsed:
        """Return the priced hours that overlap `start .. end`; the week before `start` has to be in `generation`, too.

        Newest hours that still wait for a fuel are gaps without a remark: this is how providers publish.
        """
        collector = SampleCollector(self.identity, zero_is_gap=min(self.table.g_per_kwh.values()) > 0)
        for remark, count in generation.remarks.items():
            for _ in range(count):
                collector.odd(remark)
        totals = {hour: self.total(amounts) for hour, amounts in generation}
        waiting: list[str] = []
        for hour in _hours_between(start, end):
            amounts = generation.at(hour)
            week = _Week.before(hour, generation, totals, self)
            reason = self._unpriced(hour, amounts, week, collector) if amounts else _ABSENT
            if reason is not None:
                waiting.append(reason)
                continue
            for gap in waiting:
                collector.odd(gap)
            waiting.clear()
        for gap in waiting:
            if not gap.startswith((_ABSENT, _LACKS)):
                collector.odd(gap)
        return collector.parsed()

    def _unpriced(
        self, hour: datetime, amounts: Mapping[str, float | None], week: _Week, collector: SampleCollector
    ) -> str | None:
        """Price an hour, or return why it can't be priced."""
        if not week.shares:
            return "hours of which the week before says nothing were not priced"
        known = self._known(amounts, week, collector)
        missing = sorted(code for code in week.expected if known.get(code) is None)
        if missing:
            return f"{_LACKS} ({', '.join(missing)}) were not priced"
        by_fuel: dict[Fuel, float] = {}
        for code, amount in known.items():
            if amount is not None and self.fuel(code) is not Fuel.STORAGE:
                by_fuel[self.fuel(code)] = by_fuel.get(self.fuel(code), 0.0) + max(amount, 0.0)
        total = sum(by_fuel.values())
        if not week.median_total * LOWEST_TIMES <= total <= week.median_total * HIGHEST_TIMES:
            return f"hours whose generation can't be true beside the week before, such as {total:g} MW, were not priced"
        collector.add(
            Interval(hour, hour + HOUR),
            mix_intensity(by_fuel, self.table),
            Provenance.MEASURED,
            method=self.table.method,
        )
        return None

    def fuel(self, code: str) -> Fuel:
        """Return what a code stands for."""
        return self.fuels.get(code, Fuel.OTHER)

    def total(self, amounts: Mapping[str, float | None]) -> float:
        """Return the sum of what is generated."""
        return sum(a for code, a in amounts.items() if a is not None and a > 0 and self.fuel(code) is not Fuel.STORAGE)

    def _known(
        self, amounts: Mapping[str, float | None], week: _Week, collector: SampleCollector
    ) -> dict[str, float | None]:
        """Return the values that can be true; the others become `None`."""
        known = dict(amounts)
        for code, amount in amounts.items():
            if self.fuel(code) is Fuel.STORAGE or amount is None:
                continue
            if code not in self.fuels:
                collector.odd(f"the unknown fuel {code[:20]!r} was priced as {Fuel.OTHER.value}")
            own_use = week.median_total * OWN_USE_SHARE
            below = amount < -own_use and code not in self.may_be_negative
            if below or amount > week.median_total * HIGHEST_TIMES:
                collector.odd(f"values that can't be true, such as {amount:g} MW of {code[:20]}, were left out")
                known[code] = None
            elif amount == 0 and code in week.never_zero:
                collector.odd("zeros stand where values are missing; they were left out")
                known[code] = None
        return known


_ABSENT = "hours are missing altogether"
_LACKS = "hours without fuels that they usually have"


@dataclass(frozen=True, slots=True)
class _Week:
    """What the week before an hour was like.

    Attributes:
        median_total: Median of all generation over its hours, MW.
        shares: For each code its shares of all generation at the same hour of the days on which it was reported.
    """

    median_total: float
    shares: Mapping[str, list[float]]

    @classmethod
    def before(
        cls, hour: datetime, generation: Generation, totals: Mapping[datetime, float], pricer: MixPricer
    ) -> _Week:
        positive = [total for back in range(1, _HOURS + 1) if (total := totals.get(hour - back * HOUR, 0.0)) > 0]
        shares: dict[str, list[float]] = {}
        for day in range(1, REFERENCE_DAYS + 1):
            then = hour - day * 24 * HOUR
            total = totals.get(then, 0.0)
            for code, amount in generation.at(then).items():
                if total > 0 and amount is not None and pricer.fuel(code) is not Fuel.STORAGE:
                    shares.setdefault(code, []).append(max(amount, 0.0) / total)
        return cls(statistics.median(positive) if positive else 0.0, shares)

    @property
    def expected(self) -> set[str]:
        return {code for code, shares in self.shares.items() if statistics.fmean(shares) >= MATERIAL_SHARE}

    @property
    def never_zero(self) -> set[str]:
        return {code for code, shares in self.shares.items() if min(shares) >= NEVER_ZERO_SHARE}


def _hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    hour = floor_hour(start)
    while hour < end:
        yield hour
        hour += HOUR


def newest_of(
    priced: Parsed, generation: Generation, now: datetime, *, delay: timedelta, skew: timedelta
) -> tuple[IntensitySample | None, tuple[str, ...]]:
    """Return the newest priced hour that has begun at `now`, and what is odd about how new it is.

    Args:
        priced: The priced hours.
        generation: What they were priced from.
        now: The present.
        delay: How long after an hour its value usually is there.
        skew: By how much clocks may differ.
    """
    over = [sample for sample in priced.samples if sample.interval.end <= now + skew and sample.interval.start <= now]
    sample = over[-1] if over else None
    remarks = []
    if sample is not None and sample.interval.end + HOUR + delay < now:
        remarks.append(
            f"no new value: the newest hour that could be priced ended at {sample.interval.end:%Y-%m-%d %H:%M} UTC, "
            f"while a delay of {delay / HOUR:g} h is usual"
        )
    newest = generation.newest
    if sample is None and newest is not None:
        remarks.append(f"no hour could be priced; the newest with any value began at {newest:%Y-%m-%d %H:%M} UTC")
    if len(over) < len(priced.samples) or (newest is not None and newest > now + skew):
        remarks.append("values of hours that are not over yet: the provider's clock or stamps may be wrong")
    return sample, tuple(remarks)
