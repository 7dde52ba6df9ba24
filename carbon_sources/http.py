"""Asking a provider over HTTP: the only module that imports `requests`.

A request has three limits: for the connection, for each read, and for everything together (a body that drips in byte by
byte satisfies every read). Only what may pass by itself is tried again: 429, 5xx and broken connections. What `requests`
raises becomes an error of this package here, and no message carries a query, a header or what they contained, since
providers take their tokens there.
"""

from __future__ import annotations

import functools
import json
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Never
from urllib.parse import urlsplit

import requests

from carbon_sources.clock import monotonic_s
from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.secrets import printable, without_secrets

_REFUSALS = {401, 402, 403, 407, 451}
_TOO_MANY = 429
_CHUNK_BYTES = 1_024
"""Small, because a body that drips in is only given up between two chunks."""
_EXCERPT_CHARACTERS = 160
_LONGEST_PAUSE_S = 3600.0
"""A `Retry-After` beyond it is no longer believed: one wrong number must not silence a source for good."""
_SHORTEST_TOKEN = 4
_NEVER = threading.Event()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How long and how often to ask.

    Attributes:
        connect_s: Seconds allowed for a connection.
        read_s: Seconds of silence allowed while reading.
        total_s: Seconds allowed for one `get`, with its retries and the waits between them.
        attempts: Requests per `get`, at least one.
        backoff_s: Wait before the second attempt in seconds, on average; it doubles with each further one.
        pause_s: Shortest time between two requests to the same host, in seconds.
        rest_s: For how long a host that could not be used is not asked again, in seconds: who wants several things at once waits once.
        body_bytes: Largest body accepted, after decompression.
    """

    connect_s: float = 5.0
    read_s: float = 20.0
    total_s: float = 30.0
    attempts: int = 3
    backoff_s: float = 1.0
    pause_s: float = 0.25
    rest_s: float = 20.0
    body_bytes: int = 16_000_000


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to get.

    Attributes:
        url: Address without a query.
        params: The query; a name may be repeated.
        headers: Headers besides `User-Agent` and `Accept`, which have defaults.
    """

    url: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The address without user, query and fragment, for messages: tokens stand in the others."""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return "an address that can't be read"
        return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")

    def __repr__(self) -> str:
        return f"HttpRequest({self.shown!r})"

    def cleaned(self, text: str) -> str:
        """Return the begin of what the other side wrote, for a message: one line without anything that was sent to it."""
        sent = (*(value for _, value in self.params), *self.headers.values())
        return without_secrets(text, sent)[:_EXCERPT_CHARACTERS]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that came in whole.

    Attributes:
        status: HTTP status.
        headers: Its headers; names in any case.
        body: The body, decompressed; where it repeated what was sent in a header, asterisks stand.
        request: What was asked.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request: HttpRequest

    @property
    def excerpt(self) -> str:
        """Begin of the body for a message, without anything that was sent as a parameter or a header."""
        return self.request.cleaned(self.body.decode("utf-8", "replace"))

    def json(self) -> object:
        """Return the parsed body.

        Raises:
            SourceAnswerError: If the body is empty or not JSON.
        """
        shown = self.request.shown
        if not self.body.strip():
            raise SourceAnswerError(f"{shown} answered {self.status} with an empty body")
        try:
            parsed: object = json.loads(self.body.decode("utf-8-sig"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            kind = self.request.cleaned(self.headers.get("Content-Type", "an unnamed type"))
            raise SourceAnswerError(f"{shown} answered with something that is not JSON ({kind})") from None
        return parsed


class HttpClient:
    """Gets documents.

    Redirects are not followed, because they would carry tokens to another host. Certificates are always checked. Proxies
    come from the environment; a `.netrc` is ignored. A host that asked for a pause by `Retry-After` is left alone until it is over, an
    hour at most, in later calls, too. Threads may share a client.

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
        self._not_before: dict[str, float] = {}
        self._resting: dict[str, tuple[float, str]] = {}
        self._turns = threading.Lock()

    def get_json(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> object:
        """Return the parsed body of a 2xx answer; raises as `get` and `HttpAnswer.json`."""
        return self.get(HttpRequest(url, tuple((params or {}).items()), headers or {})).json()

    def get(self, request: HttpRequest, *, reads: Collection[int] = ()) -> HttpAnswer:
        """Return a 2xx answer, or one whose status is in `reads` because the caller knows what it means.

        Raises:
            SourceUnavailableError: If there was no answer in time, or 429 or 5xx to the last attempt.
            SourceAccessError: On 401, 402, 403, 407 and 451.
            SourceAnswerError: On any other status, and if the body is too large.
        """
        host = _host(request)
        until, problem = self._resting.get(host, (0.0, ""))
        if self._monotonic() < until:
            raise SourceUnavailableError(problem)
        try:
            return self._get(request, reads)
        except SourceUnavailableError as error:
            self._resting[host] = (self._monotonic() + self._limits.rest_s, str(error))
            raise

    def _get(self, request: HttpRequest, reads: Collection[int]) -> HttpAnswer:
        deadline = self._monotonic() + self._limits.total_s
        for attempt in range(1, self._limits.attempts + 1):
            self._take_turn(request, deadline)
            try:
                answer = self._attempt(request, deadline - self._monotonic())
            except _Broken as error:
                reason, asked_s = str(error), 0.0
            else:
                if answer.status in reads or not _passes(answer.status):
                    return _checked(answer, reads)
                reason = f"it answered {answer.status}{_quoted(answer)}"
                asked_s = retry_after_s(answer.headers)
                self._leave_alone(request, asked_s)
            self._pause(request, reason, attempt=attempt, asked_s=asked_s, left_s=deadline - self._monotonic())
        raise SourceUnavailableError(f"{request.shown} can't be used: no attempt was allowed")

    def _take_turn(self, request: HttpRequest, deadline: float) -> None:
        """Wait until the host may be asked again, and reserve that instant."""
        host = _host(request)
        with self._turns:
            now = self._monotonic()
            turn = max(now, self._not_before.get(host, now))
            if turn >= deadline:
                raise SourceUnavailableError(
                    f"{request.shown} asked for a pause and may be asked again in {turn - now:.0f} s"
                )
            self._not_before[host] = turn + self._limits.pause_s
        if turn > now and self._wait(turn - now):
            raise SourceUnavailableError(f"{request.shown} was not asked: the wait for a turn was interrupted")

    def _leave_alone(self, request: HttpRequest, seconds: float) -> None:
        with self._turns:
            until = self._monotonic() + seconds
            host = _host(request)
            self._not_before[host] = max(until, self._not_before.get(host, until))

    def _pause(self, request: HttpRequest, reason: str, *, attempt: int, asked_s: float, left_s: float) -> None:
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

    def _attempt(self, request: HttpRequest, seconds: float) -> HttpAnswer:
        """Ask once in a thread of its own, since neither name resolution nor dripping headers obey a timeout."""
        future: Future[HttpAnswer] = Future()
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


class _Session(requests.Session):
    """A session that does not even read where a redirect leads: what can't be an address raises `ValueError` in there."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 -- the interface of `requests`
        return None


class _Broken(Exception):  # noqa: N818 -- never leaves this module
    """A request that found no complete answer and may be repeated."""


@functools.cache
def user_agent(distribution: str = "carbonnas") -> str:
    """Return the product and version that every request names; some hosts refuse a library's default."""
    try:
        return f"{distribution}/{version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution}/unknown"


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that a `Retry-After` asks for, at most an hour; 0 where there is none that can be read.

    A date is compared with the answer's own `Date` (RFC 9110, section 10.2.3), so a wrong clock here does no harm.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(_LONGEST_PAUSE_S, float(text))
    until, date = _http_date(text), _http_date(headers.get("Date", ""))
    return min(_LONGEST_PAUSE_S, max(0.0, (until - date).total_seconds())) if until and date else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (OverflowError, ValueError):
        return None
    return date if date.tzinfo else None


def _host(request: HttpRequest) -> str:
    """Return host and port.

    Raises:
        SourceAnswerError: If the address names none that can be, or anything to send is no text; `requests` fails in many ways then.
    """
    try:
        parts = urlsplit(request.url)
        (parts.hostname or "").encode("idna")
        "".join(value for _, value in request.params).encode()
    except ValueError as error:
        raise SourceAnswerError(
            f"{request.shown} can't be asked ({type(error).__name__}): check the address and the other options of the source"
        ) from None
    return parts.netloc.rpartition("@")[2]


def _fetch(request: HttpRequest, limits: HttpLimits, give_up: threading.Event) -> HttpAnswer:
    try:
        with _Session() as session, _open(session, request, limits) as answer:
            body = _body(answer, request, limits, give_up)
            return HttpAnswer(answer.status_code, answer.headers, _without_tokens(body, request), request)
    except requests.RequestException as error:
        _translate(error, request)


def _without_tokens(body: bytes, request: HttpRequest) -> bytes:
    """Return a body without what was sent in a header: whoever reads it may quote it in a message."""
    for name, value in request.headers.items():
        for token in (value, value.rpartition(" ")[2]):
            if name.lower() != "accept" and len(token) >= _SHORTEST_TOKEN:
                body = body.replace(token.encode(), b"***")
    return body


def _body(answer: requests.Response, request: HttpRequest, limits: HttpLimits, give_up: threading.Event) -> bytes:
    body = bytearray()
    try:
        for chunk in answer.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > limits.body_bytes:
                raise SourceAnswerError(
                    f"{request.shown} sent more than {limits.body_bytes} bytes; nothing was taken from it"
                )
            if give_up.is_set():
                break
    except ValueError:  # chunks of a negative length
        raise _Broken("the connection failed or broke off") from None
    return bytes(body)


def _open(session: requests.Session, request: HttpRequest, limits: HttpLimits) -> requests.Response:
    return session.get(
        request.url,
        params=list(request.params),
        headers={"User-Agent": user_agent(), "Accept": "application/json"} | dict(request.headers),
        timeout=(limits.connect_s, limits.read_s),
        allow_redirects=False,
        stream=True,
        auth=_unchanged,
    )


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from adding credentials of a `.netrc` in place of ours."""
    return request


def _translate(error: requests.RequestException, request: HttpRequest) -> Never:
    """Raise ours instead, without the original and its text: both carry the query."""
    if isinstance(error, requests.exceptions.SSLError):
        raise SourceUnavailableError(f"{request.shown} can't be trusted: its certificate was not accepted") from None
    if isinstance(error, requests.exceptions.ContentDecodingError):
        raise SourceAnswerError(f"{request.shown} sent a body whose compression is broken") from None
    if isinstance(error, requests.Timeout):
        raise _Broken("it did not answer in time") from None
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        raise _Broken("the connection failed or broke off") from None
    raise SourceAnswerError(
        f"{request.shown} can't be asked ({type(error).__name__}): check the address, and the proxy if one is set"
    ) from None


def _passes(status: int) -> bool:
    """Say whether an answer may pass by itself, so that asking again helps."""
    return status == _TOO_MANY or status >= requests.codes.server_error


def _quoted(answer: HttpAnswer) -> str:
    return f": {answer.excerpt}" if answer.excerpt else ""


def _checked(answer: HttpAnswer, reads: Collection[int]) -> HttpAnswer:
    shown = answer.request.shown
    if answer.status in reads or answer.status in range(200, 300):
        return answer
    if answer.status in _REFUSALS:
        raise SourceAccessError(
            f"{shown} refuses this caller: it answered {answer.status}{_quoted(answer)}. "
            "Check the token, the plan and the zone."
        )
    if answer.status in range(300, 400) and (target := answer.headers.get("Location")):
        place = answer.request.cleaned(HttpRequest(target).shown)
        raise SourceAnswerError(f"{shown} has moved to {place}: set the new address in the configuration")
    raise SourceAnswerError(f"{shown} answered {answer.status}{_quoted(answer)}")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")
