"""The token that commands need, and the sessions of browsers that have shown it once."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import wall_time
from carbonnas.errors import StorageError
from carbonnas.web.signed_out import SignedOut, end_of

SESSION_LASTS = timedelta(days=30)
"""So long a browser need not be shown the token again."""

_FILE = "token"
_LEAST_LENGTH = 32


def load_or_make_token(state_folder: Path) -> str:
    """Return the token of a state folder, which is made at the first start: the file `token`, for its owner alone.

    Args:
        state_folder: The folder; made if it is not there.

    Raises:
        StorageError: If the file can't be read or written, others may read it, or what it holds is too short to be a token.
    """
    path = state_folder / _FILE
    try:
        state_folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Another process may make one at the same time: the first that is there counts.
            with contextlib.suppress(FileExistsError):
                _make(path)
        return _load(path)
    except OSError as error:
        raise StorageError(
            f"can't use {path}: {error.strerror}; its owner must be able to read and write it"
        ) from error


def _make(path: Path) -> None:
    # Made under another name, for its owner alone from the first instant, and linked when it is whole.
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    finally:
        Path(fresh).unlink()


def _load(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        found = os.fstat(file.fileno())
        if found.st_uid != os.geteuid():
            raise StorageError(f"{path} belongs to another user: remove it to get a token of your own")
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
            raise StorageError(f"others may read {path}: run 'chmod 600 {path}', or remove it to get a new token")
        token = file.read(4096).strip()
    if len(token) < _LEAST_LENGTH or not token.isascii() or not token.isprintable():
        raise StorageError(f"{path} holds no token of at least {_LEAST_LENGTH} characters: remove it to get a new one")
    return token


class Sessions:
    """Sessions of browsers. Only those are kept that were ended: a session is a text that only who knows the token can have made.

    Args:
        token: The token; a new one ends all sessions.
        wall: Reads the wall clock, UTC.
        signed_out: Keeps those that were ended.
    """

    def __init__(
        self, token: str, wall: Callable[[], datetime] = wall_time, signed_out: SignedOut | None = None
    ) -> None:
        self._token = token.encode()
        self._signed_out = signed_out or SignedOut()
        self._wall = wall

    def knows(self, token: str) -> bool:
        """Whether this is the token; how long the answer takes does not tell how much of it is right."""
        return hmac.compare_digest(token.encode(errors="surrogateescape"), self._token)

    def begin(self) -> str:
        """Return a new session, valid for `SESSION_LASTS`: its end, a nonce, and a signature."""
        ends_at = int((self._wall() + SESSION_LASTS).timestamp())
        claim = f"{ends_at}.{secrets.token_urlsafe(16)}"
        return f"{claim}.{self._sign('session', claim)}"

    def is_valid(self, session: str) -> bool:
        """Whether this is a session that has not ended."""
        claim, _, signature = session.rpartition(".")
        right = self._sign("session", claim).encode()
        if not hmac.compare_digest(signature.encode(errors="surrogateescape"), right):
            return False
        return self._wall() < end_of(session) and session not in self._signed_out

    def end(self, session: str) -> None:
        """End a session, wherever else it is known; nothing happens to what is none."""
        if self.is_valid(session):
            self._signed_out.add(session, end_of(session), self._wall())

    def form_token(self, session: str) -> str:
        """Return what forms of this session carry, which a page of another origin can't know."""
        return self._sign("form", session)

    def knows_form_token(self, session: str, form_token: str) -> bool:
        """Whether a form of this session was sent."""
        return hmac.compare_digest(form_token.encode(errors="surrogateescape"), self.form_token(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode(errors="surrogateescape")
        return hmac.new(self._token, message, hashlib.sha256).hexdigest()
