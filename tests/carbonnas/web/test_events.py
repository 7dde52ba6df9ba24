"""Live changes: told as they happen, to a bounded number of listeners, until the daemon stops."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.control import Phase
from carbonnas.web.app import create_app
from carbonnas.web.events import ViewFeed, event
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.conftest import TOKEN
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, live_view


@pytest.fixture
def own(world: World) -> SketchControl:
    """A daemon that this test alone may stop."""
    return SketchControl(daemon_view(world))


@contextmanager
def serving(control: SketchControl, shelf: Shelf, **feed: Any) -> Iterator[tuple[httpx.Client, WebServer]]:
    app = create_app(control, shelf, WebSettings(token=TOKEN), ViewFeed(control, **feed))
    server = WebServer(app, "127.0.0.1", 0)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.start()}", trust_env=False, timeout=60) as client:
        try:
            yield client, server
        finally:
            server.stop()


def views(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield the data of the events, as a browser puts them together."""
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            assert kind == "view"
            yield json.loads(line.removeprefix("data: "))


def listens_in_the_end(client: httpx.Client) -> bool:
    """Ask until there is room: the server learns of the end of a connection a moment later."""
    pause, until_s = threading.Event(), monotonic_s() + 60
    while monotonic_s() < until_s:
        with client.stream("GET", "/api/events") as answer:
            if answer.status_code == 200:
                return True
        pause.wait(0.02)
    return False


def test_a_change_arrives_while_the_connection_stands(own: SketchControl, shelf: Shelf, world: World) -> None:
    search_id = world.active.search_id
    with serving(own, shelf) as (client, _), client.stream("GET", "/api/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        seen = views(answer.iter_lines())
        first = next(seen)
        assert first["searches"][search_id]["phase"] == "running"
        assert first["searches"][search_id]["counts"]["train"]["running"] == 2
        assert first["searches"][search_id]["grams"] == pytest.approx(world.status.totals.emissions_g)
        own.pause(search_id)
        second = next(seen)
        assert second["version"] > first["version"]
        assert second["searches"][search_id]["phase"] == "paused"


def test_listeners_are_let_go_when_the_daemon_stops(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf) as (client, _), client.stream("GET", "/api/events") as answer:
        lines = answer.iter_lines()
        seen = views(lines)
        next(seen)
        own.change(lambda view: replace(view, stopping=True))
        assert [view["version"] for view in seen] == [own.view().version]
        assert client.get("/api/events").status_code == 503


def test_stopping_the_server_lets_listeners_go(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf) as (client, server), client.stream("GET", "/api/events") as answer:
        seen = views(answer.iter_lines())
        next(seen)
        stopper = threading.Thread(target=server.stop, kwargs={"timeout_s": 60})
        stopper.start()
        assert list(seen) == []
        stopper.join()


def test_silence_is_broken_by_a_comment(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf, heartbeat_s=0.05) as (client, _), client.stream("GET", "/api/events") as answer:
        comments = (line for line in answer.iter_lines() if line.startswith(":"))
        assert [next(comments), next(comments)] == [": still here", ": still here"]


def test_there_are_only_so_many_listeners_and_one_that_leaves_makes_room(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf, most=2, kept=0, heartbeat_s=0.05) as (client, _):
        with ExitStack() as stack:
            for _ in range(2):
                assert stack.enter_context(client.stream("GET", "/api/events")).status_code == 200
            refused = stack.enter_context(client.stream("GET", "/api/events"))
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "5"
        assert listens_in_the_end(client)


def test_strangers_leave_places_to_those_who_show_the_token(own: SketchControl, shelf: Shelf) -> None:
    known = {"Authorization": f"Bearer {TOKEN}"}
    with serving(own, shelf, most=4, kept=2, heartbeat_s=0.05) as (client, _), ExitStack() as stack:

        def listen(headers: dict[str, str]) -> int:
            return stack.enter_context(client.stream("GET", "/api/events", headers=headers)).status_code

        assert [listen({}) for _ in range(3)] == [200, 200, 503]
        assert [listen(known) for _ in range(3)] == [200, 200, 503]


def test_one_that_breaks_off_before_the_answer_keeps_no_place(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf, most=1, kept=0, heartbeat_s=0.05) as (client, _):
        for _ in range(5):
            with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
                host = f"{client.base_url.host}:{client.base_url.port}"
                connection.sendall(f"GET /api/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert listens_in_the_end(client)


def test_a_head_ends_and_keeps_no_place(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf, most=2, kept=0) as (client, _):
        for _ in range(6):
            answer = client.head("/api/events")
            assert (answer.content, answer.headers["content-type"]) == (b"", "text/event-stream; charset=utf-8")
        assert listens_in_the_end(client)


def test_a_slow_listener_is_told_the_newest_view_only(own: SketchControl, shelf: Shelf) -> None:
    with serving(own, shelf) as (client, _), client.stream("GET", "/api/events") as answer:
        seen = views(answer.iter_lines())
        next(seen)
        for priority in range(50):
            own.set_priority(own.view().searches[0].header.search_id, priority)
        last = own.view().version
        told = 0
        for view in seen:
            told += 1
            if view["version"] == last:
                break
        assert told <= 50


def test_an_event_stays_one_event_whatever_a_search_is_called(own: SketchControl, world: World) -> None:
    header = replace(world.active, search_id="x\r\n\r\nevent: view\ndata: {}\u2028</script>")
    view = replace(own.view(), searches=(live_view(header, None, Phase.QUEUED),))
    message = event(view)
    assert message.count("\n\n") == 1
    assert message.endswith("\n\n")
    assert "\r" not in message
    (data,) = [line for line in message.splitlines() if line.startswith("data: ")]
    assert list(json.loads(data.removeprefix("data: "))["searches"]) == [header.search_id]
