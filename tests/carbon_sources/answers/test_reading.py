"""What all parsers share: values that can't be true become gaps with a remark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carbon_sources.answers.reading import LONGEST, Identity, SampleCollector
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_value_that_would_hold_for_ever_is_left_out() -> None:
    collector = SampleCollector(Identity("someone", "Z", IntensityKind.AVERAGE, Basis.DIRECT))
    collector.add(Interval(START, START + LONGEST), 100.0, Provenance.MEASURED)
    collector.add(Interval(START + LONGEST, datetime.max.replace(tzinfo=UTC)), 200.0, Provenance.MEASURED)
    parsed = collector.parsed()
    assert [sample.interval.duration for sample in parsed.samples] == [timedelta(hours=1)]
    assert parsed.remarks == ("someone: values that hold for longer than 1 h were left out",)
