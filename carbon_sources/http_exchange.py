"""What is asked over HTTP and what came back; nothing here asks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Never
from urllib.parse import urlsplit

from carbon_sources.errors import SourceAnswerError
from carbon_sources.secrets import printable, without_secrets

_EXCERPT_CHARACTERS = 160
_LONGEST_PAUSE_S = 3600.0
"""A `Retry-After` beyond it is no longer believed: one wrong number must not silence a source for good."""


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


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")
