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

    def __enter__(self) -> None:
        """Wait until all who came before have left."""
        with self._turns:
            place, self._came = self._came, self._came + 1
            self._turns.wait_for(lambda: self._served == place)

    def __exit__(self, *_: object) -> None:
        """Leave; the next one may enter."""
        with self._turns:
            self._served += 1
            self._turns.notify_all()
