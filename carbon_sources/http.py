"""Asking a provider over HTTP, politely and with limits.

A request has three limits: for the connection, for each read, and for everything together (a body that drips in byte by
byte satisfies every read). Only what may pass by itself is tried again: 429, 5xx and broken connections.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from http import HTTPStatus
from urllib.parse import urlsplit

from carbon_sources.clock import monotonic_s
from carbon_sources.errors import SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.http_exchange import HttpAnswer, HttpLimits, HttpRequest, retry_after_s
from carbon_sources.http_fetch import BrokenExchangeError, fetch

_REFUSALS = {401, 402, 403, 407, 451}
_NEVER = threading.Event()
_LIMITS = HttpLimits()


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
        limits: HttpLimits = _LIMITS,
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
            except BrokenExchangeError as error:
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
                future.set_result(fetch(request, self._limits, give_up))
            except BaseException as error:  # noqa: BLE001 -- handed to the caller, who raises it
                future.set_exception(error)

        threading.Thread(target=work, name=f"carbon source {request.shown}", daemon=True).start()
        try:
            return future.result(max(0.0, seconds))
        except TimeoutError:
            give_up.set()
            raise BrokenExchangeError(f"no complete answer within {self._limits.total_s:g} s") from None


def _host(request: HttpRequest) -> str:
    """Return host and port.

    Raises:
        SourceAnswerError: If the address names none that can be, or anything to send is no text; asking would fail in many ways then.
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


def _passes(status: int) -> bool:
    """Say whether an answer may pass by itself, so that asking again helps."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


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
