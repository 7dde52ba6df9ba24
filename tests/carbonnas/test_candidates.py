from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.candidates import CandidateQueue
from carbonnas.proxies.fusion import fuse
from carbonnas.trials import PROXY, Trial, TrialKind, TrialState

QUEUE = CandidateQueue(("synflow",))


def scoring(number: int, key: str, **changes: Any) -> Trial:
    values: dict[str, Any] = {
        "round": 0,
        "kind": TrialKind.SCORE,
        "fidelity": PROXY,
        "architecture": (number,),
        "seed": 0,
        "queued_at": datetime(2025, 1, 1, tzinfo=UTC),
        "state": TrialState.COMPLETED,
    }
    return Trial(number=number, key=key, **(values | changes))


def numbers(trials: list[Trial]) -> list[int]:
    return [trial.number for trial in trials]


def ladder(*scores: float) -> list[Trial]:
    return [scoring(i, f"k{i}", metrics={"synflow": score}) for i, score in enumerate(scores)]


def test_the_best_come_first() -> None:
    assert numbers(QUEUE.best(ladder(1.0, 9.0, 5.0), (), 2)) == [1, 2]


def test_ranks_of_several_proxies_are_fused() -> None:
    # Ranks of (a, b): (3, 1), (2, 3), (1, 2); sums of log(rank / 3): log 3/9, log 6/9, log 2/9.
    scores = [(9.0, 0.1), (5.0, 0.9), (1.0, 0.5)]
    trials = [scoring(i, f"k{i}", metrics={"a": a, "b": b}) for i, (a, b) in enumerate(scores)]
    assert numbers(CandidateQueue(("a", "b")).best(trials, (), 3)) == [1, 0, 2]


def test_an_ensemble_is_ranked_by_its_parts() -> None:
    assert CandidateQueue(("te_nas", "ntk", "params")).proxies == ("ntk", "linear_regions", "params")


def test_what_was_promoted_is_not_returned_but_takes_part_in_the_ranking() -> None:
    # Without k1 the ranks of k0 and k2 tie at log 2/4; with it they are (3, 1) and (1, 2) of 3: log 3/9 and log 2/9.
    scores = [(9.0, 0.1), (5.0, 0.9), (1.0, 0.5)]
    trials = [scoring(i, f"k{i}", metrics={"a": a, "b": b}) for i, (a, b) in enumerate(scores)]
    assert numbers(CandidateQueue(("b", "a")).best([trials[2], trials[0], trials[1]], {"k1"}, 3)) == [0, 2]


def test_a_candidate_without_a_score_is_the_worst() -> None:
    trials = [scoring(0, "k0", metrics={}), *(scoring(i, f"k{i}", metrics={"synflow": -5.0 * i}) for i in (1, 2))]
    assert numbers(QUEUE.best(trials, (), 3)) == [1, 2, 0]


def test_ties_go_to_the_lower_number() -> None:
    assert numbers(QUEUE.best(list(reversed(ladder(1.0, 1.0, 1.0))), (), 3)) == [0, 1, 2]


def test_the_same_network_waits_only_once() -> None:
    twice = [scoring(1, "k", metrics={"synflow": 9.0}), scoring(0, "k", metrics={"synflow": 8.0})]
    assert numbers(QUEUE.best(twice, (), 5)) == [0]


@pytest.mark.parametrize("state", [state for state in TrialState if state is not TrialState.COMPLETED])
def test_only_scorings_that_completed_wait(state: TrialState) -> None:
    assert QUEUE.best([scoring(0, "k", state=state, metrics={"synflow": 1.0})], (), 5) == []


def test_trainings_do_not_wait() -> None:
    assert QUEUE.best([scoring(0, "k", kind=TrialKind.TRAIN, metrics={"synflow": 1.0})], (), 5) == []


def test_there_may_be_nothing_to_promote() -> None:
    assert QUEUE.best([], (), 5) == []
    assert QUEUE.best(ladder(1.0), (), 0) == []


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be negative, got -1"):
        QUEUE.best(ladder(1.0), (), -1)


def test_a_ranking_needs_a_proxy() -> None:
    with pytest.raises(ValueError, match="name at least one"):
        CandidateQueue(())


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.integers(0, 4).map(float), max_size=10),
    promoted=st.sets(st.integers(0, 9)),
    count=st.integers(0, 12),
    data=st.data(),
)
def test_candidates_fall_in_fused_rank_whatever_order_they_are_given_in(
    scores: list[float], promoted: set[int], count: int, data: st.DataObject
) -> None:
    trials = ladder(*scores)
    best = QUEUE.best(data.draw(st.permutations(trials)), {f"k{i}" for i in promoted}, count)
    fused = fuse([trial.metrics for trial in trials], ("synflow",))
    waiting = [i for i in range(len(trials)) if i not in promoted]
    assert numbers(best) == sorted(waiting, key=lambda i: (-fused[i], i))[:count]
