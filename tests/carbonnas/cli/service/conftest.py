"""A daemon for the command line to talk to: a held state folder, a token, and the real web server over a sketched daemon."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from carbonnas.daemon.control import SearchView, Submission
from carbonnas.daemon.lock import LockOwner, daemon_lock
from carbonnas.record import SearchState, StopReason
from carbonnas.testing.commands import Answer, carbonnas
from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from carbonnas.web.token import load_or_make_token
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, make_world

STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_STREAM = "/api/events"
_PATIENCE_S = 120.0


@dataclass(slots=True)
class Desk(SketchControl):
    """Takes every submission that is not to be anew for the search that runs already, as the daemon does with one of the same configuration.

    Attributes:
        asked: Paths that clients have asked for, in order.
    """

    asked: list[str] = field(default_factory=list)

    def note(self, path: str) -> None:
        """Note that a client asks for a path."""
        with self._changed:
            self.asked.append(path)
            self._changed.notify_all()

    def wait_until_followed(self) -> None:
        """Wait until a client has opened the live stream and then learnt how the search stands: of its grid it asks last."""

        def is_followed() -> bool:
            opened = self.asked.index(_STREAM) if _STREAM in self.asked else len(self.asked)
            return "/api/sources" in self.asked[opened:]

        with self._changed:
            self._changed.wait_for(is_followed, _PATIENCE_S)

    def submit(self, submission: Submission) -> str:
        name = SketchControl.submit(self, submission)
        return name if submission.anew else self.view().searches[0].header.search_id

    def set_status(self, **changes: object) -> None:
        """Let the search stand otherwise."""
        self.change(lambda view: replace(view, searches=(_changed(view.searches[0], changes),)))


class _Noting:
    """Notes what is asked for, before it is answered."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._desk.note(scope["path"])
        await self._app(scope, receive, send)


def _changed(search: SearchView, changes: dict[str, object]) -> SearchView:
    assert search.status is not None
    return replace(search, status=replace(search.status, **changes))  # type: ignore[arg-type] # checked by the dataclass's own types


@dataclass(frozen=True, slots=True)
class Service:
    """A running daemon.

    Attributes:
        state: Its state folder.
        address: Its address.
        control: What it does.
        active: Id of the search that has not ended.
        ended: Id of the search that has.
        configs: The configurations of the two.
    """

    state: Path
    address: str
    control: Desk
    active: str
    ended: str
    configs: Mapping[str, Path]

    def ask(self, *arguments: str | Path) -> Answer:
        """Run a command on its state folder."""
        return carbonnas(*arguments, "--state", self.state)

    def end_once_followed(self) -> None:
        """Let the search that has not ended complete as soon as somebody who follows it has seen it run."""

        def end() -> None:
            self.control.wait_until_followed()
            self.control.set_status(state=SearchState.COMPLETED, stop_reason=StopReason.PLAN_DONE)

        threading.Thread(target=end, daemon=True).start()


@contextmanager
def serving(state: Path, control: Desk) -> Iterator[str]:
    """Hold a state folder and serve it; gives the address."""
    with daemon_lock(state, LockOwner(1234, STARTED_AT)) as lock:
        token = load_or_make_token(state)
        shelf = Shelf(state / "carbonnas.db")
        app = create_app(control, shelf, WebSettings(token=token))
        app.add_middleware(_Noting, desk=control)
        server = WebServer(app, "127.0.0.1", 0)
        try:
            address = f"http://127.0.0.1:{server.start()}"
            lock.update_address(address)
            yield address
        finally:
            server.stop()
            shelf.close()


@pytest.fixture(scope="session")
def world_once(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def state(world_once: World, tmp_path: Path) -> Path:
    """A copy of a state folder with a search that has ended and one that has not, which nobody holds."""
    return shutil.copytree(world_once.state_folder, tmp_path / "state")


@pytest.fixture(scope="session")
def service_once(world_once: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    state = shutil.copytree(world_once.state_folder, tmp_path_factory.mktemp("service") / "state")
    control = Desk(daemon_view(world_once))
    written = world_once.state_folder.parent
    active, ended = world_once.active.search_id, world_once.ended
    configs = {active: written / "left" / "search.toml", ended: written / "done" / "search.toml"}
    with serving(state, control) as address:
        yield Service(state, address, control, active, ended, configs)


@pytest.fixture
def service(service_once: Service, world_once: World) -> Service:
    """A daemon that works on the search that has not ended; the same for all tests, which find it as if it were new."""
    service_once.control.change(lambda _: daemon_view(world_once))
    service_once.control.submitted.clear()
    service_once.control.asked.clear()
    return service_once
