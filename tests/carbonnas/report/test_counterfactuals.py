from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.emissions import totals
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Owner
from carbonnas.record import SearchRecord
from carbonnas.report.counterfactuals import counterfactuals
from carbonnas.report.slot_time import pieces, stays
from carbonnas.report.testing import START

MakeRecord = Callable[..., SearchRecord]


def trial(number: int, attempt: int = 1) -> Owner:
    return Owner(Account.TRIAL, number, attempt)


def test_both_are_what_they_are_by_hand(make_record: MakeRecord) -> None:
    drawn = [(trial(0), 2, 3, 0.1), (trial(1), 3, 4, 0.2), (OVERHEAD, 0, 1, 0.01), (IDLE, 3, 4, 0.02)]
    found = counterfactuals(make_record([400, 300, 200, 100], drawn, hours=4))
    # overhead and idle as they were: 0.01 kWh * 400 + 0.02 kWh * 100 = 6 g
    # back to back from the start: 0.1 kWh * 400 + 0.2 kWh * 300 = 100 g
    assert found.carbon_blind.emissions_g == pytest.approx(106.0, rel=1e-12)
    assert found.carbon_blind.trials_g == pytest.approx(100.0, rel=1e-12)
    assert found.carbon_blind_end == START + timedelta(hours=2)
    # the higher power in the cleanest hour: 0.2 kWh * 100 + 0.1 kWh * 200 = 40 g
    assert found.clairvoyant.emissions_g == pytest.approx(46.0, rel=1e-12)
    assert found.clairvoyant.trials_g == pytest.approx(40.0, rel=1e-12)


def test_two_slots_halve_the_time_that_the_work_takes(make_record: MakeRecord) -> None:
    drawn = [(trial(0), 0, 1, 0.1), (trial(1), 1, 2, 0.1)]
    found = counterfactuals(make_record([100, 300], drawn, slots=2, hours=2))
    # both trials side by side in the first hour: 0.2 kWh * 100
    assert found.carbon_blind.emissions_g == pytest.approx(20.0)
    assert found.clairvoyant.emissions_g == pytest.approx(20.0)


def test_foresight_may_use_the_time_until_the_deadline_where_its_intensity_is_known(make_record: MakeRecord) -> None:
    record = make_record([300, 200, 50], [(trial(0), 0, 1, 0.1)], hours=1)
    assert counterfactuals(record).clairvoyant.emissions_g == pytest.approx(30.0)
    known = replace(record, deadline=START + timedelta(hours=3))
    assert counterfactuals(known).clairvoyant.emissions_g == pytest.approx(5.0)
    unknown = replace(record, deadline=START + timedelta(hours=4))
    assert counterfactuals(unknown).clairvoyant.emissions_g == pytest.approx(30.0)


def test_unpriced_energy_gives_a_reason_and_no_figure(make_record: MakeRecord) -> None:
    found = counterfactuals(make_record([100, None], [(trial(0), 0, 1, 0.1), (trial(0), 1, 2, 0.1)], hours=2))
    assert found.carbon_blind.emissions_g is None
    assert found.clairvoyant.emissions_g is None
    assert (found.carbon_blind.trials_g, found.clairvoyant.trials_g, found.carbon_blind_end) == (None, None, None)
    assert found.carbon_blind.how == "Not known: 0.1 kWh of the energy could not be priced yet."


def test_a_gap_in_which_nothing_ran_leaves_only_the_bound_unknown(make_record: MakeRecord) -> None:
    found = counterfactuals(make_record([100, None, 200], [(trial(0), 2, 3, 0.1)], hours=3))
    # carbon-blind runs in the first hour, which is known; the gap might have been cleaner than everything
    assert found.carbon_blind.emissions_g == pytest.approx(10.0)
    assert found.clairvoyant.emissions_g is None
    assert "not known all the way" in found.clairvoyant.how


def test_a_search_that_has_just_begun_has_neither(make_record: MakeRecord) -> None:
    found = counterfactuals(make_record([100], [], hours=0))
    assert found.carbon_blind.emissions_g is None
    assert found.clairvoyant.emissions_g is None


