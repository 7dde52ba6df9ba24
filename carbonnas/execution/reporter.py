"""Divides the life of a worker into usages, without gap or overlap."""

from __future__ import annotations

import logging
import math
import os
import resource
import threading
from collections.abc import Callable

from carbon_sources.clock import monotonic_s
from carbonnas.energy.meter import OVERHEAD, Account, Owner, WorkerProbe
from carbonnas.errors import EnergyMeterError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.execution.executor import Job
from carbonnas.execution.protocol import Used, WorkerUsage
from carbonnas.execution.spool import SpoolWriter

logger = logging.getLogger(__name__)

_IDLE_INTERVALS = 10
"""A worker that rests uses next to nothing: it says so less often, so that it wakes nobody for it."""


def processor_seconds() -> float:
    """Return the processor time of this process, its threads and its finished children since it was forked."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Reporter:
    """Measures its own process from `since` on, writes each usage down and sends it.

    A thread cuts at least every `interval_s` seconds inside a job; the worker's main thread cuts where a job begins and ends.

    Args:
        worker: Unique name of the worker.
        spool: Where usages are written before they are sent.
        send: Sends a usage to the search's process.
        since: Monotonic seconds at which the process began.
        interval_s: Longest usage inside a job.
    """

    def __init__(
        self, worker: str, spool: SpoolWriter, *, send: Callable[[Used], None], since: float, interval_s: float
    ) -> None:
        self._worker = worker
        self._spool = spool
        self._send = send
        self._interval_s = interval_s
        self._turn = threading.Condition()
        self._since = since
        self._cpu_s = 0.0
        self._sequence = 0
        self._owner: Owner = OVERHEAD
        self._request: EvaluationRequest | None = None
        self._probe: WorkerProbe | None = None
        self._closed = False

    def start(self, probe: WorkerProbe | None) -> None:
        """Start the thread, which ends with the process or at `close`, and measure with a probe that has been started.

        Nothing is cut before: the first usage goes back to the start of the process and bears the probe's first reading.
        """
        self._probe = probe
        threading.Thread(target=self._keep_cutting, name="usage", daemon=True).start()

    def begin(self, job: Job) -> float:
        """End the overhead, begin the job and return the moment in monotonic seconds."""
        return self._pass_to(Owner(Account.TRIAL, job.trial, job.attempt), job.request)

    def end(self) -> float:
        """End the job and return the moment in monotonic seconds."""
        return self._pass_to(OVERHEAD, None)

    def close(self) -> None:
        """Measure no more: end the thread and close the probe."""
        with self._turn:
            self._closed = True
            self._turn.notify()
            if self._probe is not None:
                self._probe.close()

    def _pass_to(self, owner: Owner, request: EvaluationRequest | None) -> float:
        with self._turn:
            moment = self._cut()
            self._owner, self._request = owner, request
            self._turn.notify()
            return moment

    def _keep_cutting(self) -> None:
        try:
            with self._turn:
                while not self._closed:
                    intervals = _IDLE_INTERVALS if self._owner is OVERHEAD else 1
                    left_s = self._since + intervals * self._interval_s - monotonic_s()
                    if left_s > 0:
                        self._turn.wait(left_s)
                    else:
                        self._cut()
        except Exception:
            # Nothing may run unmeasured: the job is lost, which the search sees and can repeat.
            logger.exception("worker %s can't report its usage and ends", self._worker)
            os._exit(os.EX_SOFTWARE)

    def _cut(self) -> float:
        joules = self._joules()
        now, cpu_s = monotonic_s(), processor_seconds()
        usage = WorkerUsage(
            worker=self._worker,
            sequence=self._sequence,
            start=self._since,
            end=now,
            owner=self._owner,
            request=self._request,
            cpu_seconds=max(0.0, cpu_s - self._cpu_s),
            joules=joules,
        )
        segment = self._spool.append(usage)
        self._since, self._cpu_s, self._sequence = now, cpu_s, self._sequence + 1
        self._send(Used(usage, segment))
        return now

    def _joules(self) -> tuple[float, float] | None:
        if self._probe is None:
            return None
        try:
            joules = self._probe.read()
        except EnergyMeterError as error:
            logger.warning("the probe of worker %s gives no value: %s", self._worker, error)
            return None
        if not all(math.isfinite(value) and value >= 0 for value in joules):
            logger.warning("the probe of worker %s gives %s, which can't be joules", self._worker, joules)
            return None
        return joules
