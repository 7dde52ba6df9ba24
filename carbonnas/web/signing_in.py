"""Signing in: the token once for each browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from carbonnas.web.pages_render import Renderer
from carbonnas.web.token import Sessions
from carbonnas.web.visitor import cookie_name, ended_cookie, form_fields, port_of, session_cookie, visitor_of

_WRONG = "That is not the token: it stands in the file 'token' of the daemon's state folder."


def signing_in_router(sessions: Sessions | None, renderer: Renderer) -> APIRouter:
    """Return the routes that take the token from a form, and a session away."""
    router = APIRouter(include_in_schema=False)

    @router.post("/login")
    async def login(request: Request, fields: Annotated[Mapping[str, str], Depends(form_fields)]) -> Response:
        if sessions is None or not sessions.knows(fields.get("token", "").strip()):
            problems = [_WRONG]
            return renderer.page(
                request, "login.html.j2", here="/login", title="Sign in", status=401, problems=problems
            )
        over_tls = request.headers.get("origin", "").startswith("https:")
        cookie = session_cookie(cookie_name(port_of(request.scope)), sessions.begin(), over_tls=over_tls)
        return RedirectResponse("/", 303, {"Set-Cookie": cookie})

    @router.post("/logout")
    def logout(request: Request) -> Response:
        session = visitor_of(request).session
        if sessions is not None and session is not None:
            sessions.end(session)
        return RedirectResponse("/", 303, {"Set-Cookie": ended_cookie(cookie_name(port_of(request.scope)))})

    return router