def test_energy_of_no_trial_can_not_be_moved(make_record: MakeRecord) -> None:
    found = counterfactuals(make_record([100, 10], [(IDLE, 0, 1, 0.1)], hours=2))
    assert (found.carbon_blind.trials_g, found.clairvoyant.trials_g, found.carbon_blind_end) == (0.0, 0.0, None)
    assert found.carbon_blind.emissions_g == pytest.approx(10.0)
    assert found.clairvoyant.emissions_g == pytest.approx(10.0)


_LINES = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 47),
        st.integers(1, 12),
        st.floats(0, 0.2).map(lambda kwh: 0.0 if kwh < 1e-6 else kwh),
    ),
    min_size=1,
    max_size=25,
)
"""Trial, first of the five-minute steps in four hours, steps, kWh; cut so that no line crosses an hour."""


def _made(make: MakeRecord, values: list[float], lines: list[tuple[int, int, int, float]], slots: int) -> SearchRecord:
    drawn = [
        (trial(number), start / 12, min(start + steps, (start // 12 + 1) * 12) / 12, kwh)
        for number, start, steps, kwh in lines
    ]
    return make(values, drawn, slots=slots, hours=4)


@given(values=st.lists(st.floats(0, 800), min_size=16, max_size=16), lines=_LINES, slots=st.integers(1, 4))
def test_clairvoyant_is_below_the_real_search_and_below_carbon_blind(
    make_record: MakeRecord, values: list[float], lines: list[tuple[int, int, int, float]], slots: int
) -> None:
    record = _made(make_record, values, lines, slots)
    found, actual_g = counterfactuals(record), totals(record.entries).emissions_g
    assert found.clairvoyant.emissions_g is not None
    assert found.carbon_blind.emissions_g is not None
    allowed = 1e-9 * (actual_g + found.carbon_blind.emissions_g) + 1e-12
    assert found.clairvoyant.emissions_g <= actual_g + allowed
    assert found.clairvoyant.emissions_g <= found.carbon_blind.emissions_g + allowed


@given(value=st.floats(0, 800), lines=_LINES, slots=st.integers(1, 4))
def test_a_constant_intensity_leaves_nothing_to_gain(
    make_record: MakeRecord, value: float, lines: list[tuple[int, int, int, float]], slots: int
) -> None:
    record = _made(make_record, [value] * 16, lines, slots)
    found, actual_g = counterfactuals(record), totals(record.entries).emissions_g
    assert found.carbon_blind.emissions_g == pytest.approx(actual_g, rel=1e-8, abs=1e-9)
    assert found.clairvoyant.emissions_g == pytest.approx(actual_g, rel=1e-8, abs=1e-9)


@given(lines=_LINES, slots=st.integers(1, 4))
def test_pieces_conserve_energy_and_never_exceed_the_slots(
    make_record: MakeRecord, lines: list[tuple[int, int, int, float]], slots: int
) -> None:
    record = _made(make_record, [100.0] * 16, lines, slots)
    found = pieces(record.entries, slots)
    drawn_j = math.fsum(entry.priced.sample.joules for entry in record.entries)
    assert math.fsum(piece.joules for piece in found) == pytest.approx(drawn_j, rel=1e-9, abs=1e-9)
    assert math.fsum(piece.slot_s for piece in found) <= slots * 4 * 3600 * (1 + 1e-12)


def test_trials_that_share_a_slot_within_one_reading_share_its_time(make_record: MakeRecord) -> None:
    record = make_record([100], [(trial(0), 0, 1, 0.1), (trial(1), 0, 1, 0.3)], slots=1, hours=1)
    found = pieces(record.entries, 1)
    assert [(piece.trial, piece.slot_s) for piece in found] == [(0, 1800.0), (1, 1800.0)]
    assert [piece.joules for piece in found] == pytest.approx([0.1 * 3.6e6, 0.3 * 3.6e6])


def test_stays_glue_lines_that_touch_and_keep_attempts_apart(make_record: MakeRecord) -> None:
    drawn = [(trial(0), 0, 0.5, 0.1), (trial(0), 0.5, 1, 0.1), (trial(0), 2, 3, 0.1), (trial(0, 2), 3, 4, 0.1)]
    found = stays(make_record([100] * 4, drawn, hours=4).entries)
    hours = [
        ((s.interval.start - START) / timedelta(hours=1), (s.interval.end - START) / timedelta(hours=1)) for s in found
    ]
    assert [(stay.attempt, *span) for stay, span in zip(found, hours, strict=True)] == [(1, 0, 1), (1, 2, 3), (2, 3, 4)]
