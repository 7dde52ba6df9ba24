from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import (
    EmissionEntry,
    EmissionTotals,
    PricedEnergy,
    by_trial,
    conservative_g,
    current,
    entries_for,
    price,
    reprice,
    totals,
)
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Attribution, EnergySample, MeterReading, Owner

START = datetime(2026, 1, 1, tzinfo=UTC)
TRIAL = Owner(Account.TRIAL, 4, 1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def intensity(start_s: float, end_s: float, g_per_kwh: float) -> IntensitySample:
    return IntensitySample(
        Interval(at(start_s), at(end_s)),
        g_per_kwh,
        "zone",
        IntensityKind.AVERAGE,
        Basis.LIFECYCLE,
        Provenance.MEASURED,
        "test",
    )


def series(*samples: IntensitySample) -> IntensitySeries:
    return IntensitySeries(samples)


def energy(start_s: float, end_s: float, joules: float) -> EnergySample:
    return EnergySample(Interval(at(start_s), at(end_s)), joules, 0.0, 0.0)


def entry(
    entry_id: str, sample: EnergySample, priced_by: IntensitySample | None, owner: Owner = TRIAL, pue: float = 1.0
) -> EmissionEntry:
    return EmissionEntry(entry_id, owner, PricedEnergy(sample, priced_by), pue)


def grams(pieces: tuple[PricedEnergy, ...]) -> float:
    return math.fsum(piece.emissions_g(1.0) or 0.0 for piece in pieces)


@st.composite
def energies(draw: st.DrawFn) -> EnergySample:
    start = draw(st.integers(0, 100_000_000))
    length = draw(st.integers(1, 100_000_000))
    interval = Interval(START + timedelta(microseconds=start), START + timedelta(microseconds=start + length))
    joules = st.floats(0, 1e9)
    return EnergySample(interval, draw(joules), draw(joules), draw(joules))


@st.composite
def intensities(draw: st.DrawFn) -> IntensitySeries:
    borders = sorted(draw(st.lists(st.integers(0, 200_000_000), unique=True, max_size=12)))
    kept = [pair for pair in itertools.pairwise(borders) if draw(st.booleans())]
    return series(*(intensity(a / 1e6, b / 1e6, draw(st.floats(0, 1e4))) for a, b in kept))


@given(energies(), intensities())
def test_pricing_conserves_energy_and_covers_the_time(sample: EnergySample, known: IntensitySeries) -> None:
    pieces = price(sample, known)
    for component in ("cpu_j", "gpu_j", "ram_j"):
        assert math.fsum(getattr(piece.sample, component) for piece in pieces) == pytest.approx(
            getattr(sample, component), rel=1e-12, abs=1e-300
        )
    assert pieces[0].sample.interval.start == sample.interval.start
    assert pieces[-1].sample.interval.end == sample.interval.end
    for before, after in itertools.pairwise(pieces):
        assert before.sample.interval.end == after.sample.interval.start
    for piece in pieces:
        assert piece.intensity == known.at(piece.sample.interval.start)


@given(energies(), st.floats(0, 1e4))
def test_a_constant_intensity_makes_emissions_proportional_to_energy(sample: EnergySample, g_per_kwh: float) -> None:
    known = series(*(intensity(second, second + 10, g_per_kwh) for second in range(0, 210, 10)))
    assert grams(price(sample, known)) == pytest.approx(sample.joules / 3.6e6 * g_per_kwh, rel=1e-9, abs=1e-300)


@given(energies(), intensities(), st.floats(0, 1))
def test_splitting_a_sample_in_time_changes_no_grams(
    sample: EnergySample, known: IntensitySeries, share: float
) -> None:
    middle = sample.interval.start + sample.interval.duration * share
    if not sample.interval.start < middle < sample.interval.end:
        return
    part = (middle - sample.interval.start) / sample.interval.duration
    halves = (
        EnergySample(interval, sample.cpu_j * fraction, sample.gpu_j * fraction, sample.ram_j * fraction)
        for interval, fraction in (
            (Interval(sample.interval.start, middle), part),
            (Interval(middle, sample.interval.end), 1 - part),
        )
    )
    whole = grams(price(sample, known))
    # The share of a microsecond in a long sample carries the rounding of 1 - part: grams compare to 1e-9 of all energy's price.
    dearest = max((s.g_per_kwh for s in known), default=0.0)
    assert math.fsum(grams(price(half, known)) for half in halves) == pytest.approx(
        whole, rel=1e-9, abs=1e-9 * sample.joules / 3.6e6 * dearest + 1e-300
    )


def test_energy_is_priced_with_the_intensity_of_its_own_time() -> None:
    pieces = price(energy(0, 10, 3.6e6), series(intensity(0, 4, 100), intensity(4, 60, 500)))
    # 1 kWh: 4 of 10 s at 100 g/kWh are 40 g, 6 of 10 s at 500 g/kWh are 300 g.
    assert [piece.emissions_g(1.0) for piece in pieces] == [pytest.approx(40), pytest.approx(300)]


def test_a_gap_stays_without_a_price() -> None:
    pieces = price(energy(0, 10, 100), series(intensity(2, 5, 100), intensity(8, 9, 100)))
    assert [piece.sample.joules for piece in pieces] == [pytest.approx(x) for x in (20, 30, 30, 10, 10)]
    assert [piece.intensity is None for piece in pieces] == [True, False, True, False, True]
    assert [piece.emissions_g(1.0) is None for piece in pieces] == [True, False, True, False, True]


def test_without_any_intensity_nothing_has_a_price() -> None:
    assert price(energy(0, 10, 100), series()) == (PricedEnergy(energy(0, 10, 100), None),)


def test_power_usage_effectiveness_multiplies_emissions() -> None:
    assert entry("a", energy(0, 1, 3.6e6), intensity(0, 1, 100), pue=1.5).emissions_g == pytest.approx(150)


def test_entries_have_ids_that_follow_from_the_reading() -> None:
    reading = MeterReading(
        "r1",
        (energy(0, 10, 100),),
        (Attribution(TRIAL, energy(0, 10, 60)), Attribution(IDLE, energy(0, 10, 40))),
    )
    known = series(intensity(0, 5, 100))
    entries = entries_for(reading, known, 1.2)
    assert [(e.entry_id, e.owner, e.priced.sample.joules) for e in entries] == [
        ("r1/0.0", TRIAL, 30),
        ("r1/0.1", TRIAL, 30),
        ("r1/1.0", IDLE, 20),
        ("r1/1.1", IDLE, 20),
    ]
    assert all(e.pue == 1.2 for e in entries)
    assert entries_for(reading, known, 1.2) == entries


@pytest.mark.parametrize("pue", [0.9, math.nan, math.inf])
def test_a_power_usage_effectiveness_below_one_is_refused(pue: float) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        entries_for(MeterReading("r", (), ()), series(), pue)


def test_an_entry_without_a_price_gets_one_when_data_arrive() -> None:
    old = entry("r1/0.0", energy(0, 10, 100), None, pue=1.1)
    known = intensity(0, 6, 300)
    new = reprice(old, series(known))
    assert new == (
        EmissionEntry("r1/0.0+0", TRIAL, PricedEnergy(energy(0, 6, 60), known), 1.1, supersedes="r1/0.0"),
        EmissionEntry("r1/0.0+1", TRIAL, PricedEnergy(energy(6, 10, 40), None), 1.1, supersedes="r1/0.0"),
    )


def test_a_revised_intensity_gives_a_revised_entry() -> None:
    old = entry("a", energy(0, 10, 100), intensity(0, 10, 300))
    revised = intensity(0, 10, 250)
    assert [e.priced.intensity for e in reprice(old, series(revised))] == [revised]


def test_what_is_known_already_is_not_entered_again() -> None:
    known = intensity(0, 10, 300)
    assert reprice(entry("a", energy(2, 8, 100), known), series(known)) == ()
    assert reprice(entry("a", energy(2, 8, 100), None), series(intensity(20, 30, 1))) == ()


def test_a_gap_in_newer_data_does_not_take_a_price_away() -> None:
    known, revised = intensity(0, 10, 300), intensity(0, 5, 200)
    old = entry("a", energy(0, 10, 100), known)
    assert reprice(old, series()) == ()
    assert [e.priced.intensity for e in reprice(old, series(revised))] == [revised, known]


@given(energies(), intensities(), intensities())
def test_repricing_conserves_energy_and_settles(
    sample: EnergySample, first: IntensitySeries, second: IntensitySeries
) -> None:
    for old in (entry(str(i), piece.sample, piece.intensity) for i, piece in enumerate(price(sample, first))):
        new = reprice(old, second)
        if new:
            assert math.fsum(e.priced.sample.joules for e in new) == pytest.approx(
                old.priced.sample.joules, rel=1e-12, abs=1e-300
            )
            assert {e.supersedes for e in new} == {old.entry_id}
            assert len({e.entry_id for e in new} | {old.entry_id}) == len(new) + 1
        assert all(reprice(e, second) == () for e in new)


def test_unpriced_energy_counts_with_the_bound_in_a_budget() -> None:
    assert conservative_g(entry("a", energy(0, 1, 3.6e6), None, pue=2.0), 700) == 1400
    assert conservative_g(entry("b", energy(0, 1, 3.6e6), intensity(0, 1, 0)), 700) == 0


def test_totals_tell_the_accounts_apart_and_what_has_no_price() -> None:
    known = intensity(0, 1, 100)
    entries = [
        entry("a", energy(0, 1, 3.6e6), known),
        entry("b", energy(0, 1, 7.2e6), known, OVERHEAD),
        entry("c", energy(0, 1, 3.6e6), known, IDLE, pue=1.5),
        entry("d", energy(0, 1, 1e6), None),
    ]
    assert totals(entries) == EmissionTotals(
        energy_j=15.4e6, emissions_g=450, trials_g=100, overhead_g=200, idle_g=150, unpriced_j=1e6
    )
    assert totals([]) == EmissionTotals(0, 0, 0, 0, 0, 0)


def test_a_superseded_entry_counts_no_more() -> None:
    old = entry("a", energy(0, 1, 3.6e6), None)
    new = reprice(old, series(intensity(0, 1, 100)))
    assert current([old, *new]) == new
    assert totals([old, *new]) == EmissionTotals(3.6e6, 100, 100, 0, 0, 0)


def test_each_trial_has_its_own_totals_over_all_attempts() -> None:
    known = intensity(0, 1, 100)
    entries = [
        entry("a", energy(0, 1, 3.6e6), known, Owner(Account.TRIAL, 9, 1)),
        entry("b", energy(0, 1, 3.6e6), known, Owner(Account.TRIAL, 2, 1)),
        entry("c", energy(0, 1, 3.6e6), known, Owner(Account.TRIAL, 9, 2)),
        entry("d", energy(0, 1, 3.6e6), known, IDLE),
    ]
    assert {trial: sums.emissions_g for trial, sums in by_trial(entries).items()} == {2: 100, 9: 200}
    assert list(by_trial(entries)) == [2, 9]
    superseding = [*entries, replace(entries[1], entry_id="b+0", supersedes="b")]
    assert by_trial(superseding)[2].energy_j == 3.6e6
