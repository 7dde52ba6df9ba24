"""The door: every route that changes something refuses whoever may not."""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.daemon.control import Phase
from carbonnas.web.app import create_app
from carbonnas.web.asked import Asked
from carbonnas.web.security import MOST_BYTES, PAGE_POLICY
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebServerError, WebSettings
from carbonnas.web.shelf import Shelf
from carbonnas.web.visitor import FORM_TYPE
from tests.carbonnas.web.conftest import TOKEN
from tests.carbonnas.web.sketch import SketchControl, World

Headers = Mapping[str, str] | Sequence[tuple[str, str]]

BEARER = {"Authorization": f"Bearer {TOKEN}"}
READING = {"GET", "HEAD"}
COOKIE = "carbonnas_session_PORT"
"""Name of the cookie, with something in place of the port of the server."""


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path that the application answers, with something in place of its parameters."""
    found = [
        (method, "/".join("x" if part.startswith("{") else part for part in (route.path or "").split("/")))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    ]
    assert len(found) > 15
    return sorted(set(found))


@pytest.fixture
def address(server: str) -> str:
    return server.removeprefix("http://")


def ask(address: str, method: str, path: str, headers: Headers = ()) -> int:
    """Ask with exactly these headers, and Host unless they have it, and return the status."""
    given = headers.items() if isinstance(headers, Mapping) else headers
    pairs = [(name, value.replace("PORT", address.rpartition(":")[2])) for name, value in given]
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.putrequest(method, path, skip_host=any(name == "Host" for name, _ in pairs))
    for name, value in pairs:
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


REFUSED: dict[str, tuple[Mapping[str, str], int]] = {
    "no token": ({}, 401),
    "an empty token": ({"Authorization": "Bearer "}, 401),
    "a wrong token": ({"Authorization": f"Bearer {TOKEN[:-1]}y"}, 401),
    "a longer token": ({"Authorization": f"Bearer {TOKEN}x"}, 401),
    "a token that is no ASCII": ({"Authorization": "Bearer t\xf6ken"}, 401),
    "the token as a password": ({"Authorization": f"Basic {TOKEN}"}, 401),
    "the token as a session": ({"Cookie": f"{COOKIE}={TOKEN}"}, 401),
    "a made-up session": ({"Cookie": f"{COOKIE}=9999999999.nonce.{'0' * 64}"}, 401),
    "a foreign host": ({**BEARER, "Host": "evil.example"}, 421),
    "another port": ({**BEARER, "Host": "127.0.0.1:1"}, 421),
    "a host that begins right": ({**BEARER, "Host": "127.0.0.1.evil.example"}, 421),
    "no host": ({**BEARER, "Host": ""}, 421),
    "a foreign origin": ({**BEARER, "Origin": "https://evil.example"}, 403),
    "no origin to speak of": ({**BEARER, "Origin": "null"}, 403),
    "another program of this machine": ({**BEARER, "Origin": "http://127.0.0.1:1"}, 403),
    "a page of another site": ({**BEARER, "Sec-Fetch-Site": "cross-site"}, 403),
    "a page of the same site": ({**BEARER, "Sec-Fetch-Site": "same-site"}, 403),
    "a form of another site": (
        {**BEARER, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        403,
    ),
    "another method in a header": ({**BEARER, "X-HTTP-Method-Override": "GET"}, 400),
}


@pytest.mark.parametrize("who", REFUSED)
def test_every_route_that_changes_something_refuses(
    who: str, app: FastAPI, address: str, control: SketchControl
) -> None:
    headers, expected = REFUSED[who]
    before = control.view()
    for method, path in routes(app):
        # Signing in is how a stranger comes to be known: it asks for the token itself, whatever else is sent.
        if method not in READING:
            assert ask(address, method, path, headers) == expected, (method, path)
    assert control.view() is before


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization", "Cookie", "Content-Type", "Sec-Fetch-Site"])
def test_a_header_that_is_there_twice_is_refused(name: str, app: FastAPI, address: str) -> None:
    for method, path in routes(app):
        twice = [("Host", address), *([] if name == "Host" else [(name, "x")]), (name, "y")]
        assert ask(address, method, path, twice) == 400, (method, path)


def test_every_route_refuses_to_answer_for_a_foreign_host_or_origin(app: FastAPI, address: str) -> None:
    for method, path in routes(app):
        assert ask(address, method, path, {"Host": "evil.example"}) == 421
        assert ask(address, method, path, {"Origin": "https://evil.example"}) == 403


def test_methods_that_no_route_has_need_the_token_too(address: str) -> None:
    for method in ("DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"):
        assert ask(address, method, "/api/status") == 401
        assert ask(address, method, "/api/status", BEARER) in {404, 405}


def test_a_command_with_the_token_is_carried_out(operator: httpx.Client, control: SketchControl, world: World) -> None:
    assert operator.post(f"/api/searches/{world.active.search_id}/pause").status_code == 204
    assert control.view().searches[0].phase is Phase.PAUSED


def sign_in(client: httpx.Client) -> str:
    """Sign a browser in and return its session."""
    answer = client.post("/login", data={"token": TOKEN}, headers={"Origin": str(client.base_url)})
    assert answer.status_code == 303
    session = client.cookies[f"carbonnas_session_{client.base_url.port}"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    return session


def test_a_browser_signs_in_once_and_its_forms_are_taken(
    reader: httpx.Client, app: FastAPI, control: SketchControl, world: World
) -> None:
    session = sign_in(reader)
    path, origin = f"/api/searches/{world.active.search_id}/pause", {"Origin": str(reader.base_url)}
    form_token = form_token_of(session)
    refused = [
        reader.post(path, headers=origin),  # without what its forms carry
        reader.post(path, headers={**origin, "X-CSRF-Token": form_token[:-1] + "!"}),
        reader.post(path, headers={**origin, "X-CSRF-Token": session}),
        reader.post(path, headers={"X-CSRF-Token": form_token}),  # nobody says which page has sent it
        reader.post(path, data={"csrf": "x"}, headers=origin),
        reader.post(path, content=b"csrf=" + form_token.encode(), headers={**origin, "Content-Type": "text/plain"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert control.view().searches[0].phase is Phase.RUNNING
    assert reader.post(path, headers={**origin, "X-CSRF-Token": form_token}).status_code == 204
    assert reader.post(path, headers={"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": form_token}).status_code == 204
    assert reader.post(path, data={"csrf": form_token}, headers=origin).status_code == 204
    assert control.view().searches[0].phase is Phase.PAUSED


def form_token_of(session: str) -> str:
    from carbonnas.web.token import Sessions

    return Sessions(TOKEN).form_token(session)


def test_signing_out_takes_the_session_away(reader: httpx.Client) -> None:
    session = sign_in(reader)
    origin = {"Origin": str(reader.base_url)}
    assert reader.post("/logout", headers=origin).status_code == 403
    answer = reader.post("/logout", data={"csrf": form_token_of(session)}, headers=origin)
    assert answer.status_code == 303
    assert not reader.cookies
    # Whoever has kept it is signed out, too.
    kept = {"Cookie": f"carbonnas_session_{reader.base_url.port}={session}"}
    assert "Signed in" not in reader.get("/", headers=kept).text
    assert (
        "Signed in"
        in reader.get("/", headers={"Cookie": f"carbonnas_session_{reader.base_url.port}={sign_in(reader)}"}).text
    )


def test_two_daemons_on_one_machine_do_not_sign_each_other_out(control: SketchControl, shelf: Shelf) -> None:
    first, second = (
        WebServer(create_app(control, shelf, WebSettings(token=letter * 40)), "127.0.0.1", 0) for letter in "ab"
    )
    bases = {letter: f"http://127.0.0.1:{server.start()}" for letter, server in zip("ab", (first, second), strict=True)}
    # One browser: cookies do not tell ports of a machine apart.
    with httpx.Client(trust_env=False, timeout=60) as browser:
        for letter, base in bases.items():
            assert (
                browser.post(f"{base}/login", data={"token": letter * 40}, headers={"Origin": base}).status_code == 303
            )
        for base in bases.values():
            assert "Signed in" in browser.get(base).text
    first.stop()
    second.stop()


def test_head_answers_as_get_does_wherever_that_does(app: FastAPI, reader: httpx.Client) -> None:
    paths = [path for method, path in routes(app) if method == "GET"]
    for path in [*paths, "/nowhere", "/api/nowhere", "/searches?show=ended"]:
        head = reader.head(path)
        assert head.content == b""
        if path == "/api/events":  # has no end to wait for
            continue
        got = reader.get(path)
        assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"]), path


@pytest.mark.parametrize(
    ("site", "mode", "kind", "status"),
    [
        ("none", "navigate", "document", 200),
        ("same-origin", "no-cors", "image", 200),
        ("cross-site", "navigate", "document", 200),
        ("cross-site", "navigate", "iframe", 403),
        ("cross-site", "no-cors", "image", 403),
        ("same-site", "cors", "empty", 403),
    ],
)
def test_pages_of_other_sites_may_lead_here_and_show_nothing_of_it(
    site: str, mode: str, kind: str, status: int, reader: httpx.Client
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}
    assert reader.get("/api/status", headers=headers).status_code == status


@pytest.mark.parametrize("fields", [{}, {"token": "wrong"}, {"token": ""}, {"csrf": TOKEN}, {"token": "t\xf6ken"}])
def test_signing_in_with_anything_else_is_refused(reader: httpx.Client, fields: dict[str, str]) -> None:
    answer = reader.post("/login", data=fields)
    assert answer.status_code == 401
    assert "That is not the token" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_body_that_is_too_long_is_refused_however_it_is_sent(operator: httpx.Client) -> None:
    body = b"x" * (MOST_BYTES + 1)
    assert operator.post("/api/searches", content=body).status_code == 413
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert operator.post("/api/searches", content=pieces).status_code == 413
    assert operator.post("/api/searches", content=body[:-1]).status_code == 422


def test_every_answer_carries_the_headers_that_bind_a_browser(app: FastAPI, reader: httpx.Client) -> None:
    for method, path in [*routes(app), ("GET", "/nowhere"), ("GET", "/api/searches/../../etc/passwd")]:
        if path == "/api/events":
            continue
        answer = reader.request(method, path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "DENY"
        # Where there are forms, "no-referrer" would have the browser keep their origin to itself.
        assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert TOKEN not in answer.text
    assert "unsafe" not in PAGE_POLICY


def test_reading_needs_the_token_where_it_is_told_to(control: SketchControl, shelf: Shelf) -> None:
    app = create_app(control, shelf, WebSettings(token=TOKEN, read_needs_token=True))
    server = WebServer(app, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.start()}"
    free = {"/login", "/healthz", "/readyz", "/favicon.ico"}
    try:
        with httpx.Client(base_url=base, trust_env=False) as client:
            for method, path in routes(app):
                if method == "GET" and path not in free and not path.startswith("/static/"):
                    assert client.get(path).status_code == 401, path
            assert client.get("/healthz").status_code == 200
            sent_on = client.get("/", headers={"Accept": "text/html"})
            assert (sent_on.status_code, sent_on.headers["location"]) == (303, "/login")
            assert client.get("/api/status", headers=BEARER).status_code == 200
            sign_in(client)
            assert client.get("/api/status").status_code == 200
    finally:
        server.stop()


def test_nothing_can_be_changed_without_a_token_of_the_daemon(control: SketchControl, shelf: Shelf) -> None:
    server = WebServer(create_app(control, shelf, WebSettings()), "127.0.0.1", 0)
    address = f"127.0.0.1:{server.start()}"
    try:
        assert ask(address, "GET", "/api/status") == 200
        assert ask(address, "POST", "/api/searches", {"Authorization": "Bearer "}) == 401
        assert ask(address, "POST", "/login", {"Content-Type": FORM_TYPE}) == 401
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "node7", "10.0.0.1"])  # noqa: S104 # what is refused
def test_listening_beyond_this_machine_without_a_token_is_refused_and_tls_explained(host: str) -> None:
    with pytest.raises(WebServerError, match=r"reverse proxy with TLS"):
        WebSettings(host=host)
    assert WebSettings(host=host, token=TOKEN).guards_reading


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_listening_on_this_machine_needs_no_token_to_read(host: str) -> None:
    assert not WebSettings(host=host).guards_reading


def request(host: str, origin: str | None = None, port: int = 8765) -> Asked:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    return Asked("GET", "/", headers, port, None)


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("carbon.example.org", True),
        ("carbon.example.org:8765", True),
        ("carbon.example.org:443", False),
        ("proxy:8443", True),
        ("proxy", False),
        ("[::1]:8765", True),
        ("[::1]", True),
        ("[::2]", False),
        (":8765", False),
        ("", False),
    ],
)
def test_a_configured_name_is_right_with_its_port_or_the_one_listened_on(host: str, *, right: bool) -> None:
    names = frozenset({"carbon.example.org", "proxy:8443", "[::1]"})
    assert request(host).asks_for(names) is right


@pytest.mark.parametrize(
    ("host", "origin", "same"),
    [
        ("carbon.example.org", "https://carbon.example.org", True),
        ("carbon.example.org", "https://carbon.example.org:443", True),
        ("carbon.example.org:443", "https://carbon.example.org", True),
        ("carbon.example.org", "http://carbon.example.org", True),
        ("carbon.example.org", "https://carbon.example.org:8443", False),
        ("carbon.example.org", "https://carbon.example.org/", False),
        ("carbon.example.org", "https://user@carbon.example.org", False),
        ("carbon.example.org", "file://carbon.example.org", False),
        ("carbon.example.org", "https://[", False),
        ("carbon.example.org", "", False),
    ],
)
def test_an_origin_is_the_same_if_it_is_the_host_that_was_asked(host: str, origin: str, *, same: bool) -> None:
    assert request(host, origin).comes_from_here() is same


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_origin_breaks_the_check_and_only_that_of_the_host_passes(host: str, origin: str) -> None:
    asked = request(host.lower(), origin)
    if asked.comes_from_here():
        assert urlsplit(origin.lower()).netloc.split(":")[0] == host.lower().split(":")[0]
