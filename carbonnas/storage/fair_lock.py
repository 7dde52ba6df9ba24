"""A lock that threads get in the order in which they came for it."""

from __future__ import annotations

import threading


class FairLock:
    """Lets one thread after the other in, first come, first served; a context manager, and not to be entered twice by one thread.

    `threading.Lock` leaves it to luck who is next, so that one thread may wait for long while others come and go.
    """

    def __init__(self) -> None:
        self._turns = threading.Condition()
        self._came = 0
        self._served = 0
        self._given_up: set[int] = set()

    def __enter__(self) -> None:
        """Wait until all who came before have left."""
        with self._turns:
            place, self._came = self._came, self._came + 1
            try:
                self._turns.wait_for(lambda: self._served == place)
            except BaseException:
                # Ctrl-C ends the waiting of the main thread: those behind it must not wait for a turn that nobody takes.
                self._given_up.add(place)
                self._pass_over()
                raise

    def __exit__(self, *_: object) -> None:
        """Leave; the next one may enter."""
        with self._turns:
            self._served += 1
            self._pass_over()

    def _pass_over(self) -> None:
        """Let whoever is next and still there have its turn; called with `_turns` held."""
        while self._served in self._given_up:
            self._given_up.remove(self._served)
            self._served += 1
        self._turns.notify_all()
