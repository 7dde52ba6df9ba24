"""The HTTP client against a server that misbehaves in every way seen in the wild."""

from __future__ import annotations

import base64
import gzip
import queue
import random
import socket
import threading
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from carbon_sources.errors import CarbonSourceError, SourceAccessError, SourceAnswerError, SourceUnavailableError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpAnswer, HttpLimits, HttpRequest, retry_after_s
from carbon_sources.http_fetch import user_agent
from carbon_sources.testing_server import Asked, Reply, fake_provider

TOKEN = "s3cret-token"  # noqa: S105 -- must not show up anywhere


class Waits:
    """Waits for nothing, and remembers for how long it was asked to."""

    def __init__(self, *, woken: bool = False) -> None:
        self.seconds: list[float] = []
        self.now = 0.0
        self.woken = woken

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.now += seconds
        return self.woken

    def monotonic(self) -> float:
        return self.now


def client(waits: Waits | None = None, **limits: float) -> HttpClient:
    waits = waits or Waits()
    return HttpClient(
        rng=random.Random(0),  # noqa: S311 -- spreads retries
        wait=waits.wait,
        monotonic=waits.monotonic,
        limits=HttpLimits(**limits),  # type: ignore[arg-type] # `attempts` and `body_bytes` are given as whole numbers
    )


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """The replies one after the other, the last one for ever."""
    queue = chain(replies, repeat(replies[-1]))
    return lambda _: next(queue)


def test_a_document_is_returned_as_it_was_sent() -> None:
    with fake_provider(in_turn(Reply.json({"data": [1, None, 2.5]}))) as server:
        assert client().get_json(server.url + "/x", {"zone": "DK 1"}) == {"data": [1, None, 2.5]}
        assert server.paths == ["/x?zone=DK+1"]


def test_every_request_names_the_product_and_asks_for_json() -> None:
    with fake_provider(in_turn(Reply.json({}))) as server:
        client().get_json(server.url, headers={"auth-token": TOKEN})
    assert server.headers[0]["User-Agent"] == user_agent()
    assert user_agent().startswith("carbonnas/0")
    assert user_agent("not-installed") == "not-installed/unknown"
    assert server.headers[0]["Accept"] == "application/json"
    assert server.headers[0]["auth-token"] == TOKEN


def test_a_netrc_file_adds_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with fake_provider(in_turn(Reply.json({}))) as server:
        client().get_json(server.url)
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    "passing",
    [
        Reply(status=429),
        Reply.json({"error": {"code": "500 Internal Server Error"}}, 500),
        Reply(b"<html>", 503, {"Content-Type": "text/html"}),
        Reply(reset=True),
        Reply(b'{"data"', truncated=True),
    ],
    ids=["429", "500 JSON", "503 HTML", "reset", "truncated chunk"],
)
def test_what_may_pass_by_itself_is_tried_again(passing: Reply) -> None:
    waits = Waits()
    with fake_provider(in_turn(passing, passing, Reply.json([7]))) as server:
        assert client(waits).get_json(server.url) == [7]
    assert len(server.paths) == 3
    # Backoff of 1 s and then 2 s, each spread by 50 % to either side.
    assert 0.5 <= waits.seconds[0] <= 1.5
    assert 1.0 <= waits.seconds[1] <= 3.0


@pytest.mark.parametrize(
    "lasting", [Reply(status=429), Reply(status=502), Reply(reset=True)], ids=["429", "502", "reset"]
)
def test_what_does_not_pass_is_unavailable_after_the_last_attempt(lasting: Reply) -> None:
    with fake_provider(in_turn(lasting)) as server, pytest.raises(SourceUnavailableError, match="attempt 3 of 3"):
        client(attempts=3).get_json(server.url)
    assert len(server.paths) == 3


def test_retry_after_is_obeyed() -> None:
    waits = Waits()
    with fake_provider(in_turn(Reply(status=429, headers={"Retry-After": "17"}), Reply.json([]))) as server:
        client(waits).get_json(server.url)
    assert waits.seconds == [17.0]


def test_a_retry_after_beyond_the_limit_is_reported_and_not_waited_for() -> None:
    waits = Waits()
    with (
        fake_provider(in_turn(Reply(status=429, headers={"Retry-After": "3600"}))) as server,
        pytest.raises(SourceUnavailableError, match="3600 s"),
    ):
        client(waits).get_json(server.url)
    assert waits.seconds == []


