"""The spool: usage on disk, from the moment when it is measured until the ledger has it.

A worker appends each usage to its current segment, a JSON-lines file of its own, before it sends it. Every segment
opens with the anchor of the clock, so it can be read without the process that wrote it, even after a reboot. Segments are short
and only the newest of a live worker is ever written to, so the search's process deletes older ones without asking anybody.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from carbon_sources.clock import Clock
from carbon_sources.interval import Interval, parse_instant
from carbonnas.energy.meter import Account, EnergySample, Owner, Usage
from carbonnas.execution.encoding import decode_request, encode_request
from carbonnas.execution.protocol import Anchor, WorkerUsage

logger = logging.getLogger(__name__)

SEGMENT_LINES = 64
"""A live worker's usage is forgotten by segments: at most this many polled lines are on disk, or recovered once more."""

_SHORTEST = timedelta(microseconds=1)
"""Resolution of instants: a measured usage is never empty."""

_JITTER_S = 0.05
"""Two readings of one wall clock differ by less, unless somebody sets it."""


class SpoolWriter:
    """Appends the usages of one worker; used in one process, under the caller's lock.

    Args:
        folder: The spool; it exists.
        worker: Unique name of the worker.
        anchor: The clock of the search.
        segment: Number of the first segment.
    """

    def __init__(self, folder: Path, worker: str, anchor: Anchor, segment: int = 0) -> None:
        self._folder = folder
        self._worker = worker
        self._anchor = anchor
        self._segment = segment
        self._lines = 0

    def append(self, usage: WorkerUsage) -> int:
        """Write the usage down and return the number of its segment.

        Raises:
            OSError: If it can't be written, such as on a full disk; then nothing of it is left in the segment.
        """
        if self._lines == SEGMENT_LINES:
            self._segment, self._lines = self._segment + 1, 0
        lines = [] if self._lines else [_anchor_line(self._anchor)]
        data = "".join(f"{line}\n" for line in [*lines, _usage_line(usage)])
        file = os.open(
            segment_path(self._folder, self._worker, self._segment), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )
        try:
            _write_all(file, data.encode())
        finally:
            os.close(file)
        self._lines += 1
        return self._segment


def _write_all(file: int, data: bytes) -> None:
    size, left = os.fstat(file).st_size, data
    try:
        while left:
            left = left[os.write(file, left) :]
    except OSError:
        # A torn line would swallow the one that is appended next.
        os.ftruncate(file, size)
        raise


class Timeline:
    """Turns adjacent usages of one worker into adjacent intervals of a clock.

    A wall clock read twice gives two answers for one moment. Here the start of a usage is the very instant that ended the
    usage before, unless the clock has been set in between.
    """

    def __init__(self, clock: Clock | Anchor) -> None:
        self._clock = clock
        self._last: tuple[float, Interval] | None = None

    def interval(self, start: float, end: float) -> Interval:
        """Return the interval of the clock between two moments in monotonic seconds."""
        first, last = self._clock.instant_of(start), self._clock.instant_of(end)
        if self._last is not None and self._last[0] == start:
            before = self._last[1].end
            first = before if abs((before - first).total_seconds()) < _JITTER_S else first
        interval = Interval(first, max(last, first + _SHORTEST))
        self._last = (end, interval)
        return interval

    def instant(self, moment: float) -> datetime:
        """Return the instant of a moment: that of the end of the newest usage, if it is the same moment."""
        if self._last is not None and self._last[0] == moment:
            return self._last[1].end
        return self._clock.instant_of(moment)

    def convert(self, usage: WorkerUsage) -> Usage:
        """Return a usage in the time of the clock."""
        interval = self.interval(usage.start, usage.end)
        probe = None if usage.joules is None else EnergySample(interval, *usage.joules, ram_j=0.0)
        return Usage(usage.worker, usage.sequence, interval, usage.owner, usage.request, usage.cpu_seconds, probe)


class Spool:
    """The folder, seen from the process of the search."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recovered: list[Path] = []

    def recover(self) -> tuple[Usage, ...]:
        """Return all usage in the folder in order of time, and let `forget_recovered` delete it."""
        paths = sorted(self._folder.glob("*.jsonl"))
        timelines: dict[str, Timeline] = {}
        usages = []
        for path in paths:
            for anchor, usage in read_segment(path):
                timeline = timelines.setdefault(usage.worker, Timeline(anchor))
                usages.append(timeline.convert(usage))
        self._recovered = paths
        return tuple(sorted(usages, key=lambda usage: usage.interval))

    def forget_recovered(self) -> None:
        """Delete what `recover` returned."""
        for path in self._recovered:
            path.unlink(missing_ok=True)
        self._recovered = []

    def after(self, worker: str, sequence: int) -> list[tuple[WorkerUsage, int]]:
        """Return the usages of a dead worker beyond `sequence`, each with its segment."""
        return [
            (usage, _segment_number(path))
            for path in self._segments(worker)
            for _, usage in read_segment(path)
            if usage.sequence > sequence
        ]

    def forget(self, worker: str, below: int | None = None) -> None:
        """Delete the segments of a worker: those before `below`, or all of a worker that is dead."""
        for path in self._segments(worker):
            if below is None or _segment_number(path) < below:
                path.unlink(missing_ok=True)

    def _segments(self, worker: str) -> list[Path]:
        return sorted(self._folder.glob(f"{worker}-*.jsonl"))


def segment_path(folder: Path, worker: str, segment: int) -> Path:
    """Return the file of one segment."""
    return folder / f"{worker}-{segment:08d}.jsonl"


def read_segment(path: Path) -> Iterator[tuple[Anchor, WorkerUsage]]:
    """Yield the usages of a segment; a line that was torn by the death of its writer is left out with a warning."""
    anchor: Anchor | None = None
    worker = path.stem.rpartition("-")[0]
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            content = json.loads(line)
            if anchor is None:
                anchor = Anchor(content["monotonic"], parse_instant(content["instant"]), content["speed"])
            else:
                yield anchor, _decode_usage(worker, content)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s, line %d can't be read, its usage is missing: %s", path, number, error)


def _segment_number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _anchor_line(anchor: Anchor) -> str:
    return json.dumps({"monotonic": anchor.monotonic, "instant": anchor.instant.isoformat(), "speed": anchor.speed})


def _usage_line(usage: WorkerUsage) -> str:
    owner, request = usage.owner, usage.request
    return json.dumps(
        {
            "sequence": usage.sequence,
            "start": usage.start,
            "end": usage.end,
            "owner": [owner.account.value, owner.trial, owner.attempt],
            "request": None if request is None else encode_request(request),
            "cpu_seconds": usage.cpu_seconds,
            "joules": usage.joules,
        }
    )


def _decode_usage(worker: str, content: dict[str, Any]) -> WorkerUsage:
    account, trial, attempt = content["owner"]
    joules = content["joules"]
    request = content["request"]
    return WorkerUsage(
        worker=worker,
        sequence=content["sequence"],
        start=content["start"],
        end=content["end"],
        owner=Owner(Account(account), trial, attempt),
        request=None if request is None else decode_request(request),
        cpu_seconds=content["cpu_seconds"],
        joules=None if joules is None else (joules[0], joules[1]),
    )
