"""How long trainings take at most, as far as can be told."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.trials import Fidelity, FidelityName
from carbonnas.work_left import Lengths, LongestWork

SEARCH, FULL = Fidelity(FidelityName.SEARCH, 10), Fidelity(FidelityName.FULL, 30)
lengths_s = st.lists(st.floats(1.0, 1e5), min_size=1, max_size=30)


def lengths(*seconds: float) -> Lengths:
    mean = statistics.fmean(seconds)
    return Lengths(len(seconds), mean, sum((s - mean) ** 2 for s in seconds), max(seconds))


def test_before_a_training_has_finished_the_word_of_the_user_counts_for_each() -> None:
    said = LongestWork({}, {SEARCH: 100.0})
    assert said.seconds(SEARCH, 7) == 700
    assert said.seconds(FULL, 2) == 600
    assert LongestWork({}, {}).seconds(SEARCH, 1) is None
    assert LongestWork({}, {}).left(SEARCH, 1, []) is None


@given(finished=lengths_s, coming=lengths_s, longer=st.floats(1.0, 3.0))
def test_no_more_is_left_than_the_user_said_of_each(finished: list[float], coming: list[float], longer: float) -> None:
    said = longer * max(*finished, *coming)
    found = LongestWork({SEARCH: lengths(*finished)}, {SEARCH: said}).seconds(SEARCH, len(coming))
    assert found is not None
    assert len(coming) * statistics.fmean(finished) * (1 - 1e-9) <= found <= len(coming) * said * (1 + 1e-9)


def test_after_one_training_the_others_may_take_as_long_as_the_user_said() -> None:
    # One took 60 s of the 100 s that were said: 20 s of deviation are assumed, and 60 + 2 * 20 * sqrt(1 + 1) is above 100 s.
    assert LongestWork({SEARCH: lengths(60)}, {SEARCH: 100.0}).seconds(SEARCH, 1) == 100


def test_the_more_have_finished_the_less_is_reckoned_with_beyond_their_mean() -> None:
    works = [LongestWork({SEARCH: lengths(*[90.0, 110.0] * pairs)}, {}) for pairs in (1, 2, 8, 50)]
    found = [work.seconds(SEARCH, 10) or 0.0 for work in works]
    assert found == sorted(found, reverse=True)
    # 100 finished with a deviation of 10 s, and 30 s once: sqrt((100 * 100 + 900) / 100) = 10.44 s; 2 * 10.44 * sqrt(10 + 100 / 100).
    assert found[-1] == pytest.approx(1000 + 2 * 109**0.5 * 11**0.5, rel=1e-5)


def test_the_word_of_the_user_counts_no_more_once_a_training_took_longer() -> None:
    finished = {SEARCH: lengths(150.0, 150.0)}
    assert LongestWork(finished, {SEARCH: 100.0}).seconds(SEARCH, 3) == LongestWork(finished, {}).seconds(SEARCH, 3)


def test_trainings_of_another_length_are_told_by_their_epochs() -> None:
    finished = lengths(100.0, 120.0)
    one, other = LongestWork({SEARCH: finished}, {}), LongestWork({FULL: finished.times(3)}, {})
    assert one.seconds(FULL, 2) == other.seconds(FULL, 2)


def test_what_a_training_has_had_is_taken_off_up_to_what_is_usual() -> None:
    finished = {SEARCH: lengths(*[100.0] * 25)}
    # Deviation 30 / 5 = 6 s; one takes 100 + 12 * sqrt(1 + 1 / 25) = 112.2 s at most, two 200 + 12 * sqrt(2 + 4 / 25) = 217.6 s.
    work = LongestWork(finished, {})
    assert work.left(SEARCH, 1, [60.0]) == pytest.approx(217.6 - 60, abs=0.1)
    assert work.left(SEARCH, 1, [110.0]) == pytest.approx(217.6 - 100 + 2.2, abs=0.1)
    assert work.left(SEARCH, 0, [500.0]) == pytest.approx(12.2, abs=0.1)


@given(finished=lengths_s, coming=lengths_s, begun=st.floats(0.0, 1.0), any_finished=st.booleans())
def test_no_less_than_the_truth_is_left_if_the_user_is_right_and_at_most_one_has_finished(
    finished: list[float], coming: list[float], begun: float, *, any_finished: bool
) -> None:
    longest_s = max(*finished, *coming)
    work = LongestWork({SEARCH: lengths(*finished)} if any_finished else {}, {SEARCH: longest_s})
    had = [begun * each for each in coming]
    left = work.left(SEARCH, 0, had)
    assert left is not None
    assert left >= 0
    if not any_finished or len(finished) == 1:
        assert left >= (sum(coming) - sum(had)) * (1 - 1e-9) - 1e-6
