"""What people tell the daemon is done by the thread that ticks, and answered once it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from carbonnas.daemon.commands import Commands
from carbonnas.errors import StorageError

_PATIENCE_S = 300.0


def _asked(commands: Commands, wake: threading.Event, answers: ThreadPoolExecutor) -> int:
    """Have another thread ask for a number, carry out, and return what it got."""
    answer = answers.submit(commands.ask, lambda: 3)
    assert wake.wait(_PATIENCE_S)
    assert commands.carry_out() == 1
    commands.answer()
    return answer.result(_PATIENCE_S)


def test_whoever_asks_gets_the_result_once_it_is_kept() -> None:
    steps: list[str] = []

    @contextmanager
    def kept() -> Iterator[None]:
        steps.append("asks")
        yield
        steps.append("is kept")

    wake = threading.Event()
    with ThreadPoolExecutor(1) as answers:
        assert _asked(Commands(wake, kept), wake, answers) == 3
    assert steps == ["asks", "is kept"]


def test_what_keeps_it_from_the_disk_is_told_to_whoever_asked() -> None:
    @contextmanager
    def kept() -> Iterator[None]:
        yield
        raise StorageError("the disk does not take what was written")

    wake = threading.Event()
    with ThreadPoolExecutor(1) as answers, pytest.raises(StorageError, match="does not take"):
        _asked(Commands(wake, kept), wake, answers)
