"""An executor that can be opened and polled before its search asks."""

from __future__ import annotations

import threading
from datetime import datetime

from carbonnas.energy.meter import Usage
from carbonnas.execution.executor import Executor, Job, Poll


class PolledAhead(Executor):
    """Keeps what was polled until the search takes it, so that one reading of a meter can serve the usage of many searches.

    Args:
        executor: The executor that works.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._kept = Poll((), ())
        self._recovered: tuple[Usage, ...] | None = None

    def warm(self) -> None:
        """Start the workers, which takes seconds, so that `open` has nothing left to do. The calling thread has to outlive them."""
        self._recovered = self._executor.recover()
        self._executor.open()

    @property
    def usages(self) -> tuple[Usage, ...]:
        """The usage that the next `poll` returns."""
        return self._kept.usages

    @property
    def has_outcomes(self) -> bool:
        """Whether a job has left its slot that the search has not heard of."""
        return bool(self._kept.outcomes)

    def fetch(self) -> bool:
        """Poll, and say whether a job has left its slot that the search has not heard of."""
        new, kept = self._executor.poll(), self._kept
        self._kept = Poll((*kept.outcomes, *new.outcomes), (*kept.usages, *new.usages), (*kept.reports, *new.reports))
        return self.has_outcomes

    def open(self) -> None:
        if self._recovered is None:
            self._executor.open()

    @property
    def free_slots(self) -> int:
        return self._executor.free_slots

    @property
    def next_at(self) -> datetime | None:
        return self._executor.next_at

    def submit(self, job: Job) -> None:
        self._executor.submit(job)

    def suspend(self, trial: int, *, at_once: bool = False) -> None:
        self._executor.suspend(trial, at_once=at_once)

    def poll(self) -> Poll:
        """Return what was fetched, and nothing newer."""
        kept, self._kept = self._kept, Poll((), ())
        return kept

    def wait(self, until: datetime, wake: threading.Event) -> None:
        self._executor.wait(until, wake)

    def recover(self) -> tuple[Usage, ...]:
        return self._executor.recover() if self._recovered is None else self._recovered

    def acknowledge(self) -> None:
        self._executor.acknowledge()

    def snapshot(self) -> str | None:
        return self._executor.snapshot()

    def restore(self, snapshot: str | None) -> frozenset[int]:
        return self._executor.restore(snapshot)

    def close(self) -> None:
        self._executor.close()
        self._recovered = None
