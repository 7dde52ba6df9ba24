"""Asking a provider over HTTP: the only module that imports `requests`.

A request has three limits: for the connection, for each read, and for everything together (a body that drips in byte by
byte satisfies every read). Only what may pass by itself is tried again: 429, 5xx and broken connections. What `requests`
raises becomes an error of this package here, and no message carries a query, a header or what they contained, since
providers take their tokens there.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Never
from urllib.parse import urlsplit

import requests

from carbon_sources.clock import monotonic_s
from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError

_REFUSALS = {401, 402, 403, 407, 451}
_TOO_MANY = 429
_CHUNK_BYTES = 1_024
"""Small, because a body that drips in is only given up between two chunks."""
_EXCERPT_CHARACTERS = 160
_SHORTEST_SECRET = 4
_NEVER = threading.Event()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How long and how often to ask.

    Attributes:
        connect_s: Seconds allowed for a connection.
        read_s: Seconds of silence allowed while reading.
        total_s: Seconds allowed for one `get_json`, with its retries and the waits between them.
        attempts: Requests per `get_json`, at least one.
        backoff_s: Wait before the second attempt in seconds, on average; it doubles with each further one.
        body_bytes: Largest body accepted, after decompression.
    """

    connect_s: float = 5.0
    read_s: float = 20.0
    total_s: float = 60.0
    attempts: int = 4
    backoff_s: float = 1.0
    body_bytes: int = 16_000_000


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Gets JSON documents.

    Redirects are not followed, because they would carry tokens to another host. Certificates are always checked. Proxies
    come from the environment; a `.netrc` is ignored.

    Args:
        rng: Spreads the retries of several machines over time.
        wait: Waits that many seconds and returns true if it was woken early, which ends the attempts. An
            `Event().wait` does it; pass that of the event that ends the program, or a fake in tests.
        monotonic: Monotonic seconds.
        limits: How long and how often to ask.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        wait: Callable[[float], object] = _NEVER.wait,
        monotonic: Callable[[], float] = monotonic_s,
        limits: HttpLimits = HttpLimits(),
    ) -> None:
        self._rng = rng
        self._wait = wait
        self._monotonic = monotonic
        self._limits = limits

    def get_json(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> object:
        """Return the parsed body of a 2xx answer.

        Raises:
            SourceUnavailableError: If there was no answer in time, or 429 or 5xx to the last attempt.
            SourceAccessError: On 401, 402, 403, 407 and 451.
            SourceAnswerError: On any other status, and if the body is empty, too large or not JSON.
        """
        request = _Request(
            url, dict(params or {}), {"User-Agent": user_agent(), "Accept": "application/json"} | dict(headers or {})
        )
        deadline = self._monotonic() + self._limits.total_s
        for attempt in range(1, self._limits.attempts + 1):
            try:
                answer = self._attempt(request, deadline - self._monotonic())
            except _Broken as error:
                reason, asked_s = str(error), 0.0
            else:
                if answer.status != _TOO_MANY and answer.status < requests.codes.server_error:
                    return _read(answer, request)
                reason, asked_s = f"it answered {answer.status}{request.excerpt(answer)}", retry_after_s(answer.headers)
            self._pause(request, reason, attempt=attempt, asked_s=asked_s, left_s=deadline - self._monotonic())
        raise SourceUnavailableError(f"{request.shown} can't be used: no attempt was allowed")

    def _pause(self, request: _Request, reason: str, *, attempt: int, asked_s: float, left_s: float) -> None:
        """Wait before the next attempt, or raise what the last one found."""
        wait_s = max(asked_s, self._limits.backoff_s * 2 ** (attempt - 1) * self._rng.uniform(0.5, 1.5))
        found = f"{request.shown} can't be used: {reason} (attempt {attempt} of {self._limits.attempts})"
        if attempt == self._limits.attempts:
            raise SourceUnavailableError(f"{found}. Trying again later may help.")
        if wait_s >= left_s:
            raise SourceUnavailableError(
                f"{found}. It may be asked again in {wait_s:.0f} s, longer than this call may take."
            )
        if self._wait(wait_s):
            raise SourceUnavailableError(f"{found}. The wait for another attempt was interrupted.")

    def _attempt(self, request: _Request, seconds: float) -> _Answer:
        """Ask once in a thread of its own, since neither name resolution nor dripping headers obey a timeout."""
        future: Future[_Answer] = Future()
        give_up = threading.Event()

        def work() -> None:
            try:
                future.set_result(_fetch(request, self._limits, give_up))
            except BaseException as error:  # noqa: BLE001 -- handed to the caller, who raises it
                future.set_exception(error)

        threading.Thread(target=work, name=f"carbon source {request.shown}", daemon=True).start()
        try:
            return future.result(max(0.0, seconds))
        except TimeoutError:
            give_up.set()
            raise _Broken(f"no complete answer within {self._limits.total_s:g} s") from None


class _Broken(Exception):  # noqa: N818 -- never leaves this module
    """A request that found no complete answer and may be repeated."""


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    params: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def shown(self) -> str:
        """The address without user, query and fragment."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def excerpt(self, answer: _Answer) -> str:
        """Begin of the body for a message, without anything that was sent as a parameter or a header."""
        text = " ".join(answer.body.decode("utf-8", "replace").split())
        for sent in sorted((*self.params.values(), *self.headers.values()), key=len, reverse=True):
            for secret in (sent, sent.rpartition(" ")[2]):
                text = text.replace(secret, "***") if len(secret) >= _SHORTEST_SECRET else text
        shown = "".join(c for c in text if c.isprintable())[:_EXCERPT_CHARACTERS]
        return f": {shown}" if shown else ""


def user_agent(distribution: str = "carbonnas") -> str:
    """Return the product and version that every request names; some hosts refuse a library's default."""
    try:
        return f"{distribution}/{version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution}/unknown"


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that a `Retry-After` asks for; 0 where there is none that can be read.

    A date is compared with the answer's own `Date` (RFC 9110, section 10.2.3), so a wrong clock here does no harm.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until, date = _http_date(text), _http_date(headers.get("Date", ""))
    return max(0.0, (until - date).total_seconds()) if until and date else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None


def _fetch(request: _Request, limits: HttpLimits, give_up: threading.Event) -> _Answer:
    try:
        with requests.Session() as session, _open(session, request, limits) as answer:
            body = bytearray()
            for chunk in answer.iter_content(_CHUNK_BYTES):
                body += chunk
                if len(body) > limits.body_bytes:
                    raise SourceAnswerError(
                        f"{request.shown} sent more than {limits.body_bytes} bytes; nothing was taken from it"
                    )
                if give_up.is_set():
                    break
            return _Answer(answer.status_code, answer.headers, bytes(body))
    except requests.RequestException as error:
        _translate(error, request)


def _open(session: requests.Session, request: _Request, limits: HttpLimits) -> requests.Response:
    return session.get(
        request.url,
        params=request.params,
        headers=request.headers,
        timeout=(limits.connect_s, limits.read_s),
        allow_redirects=False,
        stream=True,
        auth=_unchanged,
    )


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from adding credentials of a `.netrc` in place of ours."""
    return request


def _translate(error: requests.RequestException, request: _Request) -> Never:
    """Raise ours instead, without the original and its text: both carry the query."""
    if isinstance(error, requests.exceptions.SSLError):
        raise SourceUnavailableError(f"{request.shown} can't be trusted: its certificate was not accepted") from None
    if isinstance(error, requests.exceptions.ContentDecodingError):
        raise SourceAnswerError(f"{request.shown} sent a body whose compression is broken") from None
    if isinstance(error, requests.Timeout):
        raise _Broken("it did not answer in time") from None
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        raise _Broken("the connection failed or broke off") from None
    raise SourceAnswerError(f"{request.shown} can't be asked ({type(error).__name__}): check the address") from None


def _read(answer: _Answer, request: _Request) -> object:
    if answer.status in _REFUSALS:
        raise SourceAccessError(
            f"{request.shown} refuses this caller: it answered {answer.status}{request.excerpt(answer)}. "
            "Check the token, the plan and the zone."
        )
    if answer.status in range(300, 400):
        target = _Request(answer.headers.get("Location", "an unnamed place"), {}, {}).shown
        raise SourceAnswerError(f"{request.shown} has moved to {target}: set the new address in the configuration")
    if answer.status not in range(200, 300):
        raise SourceAnswerError(f"{request.shown} answered {answer.status}{request.excerpt(answer)}")
    if not answer.body.strip():
        raise SourceAnswerError(f"{request.shown} answered {answer.status} with an empty body")
    try:
        parsed: object = json.loads(answer.body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        kind = answer.headers.get("Content-Type", "an unnamed type")
        raise SourceAnswerError(f"{request.shown} answered with something that is not JSON ({kind})") from None
    return parsed


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")