def test_a_wait_that_is_woken_ends_the_attempts() -> None:
    with (
        fake_provider(in_turn(Reply(status=500))) as server,
        pytest.raises(SourceUnavailableError, match="interrupted"),
    ):
        client(Waits(woken=True)).get_json(server.url)
    assert len(server.paths) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "9" * 400}, 3600.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 +99999999999999999"}, 0.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 3600.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 -0000", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:00:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_beside_the_servers_own_and_an_hour_at_most(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(b"<html>denied</html>", 403, {"Content-Type": "text/html"}), SourceAccessError),
        (Reply.json({"message": "bad token"}, 401), SourceAccessError),
        (Reply.json({"error": "no such zone"}, 404), SourceAnswerError),
        (Reply.json({"error": "bad date"}, 400), SourceAnswerError),
        (Reply(status=301, headers={"Location": f"https://elsewhere.example/x?token={TOKEN}"}), SourceAnswerError),
        (Reply(b""), SourceAnswerError),
        (Reply(b"<html></html>", headers={"Content-Type": "text/html"}), SourceAnswerError),
        (Reply(b'{"value": NaN}'), SourceAnswerError),
        (Reply(b"\xff\xfe{"), SourceAnswerError),
        (Reply(b"[" * 100_000), SourceAnswerError),
        (Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), SourceAnswerError),
        (Reply(b'"' + b"x" * 2_000_000 + b'"'), SourceAnswerError),
    ],
    ids=["HTML 403", "401", "404", "400", "moved", "empty", "HTML", "NaN", "not UTF-8", "nested", "not gzip", "large"],
)
def test_what_will_not_pass_is_not_tried_again(reply: Reply, error: type[CarbonSourceError]) -> None:
    waits = Waits()
    with fake_provider(in_turn(reply)) as server, pytest.raises(error):
        client(waits, body_bytes=1_000_000).get_json(server.url)
    assert len(server.paths) == 1
    assert waits.seconds == []


def test_a_small_body_that_unpacks_to_a_large_one_is_refused() -> None:
    bomb = Reply(gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})
    with fake_provider(in_turn(bomb)) as server, pytest.raises(SourceAnswerError, match="more than 1000000 bytes"):
        client(body_bytes=1_000_000).get_json(server.url)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"[1]", headers={"Content-Type": "text/plain"}),
        Reply(b"\xef\xbb\xbf[1]"),
        Reply(gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["wrong content type", "byte order mark", "gzip"],
)
def test_json_is_read_however_it_is_wrapped(reply: Reply) -> None:
    with fake_provider(in_turn(reply)) as server:
        assert client().get_json(server.url) == [1]


def test_a_body_that_drips_in_runs_into_the_limit_for_everything() -> None:
    with (
        fake_provider(in_turn(Reply(b"[" + b"1," * 200 + b"1]", drip_s=0.02))) as server,
        pytest.raises(SourceUnavailableError, match=r"no complete answer within 0\.2 s"),
    ):
        client(total_s=0.2, attempts=1).get_json(server.url)


def test_silence_runs_into_the_limit_for_a_read() -> None:
    with (
        fake_provider(in_turn(Reply(b"[1]", drip_s=5.0))) as server,
        pytest.raises(SourceUnavailableError, match=r"did not answer in time|broke off"),
    ):
        client(read_s=0.1, attempts=1).get_json(server.url)


def test_silence_before_the_first_header_runs_into_the_limit_for_a_read() -> None:
    given_up = threading.Event()

    def slowly(_: Asked) -> Reply:
        given_up.wait(60)
        return Reply()

    with fake_provider(slowly) as server:
        with pytest.raises(SourceUnavailableError, match="did not answer in time"):
            client(read_s=0.1, attempts=1).get_json(server.url)
        given_up.set()


def test_a_request_that_was_given_up_ends_its_thread() -> None:
    asking: queue.Queue[threading.Thread] = queue.Queue()

    def slowly(_: Asked) -> Reply:
        for thread in threading.enumerate():
            if thread.name == f"carbon source {server.url}":
                asking.put(thread)
        return Reply(b" " * 20_000, drip_s=0.0001)

    with fake_provider(slowly) as server:
        with pytest.raises(SourceUnavailableError):
            client(total_s=0.05, attempts=1).get_json(server.url)
        thread = asking.get(timeout=120)
        thread.join(120)
        assert not thread.is_alive()


@pytest.mark.parametrize("reply", [Reply.json({"error": f"bad {TOKEN}"}, s) for s in (400, 403, 500)], ids=str)
def test_no_message_contains_a_token(reply: Reply) -> None:
    with fake_provider(in_turn(reply)) as server, pytest.raises(CarbonSourceError) as caught:
        client(attempts=1).get_json(
            server.url.replace("//", f"//user:{TOKEN}@"), {"key": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}
        )
    assert TOKEN not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize(
    "echo",
    [
        "s3cr/et+tok=en==",
        "key=s3cr%2Fet%2Btok%3Den%3D%3D&x=1",
        r'{"key": "s3cr\/et+tok=en=="}',
        r'{"key": "s3cr\u002Fet\u002Btok=en=="}',
        "s3cr/et\0+tok=en==",
    ],
)
def test_no_message_contains_a_token_however_the_server_writes_it(echo: str) -> None:
    token = "s3cr/et+tok=en=="  # noqa: S105 -- as above
    with (
        fake_provider(in_turn(Reply(f"bad {echo}".encode(), 400))) as server,
        pytest.raises(SourceAnswerError) as caught,
    ):
        client().get_json(server.url, headers={"auth-token": token})
    assert "***" in str(caught.value)
    assert "tok" not in str(caught.value)


