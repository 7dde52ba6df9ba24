from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Attribution, EnergySample, Owner, Usage
from carbonnas.energy.split import NodeWork, divide, merge, portions, split, split_machine, split_processes

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIVE_SECONDS = Interval(START, START + 5 * SECOND)
FIRST = Owner(Account.TRIAL, 1, 1)
OTHER = Owner(Account.TRIAL, 2, 1)

joules = st.floats(0, 1e9)
shares = st.floats(0, 3)
owners = st.sampled_from([FIRST, OTHER, OVERHEAD, IDLE])


def usage(owner: Owner, seconds: float, cpu_seconds: float, probe_j: float | None = None) -> Usage:
    interval = Interval(START, START + seconds * SECOND)
    probe = None if probe_j is None else EnergySample(interval, probe_j, 0, 0)
    return Usage(f"{owner}-{seconds}", 0, interval, owner, None, cpu_seconds, probe, inline=probe is None)


def by_owner(attributions: tuple[Attribution, ...]) -> dict[Owner, EnergySample]:
    assert len({attribution.owner for attribution in attributions}) == len(attributions)
    return {attribution.owner: attribution.sample for attribution in attributions}


def component_j(attributions: tuple[Attribution, ...], component: str) -> float:
    return math.fsum(getattr(attribution.sample, component) for attribution in attributions)


@given(joules, joules, joules, st.lists(st.tuples(owners, shares)), owners)
def test_a_split_conserves_every_component(
    cpu_j: float, gpu_j: float, ram_j: float, weights: list[tuple[Owner, float]], rest: Owner
) -> None:
    sample = EnergySample(FIVE_SECONDS, cpu_j, gpu_j, ram_j)
    parts = split(sample, weights, rest)
    for component in ("cpu_j", "gpu_j", "ram_j"):
        assert component_j(parts, component) == pytest.approx(getattr(sample, component), rel=1e-12, abs=1e-300)
    assert len({part.owner for part in parts}) == len(parts)


@given(joules, st.lists(shares, min_size=1))
def test_portions_are_never_negative_and_sum_to_the_total(total: float, parts: list[float]) -> None:
    split_up = portions(total, parts)
    assert min(split_up) >= 0
    assert math.fsum(split_up) == pytest.approx(total, rel=1e-15, abs=1e-300)


def test_owners_get_their_shares_and_the_rest_pays_what_is_left() -> None:
    parts = by_owner(split(EnergySample(FIVE_SECONDS, 80, 40, 0), [(FIRST, 0.25), (OTHER, 0.5)], IDLE))
    assert parts == {
        FIRST: EnergySample(FIVE_SECONDS, 20, 10, 0),
        OTHER: EnergySample(FIVE_SECONDS, 40, 20, 0),
        IDLE: EnergySample(FIVE_SECONDS, 20, 10, 0),
    }


def test_shares_above_one_are_scaled_down_and_leave_no_rest() -> None:
    parts = by_owner(split(EnergySample(FIVE_SECONDS, 90, 0, 0), [(FIRST, 1), (OTHER, 2)], IDLE))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {FIRST: 30, OTHER: 60}


def test_ten_tenths_leave_no_crumb_for_the_rest() -> None:
    assert [part.owner for part in split(EnergySample(FIVE_SECONDS, 1, 0, 0), [(FIRST, 0.1)] * 10, IDLE)] == [FIRST]


def test_the_rest_may_also_have_a_share_of_its_own() -> None:
    parts = by_owner(split(EnergySample(FIVE_SECONDS, 10, 0, 0), [(OVERHEAD, 0.3), (FIRST, 0.5)], OVERHEAD))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {FIRST: 5, OVERHEAD: 5}


@pytest.mark.parametrize("share", [-0.1, math.nan, math.inf])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share must be finite"):
        split(EnergySample(FIVE_SECONDS, 1, 0, 0), [(FIRST, share)], IDLE)


def test_pieces_keep_their_own_intervals() -> None:
    early, late = Interval(START, START + 2 * SECOND), Interval(START + 2 * SECOND, START + 5 * SECOND)
    pieces = divide(EnergySample(FIVE_SECONDS, 10, 0, 5), [(early, 0.4), (late, 0.6)])
    assert pieces == (EnergySample(early, 4, 0, 2), EnergySample(late, 6, 0, 3))


