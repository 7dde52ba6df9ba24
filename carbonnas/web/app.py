"""The web application: routes put together behind the door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute

from carbonnas.daemon.control import Control
from carbonnas.web import errors
from carbonnas.web.api import api_router
from carbonnas.web.api_answers import release
from carbonnas.web.events import ViewFeed
from carbonnas.web.heads import Heads
from carbonnas.web.pages import pages_router
from carbonnas.web.pages_render import Renderer
from carbonnas.web.pages_static import static_files
from carbonnas.web.probes import probes_router
from carbonnas.web.security import Door
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from carbonnas.web.signed_out import SignedOut
from carbonnas.web.signing_in import signing_in_router
from carbonnas.web.token import Sessions

_ABOUT = (
    "What a daemon of carbonnas knows and takes commands by. Energy is in joules, emissions in grams of CO2 equivalent, intensities in g/kWh,"
    " instants in UTC; null is unknown, never zero. Commands need the token as a bearer token."
)


def create_app(control: Control, shelf: Shelf, settings: WebSettings, feed: ViewFeed | None = None) -> FastAPI:
    """Return the application.

    Args:
        control: The daemon.
        shelf: What the store holds for people.
        settings: Token and hosts.
        feed: Tells listeners of changes; made here if there is none. Whoever serves the application closes `app.state.feed` first, because
            connections that listen end no sooner.
    """
    signed_out = SignedOut(shelf.path.with_name("signed-out"))
    sessions = None if settings.token is None else Sessions(settings.token, signed_out=signed_out)
    feed = feed or ViewFeed(control)
    app = FastAPI(
        title="carbonnas",
        version=release(),
        description=_ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
        lifespan=_feeding(feed),
        # Whatever the environment says: nothing of a request leaves the daemon.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.feed = feed
    renderer = Renderer(static_files()[0])
    errors.install(app, renderer)
    guards = settings.guards_reading
    app.include_router(api_router(control, shelf, feed, guards_reading=guards))
    app.include_router(probes_router(control, shelf, guards_reading=guards))
    app.include_router(signing_in_router(sessions, renderer))
    app.include_router(pages_router(control, shelf))
    app.add_middleware(Heads)
    app.add_middleware(Door, settings=settings, sessions=sessions)
    return app


def _operation(route: APIRoute) -> str:
    return route.name


def _feeding(feed: ViewFeed) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.openapi()  # it is kept: the first who asks for the description does not wait
        feed.start()
        yield
        feed.close()

    return lifespan
