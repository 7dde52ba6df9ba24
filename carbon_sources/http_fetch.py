"""One request over HTTP: the only module that imports `requests`.

What `requests` raises becomes an error of this package here, and no message carries a query, a header or what they
contained, since providers take their tokens there.
"""

from __future__ import annotations

import functools
import threading
from importlib.metadata import PackageNotFoundError, version
from typing import Never

import requests

from carbon_sources.errors import SourceAnswerError, SourceUnavailableError
from carbon_sources.http_exchange import HttpAnswer, HttpLimits, HttpRequest

_CHUNK_BYTES = 1_024
"""Small, because a body that drips in is only given up between two chunks."""
_SHORTEST_TOKEN = 4


class _Session(requests.Session):
    """A session that does not even read where a redirect leads: what can't be an address raises `ValueError` in there."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 -- the interface of `requests`
        return None


class BrokenExchangeError(Exception):
    """A request that found no complete answer and may be repeated; never leaves `HttpClient`."""


@functools.cache
def user_agent(distribution: str = "carbonnas") -> str:
    """Return the product and version that every request names; some hosts refuse a library's default."""
    try:
        return f"{distribution}/{version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution}/unknown"


def fetch(request: HttpRequest, limits: HttpLimits, give_up: threading.Event) -> HttpAnswer:
    """Return the answer to one request, of any status.

    Args:
        request: What to ask.
        limits: Seconds for the connection and each read, and the largest body.
        give_up: Ends the reading early; what came in until then is returned.

    Raises:
        BrokenExchangeError: If the connection failed, broke off or was silent for too long.
        SourceUnavailableError: If the certificate was not accepted.
        SourceAnswerError: If the body is too large or can't be decompressed, or the address can't be asked.
    """
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
        raise BrokenExchangeError("the connection failed or broke off") from None
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
        raise BrokenExchangeError("it did not answer in time") from None
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        raise BrokenExchangeError("the connection failed or broke off") from None
    raise SourceAnswerError(
        f"{request.shown} can't be asked ({type(error).__name__}): check the address, and the proxy if one is set"
    ) from None