def test_merging_adds_what_one_owner_pays_for_one_interval_and_drops_nothing_else() -> None:
    other_interval = Interval(START, START + SECOND)
    merged = merge(
        [
            Attribution(FIRST, EnergySample(FIVE_SECONDS, 1, 0, 0)),
            Attribution(IDLE, EnergySample(FIVE_SECONDS, 0, 0, 0)),
            Attribution(FIRST, EnergySample(FIVE_SECONDS, 2, 0, 4)),
            Attribution(FIRST, EnergySample(other_interval, 8, 0, 0)),
        ]
    )
    assert merged == (
        Attribution(FIRST, EnergySample(FIVE_SECONDS, 3, 0, 4)),
        Attribution(FIRST, EnergySample(other_interval, 8, 0, 0)),
    )


def test_work_in_this_process_shares_its_processor_energy_and_the_rest_is_overhead() -> None:
    # 4 s of the 5 s of processor time were the trial's: 80 of 100 J.
    work = NodeWork((usage(FIRST, 5, 4.0),), slots=1, cores=2, real_s=5, own_cpu_s=5)
    parts = by_owner(split_processes(EnergySample(FIVE_SECONDS, 100, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {
        FIRST: pytest.approx(80),
        OVERHEAD: pytest.approx(20),
    }


def test_work_in_other_processes_leaves_this_process_all_overhead() -> None:
    work = NodeWork((usage(FIRST, 5, 4.0, probe_j=200),), slots=1, cores=2, real_s=5, own_cpu_s=1)
    parts = by_owner(split_processes(EnergySample(FIVE_SECONDS, 100, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {OVERHEAD: 100}


def test_inline_and_separate_work_can_be_mixed() -> None:
    usages = (usage(FIRST, 5, 3.0), usage(OTHER, 5, 9.0, probe_j=200))
    work = NodeWork(usages, slots=2, cores=2, real_s=5, own_cpu_s=4)
    parts = by_owner(split_processes(EnergySample(FIVE_SECONDS, 100, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {FIRST: 75, OVERHEAD: 25}


def test_memory_is_split_over_the_slots_and_empty_ones_are_idle() -> None:
    # Two slots for 5 s are 10 slot-seconds; the trials used 5 and 2 of them.
    work = NodeWork((usage(FIRST, 5, 1, 1), usage(OTHER, 2, 1, 1)), slots=2, cores=2, real_s=5, own_cpu_s=0)
    parts = by_owner(split_processes(EnergySample(FIVE_SECONDS, 0, 0, 100), work))
    assert {owner: sample.ram_j for owner, sample in parts.items()} == {
        FIRST: pytest.approx(50),
        OTHER: pytest.approx(20),
        IDLE: pytest.approx(30),
    }


def test_accelerators_are_idle_only_beyond_the_time_of_all_trials() -> None:
    work = NodeWork((usage(FIRST, 3, 1, 0), usage(OTHER, 1, 1, 0)), slots=4, cores=2, real_s=5, own_cpu_s=0)
    parts = by_owner(split_machine(EnergySample(FIVE_SECONDS, 0, 100, 0), work))
    assert {owner: sample.gpu_j for owner, sample in parts.items()} == {
        FIRST: pytest.approx(60),
        OTHER: pytest.approx(20),
        IDLE: pytest.approx(20),
    }


def test_a_machine_is_split_by_core_seconds() -> None:
    # 4 cores for 5 s are 20 core-seconds: 8 for the trial, 2 for a worker's start, 1 for the search, 9 for nobody.
    usages = (usage(FIRST, 5, 8.0, 0), usage(OVERHEAD, 1, 2.0, 0))
    work = NodeWork(usages, slots=1, cores=4, real_s=5, own_cpu_s=1)
    parts = by_owner(split_machine(EnergySample(FIVE_SECONDS, 200, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {
        FIRST: pytest.approx(80),
        OVERHEAD: pytest.approx(30),
        IDLE: pytest.approx(90),
    }


def test_work_in_this_process_is_not_its_overhead_too() -> None:
    work = NodeWork((usage(FIRST, 5, 4.0),), slots=1, cores=1, real_s=5, own_cpu_s=5)
    parts = by_owner(split_machine(EnergySample(FIVE_SECONDS, 50, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {
        FIRST: pytest.approx(40),
        OVERHEAD: pytest.approx(10),
    }


def test_core_seconds_are_real_ones_however_fast_the_clock_of_the_search_runs() -> None:
    # The interval is 5 s of a clock ten times as fast: 0.5 s x 2 cores = 1 core-second, of which the trial used half.
    work = NodeWork((usage(FIRST, 5, 0.5, 0),), slots=1, cores=2, real_s=0.5, own_cpu_s=0)
    parts = by_owner(split_machine(EnergySample(FIVE_SECONDS, 10, 0, 0), work))
    assert {owner: sample.cpu_j for owner, sample in parts.items()} == {FIRST: 5, IDLE: 5}
