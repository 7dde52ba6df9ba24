"""The door: what each request must show before a route sees it, and the headers of every answer.

Against pages of other sites (the requests that they make a browser send, and names of theirs that suddenly mean this machine) the
host and the origin are checked; against everybody else who can reach the port, the token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carbonnas.web.asked import Asked
from carbonnas.web.settings import WebSettings
from carbonnas.web.token import Sessions
from carbonnas.web.visitor import FORM_TOKEN_FIELD, FORM_TOKEN_HEADER, FORM_TYPE, STRANGER, Visitor, read_form

MOST_BYTES = 2**20
"""Longest body of a request."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Put on every answer that does not have its own."""

_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")
_FOR_EVERYBODY = frozenset({"/login", "/healthz", "/readyz", "/favicon.ico"})
_STATIC = "/static/"
_ITS_PLACE = "the token is in the file 'token' of the daemon's state folder"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further: an HTTP status, and one sentence."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


_UNAUTHORIZED = {"WWW-Authenticate": 'Bearer realm="carbonnas"'}
_BROKEN = Refusal(500, "that went wrong in the daemon; its log says how")
_BODY_S = 10.0
"""How long the body of a request may take to come."""
_TOO_SLOW = Refusal(408, "the request did not come whole in time")
_TOO_LONG = Refusal(413, f"the body of a request holds at most {MOST_BYTES} bytes")


class Door:
    """ASGI middleware: refuses what may not pass, tells the routes who asks, and puts the security headers on every answer.

    Args:
        app: What stands behind it.
        settings: Which hosts are right, and whether reading needs the token.
        sessions: Knows the token; `None` if there is none, and then nothing can be changed.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings, sessions: Sessions | None) -> None:
        self._app = app
        self._guards_reading = settings.guards_reading
        self._sessions = sessions
        names = (*_THIS_MACHINE, *settings.allowed_hosts)
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Asked.of(scope)
        guarded = _Guarded(send)
        visitor = self._visitor(asked)
        refusal = self._refusal(asked, visitor)
        if refusal is None and not asked.reads:
            try:
                async with asyncio.timeout(_BODY_S):
                    body = await _read(receive)
            except TimeoutError:
                await _answer(guarded, _TOO_SLOW)
                return
            refusal = _TOO_LONG if body is None else self._forged(asked, visitor, body)
            receive = _Replayed(body or b"", receive)
        if refusal is not None:
            await _answer(guarded, refusal)
            return
        try:
            await self._app({**scope, "carbonnas.visitor": visitor}, receive, guarded)
        except Exception:
            # Whoever asked is told no more, in an answer with all its headers; the server logs the rest.
            if not guarded.begun:
                await _answer(guarded, _BROKEN)
            raise

    def _visitor(self, asked: Asked) -> Visitor:
        if self._sessions is None:
            return STRANGER
        if asked.bearer is not None:
            return Visitor(knows_token=self._sessions.knows(asked.bearer))
        session = asked.session
        if session is None or not self._sessions.is_valid(session):
            return STRANGER
        return Visitor(knows_token=True, form_token=self._sessions.form_token(session), session=session)

    def _refusal(self, asked: Asked, visitor: Visitor) -> Refusal | None:
        """Return why a request may not pass by its headers, or `None`."""
        if asked.problem is not None:
            return Refusal(400, asked.problem)
        if not asked.asks_for(self._names):
            return Refusal(421, "this daemon does not answer for that host; name it in allowed_hosts if it should")
        if not asked.comes_from_here() or asked.is_embedded_elsewhere:
            return Refusal(403, "a page of another origin can't ask this daemon for anything")
        if (asked.body_bytes or 0) > MOST_BYTES:
            return _TOO_LONG
        return self._unread(asked, visitor) if asked.reads else self._unchanged(asked, visitor)

    def _unread(self, asked: Asked, visitor: Visitor) -> Refusal | None:
        """Return why it may not read, or `None`."""
        free = asked.path in _FOR_EVERYBODY or asked.path.startswith(_STATIC)
        if free or visitor.knows_token or not self._guards_reading:
            return None
        if asked.wants_page:
            return Refusal(303, "sign in first", {"Location": "/login"})
        return Refusal(401, f"reading needs the token here: {_ITS_PLACE}", _UNAUTHORIZED)

    def _unchanged(self, asked: Asked, visitor: Visitor) -> Refusal | None:
        """Return why it may not change anything, or `None`."""
        site = asked.headers.get("sec-fetch-site", "none")
        if site not in {"none", "same-origin"}:
            return Refusal(403, "a page of another origin can't change anything")
        if asked.path == "/login" or visitor.knows_token:
            return None
        if self._sessions is None:
            return Refusal(401, "nothing can be changed over HTTP: this daemon runs without a token", _UNAUTHORIZED)
        return Refusal(401, f"changing something needs the token: {_ITS_PLACE}", _UNAUTHORIZED)

    def _forged(self, asked: Asked, visitor: Visitor, body: bytes) -> Refusal | None:
        """Return why a request that a browser's session vouches for is not its page's, or `None`."""
        session = asked.session
        if self._sessions is None or visitor.form_token is None or session is None or asked.path == "/login":
            return None
        if "origin" not in asked.headers and asked.headers.get("sec-fetch-site") != "same-origin":
            return Refusal(403, "the browser does not say which page has sent this")
        shown = asked.headers.get(FORM_TOKEN_HEADER)
        if shown is None and asked.headers.get("content-type", "").lower().startswith(FORM_TYPE):
            shown = read_form(body).get(FORM_TOKEN_FIELD)
        if shown is None or not self._sessions.knows_form_token(session, shown):
            return Refusal(403, "this form is not from the present session: load the page again")
        return None


class _Replayed:
    """Gives a body that was read already, and then what comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request; `None` if it is longer than it may be, or nobody waits for the answer."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        more = message.get("more_body", False)
    return bytes(body)


class _Guarded:
    """Sends an answer with the headers that bind browsers."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _answer(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
