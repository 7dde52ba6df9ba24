"""Where the pages find their charts, and the routes that give them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response

from carbonnas.daemon.control import Control
from carbonnas.errors import SearchNotFoundError
from carbonnas.search_state import SearchHeader
from carbonnas.status import SearchStatus
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.charts import Chart, ChartError, ChartRoom
from carbonnas.web.charts_look import INKS, WHOLE_ROW, Look, Scheme, Size, width
from carbonnas.web.charts_rows import grid_rows
from carbonnas.web.pages_render import segment
from carbonnas.web.shelf import Shelf

ENDED = "ended"
"""Version of the figures of a search that the daemon does not carry out."""

_NOT_BEGUN = "new"
_SOON_S, _LATER_S = 10, 3600
"""Seconds for which browsers may keep a chart of what changes, and of what has ended."""

_SOONEST_S = 2
"""Seconds after which to ask again for what is being drawn."""

_SVG = "image/svg+xml"


@dataclass(frozen=True, slots=True)
class FigureLink:
    """One figure of a search.

    Attributes:
        name: Its name in the report.
        title: Its headline.
        caption: How to read it.
        source: Its address.
        wide: Whether it has a row of its own.
        nothing_yet: Why there is nothing to draw yet, in one sentence; `None` if there is something.
    """

    name: str
    title: str
    caption: str
    source: str
    wide: bool
    nothing_yet: str | None


_FIGURES = (
    (
        "timeline",
        "Grid and work",
        "Carbon intensity with each decision of the scheduler; below, in the same time, the decision in force and the trials in their slots.",
    ),
    ("emissions", "Emissions by account", "Summed up since the start; energy whose intensity is unknown is not in it."),
    (
        "progress",
        "What the emissions bought",
        "Each training by its first objective against what the search had emitted by then.",
    ),
    ("front", "Pareto front", "Trainings by the first two objectives; no other one beats those on the front in both."),
)

_TITLES = {name: title for name, title, _ in _FIGURES}
_OF_TRAININGS = frozenset({"progress", "front"})


def stored_figures(header: SearchHeader) -> tuple[FigureLink, ...]:
    """Return the figures of a search that the daemon does not carry out."""
    return _links(header, ENDED, lambda _name: None)


def live_figures(header: SearchHeader, status: SearchStatus | None) -> tuple[FigureLink, ...]:
    """Return the figures of a search as it stands; `status` is `None` before its first step."""
    return _links(header, version_of(status), lambda name: _nothing_yet(name, status))


def _nothing_yet(name: str, status: SearchStatus | None) -> str | None:
    if status is None:
        return "There is nothing to draw before the first step."
    if name in _OF_TRAININGS and not status.counts.get((TrialKind.TRAIN, TrialState.COMPLETED)):
        return "There is nothing to draw before the first training has ended."
    if name == "emissions" and not status.totals.energy_j:
        return "There is nothing to draw before the first energy was measured."
    return None


def _links(header: SearchHeader, version: str, nothing_yet: Callable[[str], str | None]) -> tuple[FigureLink, ...]:
    address = f"/charts/searches/{segment(header.search_id)}"
    return tuple(
        FigureLink(name, title, caption, f"{address}/{name}.svg?v={version}", name in WHOLE_ROW, nothing_yet(name))
        for name, title, caption in _FIGURES
        if name != "front" or len(header.objectives) > 1
    )


def version_of(status: SearchStatus | None) -> str:
    """Return a short text that changes when the figures of a search do so visibly: to three digits of its energy."""
    if status is None:
        return _NOT_BEGUN
    counts = sorted((kind.value, state.value, count) for (kind, state), count in status.counts.items())
    seen = (counts, f"{status.totals.energy_j:.2e}", f"{status.totals.unpriced_j:.2e}", status.decision)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def _look(size: Size = Size.WIDE, scheme: Scheme = Scheme.LIGHT) -> Look:
    return Look(scheme, size)


def charts_router(control: Control, shelf: Shelf, charts: ChartRoom) -> APIRouter:
    """Return the routes of charts; what they show is as new as the daemon, whatever version the address names."""
    router = APIRouter()

    @router.get("/charts/grid.svg")
    def grid(name: str, look: Annotated[Look, Depends(_look)]) -> Response:
        found = next((each for each in control.view().grids if each.name == name), None)
        if found is None:
            raise HTTPException(404, "there is no such carbon source")
        rows = grid_rows(found.observation)
        return _picture(
            lambda: charts.of_grid(name, rows, look), _being_drawn("grid", f"The chart of {name}", look), _SOON_S
        )

    @router.get("/charts/searches/{search_id}/{name}.svg")
    def figure(search_id: str, name: str, look: Annotated[Look, Depends(_look)]) -> Response:
        found = control.view().search(search_id)
        if name not in _TITLES or (found is None and not _is_stored(shelf, search_id)):
            raise HTTPException(404, "there is no such chart")
        version = ENDED if found is None else version_of(found.status)
        keep_s = _LATER_S if found is None else _SOON_S
        stand_in = _being_drawn(name, _TITLES[name], look)
        return _picture(lambda: charts.of_search(search_id, name, version, look), stand_in, keep_s)

    return router


def _is_stored(shelf: Shelf, search_id: str) -> bool:
    try:
        shelf.decisions(search_id, limit=1)
    except SearchNotFoundError:
        return False
    return True


def _being_drawn(name: str, title: str, look: Look) -> str:
    """Return what stands in for a chart that is not there yet, as wide as it will be."""
    across = width(look, whole_row=name in WHOLE_ROW)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} 150" width="{across}" height="150">'
        f'<text x="{across / 2:g}" y="80" text-anchor="middle" font-family="sans-serif" font-size="15" fill="{INKS[look.scheme].quiet}">'
        f"{escape(title)} is being drawn …</text></svg>"
    )


def _picture(ask: Callable[[], Chart], stand_in: str, keep_s: int) -> Response:
    try:
        chart = ask()
    except ChartError as error:
        return Response(str(error), status_code=503, media_type="text/plain", headers={"Retry-After": "20"})
    except KeyError:
        raise HTTPException(404, "there is no such chart") from None
    if chart.content is None:
        return Response(stand_in, status_code=202, media_type=_SVG, headers={"Retry-After": str(_SOONEST_S)})
    # the script of the page asks again where the state is older
    headers = {"Chart-State": "current" if chart.current else "older"}
    if chart.current:
        headers["Cache-Control"] = f"private, max-age={keep_s}"
    else:
        headers["Retry-After"] = str(max(_SOONEST_S, math.ceil(chart.again_s)))
    return Response(chart.content, media_type=_SVG, headers=headers)