def test_no_message_contains_name_or_password_of_a_login() -> None:
    login = base64.b64encode(b"someone:hunter2").decode()
    with (
        fake_provider(in_turn(Reply(b"no user someone with hunter2", 400))) as server,
        pytest.raises(SourceAnswerError, match=r"no user \*\*\* with \*\*\*"),
    ):
        client().get_json(server.url, headers={"Authorization": f"Basic {login}"})


def test_neither_request_nor_answer_shows_a_token() -> None:
    request = HttpRequest("http://127.0.0.1/x", (("key", TOKEN),), {"auth-token": TOKEN})
    answer = HttpAnswer(200, {"Set-Cookie": TOKEN}, f'{{"token": "{TOKEN}"}}'.encode(), request)
    assert TOKEN not in repr(answer)


@pytest.mark.parametrize(
    "place", ["http://[::1/x", f"http://u:{TOKEN}/@x/", f"http://x/{TOKEN}", "http://x/\x1b[31m" + "x" * 5000]
)
def test_where_a_redirect_leads_is_shown_without_harm(place: str) -> None:
    with (
        fake_provider(in_turn(Reply(status=301, headers={"Location": place}))) as server,
        pytest.raises(SourceAnswerError, match="has moved to") as caught,
    ):
        client().get_json(server.url, headers={"auth-token": TOKEN})
    shown = str(caught.value)
    assert TOKEN not in shown
    assert shown.isprintable()
    assert len(shown) < 400


def test_a_type_of_content_is_shown_without_harm() -> None:
    with (
        fake_provider(in_turn(Reply(b"<", headers={"Content-Type": "\x1b[31m" + "x" * 5000}))) as server,
        pytest.raises(SourceAnswerError, match="not JSON") as caught,
    ):
        client().get_json(server.url)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_broken_connection_leaves_no_token_in_the_chain_of_errors() -> None:
    with fake_provider(in_turn(Reply())) as server:
        closed = server.url
    with pytest.raises(SourceUnavailableError, match="connection failed") as caught:
        client(attempts=1).get_json(closed, {"key": TOKEN})
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize(
    "address", ["gopher://example.org/x", "http://[", f"http://{'a' * 70}/", "http://\udcff/", "http://a b/", ""]
)
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(SourceAnswerError, match="check the address"):
        client().get_json(address)


def test_a_parameter_that_is_no_text_is_no_crash() -> None:
    with pytest.raises(SourceAnswerError, match="options"):
        client().get_json("http://127.0.0.1:9", {"zone": "\udcff"})


def test_a_chunk_of_negative_length_is_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SourceUnavailableError, match="broke off"):
            client(attempts=1).get_json(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_a_certificate_that_is_not_accepted_is_not_tried_again() -> None:
    with fake_provider(in_turn(Reply.json([]))) as server, pytest.raises(SourceUnavailableError, match="certificate"):
        client().get_json(server.url.replace("http:", "https:"))


def test_a_client_without_attempts_says_so() -> None:
    with pytest.raises(SourceUnavailableError, match="no attempt"):
        client(attempts=0).get_json("http://127.0.0.1:9")


def test_what_is_a_bug_reaches_the_caller() -> None:
    with fake_provider(in_turn(Reply.json([]))) as server, pytest.raises(ValueError, match="imeout"):
        client(read_s=-1.0).get_json(server.url)


def test_a_host_that_could_not_be_used_is_left_alone_for_a_while_and_others_are_not() -> None:
    waits = Waits()
    asking = client(waits, attempts=2, rest_s=20.0, backoff_s=0.001)
    with fake_provider(in_turn(Reply(status=503), Reply(status=503), Reply.json([7]))) as server:
        for _ in range(3):
            with pytest.raises(SourceUnavailableError, match="it answered 503"):
                asking.get_json(server.url)
        assert len(server.asked) == 2
        with fake_provider(in_turn(Reply.json([8]))) as other:
            assert asking.get_json(other.url) == [8]
        waits.now += 21
        assert asking.get_json(server.url) == [7]


def test_an_answer_that_repeats_a_token_is_handed_on_without_it() -> None:
    with fake_provider(in_turn(Reply.json({"zone": f"not {TOKEN}", "kept": "application/json"}))) as server:
        answer = client().get(HttpRequest(server.url, headers={"Authorization": f"Bearer {TOKEN}"}))
    assert answer.json() == {"zone": "not ***", "kept": "application/json"}
