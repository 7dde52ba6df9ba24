"""A real web server over a sketched daemon and a real store."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, make_report, make_world

TOKEN = "t0ken-" + "x" * 32


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One state folder for all tests, which only read it."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def shelf(world: World) -> Iterator[Shelf]:
    """The store of the world."""
    shelf = Shelf(world.store, make_report)
    yield shelf
    shelf.close()


@pytest.fixture(scope="session")
def _daemon(world: World) -> SketchControl:
    return SketchControl(daemon_view(world))


@pytest.fixture
def control(_daemon: SketchControl, world: World) -> SketchControl:
    """A daemon that runs the unfinished search, whatever the test before did to it."""
    _daemon.change(lambda _: daemon_view(world))
    _daemon.submitted.clear()
    return _daemon


@pytest.fixture(scope="session")
def app(_daemon: SketchControl, shelf: Shelf) -> FastAPI:
    """The application over both."""
    return create_app(_daemon, shelf, WebSettings(token=TOKEN))


@pytest.fixture(scope="session")
def _address(app: FastAPI) -> Iterator[str]:
    server = WebServer(app, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.start()}"
    server.stop()


@pytest.fixture
def server(_address: str, control: SketchControl) -> str:
    """The address of a server; one serves all tests."""
    return _address


@pytest.fixture
def reader(server: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=server, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def operator(server: str) -> Iterator[httpx.Client]:
    """A client with the token."""
    with httpx.Client(
        base_url=server, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as client:
        yield client
