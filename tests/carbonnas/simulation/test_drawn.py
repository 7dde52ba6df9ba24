"""Sums over a ledger up to an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbon_sources.units import J_PER_KWH
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import IDLE, Account, EnergySample, Owner
from carbonnas.simulation.drawn import Drawn, training_slots
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind

START = datetime(2021, 1, 8, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def entry(begin_h: float, end_h: float, kwh: float, g_per_kwh: float | None, owner: Owner = IDLE) -> EmissionEntry:
    span = Interval(at(begin_h), at(end_h))
    said = None
    if g_per_kwh is not None:
        kind, basis = IntensityKind.AVERAGE, Basis.LIFECYCLE
        said = IntensitySample(span, g_per_kwh, "Z", kind, basis, Provenance.MEASURED, "test")
    return EmissionEntry("x", owner, PricedEnergy(EnergySample(span, kwh * J_PER_KWH, 0.0, 0.0), said))


def test_energy_comes_evenly_over_its_interval_and_so_do_its_emissions() -> None:
    drawn = Drawn([entry(0, 2, 1.0, 300.0), entry(1, 2, 3.0, 100.0), entry(5, 6, 2.0, None)], START)
    assert drawn.kwh(at(0)) == 0.0
    assert drawn.kwh(at(1)) == pytest.approx(0.5)
    assert drawn.kwh(at(1.5)) == pytest.approx(0.75 + 1.5)
    assert drawn.kwh(at(9)) == pytest.approx(6.0)
    # 1 kWh at 300 g and 3 kWh at 100 g; what has no price adds nothing.
    assert drawn.kg(at(9)) == pytest.approx(0.6)
    assert drawn.kg(at(1)) == pytest.approx(0.15)


def test_nothing_drawn_is_nothing() -> None:
    assert Drawn([], START).kg(at(3)) == 0.0


PIECES = st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 5), st.floats(0, 4)), min_size=1, max_size=8)


@given(PIECES, st.floats(0, 16))
def test_the_sum_is_that_of_the_shares_that_have_passed(pieces: list[tuple[float, float, float]], hour: float) -> None:
    drawn = Drawn([entry(begin, begin + length, kwh, 250.0) for begin, length, kwh in pieces], START)
    passed = [kwh * min(1.0, max(0.0, (hour - begin) / length)) for begin, length, kwh in pieces]
    assert drawn.kwh(at(hour)) == pytest.approx(sum(passed), abs=1e-6)
    assert drawn.kg(at(hour)) == pytest.approx(0.25 * sum(passed), abs=1e-6)


def test_slots_that_train_are_counted_by_the_hour_and_scorings_are_not() -> None:
    def trial(number: int, kind: TrialKind) -> Trial:
        fidelity = PROXY if kind is TrialKind.SCORE else Fidelity(FidelityName.SEARCH, 12)
        return Trial(number, 0, kind, fidelity, (0,), "k", 0, START)

    trials = [trial(0, TrialKind.SCORE), trial(1, TrialKind.TRAIN), trial(2, TrialKind.TRAIN)]
    owners = [Owner(Account.TRIAL, number, 1) for number in range(3)]
    entries = [
        entry(0, 3, 1.0, 1.0, owners[0]),
        entry(0, 1.5, 1.0, 1.0, owners[1]),
        entry(0.5, 1, 1.0, 1.0, owners[2]),
        entry(0, 3, 1.0, 1.0),
    ]
    assert training_slots(entries, trials, START, at(2.5)) == (1.5, 0.5, 0.0)
