"""Who comes first is served first."""

from __future__ import annotations

import threading
from contextlib import suppress

from carbonnas.storage.fair_lock import FairLock

_PATIENCE_S = 300.0


def test_threads_are_let_in_one_after_the_other_in_the_order_in_which_they_came() -> None:
    lock, order = FairLock(), list[int]()

    def enter(number: int) -> None:
        with lock:
            order.append(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(20)]
    with lock:
        for number, thread in enumerate(threads):
            thread.start()
            while lock._came < number + 2:  # noqa: SLF001 - nothing else tells that a thread waits
                threading.Event().wait(0.001)
        assert order == []
    for thread in threads:
        thread.join(_PATIENCE_S)
    assert order == list(range(20))


def test_whoever_fails_inside_lets_the_next_one_in() -> None:
    lock = FairLock()
    with suppress(KeyError), lock:
        raise KeyError
    with lock:
        assert True
