"""Who asks: what the security layer found out about a request, for the routes behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.types import Scope

from carbonnas.web.token import SESSION_LASTS

FORM_TOKEN_FIELD = "csrf"  # noqa: S105 # the name of a field
FORM_TOKEN_HEADER = "x-csrf-token"  # noqa: S105 # the name of a header
FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 64


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes:
        knows_token: Whether the request showed the token, or the session of a browser that did.
        form_token: What the forms of this browser's session carry in the field `FORM_TOKEN_FIELD`; `None` without a session.
        session: The session of this browser; `None` without one.
    """

    knows_token: bool = False
    form_token: str | None = None
    session: str | None = None


STRANGER = Visitor()


def visitor_of(request: Request) -> Visitor:
    """Return who asks, as the security layer found out."""
    found: Visitor = request.scope.get("carbonnas.visitor", STRANGER)
    return found


async def form_fields(request: Request) -> Mapping[str, str]:
    """Return the fields of a form that was sent, for use as a dependency; of a repeated field the last one, nothing if it is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return read_form(await request.body()) if kind == FORM_TYPE else {}


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of an encoded form; what is no text or too much of it is no form."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def port_of(scope: Scope) -> int | None:
    """Return the port that a request came in on; `None` if it is unknown."""
    server = scope.get("server")
    return None if server is None else server[1]


def cookie_name(port: int | None) -> str:
    """Return the name of the cookie that carries a session with the daemon that listens on a port.

    Browsers tell the ports of a machine apart for everything but cookies: two daemons side by side would sign each other out.
    """
    return "carbonnas_session" if port is None else f"carbonnas_session_{port}"


def session_cookie(name: str, session: str, *, over_tls: bool) -> str:
    """Return the header value that gives a browser its session: no script reads it, no other site's page sends it."""
    secure = "; Secure" if over_tls else ""
    lasts_s = int(SESSION_LASTS.total_seconds())
    return f"{name}={session}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Strict{secure}"


def ended_cookie(name: str) -> str:
    """Return the header value that takes a session away from a browser."""
    return f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
