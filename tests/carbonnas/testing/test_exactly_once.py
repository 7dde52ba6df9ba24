"""What the tests with killed processes go by sees what is lost, what counts twice and what goes beyond a budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from carbonnas.emissions import totals
from carbonnas.energy.meter import Account
from carbonnas.record import Override, SearchRecord
from carbonnas.report.testing import START, made_up_record
from carbonnas.testing.exactly_once import Written, beyond, emitted, forgotten, violations

BUDGET = "daemon/day"
HOURS = 4
RECORD = made_up_record(hours=HOURS)
EMITTED_G = totals(RECORD.entries).emissions_g


def with_override(grams: float) -> SearchRecord:
    return replace(RECORD, overrides=(Override(BUDGET, START, grams, "a deadline", START.replace(hour=0)),))


def test_a_whole_record_breaks_no_rule() -> None:
    assert violations([RECORD]) == []


def test_an_entry_that_is_missing_and_one_that_counts_twice_are_seen() -> None:
    trial = next(entry for entry in RECORD.entries if entry.owner.account is Account.TRIAL)
    lost = replace(RECORD, entries=tuple(entry for entry in RECORD.entries if entry is not trial))
    twice = replace(RECORD, entries=(*RECORD.entries, trial))
    assert any("its ledger holds" in each for each in violations([lost]))
    assert any("an entry counts twice" in each for each in violations([twice]))
    assert any(f"trial {trial.owner.trial} is charged for" in each for each in violations([twice]))


def test_work_within_a_budget_is_not_beyond_it() -> None:
    assert beyond([RECORD], BUDGET, EMITTED_G + 0.001) == []


def test_the_last_work_is_beyond_a_budget_by_what_is_missing() -> None:
    # The search works to its very end, so that all has been emitted when its last training ends.
    over_g, when = max(beyond([RECORD], BUDGET, EMITTED_G - 1.0), key=lambda found: found[0])
    assert over_g == pytest.approx(1.0)
    assert when.end == RECORD.ended_at


def test_what_an_operator_added_counts_from_when_it_was_added() -> None:
    assert beyond([with_override(1.001)], BUDGET, EMITTED_G - 1.0) == []
    late = replace(with_override(1.001).overrides[0], at=START + timedelta(hours=HOURS))
    assert beyond([replace(RECORD, overrides=(late,))], BUDGET, EMITTED_G - 1.0)


@given(st.integers(1, HOURS * 3600 - 1))
def test_what_was_emitted_before_and_after_an_instant_is_all_of_it(seconds: int) -> None:
    begin, middle, end = START, START + timedelta(seconds=seconds), START + timedelta(hours=HOURS)
    parts = [emitted([RECORD], Interval(begin, middle)), emitted([RECORD], Interval(middle, end))]
    assert sum(parts) == pytest.approx(EMITTED_G)


def test_usage_that_no_ledger_holds_is_forgotten() -> None:
    entry = next(entry for entry in RECORD.entries if entry.owner.account is Account.TRIAL)
    interval = entry.priced.sample.interval
    held = Written(RECORD.search_id, entry.owner, interval, entered=False)
    assert forgotten([RECORD], [held]) == []
    later = replace(held, interval=Interval(START + timedelta(days=1), START + timedelta(days=1, seconds=1)))
    elsewhere = replace(held, search_id="another")
    assert len(forgotten([RECORD], [held, later, elsewhere])) == 2
