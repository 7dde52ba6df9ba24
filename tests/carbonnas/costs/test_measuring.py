"""Building a latency table, with clocks that tell what they are told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import nn

from carbonnas.architecture import Architecture
from carbonnas.costs.measuring import (
    Bench,
    Check,
    Found,
    Measured,
    candidates,
    check_table,
    find_blocks,
    measure_blocks,
    rank_correlation,
)
from carbonnas.costs.table import LatencyTable
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


class TwoNets(SearchSpace):
    """Two networks of one layer each."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("bias", ("no", "yes")),)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        return nn.Conv2d(task.channels, 1, 3, bias=bool(architecture[0]))


def steady(call: Callable[[], object]) -> Sequence[float]:
    call()
    return [0.001] * 5


def restless(call: Callable[[], object]) -> Sequence[float]:
    call()
    return [0.001, 0.001, 0.002, 0.003, 0.003]


def bench(blocks: Callable[[Callable[[], object]], Sequence[float]] = steady) -> Bench:
    return Bench(SmallConv(), TaskShape(1, 8, 8, 10), torch.device("cpu"), blocks, steady, 0.1)


def found_in(made: Bench, networks: int) -> Found:
    return find_blocks(made, np.random.default_rng(0), at_most=networks, told=lambda _: None)


def measured(made: Bench, networks: int) -> Measured:
    known = Measured()
    measure_blocks(made, found_in(made, networks), known, lambda _: None)
    return known


def checked(made: Bench, table: LatencyTable, architectures: Sequence[Architecture]) -> Check:
    return check_table(made, table, architectures, lambda _: None)


def test_every_block_of_what_was_looked_at_is_in_the_table() -> None:
    made, told = bench(), list[int]()
    find_blocks(made, np.random.default_rng(0), at_most=6, told=lambda so_far: told.append(so_far.networks))
    table = measured(made, 6).table("here", {})
    looked_at = list(itertools.islice(candidates(made.space, np.random.default_rng(0)), 6))
    assert told == [1, 2, 3, 4, 5, 6]
    for architecture in looked_at:
        keys = made.keys(architecture)
        assert table.sum_of(keys) == pytest.approx(len(keys))  # each takes a millisecond


def test_the_first_networks_differ_in_one_choice() -> None:
    space = SmallConv()
    first, *others = itertools.islice(candidates(space, np.random.default_rng(0)), 10)
    assert all(sum(a != b for a, b in zip(first, other, strict=True)) >= 1 for other in others)
    assert set(others) <= set(space.neighbours(first))


def test_a_measurement_that_was_stopped_goes_on_with_what_it_had_and_measures_nothing_twice() -> None:
    timed_blocks = []

    def counted(call: Callable[[], object]) -> Sequence[float]:
        timed_blocks.append(call)
        return steady(call)

    def stop_after_eight(known: Measured) -> None:
        if len(known.timings) == 8:
            raise InterruptedError

    made, known = bench(counted), Measured()
    found = found_in(made, 3)
    with pytest.raises(InterruptedError):
        measure_blocks(made, found, known, stop_after_eight)
    assert len(known.timings) == len(timed_blocks) == 8
    measure_blocks(made, found, known, lambda _: None)
    assert set(known.timings) == set(found.keys)
    assert len(timed_blocks) == len(found.keys) == len(set(found.keys))


def test_networks_are_looked_at_until_a_hundred_in_a_row_have_no_new_block() -> None:
    made = Bench(TwoNets(), TaskShape(1, 8, 8, 10), torch.device("cpu"), steady, steady, 0.1)
    found = found_in(made, 1000)
    assert len(found.first) == 2
    assert found.networks == 2 + 100


def test_blocks_that_are_unstable_are_listed_and_left_out() -> None:
    known = measured(bench(restless), 1)
    assert not known.timings
    assert known.table("here", {}).unstable == tuple(sorted(known.unstable))
    assert known.unstable


def test_a_check_counts_what_the_table_can_tell() -> None:
    made = bench()
    known = measured(made, 1)
    first = next(candidates(made.space, np.random.default_rng(0)))
    foreign = next(a for a in made.space.neighbours(first) if not set(made.keys(a)) <= known.timings.keys())
    check = checked(made, known.table("here", {}), [first, foreign])
    assert (check.networks, check.predicted, check.measured, check.rank_correlation) == (2, 1, 1, None)
    # The whole network takes a millisecond, and so does each of its blocks.
    assert check.ratio == pytest.approx(1 / len(made.keys(first)))


def test_a_table_of_nothing_checks_nothing() -> None:
    check = checked(bench(), Measured().table("here", {}), [(0,) * 8])
    assert (check.predicted, check.rank_correlation, check.ratio) == (0, None, None)


def test_ranks_are_compared_and_ties_share_theirs() -> None:
    assert rank_correlation([1.0, 2.0, 3.0], [10.0, 20.0, 40.0]) == pytest.approx(1.0)
    assert rank_correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == pytest.approx(-1.0)
    # Ranks 1, 2.5, 2.5 against 1, 2, 3: 1.5 / sqrt(1.5 * 2)
    assert rank_correlation([1.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == pytest.approx(1.5 / 3**0.5)
    assert rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
