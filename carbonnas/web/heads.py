"""HEAD wherever GET is answered: the same status and headers, and no body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """ASGI middleware: has a HEAD answered as the GET of its address, whose body stays behind.

    Args:
        app: What stands behind it; it sees no HEAD.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        head = _Head()
        # By the later versions of the protocol an endless answer would not ask whether somebody still listens.
        asgi = {**scope["asgi"], "spec_version": "2.3"}
        await self._app({**scope, "method": "GET", "asgi": asgi}, head.receive, head)
        if head.start is not None:
            await send(head.start)
            await send({"type": "http.response.body", "body": b""})


class _Head:
    """Keeps the headers of an answer. For whoever makes the body the connection ends there, so that endless ones do end, and leave nothing behind.

    Attributes:
        start: The status and the headers; `None` before they are there.
    """

    def __init__(self) -> None:
        self.start: Message | None = None
        self._started = asyncio.Event()

    async def receive(self) -> Message:
        await self._started.wait()
        return {"type": "http.disconnect"}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            self._started.set()
