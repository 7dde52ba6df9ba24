"""The assumed intensity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.providers.constant import ConstantSource
from carbon_sources.testing import CarbonSourceConformance, SourceCase

T = datetime(2026, 1, 1, 10, 20, tzinfo=UTC)


class TestConstantSource(CarbonSourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        return SourceCase(ConstantSource(g_per_kwh=5), T, T + timedelta(hours=9), ConstantSource(g_per_kwh=5))


def test_hours_are_whole_and_marked_as_assumed() -> None:
    source = ConstantSource(g_per_kwh=400.0, zone="X", kind=IntensityKind.MARGINAL, basis=Basis.DIRECT)
    series = source.history(T, T + timedelta(hours=1))
    assert [s.interval.start.hour for s in series] == [10, 11]
    assert all(s.interval.start.minute == 0 and s.interval.seconds == 3600 for s in series)
    assert {(s.g_per_kwh, s.zone, s.kind, s.basis, s.provenance) for s in series} == {
        (400.0, "X", IntensityKind.MARGINAL, Basis.DIRECT, Provenance.ASSUMED)
    }
    assert source.latest(T) == series.samples[0]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_constant_must_be_possible(value: float) -> None:
    with pytest.raises(ValueError, match="g_per_kwh"):
        ConstantSource(g_per_kwh=value)
