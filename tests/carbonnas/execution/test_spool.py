from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.clock import Clock, ReplayClock, SystemClock
from carbonnas.energy.meter import OVERHEAD, Account, Owner
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.protocol import Anchor, WorkerUsage, speed_of
from carbonnas.execution.spool import SEGMENT_LINES, Spool, SpoolWriter, Timeline, segment_path
from carbonnas.trials import Fidelity, FidelityName, TrialKind

START = datetime(2026, 3, 1, tzinfo=UTC)
ANCHOR = Anchor(monotonic=100.0, instant=START, speed=60.0)
REQUEST = EvaluationRequest((1, 2, 3), TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 6), 42)


def worker_usage(sequence: int, worker: str = "w") -> WorkerUsage:
    start = 100.0 + sequence
    return WorkerUsage(worker, sequence, start, start + 1, Owner(Account.TRIAL, 7, 2), REQUEST, 0.5, (3.0, 0.25))


def test_usage_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, "w", ANCHOR).append(worker_usage(2))
    (usage,) = Spool(tmp_path).recover()
    assert usage.usage_id == "w-2"
    assert usage.owner == Owner(Account.TRIAL, 7, 2)
    assert usage.request == REQUEST
    assert usage.cpu_seconds == 0.5
    assert usage.interval.start == START + timedelta(minutes=2)  # 2 s after the anchor, at 60 times the speed
    assert usage.interval.end == START + timedelta(minutes=3)
    assert usage.probe is not None
    assert (usage.probe.cpu_j, usage.probe.gpu_j, usage.probe.ram_j) == (3.0, 0.25, 0.0)


def test_usage_without_trial_and_probe_stays_so(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, "w", ANCHOR).append(WorkerUsage("w", 0, 100.0, 101.0, OVERHEAD, None, 0.0, None))
    (usage,) = Spool(tmp_path).recover()
    assert (usage.owner, usage.request, usage.probe) == (OVERHEAD, None, None)


def test_a_torn_last_line_costs_itself_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = SpoolWriter(tmp_path, "w", ANCHOR)
    for sequence in range(3):
        writer.append(worker_usage(sequence))
    path = segment_path(tmp_path, "w", 0)
    path.write_bytes(path.read_bytes()[:-20])
    assert [usage.usage_id for usage in Spool(tmp_path).recover()] == ["w-0", "w-1"]
    assert "line 4 can't be read" in caplog.text


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let writes beyond `size` bytes fail, as on a full disk: the last one that fits in part is short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_usage_that_does_not_fit_on_the_disk_is_an_error_and_spoils_no_later_line(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, "w", ANCHOR)
    writer.append(worker_usage(0))
    written = segment_path(tmp_path, "w", 0).read_bytes()
    with no_file_larger_than(len(written) + 20), pytest.raises(OSError, match="too large"):
        writer.append(worker_usage(1))
    assert segment_path(tmp_path, "w", 0).read_bytes() == written
    writer.append(worker_usage(2))
    assert [usage.usage_id for usage in Spool(tmp_path).recover()] == ["w-0", "w-2"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"monotonic": 1}\n', b"[]\n{}\n", b"\xff\n"])
def test_a_file_without_sense_yields_nothing(tmp_path: Path, content: bytes) -> None:
    segment_path(tmp_path, "w", 0).write_bytes(content)
    assert Spool(tmp_path).recover() == ()


def test_no_folder_is_an_empty_spool(tmp_path: Path) -> None:
    assert Spool(tmp_path / "absent").recover() == ()


def test_recovered_usage_is_deleted_when_it_is_acknowledged_and_not_before(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, "w", ANCHOR).append(worker_usage(0))
    spool = Spool(tmp_path)
    assert len(spool.recover()) == len(spool.recover()) == 1
    SpoolWriter(tmp_path, "later", ANCHOR).append(worker_usage(0, "later"))
    spool.forget_recovered()
    assert [usage.usage_id for usage in Spool(tmp_path).recover()] == ["later-0"]


def test_segments_are_bounded_and_each_can_be_read_alone(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, "w", ANCHOR)
    segments = [writer.append(worker_usage(sequence)) for sequence in range(2 * SEGMENT_LINES + 1)]
    assert segments == [0] * SEGMENT_LINES + [1] * SEGMENT_LINES + [2]
    spool = Spool(tmp_path)
    spool.forget("w", below=2)
    assert [usage.usage_id for usage in spool.recover()] == [f"w-{2 * SEGMENT_LINES}"]
    spool.forget("w")
    assert list(tmp_path.iterdir()) == []


def test_what_lies_beyond_a_sequence_is_found_with_its_segment(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, "w", ANCHOR)
    for sequence in range(SEGMENT_LINES + 2):
        writer.append(worker_usage(sequence))
    after = [(found.sequence, segment) for found, segment in Spool(tmp_path).after("w", SEGMENT_LINES - 2)]
    assert after == [(SEGMENT_LINES - 1, 0), (SEGMENT_LINES, 1), (SEGMENT_LINES + 1, 1)]


def test_each_line_is_json(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, "w", ANCHOR).append(worker_usage(0))
    anchor, line = (json.loads(line) for line in segment_path(tmp_path, "w", 0).read_text().splitlines())
    assert anchor == {"monotonic": 100.0, "instant": "2026-03-01T00:00:00+00:00", "speed": 60.0}
    assert line["owner"] == ["trial", 7, 2]


@pytest.mark.parametrize("clock", [SystemClock(), ReplayClock(START, 3600)], ids=["system", "replay"])
def test_an_anchor_says_what_its_clock_says(clock: Clock) -> None:
    anchor = Anchor.of(clock)
    assert speed_of(clock) == pytest.approx(getattr(clock, "speed", 1.0), rel=1e-6)
    for monotonic in (anchor.monotonic, anchor.monotonic + 50):
        gap = anchor.instant_of(monotonic) - clock.instant_of(monotonic)
        assert abs(gap) < timedelta(seconds=0.05)


class ShakyClock(ReplayClock):
    """A wall clock as it is: each reading is off by some milliseconds, and it may be set."""

    def __init__(self, errors_s: list[float]) -> None:
        super().__init__(START, 1.0)
        self._errors_s = list(errors_s)

    def instant_of(self, monotonic: float) -> datetime:
        error_s = self._errors_s.pop() if self._errors_s else 0.0
        return START + timedelta(seconds=monotonic + error_s)


@given(
    st.lists(st.floats(1e-6, 5.0), min_size=1, max_size=20),
    st.lists(st.floats(-0.02, 0.02), max_size=40),
)
def test_adjacent_usages_are_adjacent_intervals_although_the_clock_shakes(
    lengths: list[float], errors_s: list[float]
) -> None:
    timeline = Timeline(ShakyClock(errors_s))
    moments = [0.0]
    for length in lengths:
        moments.append(moments[-1] + length)
    intervals = [timeline.interval(start, end) for start, end in pairwise(moments)]
    assert all(before.end == after.start for before, after in pairwise(intervals))
    assert timeline.instant(moments[-1]) == intervals[-1].end


def test_a_clock_that_was_set_keeps_the_length_of_the_usages() -> None:
    timeline = Timeline(ShakyClock([-3600.0, -3600.0, 0.0, 0.0]))
    before, after = timeline.interval(10.0, 11.0), timeline.interval(11.0, 12.0)
    assert before.seconds == after.seconds == 1.0
    assert after.start == before.end - timedelta(hours=1)
