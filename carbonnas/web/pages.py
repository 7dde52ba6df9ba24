"""The pages of the dashboard: rendered here, complete without scripts, and without anything from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from carbonnas.daemon.control import Control
from carbonnas.web.charts import ChartRoom
from carbonnas.web.pages_budgets import budgets_router
from carbonnas.web.pages_charts import charts_router
from carbonnas.web.pages_now import now_router
from carbonnas.web.pages_render import Renderer
from carbonnas.web.pages_search import search_router
from carbonnas.web.pages_searches import searches_router
from carbonnas.web.pages_sources import sources_router
from carbonnas.web.pages_static import static_files, static_router
from carbonnas.web.shelf import Shelf


def pages_router(control: Control, shelf: Shelf, charts: ChartRoom | None = None) -> APIRouter:
    """Return the routes of all pages, their charts and their style.

    Args:
        control: The daemon.
        shelf: What the store knows.
        charts: Draws; by default from the store of `shelf`, in processes of its own.
    """
    addresses, files = static_files()
    renderer = Renderer(addresses)
    router = APIRouter(include_in_schema=False)
    router.include_router(static_router(files))
    router.include_router(charts_router(control, shelf, charts or ChartRoom(shelf.path)))
    router.include_router(now_router(control, renderer))
    router.include_router(searches_router(control, shelf, renderer))
    router.include_router(search_router(control, shelf, renderer))
    router.include_router(budgets_router(control, renderer))
    router.include_router(sources_router(control, renderer))

    @router.get("/login")
    def login(request: Request) -> Response:
        return renderer.page(request, "login.html.j2", here="/login", title="Sign in", problems=[])

    return router
