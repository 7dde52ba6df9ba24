"""Threads that open and close searches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor as Threads
from concurrent.futures import Future
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class LeavableThreads(Threads):
    """Some threads that make one call after the other; each lives until `shutdown`, because workers die with the thread that started them.

    A call that never returns keeps its thread and no more: the process can end all the same, which it can't with `ThreadPoolExecutor`.

    Args:
        most: So many threads at most, above zero; each is started when it is needed.
        name: What their names begin with.
        make: Makes a thread.
    """

    def __init__(self, most: int, name: str, make: Callable[..., threading.Thread] = threading.Thread) -> None:
        self._most = most
        self._name = name
        self._make = make
        self._guard = threading.Lock()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._is_shut = False

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a call made as soon as a thread is free. Raises `RuntimeError` after `shutdown`, or if no thread can be started."""
        future: Future[T] = Future()
        with self._guard:
            if self._is_shut:
                raise RuntimeError(f"the {self._name} were shut down. This is a bug. Please report.")
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
                thread = self._make(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
                thread.start()
                self._threads.append(thread)
            self._calls.put(partial(_make, future, partial(call, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - its base's
        """Let each thread end once there is nothing left to do, and `wait` for that; what was submitted is done first."""
        with self._guard:
            self._is_shut = True
            for _ in self._threads:
                self._calls.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # it holds what it returned, such as a whole search
            self._idle.release()


def _make(future: Future[T], call: Callable[[], T]) -> None:
    """Make a call, and keep what it returns or raises."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
        future.set_exception(error)
    else:
        future.set_result(result)
