"""The daemon as its clients see it: HTTP on this machine, answers that are checked, failures in one sentence each.

* `DaemonError`: the daemon refuses, fails, or answers what can't be understood.
    * `DaemonGoneError`: it can't be reached or went away in the middle; it may come back.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.lock import find_daemon
from carbonnas.errors import CarbonNASError, ConfigError, SearchNotFoundError

_LARGEST_BYTES = 64 * 2**20
_PIECE_BYTES = 65_536
_EXCERPT = 500
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
"""A server on all addresses is asked on this machine."""


class DaemonError(CarbonNASError):
    """The daemon refuses, fails, or answers what can't be understood."""


class DaemonGoneError(DaemonError):
    """The daemon can't be reached, or went away in the middle; it may come back."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits, in seconds.

    Attributes:
        answer_s: For a whole answer; a command waits for the tick under way, at most 30 s, before the daemon says that it is too busy.
        submit_s: For the answer to a submission, which the daemon has checked in a process of its own for at most 10 min.
        silence_s: For the next piece of the live stream; the daemon says something at least every 15 s.
    """

    answer_s: float = 60.0
    submit_s: float = 720.0
    silence_s: float = 60.0


class DaemonClient:
    """Asks one daemon.

    Args:
        address: Its address, such as `http://127.0.0.1:8765`.
        token_path: File with the token that changes need.
        patience: How long to wait for it.
    """

    def __init__(self, address: str, token_path: Path, patience: Patience | None = None) -> None:
        parts = urlsplit(address)
        host = parts.hostname or ""
        self._host, self._port = _ANYWHERE.get(host, host), parts.port
        self._token_path = token_path
        self._patience = patience or Patience()
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"http://{shown}:{self._port}"

    def page(self, search_id: str) -> str:
        """Return the address of a search's page."""
        return f"{self.address}/searches/{quote(search_id, safe='')}"

    def get(self, *path: str, **query: str | int) -> dict[str, Any]:
        """Return what the API tells under a path, given part by part.

        Raises:
            DaemonError: If it refuses or fails.
            SearchNotFoundError: If there is no such thing.
        """
        target = _target(path) + (f"?{urlencode(query)}" if query else "")
        return self._ask(HTTPMethod.GET, target, None, self._patience.answer_s)

    def send(self, method: HTTPMethod, *path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Have something changed and return the answer, which is empty where there is nothing to say.

        Raises:
            ConfigError: If what was sent is refused, with every mistake.
            DaemonError: If it can't be done, or the token is refused.
            SearchNotFoundError: If there is no such thing.
        """
        return self._ask(method, _target(path), body or {}, self._patience.answer_s)

    def submit(self, submission: Mapping[str, object]) -> dict[str, Any]:
        """Enter a search and return what the API answers; raises as `send` does."""
        return self._ask(HTTPMethod.POST, "/api/searches", submission, self._patience.submit_s)

    def views(self) -> Iterator[dict[str, Any]]:
        """Yield what changes, as the live stream tells it, until the daemon ends it.

        Raises:
            DaemonGoneError: If the stream breaks off or falls silent.
            DaemonError: If it is refused, or what comes is no JSON.
        """
        with self._answer(HTTPMethod.GET, "/api/events", None, self._patience.silence_s) as answer:
            if answer.status != HTTPStatus.OK:
                self._refuse(answer.status, _document(self._body(answer, self._patience.answer_s)))
            while line := answer.readline(_LARGEST_BYTES):
                name, _, value = line.rstrip(b"\r\n").partition(b":")
                if name == b"data":
                    yield _known(_document(value))

    def _ask(
        self, method: HTTPMethod, target: str, body: Mapping[str, object] | None, patience_s: float
    ) -> dict[str, Any]:
        with self._answer(method, target, body, patience_s) as answer:
            text = self._body(answer, patience_s)
        document = _document(text) if text else {}
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            self._refuse(answer.status, document)
        return _known(document)

    @contextmanager
    def _answer(
        self, method: HTTPMethod, target: str, body: Mapping[str, object] | None, patience_s: float
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to a request; what goes wrong on the way, or while it is read, is a `DaemonGoneError`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=patience_s)
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, target, content, self._headers(changes=body is not None))
            yield connection.getresponse()
        except TimeoutError:
            raise DaemonGoneError(
                f"the daemon at {self.address} did not answer within {patience_s:g} s: it may be busy, try again"
            ) from None
        except ConnectionRefusedError:
            raise DaemonGoneError(f"nothing listens at {self.address}: the daemon is starting or stopping") from None
        # A connection that ends without an answer is a bad status line to the library, too.
        except (OSError, http.client.IncompleteRead):
            raise self._broken() from None
        except http.client.HTTPException:
            raise DaemonError(f"what listens at {self.address} does not speak HTTP: it is no daemon") from None
        finally:
            connection.close()

    def _broken(self) -> DaemonGoneError:
        return DaemonGoneError(
            f"the daemon at {self.address} went away before it had answered: `carbonnas list` says what is done"
        )

    def _endless(self) -> DaemonError:
        return DaemonError(f"the daemon at {self.address} answered more than {_LARGEST_BYTES} bytes: ask for less")

    def _headers(self, *, changes: bool) -> dict[str, str]:
        headers = {"Accept": "application/json, text/event-stream"}
        if changes:
            headers["Content-Type"] = "application/json"
        token = self._token(needed=changes)
        return headers if token is None else headers | {"Authorization": f"Bearer {token}"}

    def _token(self, *, needed: bool) -> str | None:
        """Return the token; where it is not needed and can't be read, `None`."""
        try:
            token = self._token_path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            if not needed:
                return None
            why = error.strerror if isinstance(error, OSError) else "it holds no token"
            raise DaemonError(
                f"can't read the daemon's token from {self._token_path}: {why}; "
                "only the user that the daemon runs as may tell it what to do"
            ) from None
        if token.isprintable() and token:
            return token
        if needed:
            raise DaemonError(f"{self._token_path} holds no token: restart the daemon, which writes one")
        return None

    def _body(self, answer: http.client.HTTPResponse, patience_s: float) -> bytes:
        until_s = monotonic_s() + patience_s
        body = bytearray()
        if (answer.length or 0) > _LARGEST_BYTES:
            raise self._endless()
        while piece := answer.read1(_PIECE_BYTES):
            body += piece
            if len(body) > _LARGEST_BYTES:
                raise self._endless()
            if monotonic_s() > until_s:
                raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(bytes(body), answer.length)
        return bytes(body)

    def _refuse(self, status: int, document: object) -> None:
        """Raise what a status other than success stands for."""
        told = document if isinstance(document, dict) else {}
        detail = _sentence(told.get("detail"))
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            problems = told.get("problems")
            listed = tuple(map(_sentence, problems)) if isinstance(problems, list) and problems else (detail,)
            raise ConfigError("refused by the daemon", listed)
        if status == HTTPStatus.NOT_FOUND:
            raise SearchNotFoundError(detail)
        if status == HTTPStatus.UNAUTHORIZED:
            raise DaemonError(
                f"the daemon at {self.address} wants its token, which it keeps in {self._token_path}: that can't be read here, "
                "or is another daemon's"
            )
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise DaemonGoneError(f"the daemon can't answer at present: {detail}")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise DaemonError(f"the daemon failed ({status}): {detail}; its log says more")
        raise DaemonError(detail if status == HTTPStatus.CONFLICT else f"the daemon refused ({status}): {detail}")


def connect(state_folder: Path) -> DaemonClient | None:
    """Return a client of the daemon that holds a state folder; `None` if none does.

    Raises:
        DaemonGoneError: If it has only begun to start.
    """
    owner = find_daemon(state_folder)
    if owner is None:
        return None
    if not owner.address:
        which = "" if owner.pid is None else f" (process {owner.pid})"
        raise DaemonGoneError(f"the daemon{which} is starting or stopping: try again in a moment")
    return DaemonClient(owner.address, state_folder / "token")


def _target(path: tuple[str, ...]) -> str:
    # A slash inside the name of a budget separates, as it does in the API.
    return "/api/" + "/".join(quote(part, safe="/") for part in path)


def _document(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _known(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise DaemonError(
            "what answered in the daemon's place did not answer in JSON: it is no daemon, or another release"
        )
    return document


def _sentence(told: object) -> str:
    """Return a text of the daemon without what would control a terminal; it may hold what some user wrote."""
    if not isinstance(told, str) or not told:
        return "it does not say why"
    return "".join(character if character.isprintable() else "?" for character in told[:_EXCERPT])
