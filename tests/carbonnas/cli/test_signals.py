"""Signals ask a search to pause; the second one acts as usual."""

from __future__ import annotations

import os
import signal

import pytest

from carbonnas.cli.signals import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_event_and_handlers_are_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(timeout=60)
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


def test_a_second_interrupt_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt), stop_on_signals() as stop:  # noqa: PT012 - two signals
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(timeout=60)
        os.kill(os.getpid(), signal.SIGINT)
        stop.wait(timeout=60)
