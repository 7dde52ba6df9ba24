"""Small searches with figures that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import EnergySample, Owner
from carbonnas.record import SearchRecord
from carbonnas.report.testing import START, made_up_intensities, made_up_record

Drawn = tuple[Owner, float, float, float]
"""Owner, start and end in hours after `START`, and kWh."""

MakeRecord = Callable[..., SearchRecord]


def _intensities(values: Sequence[float | None]) -> IntensitySeries:
    """Hours with the given g/kWh; `None` is a gap."""
    template = made_up_intensities(1, 0).samples[0]
    return IntensitySeries(
        tuple(
            replace(template, interval=_hours(index, index + 1), g_per_kwh=value)
            for index, value in enumerate(values)
            if value is not None
        )
    )


def _hours(start: float, end: float) -> Interval:
    return Interval(START + timedelta(hours=start), START + timedelta(hours=end))


def _entries(drawn: Sequence[Drawn], series: IntensitySeries) -> tuple[EmissionEntry, ...]:
    lines = []
    for number, (owner, start, end, kwh) in enumerate(drawn):
        sample = EnergySample(_hours(start, end), kwh * 3.6e6, 0.0, 0.0)
        lines.append(EmissionEntry(str(number), owner, PricedEnergy(sample, series.at(sample.interval.start))))
    return tuple(lines)


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """Make a search of one-hour intensities and ledger lines, none of which may cross an hour."""
    template = made_up_record(hours=2)

    def make(values: Sequence[float | None], drawn: Sequence[Drawn], *, slots: int = 1, hours: float) -> SearchRecord:
        series = _intensities(values)
        entries = _entries(drawn, series)
        return replace(
            template,
            slots=slots,
            ended_at=START + timedelta(hours=hours),
            trials=(),
            decisions=(),
            entries=entries,
            measured=tuple(entry.priced.sample for entry in entries),
            intensities=series,
        )

    return make


@pytest.fixture(scope="session")
def made_up() -> SearchRecord:
    """A whole day of a made-up search."""
    return made_up_record()
