"""What people tell the daemon, handed from their threads to the one that ticks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

from carbonnas.daemon.control import CommandError

T = TypeVar("T")

_PATIENCE_S = 30.0
"""Longest time that somebody waits for a tick to end."""


class Commands:
    """A queue of calls that the ticking thread makes, and whose results go back.

    Args:
        wake: Set when there is something to do.
        kept: Entered by who asks; it leaves when what was done is on the disk, and raises what keeps it from getting there.
    """

    def __init__(self, wake: threading.Event, kept: Callable[[], AbstractContextManager[None]]) -> None:
        self._wake = wake
        self._kept = kept
        self._queue: queue.SimpleQueue[tuple[Callable[[], object], Future[object]]] = queue.SimpleQueue()
        self._closed = False
        self._owner: int | None = None
        self._answers: list[Callable[[], None]] = []

    def own(self) -> None:
        """Make the calling thread the one that carries out; it may ask, too, and its calls are made at once."""
        self._owner = threading.get_ident()

    def ask(self, call: Callable[[], T]) -> T:
        """Have a call made between two ticks and return its result; called from any thread.

        Raises:
            CommandError: If the daemon is stopping or does not answer.
            StorageError: If the disk does not take what was done.
        """
        if self._closed:
            raise CommandError("the daemon is stopping; ask again when it has started anew")
        if threading.get_ident() == self._owner:
            return call()
        with self._kept():
            return self._answer_to(call)

    def _answer_to(self, call: Callable[[], T]) -> T:
        result: Future[T] = Future()
        self._queue.put((call, result))  # type: ignore[arg-type]
        self._wake.set()
        try:
            return result.result(timeout=_PATIENCE_S)
        except NotInTime:
            if result.cancel():
                raise CommandError("the daemon is too busy to answer; nothing was changed, try again") from None
            raise CommandError("the daemon is too busy to answer; look whether it was done") from None

    def carry_out(self) -> int:
        """Make the calls that were asked for, in order, and return how many; called by the ticking thread.

        Whoever asked hears of it with `answer`, once it can be seen.
        """
        count = 0
        while not self._queue.empty():
            call, result = self._queue.get()
            if not result.set_running_or_notify_cancel():
                continue
            count += 1
            try:
                self._answers.append(partial(result.set_result, call()))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                self._answers.append(partial(result.set_exception, error))
        return count

    def answer(self) -> None:
        """Return what came of the calls to whoever asked for them."""
        for tell in self._answers:
            tell()
        self._answers.clear()

    def close(self) -> None:
        """Refuse whatever is asked from now on, and what was not yet begun."""
        self._closed = True
        self.answer()
        while not self._queue.empty():
            _, result = self._queue.get()
            if result.set_running_or_notify_cancel():
                result.set_exception(CommandError("the daemon is stopping; ask again when it has started anew"))
