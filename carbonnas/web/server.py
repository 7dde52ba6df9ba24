"""The web server: uvicorn in a thread of its own, on a socket that was bound beforehand."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import threading

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from carbonnas.web.settings import WebServerError

_START_S = 120.0
_KEEP_ALIVE_S = 5
_FIRST_REQUEST_S = 10.0
"""How long a connection may be there without a request."""
_MOST_CONNECTIONS = 256
_BACKLOG = 128
_CUT_OFF_S = 2.0
"""How long it may take to cut off requests that were not finished in time."""

_log = logging.getLogger(__name__)


class WebServer:
    """Serves an application until it is stopped.

    Args:
        app: The application, from `create_app`.
        host: Name or address to listen on.
        port: Port, 0..65535; 0 takes a free one.
    """

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_Patient,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Listen, and return the port.

        Raises:
            WebServerError: If the address can't be listened on, or the server does not come up.
        """
        self._socket = _bound(self._host, self._port)
        self._thread = threading.Thread(target=self._serve, args=(self._socket,), name="web server", daemon=True)
        self._thread.start()
        if not self._server.up.wait(_START_S) or not self._server.started:
            self.stop(timeout_s=1.0)
            raise WebServerError("the web server does not come up; its log says why")
        port: int = self._socket.getsockname()[1]
        return port

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop: listeners are let go, requests under way have `timeout_s` seconds, rounded up; idempotent."""
        self._app.state.feed.close()
        self._server.config.timeout_graceful_shutdown = math.ceil(timeout_s)
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(math.ceil(timeout_s) + _CUT_OFF_S)
            if self._thread.is_alive():
                _log.error("the web server does not stop; the daemon goes on without it")
        if self._socket is not None:
            self._socket.close()

    def _serve(self, listening: socket.socket) -> None:
        try:
            self._server.run(sockets=[listening])
        finally:
            self._server.up.set()


class _Patient(H11Protocol):
    """Ends connections on which no request comes: each counts among those that there may be."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._silent = self.loop.call_later(_FIRST_REQUEST_S, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._silent.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a machine"
        raise WebServerError(
            f"can't listen on {host} port {port}: {reason}; choose another with --host and --port (0 takes a free port)"
        ) from error
    return listening
