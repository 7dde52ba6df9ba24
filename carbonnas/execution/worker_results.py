"""What has come from the workers and was not yet polled, and what of the spool may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from carbon_sources.clock import Clock, monotonic_s
from carbonnas.energy.meter import Usage
from carbonnas.evaluation.evaluator import Evaluation
from carbonnas.execution.executor import EpochReport, Job, Outcome, OutcomeKind, Poll
from carbonnas.execution.protocol import Anchor, WorkerUsage
from carbonnas.execution.spool import Spool, SpoolWriter, Timeline

_LAST_SEGMENT = 99_999_999
"""Segment of what the search adds to the spool of a dead worker; no worker ever gets there."""


class WorkerResults:
    """Collects usage, outcomes and reports in the time of the search.

    Args:
        clock: The clock of the search.
        folder: The spool.
    """

    def __init__(self, clock: Clock, folder: Path) -> None:
        self._clock = clock
        self._folder = folder
        self._spool = Spool(folder)
        self._timelines: dict[str, Timeline] = {}
        self._usages: list[Usage] = []
        self._outcomes: list[Outcome] = []
        self._reports: list[EpochReport] = []
        self._received: dict[str, int] = {}
        self._polled: dict[str, int] = {}
        self._dead: set[str] = set()
        self._forgettable: set[str] = set()
        self._taken = monotonic_s()

    def add_usage(self, usage: WorkerUsage, segment: int) -> None:
        """Take a usage that stands in this segment of the spool; those of one worker come in order."""
        timeline = self._timelines.setdefault(usage.worker, Timeline(self._clock))
        self._usages.append(timeline.convert(usage))
        self._received[usage.worker] = segment

    def add_own_usage(self, usage: WorkerUsage) -> None:
        """Take a usage that this process found out about a worker that is dead, and write it to the spool."""
        SpoolWriter(self._folder, usage.worker, Anchor.of(self._clock), _LAST_SEGMENT).append(usage)
        self.add_usage(usage, _LAST_SEGMENT)

    def add_lost_usage(self, worker: str, sequence: int) -> list[WorkerUsage]:
        """Take and return what a dead worker wrote down beyond `sequence` but could not send."""
        lost = self._spool.after(worker, sequence)
        for usage, segment in lost:
            self.add_usage(usage, segment)
        return [usage for usage, _ in lost]

    def add_outcome(
        self, worker: str, job: Job, kind: OutcomeKind, end: float, evaluation: Evaluation | None, failure: str | None
    ) -> None:
        """Take the end of a job at `end` monotonic seconds."""
        at = self._instant(worker, end)
        self._outcomes.append(Outcome(job.trial, job.attempt, kind, at, evaluation, failure))

    def add_report(self, job: Job, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Take a report of progress."""
        self._reports.append(EpochReport(job.trial, epoch, epochs, metrics))

    def mark_ended(self, worker: str) -> None:
        """Note that nothing more will come from a worker."""
        self._dead.add(worker)
        self._timelines.pop(worker, None)

    def pressing(self, patience_s: float) -> bool:
        """Say whether to poll: there are outcomes, or other news and the poll before is `patience_s` real seconds ago."""
        news = bool(self._usages or self._reports)
        return bool(self._outcomes) or (news and monotonic_s() - self._taken >= patience_s)

    def take(self) -> Poll:
        """WorkerHandle everything out."""
        poll = Poll(
            tuple(sorted(self._outcomes, key=lambda outcome: outcome.at)),
            tuple(sorted(self._usages, key=lambda usage: usage.interval)),
            tuple(self._reports),
        )
        self._outcomes, self._usages, self._reports = [], [], []
        self._polled.update(self._received)
        self._forgettable |= self._dead
        self._received, self._dead = {}, set()
        self._taken = monotonic_s()
        return poll

    def recover(self) -> tuple[Usage, ...]:
        """Return the usage that an earlier process spooled."""
        return self._spool.recover()

    def acknowledge(self) -> None:
        """Delete what was recovered or taken from the spool, all but the segments that live workers write to."""
        self._spool.forget_recovered()
        for worker in self._forgettable:
            self._polled.pop(worker, None)
            self._spool.forget(worker)
        for worker, segment in self._polled.items():
            self._spool.forget(worker, below=segment)
        self._forgettable, self._polled = set(), {}

    def _instant(self, worker: str, monotonic: float) -> datetime:
        timeline = self._timelines.get(worker)
        return self._clock.instant_of(monotonic) if timeline is None else timeline.instant(monotonic)
