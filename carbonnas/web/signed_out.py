"""Sessions that browsers have ended before their time, kept beside the store so that a restart revives none."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path

from carbonnas.files import replace_file

_log = logging.getLogger(__name__)


class SignedOut:
    """The ended sessions, each until it would have ended by itself.

    Args:
        path: The file that keeps them: a line for each, with its end in seconds since 1970 and a digest. Without one they are forgotten
            with the process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._ends = {} if path is None else _read(path)

    def __contains__(self, session: str) -> bool:
        """Whether a session was ended."""
        return _digest(session) in self._ends

    def add(self, session: str, ends_at: datetime, now: datetime) -> None:
        """End a session that would have lasted until `ends_at`."""
        with self._guard:
            left = {digest: end for digest, end in self._ends.items() if end > now.timestamp()}
            self._ends = {**left, _digest(session): int(ends_at.timestamp())}
            if self._path is not None:
                self._write(self._path)

    def _write(self, path: Path) -> None:
        lines = "".join(f"{end} {digest}\n" for digest, end in self._ends.items())
        try:
            replace_file(path, lines.encode())
        except OSError as error:
            _log.warning(
                "a session was ended, and comes back if the daemon is started anew: can't write %s: %s", path, error
            )


def end_of(session: str) -> datetime:
    """Return when a session ends by itself, as it says."""
    return datetime.fromtimestamp(int(session.partition(".")[0]), UTC)


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode(errors="surrogateescape")).hexdigest()


def _read(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("sessions that were ended may come back: can't read %s: %s", path, error)
        return {}
    pairs = (line.split(" ") for line in lines)
    return {pair[1]: int(pair[0]) for pair in pairs if len(pair) == 2 and pair[0].isascii() and pair[0].isdigit()}
