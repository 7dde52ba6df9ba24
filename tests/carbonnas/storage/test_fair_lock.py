"""Who comes first is served first."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress

import pytest

from carbonnas.storage.fair_lock import FairLock

_PATIENCE_S = 300.0


def test_threads_are_let_in_one_after_the_other_in_the_order_in_which_they_came() -> None:
    lock, order = FairLock(), list[int]()

    def enter(number: int) -> None:
        with lock:
            order.append(number)

    threads = [threading.Thread(target=enter, args=(number,), daemon=True) for number in range(20)]
    deadline = time.monotonic() + _PATIENCE_S
    with lock:
        for number, thread in enumerate(threads):
            thread.start()
            while lock._came < number + 2:  # noqa: SLF001 - nothing else tells that a thread waits
                assert time.monotonic() < deadline
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join(_PATIENCE_S)
    assert order == list(range(20))


def test_whoever_fails_inside_lets_the_next_one_in() -> None:
    lock = FairLock()
    with suppress(KeyError), lock:
        raise KeyError
    entered = threading.Event()

    def enter() -> None:
        with lock:
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    assert entered.wait(_PATIENCE_S)


def test_whoever_is_interrupted_while_it_waits_holds_up_nobody() -> None:
    lock, leave, entered = FairLock(), threading.Event(), threading.Event()
    deadline = time.monotonic() + _PATIENCE_S

    def hold() -> None:
        with lock:
            leave.wait(_PATIENCE_S)

    def interrupt() -> None:
        while lock._came < 2 and time.monotonic() < deadline:  # noqa: SLF001 - nothing else tells that a thread waits
            time.sleep(0.05)
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def enter() -> None:
        with lock:
            entered.set()

    threading.Thread(target=hold, daemon=True).start()
    while lock._came < 1:  # noqa: SLF001
        assert time.monotonic() < deadline
        time.sleep(0.001)
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt), lock:
        pass
    leave.set()
    threading.Thread(target=enter, daemon=True).start()
    assert entered.wait(_PATIENCE_S)
