"""A web server on this machine that plays a provider and its faults, for tests of clients."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asked for.

    Attributes:
        target: Path and query as sent.
        headers: The headers, names as sent.
    """

    target: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The values of each parameter, decoded, in the order in which they were sent."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """Return a header, whatever the case of its name, or `None` if it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sends.

    Attributes:
        body: The body, sent with its length.
        status: HTTP status.
        headers: Further headers; `Content-Type` is JSON unless given.
        drip_s: Pause before each byte of the body in seconds; zero sends all at once.
        delay_s: Pause before the status line in seconds.
        truncated: Whether the connection ends in the middle of a chunk.
        reset: Whether the connection is reset without an answer.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    delay_s: float = 0.0
    truncated: bool = False
    reset: bool = False

    @classmethod
    def json(cls, document: object, status: int = 200) -> Reply:
        """Return a reply with this document."""
        return cls(json.dumps(document).encode(), status)


@dataclass(frozen=True, slots=True)
class FakeProvider:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
        asked: What was asked for so far.
    """

    url: str
    asked: list[Asked]

    @property
    def paths(self) -> list[str]:
        """The paths asked for so far, with their queries."""
        return [asked.target for asked in self.asked]

    @property
    def headers(self) -> list[Mapping[str, str]]:
        """The headers of each request."""
        return [asked.headers for asked in self.asked]


@contextlib.contextmanager
def fake_provider(reply: Callable[[Asked], Reply]) -> Iterator[FakeProvider]:
    """Serve `reply(asked)` on a free port of 127.0.0.1 until the context ends."""
    log: list[Asked] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(self.path, dict(self.headers))
            log.append(asked)
            # A client that gave up is what some tests are about.
            with contextlib.suppress(ConnectionError):
                _send(self, reply(asked))

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield FakeProvider(f"http://127.0.0.1:{server.server_port}", log)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _send(handler: http.server.BaseHTTPRequestHandler, reply: Reply) -> None:
    if reply.reset:
        # Lingering for zero seconds makes the closing of the socket a reset.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    if reply.delay_s:
        threading.Event().wait(reply.delay_s)
    handler.send_response(reply.status)
    for name, value in ({"Content-Type": "application/json"} | dict(reply.headers)).items():
        handler.send_header(name, value)
    if reply.truncated:
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{len(reply.body) + 10:x}\r\n".encode() + reply.body)
        return
    handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    if not reply.drip_s:
        handler.wfile.write(reply.body)
        return
    pause = threading.Event()
    for byte in reply.body:
        pause.wait(reply.drip_s)
        handler.wfile.write(bytes([byte]))
