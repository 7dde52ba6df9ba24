"""One daemon at a time holds a state folder, and says where it can be reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from carbonnas.errors import DaemonLockedError
from carbonnas.storage.lock import FileHeldError, HeldFile, held_file, holders_note


@dataclass(frozen=True, slots=True)
class LockOwner:
    """The daemon that holds a state folder; what it has not told yet is `None`.

    Attributes:
        pid: Its process number on its machine.
        started_at: When it started, UTC.
        address: Where it serves people, such as `http://127.0.0.1:8765`; `None` until it does.
    """

    pid: int | None = None
    started_at: datetime | None = None
    address: str | None = None


class DaemonLock:
    """The lock of a state folder, held by this process."""

    def __init__(self, file: HeldFile, owner: LockOwner) -> None:
        self._file = file
        self._owner = owner
        self._file.write_note(_written(owner))

    def update_address(self, address: str) -> None:
        """Tell clients where the daemon serves, such as `http://127.0.0.1:8765`."""
        self._owner = replace(self._owner, address=address)
        self._file.write_note(_written(self._owner))


@contextmanager
def daemon_lock(state_folder: Path, owner: LockOwner) -> Iterator[DaemonLock]:
    """Hold a state folder; the kernel lets go of it when the process ends, however it ends.

    Raises:
        DaemonLockedError: At once, if another daemon holds it.
        StorageError: If the folder can't be written.
    """
    try:
        with held_file(_lock_of(state_folder), mode=0o600) as file:
            yield DaemonLock(file, owner)
    except FileHeldError as error:
        raise DaemonLockedError(_refusal(state_folder, _read(error.note))) from None


def find_daemon(state_folder: Path) -> LockOwner | None:
    """Return the daemon that holds a state folder at this moment, or `None` if none is alive.

    Raises:
        StorageError: If the folder can't be read.
    """
    note = holders_note(_lock_of(state_folder))
    return None if note is None else _read(note)


def refuse_beside(state_folder: Path) -> None:
    """Raise `DaemonLockedError` if a daemon holds a state folder."""
    owner = find_daemon(state_folder)
    if owner is not None:
        raise DaemonLockedError(_refusal(state_folder, owner))


def _lock_of(state_folder: Path) -> Path:
    return state_folder / "daemon.lock"


def _refusal(state_folder: Path, owner: LockOwner) -> str:
    who = "another process" if owner.pid is None else f"process {owner.pid}"
    since = "" if owner.started_at is None else f" since {owner.started_at:%Y-%m-%d %H:%M:%S} UTC"
    where = "" if owner.address is None else f" and serves at {owner.address}"
    end = "stop that one" if owner.pid is None else f"stop that one (kill {owner.pid})"
    return (
        f"a daemon holds {state_folder}: {who} runs{since}{where}; use it, {end}, or choose another folder with --state"
    )


def _written(owner: LockOwner) -> str:
    started_at = None if owner.started_at is None else owner.started_at.isoformat()
    return json.dumps({"pid": owner.pid, "started_at": started_at, "address": owner.address})


def _read(note: str) -> LockOwner:
    """Read a note; one that a daemon has not finished, or that somebody else wrote, tells nothing."""
    try:
        told = json.loads(note)
        pid, started_at, address = told["pid"], datetime.fromisoformat(told["started_at"]), told["address"]
    except (ValueError, TypeError, KeyError):
        return LockOwner()
    is_sound = isinstance(pid, int) and isinstance(address, str | None)
    return LockOwner(pid, started_at, address) if is_sound else LockOwner()
