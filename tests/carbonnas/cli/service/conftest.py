"""A daemon for the command line to talk to: a held state folder, a token, and the real web server over a sketched daemon."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

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


class Desk(SketchControl):
    """Takes every submission for the search that runs already, as the daemon does with one of the same configuration."""

    def submit(self, submission: Submission) -> str:
        super().submit(submission)
        return self.view().searches[0].header.search_id

    def set_status(self, **changes: object) -> None:
        """Let the search stand otherwise."""
        self.change(lambda view: replace(view, searches=(_changed(view.searches[0], changes),)))


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

    def end_soon(self) -> None:
        """Let the search that has not ended complete in a moment."""
        end = partial(self.control.set_status, state=SearchState.COMPLETED, stop_reason=StopReason.PLAN_DONE)
        threading.Timer(0.2, end).start()


@contextmanager
def serving(state: Path, control: SketchControl) -> Iterator[str]:
    """Hold a state folder and serve it; gives the address."""
    with daemon_lock(state, LockOwner(1234, STARTED_AT)) as lock:
        token = load_or_make_token(state)
        shelf = Shelf(state / "carbonnas.db")
        server = WebServer(create_app(control, shelf, WebSettings(token=token)), "127.0.0.1", 0)
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
    return service_once
