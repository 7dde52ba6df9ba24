"""A job that a simulated slot holds."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from carbon_sources.interval import Interval, parse_instant
from carbonnas.energy.meter import Account, Owner, Usage
from carbonnas.evaluation.evaluator import Evaluation
from carbonnas.execution.encoding import decode_request, encode_request
from carbonnas.execution.executor import Job, Outcome, OutcomeKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_ROUNDING = 1e-6
"""Share of an epoch within which an instant counts as its end: instants are rounded to microseconds."""


@dataclass(slots=True)
class SimulatedJob:
    """A job in its slot; how it ends is known from the start, unless it is suspended.

    Attributes:
        job: The job.
        start: When it came.
        end: When it leaves.
        reported: Until when its usage has been reported.
        outcome: How it leaves; its instant is `end`.
        epoch_s: Length of an epoch in seconds of the clock.
        done: Epochs that were done before it came.
        loading_s: Seconds that pass before its first epoch goes on, at least 0.
        leaving: Epochs that are done when it is suspended; `None` while it is to remain until its work is done.
    """

    job: Job
    start: datetime
    end: datetime
    reported: datetime
    outcome: Outcome
    epoch_s: float
    done: int
    leaving: int | None = None
    loading_s: float = 0.0
    _written: tuple[datetime, int | None, str] | None = None

    @property
    def epochs(self) -> int:
        """Epochs of the job; what has none counts as one."""
        return max(1, self.job.request.fidelity.epochs)

    def suspend(self, now: datetime, cost: timedelta) -> None:
        """Let it leave at the next end of an epoch, plus `cost`; the last epoch is worked to its end, which is the job's."""
        if self.leaving is not None or self.outcome.kind is not OutcomeKind.COMPLETED:
            return
        worked = self._worked(now) + 1
        if self.done + worked >= self.epochs:
            return
        self.leaving = self.done + worked
        self.end = self.start + timedelta(seconds=self.loading_s + worked * self.epoch_s) + cost
        self.outcome = Outcome(self.job.trial, self.job.attempt, OutcomeKind.SUSPENDED, self.end)

    def interrupt(self, now: datetime) -> None:
        """Let it leave at `now` with the epochs that are done; one that has ended by then has ended."""
        if self.end <= now or self.outcome.kind is OutcomeKind.FAILED:
            return
        self.leaving = self.done + self._worked(now)
        self.end = now
        self.outcome = Outcome(self.job.trial, self.job.attempt, OutcomeKind.SUSPENDED, now)

    def _worked(self, now: datetime) -> int:
        """Return the epochs that are done at `now` since it came."""
        into_s = max(0.0, (now - self.start).total_seconds() - self.loading_s)
        return math.floor(into_s / self.epoch_s + _ROUNDING)

    def use(self, now: datetime) -> Usage | None:
        """Return the usage that was not reported until `now`, if any.

        Its number is the virtual instant of its end: the same piece of virtual work has the same id whoever simulates it.
        """
        until = min(now, self.end)
        if until <= self.reported:
            return None
        interval = Interval(self.reported, until)
        self.reported = until
        owner = Owner(Account.TRIAL, self.job.trial, self.job.attempt)
        stream = f"simulated-{self.job.trial}-{self.job.attempt}"
        number = (interval.end - _EPOCH) // _MICROSECOND
        return Usage(stream, number, interval, owner, self.job.request, interval.seconds, None)

    def encode(self) -> str:
        """Return it as JSON for a later process."""
        # A search asks after every step, and little changes from one to the next.
        if self._written is None or self._written[:2] != (self.end, self.leaving):
            self._written = self.end, self.leaving, json.dumps(self._lasting()).removesuffix("}")
        return f'{self._written[2]}, "reported": "{self.reported.isoformat()}"}}'

    def _lasting(self) -> dict[str, object]:
        job, evaluation = self.job, self.outcome.evaluation
        return {
            "trial": job.trial,
            "attempt": job.attempt,
            "request": encode_request(job.request),
            "checkpoint": None if job.checkpoint is None else str(job.checkpoint),
            "timeout_s": job.timeout.total_seconds(),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "kind": self.outcome.kind.value,
            "evaluation": None if evaluation is None else _told(evaluation),
            "failure": self.outcome.failure,
            "epoch_s": self.epoch_s,
            "done": self.done,
            "leaving": self.leaving,
            "loading_s": self.loading_s,
        }

    @classmethod
    def decode(cls, content: dict[str, Any]) -> SimulatedJob:
        """Return the simulated job that was encoded. Raises `ValueError`, `TypeError` or `KeyError` if it is none."""
        checkpoint, evaluation = content["checkpoint"], content["evaluation"]
        job = Job(
            trial=content["trial"],
            attempt=content["attempt"],
            request=decode_request(content["request"]),
            checkpoint=None if checkpoint is None else Path(checkpoint),
            timeout=timedelta(seconds=content["timeout_s"]),
        )
        end = parse_instant(content["end"])
        outcome = Outcome(
            job.trial,
            job.attempt,
            OutcomeKind(content["kind"]),
            end,
            evaluation=None if evaluation is None else Evaluation(*evaluation),
            failure=content["failure"],
        )
        return cls(
            job=job,
            start=parse_instant(content["start"]),
            end=end,
            reported=parse_instant(content["reported"]),
            outcome=outcome,
            epoch_s=content["epoch_s"],
            done=content["done"],
            leaving=content["leaving"],
            loading_s=content.get("loading_s", 0.0),
        )


def _told(evaluation: Evaluation) -> list[object]:
    curve = {name: list(values) for name, values in evaluation.curve.items()}
    return [dict(evaluation.metrics), evaluation.modelled_seconds, dict(evaluation.lacks), curve]


def read_done(checkpoint: Path | None) -> int:
    """Return the epochs that a simulated checkpoint holds; 0 without one.

    Raises:
        ValueError: If the file is no simulated checkpoint.
    """
    if checkpoint is None or not checkpoint.exists():
        return 0
    try:
        done = json.loads(checkpoint.read_bytes())["epochs_done"]
    except (ValueError, KeyError, TypeError):
        done = None
    if not isinstance(done, int) or done < 0:
        raise ValueError(f"{checkpoint} is not the checkpoint of a simulated job: delete it to begin the job anew")
    return done


def write_done(checkpoint: Path | None, done: int, at: datetime) -> None:
    """Keep the epochs that are done, if the job has a checkpoint.

    The file bears the instant `at` of the clock of the search, so that what is read from it does not depend on the machine's time. It is
    replaced in one step but not forced onto the disk: a machine that fails loses virtual work.
    """
    if checkpoint is None:
        return
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fresh = checkpoint.with_name(f"{checkpoint.name}.new")
    fresh.write_bytes(json.dumps({"epochs_done": done}).encode())
    since_epoch_ns = (at - _EPOCH) // _MICROSECOND * 1000
    os.utime(fresh, ns=(since_epoch_ns, since_epoch_ns))
    fresh.replace(checkpoint)
