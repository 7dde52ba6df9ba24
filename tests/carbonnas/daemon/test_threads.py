"""Threads make every call once, at most so many at the same time, and what is stuck in one keeps nobody."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

from carbonnas.daemon.threads import LeavableThreads

_PATIENCE_S = 300.0


def test_calls_are_made_at_most_so_many_at_the_same_time_and_answered() -> None:
    threads, gate = LeavableThreads(2, "some"), threading.Barrier(2)
    # Each waits for another one: with fewer than two threads none of them would end.
    futures = [threads.submit(gate.wait, _PATIENCE_S) for _ in range(6)]
    assert sorted(future.result(_PATIENCE_S) for future in futures) == [0, 0, 0, 1, 1, 1]
    names = {threads.submit(lambda: threading.current_thread().name).result(_PATIENCE_S) for _ in range(20)}
    assert names <= {"some-0", "some-1"}
    threads.shutdown()


def test_what_is_raised_belongs_to_whoever_asks() -> None:
    threads = LeavableThreads(1, "some")
    failed = threads.submit(lambda: 1 / 0)
    assert isinstance(failed.exception(_PATIENCE_S), ZeroDivisionError)
    assert threads.submit(lambda: 3).result(_PATIENCE_S) == 3
    threads.shutdown()
    with pytest.raises(RuntimeError, match="the some were shut down"):
        threads.submit(lambda: 3)


def test_what_a_call_returned_is_not_kept() -> None:
    threads = LeavableThreads(1, "some")
    gone = threading.Event()
    weakref.finalize(threads.submit(set[int]).result(_PATIENCE_S), gone.set)
    assert gone.wait(_PATIENCE_S)
    threads.shutdown()


def test_a_call_that_was_cancelled_before_it_began_is_not_made() -> None:
    threads, gate, made = LeavableThreads(1, "some"), threading.Event(), list[int]()
    first = threads.submit(gate.wait, _PATIENCE_S)
    second = threads.submit(made.append, 1)
    assert second.cancel()
    gate.set()
    assert first.result(_PATIENCE_S)
    threads.shutdown()
    assert made == []


def test_a_call_for_which_no_thread_can_be_started_is_refused_and_the_next_one_is_made() -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    kinds: list[type[threading.Thread]] = [Refused, threading.Thread]

    def make(**given: Any) -> threading.Thread:
        return kinds.pop(0)(**given)

    threads = LeavableThreads(1, "some", make)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        threads.submit(lambda: 2)
    assert threads.submit(lambda: 3).result(_PATIENCE_S) == 3
    threads.shutdown()


def test_a_process_ends_although_a_call_does_not() -> None:
    program = (
        "import threading; from carbonnas.daemon.threads import LeavableThreads; t = LeavableThreads(1, 'some'); "
        "t.submit(threading.Event().wait); t.shutdown(wait=False)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=_PATIENCE_S)
