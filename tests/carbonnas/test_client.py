"""The daemon's client: what it sends, what it reads, and a sentence for everything that may answer instead."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPMethod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.client import DaemonClient, DaemonError, DaemonGoneError, Patience, connect
from carbonnas.daemon.lock import LockOwner, daemon_lock
from carbonnas.errors import CarbonNASError, ConfigError, SearchNotFoundError

TOKEN = "s3cret-" + "x" * 32
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
IMPATIENT = Patience(answer_s=0.3, submit_s=0.3, silence_s=0.3)


@dataclass(slots=True)
class Listener:
    """Something that listens: it reads each request and sends what it was told to.

    Attributes:
        address: Where.
        requests: What it was sent.
        pieces: What it answers, piece by piece.
        pause_s: How long it waits before each piece but the first.
        hang: Whether it then leaves the connection open.
    """

    address: str
    pieces: tuple[bytes, ...] = ()
    pause_s: float = 0.0
    hang: bool = False
    requests: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, connection: socket.socket) -> None:
        with connection:
            self.requests.append(_request(connection))
            for number, piece in enumerate(self.pieces):
                if number and self.closing.wait(self.pause_s):
                    return
                connection.sendall(piece)
            if self.hang:
                self.closing.wait(60)


def _request(connection: socket.socket) -> str:
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65_536)
    head, _, body = text.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += connection.recv(65_536)
    return (head + b"\r\n\r\n" + body).decode()


@contextmanager
def listening(*pieces: bytes, pause_s: float = 0.0, hang: bool = False) -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(f"http://127.0.0.1:{server.getsockname()[1]}", pieces, pause_s, hang)

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                if listener.closing.is_set():
                    connection.close()
                    return
                try:
                    listener.answer(connection)
                except OSError:  # a client that gave up
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.closing.set()
            socket.create_connection(server.getsockname()).close()
            thread.join()


def http(status: int, body: bytes, kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def token_path(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="ascii")
    return path


def test_a_question_carries_the_token_and_its_parts_are_quoted(token_path: Path) -> None:
    with listening(http(200, b'{"a": 1}')) as listener:
        assert DaemonClient(listener.address, token_path).get("searches", "a b/ü?", limit=2) == {"a": 1}
    head = listener.requests[0].split("\r\n")
    assert head[0] == "GET /api/searches/a%20b/%C3%BC%3F?limit=2 HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in head


def test_a_change_is_sent_as_json_and_an_empty_answer_is_empty(token_path: Path) -> None:
    with listening(b"HTTP/1.1 204 No Content\r\n\r\n") as listener:
        client = DaemonClient(listener.address, token_path)
        assert client.send(HTTPMethod.PUT, "searches", "x", "priority", body={"priority": 3}) == {}
    assert listener.requests[0].startswith("PUT /api/searches/x/priority HTTP/1.1")
    assert listener.requests[0].endswith('\r\n\r\n{"priority": 3}')


def test_reading_needs_no_token(tmp_path: Path) -> None:
    with listening(http(200, b"{}")) as listener:
        assert DaemonClient(listener.address, tmp_path / "token").get("status") == {}
    assert "Authorization" not in listener.requests[0]


def no_file(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"\n")


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\x00")


def two_lines(path: Path) -> None:
    path.write_bytes(b"abc\r\nX-Evil: 1")


@pytest.mark.parametrize("spoil", [no_file, a_folder, empty, binary, two_lines])
def test_a_change_without_a_readable_token_says_where_the_token_is(
    token_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(token_path)
    with listening(http(204, b"")) as listener, pytest.raises(DaemonError, match=str(token_path)):
        DaemonClient(listener.address, token_path).send(HTTPMethod.POST, "searches", "x", "pause")
    assert listener.requests == []


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (401, b'{"detail": "no"}', DaemonError, "wants its token, which it keeps in .*token"),
        (403, b'{"detail": "foreign origin"}', DaemonError, r"refused \(403\): foreign origin"),
        (302, b"", DaemonError, r"refused \(302\): it does not say why"),
        (404, b'{"detail": "there is no search"}', SearchNotFoundError, "there is no search"),
        (409, b'{"detail": "it is not paused"}', DaemonError, "^it is not paused$"),
        (413, b'{"detail": "too long"}', DaemonError, "too long"),
        (422, b'{"detail": "2 mistakes", "problems": ["a: x", "b: y"]}', ConfigError, r"2 mistakes\n  a: x\n  b: y"),
        (422, b'{"detail": "not so"}', ConfigError, "not so"),
        (422, b'{"detail": 3, "problems": [4]}', ConfigError, "it does not say why"),
        (500, b"<html>", DaemonError, r"failed \(500\): it does not say why; its log says more"),
        (503, b'{"detail": "busy"}', DaemonGoneError, "busy"),
        (200, b"<html>", DaemonError, "did not answer in JSON"),
        (200, b"[1]", DaemonError, "did not answer in JSON"),
        (200, b"[" * 100_000, DaemonError, "did not answer in JSON"),
    ],
)
def test_each_refusal_is_an_error_with_its_sentence(
    token_path: Path, status: int, body: bytes, kind: type[CarbonNASError], sentence: str
) -> None:
    with listening(http(status, body)) as listener, pytest.raises(kind, match=sentence) as caught:
        DaemonClient(listener.address, token_path).send(HTTPMethod.POST, "searches", "x", "pause")
    assert TOKEN not in str(caught.value)


def test_what_some_user_wrote_cannot_control_the_terminal(token_path: Path) -> None:
    body = b'{"detail": "no \\u001b[2Jx\\r\\n\\u202ey"}'
    with listening(http(409, body)) as listener, pytest.raises(DaemonError) as caught:
        DaemonClient(listener.address, token_path).get("status")
    assert str(caught.value) == "no ?[2Jx???y"


@pytest.mark.parametrize(
    ("pieces", "kind", "sentence"),
    [
        ((), DaemonGoneError, "went away before it had answered"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",), DaemonGoneError, "went away"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",), DaemonGoneError, "went away"),
        ((b"220 mail.example ESMTP\r\n",), DaemonError, "does not speak HTTP"),
        ((b"HTTP/1.1 xyz\r\n\r\n",), DaemonError, "does not speak HTTP"),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",), DaemonError, "does not speak HTTP"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",), DaemonError, "answered more than"),
    ],
)
def test_what_is_no_answer_is_a_sentence(
    token_path: Path, pieces: tuple[bytes, ...], kind: type[DaemonError], sentence: str
) -> None:
    with listening(*pieces) as listener, pytest.raises(kind, match=sentence):
        DaemonClient(listener.address, token_path).get("status")


@pytest.mark.parametrize(
    ("pieces", "pause_s"),
    [
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",), 0.0),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b" "] * 99), 0.05),
    ],
    ids=["silent", "dripping"],
)
def test_an_answer_that_does_not_come_is_given_up(token_path: Path, pieces: tuple[bytes, ...], pause_s: float) -> None:
    with (
        listening(*pieces, pause_s=pause_s, hang=True) as listener,
        pytest.raises(DaemonGoneError, match=r"did not answer within 0\.3 s"),
    ):
        DaemonClient(listener.address, token_path, IMPATIENT).get("status")


def test_nobody_at_the_address_is_a_sentence(token_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DaemonGoneError, match=f"nothing listens at http://127.0.0.1:{port}"):
        DaemonClient(f"http://127.0.0.1:{port}", token_path).get("status")


@given(answer=st.binary(max_size=300), body=st.binary(max_size=300), status=st.integers(100, 699))
@settings(max_examples=60)
def test_whatever_answers_there_is_a_document_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, answer: bytes, body: bytes, status: int
) -> None:
    token = tmp_path_factory.getbasetemp() / "token"
    token.write_text(TOKEN, encoding="ascii")
    for sent in (answer, http(status, body)):
        with listening(sent) as listener:
            client = DaemonClient(listener.address, token, IMPATIENT)
            assert isinstance(or_sentence(partial(client.get, "status")), dict | str)
            assert isinstance(or_sentence(lambda: list(client.views())), list | str)  # noqa: B023 - called at once


def or_sentence(ask: Callable[[], object]) -> object:
    """Return the answer, or the sentence of an error that was raised on purpose; anything else goes on."""
    try:
        return ask()
    except CarbonNASError as error:
        return str(error)


def stream(*lines: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"".join(lines)


def test_the_live_stream_is_read_event_by_event_until_it_ends(token_path: Path) -> None:
    lines = (
        b"retry: 2000\nid: 1\nevent: view\ndata: {",
        b'"version": 1}\n\n',
        b": still here\n\n",
        b'data:{"version": 2}\r\n\r\n',
    )
    with listening(stream(lines[0]), *lines[1:]) as listener:
        assert list(DaemonClient(listener.address, token_path).views()) == [{"version": 1}, {"version": 2}]


def test_a_live_stream_that_falls_silent_is_gone(token_path: Path) -> None:
    # The first event may be late on a busy machine.
    patience = replace(IMPATIENT, silence_s=2.0)
    with listening(stream(b'data: {"version": 1}\n\n'), hang=True) as listener:
        views = DaemonClient(listener.address, token_path, patience).views()
        assert next(views) == {"version": 1}
        with pytest.raises(DaemonGoneError):
            next(views)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(stream(b"data: nonsense\n\n"), "JSON"), (http(503, b'{"detail": "too many listen"}'), "too many listen")],
)
def test_a_live_stream_that_is_none_is_a_sentence(token_path: Path, answer: bytes, sentence: str) -> None:
    with listening(answer) as listener, pytest.raises(DaemonError, match=sentence):
        list(DaemonClient(listener.address, token_path).views())


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("http://0.0.0.0:8765", "http://127.0.0.1:8765"),
        ("http://[::]:8765", "http://[::1]:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("http://box.example:80", "http://box.example:80"),
    ],
)
def test_a_daemon_on_all_addresses_is_asked_on_this_machine(tmp_path: Path, told: str, asked: str) -> None:
    assert DaemonClient(told, tmp_path / "token").address == asked


def test_no_daemon_is_no_client(tmp_path: Path) -> None:
    assert connect(tmp_path) is None
    with daemon_lock(tmp_path, LockOwner(7, STARTED_AT, "http://127.0.0.1:1")):
        client = connect(tmp_path)
    assert client is not None
    assert client.address == "http://127.0.0.1:1"
    assert connect(tmp_path) is None


@pytest.mark.parametrize(
    ("pid", "who"), [(7, r"the daemon \(process 7\) is starting"), (None, "the daemon is starting")]
)
def test_a_daemon_without_an_address_yet_is_starting(tmp_path: Path, pid: int | None, who: str) -> None:
    with daemon_lock(tmp_path, LockOwner(pid, STARTED_AT)), pytest.raises(DaemonGoneError, match=who):
        connect(tmp_path)
