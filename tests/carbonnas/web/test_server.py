"""The server: on a port that is known, refused in one sentence, stopped in time."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field

import httpx
import pytest

from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebServerError, WebSettings
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.conftest import TOKEN
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view


@dataclass(slots=True)
class HangingControl(SketchControl):
    """Takes as long for a pause as it is let."""

    asked: threading.Event = field(default_factory=threading.Event)
    let: threading.Event = field(default_factory=threading.Event)

    def pause(self, search_id: str) -> None:
        self.asked.set()
        self.let.wait()


@pytest.fixture
def control(world: World) -> HangingControl:
    return HangingControl(daemon_view(world))


def web_server(control: SketchControl, shelf: Shelf, host: str = "127.0.0.1", port: int = 0) -> WebServer:
    return WebServer(create_app(control, shelf, WebSettings(token=TOKEN)), host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_free_port_is_chosen_and_told(host: str, control: SketchControl, shelf: Shelf) -> None:
    server = web_server(control, shelf, host)
    port = server.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        assert httpx.get(f"http://{shown}:{port}/healthz", trust_env=False, timeout=60).json() == {"status": "ok"}
    finally:
        server.stop()
        server.stop()


def test_a_port_in_use_is_refused_in_one_sentence(control: SketchControl, shelf: Shelf) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WebServerError, match=rf"can't listen on 127.0.0.1 port {port}: .*in use; choose another"):
            web_server(control, shelf, port=port).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a" * 300])
def test_an_address_of_another_machine_is_refused_in_one_sentence(
    host: str, control: SketchControl, shelf: Shelf
) -> None:
    with pytest.raises(WebServerError, match="can't listen on"):
        web_server(control, shelf, host).start()


def test_a_port_can_be_used_again_at_once(control: SketchControl, shelf: Shelf) -> None:
    first = web_server(control, shelf)
    port = first.start()
    httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=60)
    first.stop()
    second = web_server(control, shelf, port=port)
    assert second.start() == port
    second.stop()


def pausing(server: WebServer, statuses: list[int]) -> threading.Thread:
    """Ask for a pause in a thread, which notes the status of the answer."""
    base = f"http://127.0.0.1:{server.start()}"

    def pause() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{base}/api/searches/x/pause", headers=headers, trust_env=False, timeout=120)
        statuses.append(answer.status_code)

    asking = threading.Thread(target=pause)
    asking.start()
    return asking


def test_a_request_under_way_is_finished_when_the_server_stops(control: HangingControl, shelf: Shelf) -> None:
    server, statuses = web_server(control, shelf), list[int]()
    asking = pausing(server, statuses)
    control.asked.wait()
    threading.Timer(0.1, control.let.set).start()
    server.stop(timeout_s=60)
    asking.join()
    assert statuses == [204]


def test_a_request_that_hangs_does_not_hold_up_the_stop(
    control: HangingControl, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    server, statuses = web_server(control, shelf), list[int]()
    asking = pausing(server, statuses)
    control.asked.wait()
    server.stop(timeout_s=0)
    asking.join(120)
    control.let.set()
    assert statuses == [500]
    assert "timeout graceful shutdown exceeded" in caplog.text


def test_an_error_of_ours_is_logged_and_answered_without_a_stack(
    control: SketchControl, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(control, shelf, WebSettings(token=TOKEN))

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret inside")

    server = WebServer(app, "127.0.0.1", 0)
    try:
        answer = httpx.get(f"http://127.0.0.1:{server.start()}/broken", trust_env=False, timeout=60)
    finally:
        server.stop()
    assert answer.status_code == 500
    assert answer.json() == {"detail": "that went wrong in the daemon; its log says how"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret inside" in caplog.text
