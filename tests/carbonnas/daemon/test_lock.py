"""One daemon per state folder, with real processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbonnas.daemon.lock import LockOwner, daemon_lock, find_daemon
from carbonnas.errors import DaemonLockedError, StorageError

STARTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

HOLD = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from carbonnas.daemon.lock import LockOwner, daemon_lock
with daemon_lock(Path(sys.argv[1]), LockOwner(os.getpid(), datetime(2026, 3, 1, 12, 30, tzinfo=UTC))) as lock:
    lock.update_address("http://127.0.0.1:4711")
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_daemon(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_daemon_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    with other_daemon(tmp_path) as other:
        with pytest.raises(DaemonLockedError) as refused, daemon_lock(tmp_path, LockOwner(1, STARTED)):
            pass
        assert str(refused.value) == (
            f"a daemon holds {tmp_path}: process {other.pid} runs since 2026-03-01 12:30:00 UTC and serves at http://127.0.0.1:4711;"
            f" use it, stop that one (kill {other.pid}), or choose another folder with --state"
        )
        assert find_daemon(tmp_path) == LockOwner(other.pid, STARTED, "http://127.0.0.1:4711")


def test_what_a_killed_daemon_left_does_not_hold_up_the_next(tmp_path: Path) -> None:
    with other_daemon(tmp_path) as other:
        other.kill()
        other.wait()
        assert str(other.pid) in (tmp_path / "daemon.lock").read_text()
        assert find_daemon(tmp_path) is None
        with daemon_lock(tmp_path, LockOwner(1, STARTED)):
            assert find_daemon(tmp_path) == LockOwner(1, STARTED)


def test_a_folder_that_was_let_go_of_has_no_daemon(tmp_path: Path) -> None:
    assert find_daemon(tmp_path / "nowhere") is None
    with daemon_lock(tmp_path, LockOwner(1, STARTED, "http://127.0.0.1:1")):
        pass
    assert find_daemon(tmp_path) is None


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": "1", "started_at": "2026-03-01", "address": null}', "{}"])
def test_a_note_that_makes_no_sense_tells_nothing_but_that_somebody_is_there(tmp_path: Path, note: str) -> None:
    with daemon_lock(tmp_path, LockOwner(1, STARTED)):
        (tmp_path / "daemon.lock").write_text(note)
        assert find_daemon(tmp_path) == LockOwner()
        refused = pytest.raises(DaemonLockedError, match="another process runs; use it, stop that one, or choose")
        with refused, daemon_lock(tmp_path, LockOwner(2, STARTED)):
            pass


def test_whoever_only_looks_never_holds_up_a_start(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").touch()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            find_daemon(tmp_path)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(200):
            with daemon_lock(tmp_path, LockOwner(turn, STARTED)):
                pass
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_reader_finds_the_note_before_or_after_and_nothing_between(tmp_path: Path) -> None:
    addresses = [f"http://127.0.0.1:{'1' * length}" for length in (1, 5)]
    with daemon_lock(tmp_path, LockOwner(1, STARTED, addresses[0])) as lock:
        done = threading.Event()

        def change() -> None:
            while not done.is_set():
                for address in addresses:
                    lock.update_address(address)

        thread = threading.Thread(target=change)
        thread.start()
        try:
            found = {find_daemon(tmp_path) for _ in range(500)}
        finally:
            done.set()
            thread.join()
        lock.update_address(addresses[0])
        assert (tmp_path / "daemon.lock").read_text().count("\n") == 1
    assert found <= {LockOwner(1, STARTED, address) for address in addresses}


def test_a_folder_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="can't use"), daemon_lock(tmp_path / "file" / "s", LockOwner(1, STARTED)):
        pass
