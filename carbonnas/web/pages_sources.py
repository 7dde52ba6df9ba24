"""The page of the carbon sources: how well each serves, and what it told last."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from carbonnas.daemon.control import Control
from carbonnas.web.pages_grids import grid_card
from carbonnas.web.pages_render import Renderer


def sources_router(control: Control, renderer: Renderer) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/sources")
    def sources(request: Request) -> Response:
        view = control.view()
        cards = [grid_card(each) for each in view.grids]
        told = [f"{card.name} {card.health}, {card.value}" for card in cards]
        return renderer.page(
            request,
            "sources.html.j2",
            here="/sources",
            title="Carbon sources",
            headline=f"{'; '.join(told) or 'no carbon source is in use'}.",
            grids=cards,
            names={each.header.search_id: each.header.name for each in view.searches},
        )

    return router
