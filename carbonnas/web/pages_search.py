"""The page of one search, live, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from carbonnas.daemon.control import CommandError, Control, DaemonView, Phase, SearchView, UnknownNameError
from carbonnas.errors import SearchNotFoundError
from carbonnas.execution.executor import EpochReport
from carbonnas.record import DecisionRecord
from carbonnas.search_state import SearchHeader
from carbonnas.trials import Trial
from carbonnas.web.pages_charts import FigureLink, live_figures, stored_figures
from carbonnas.web.pages_model import SearchRow, active_row, best_value, budget_row, stored_row
from carbonnas.web.pages_render import Renderer, search_url
from carbonnas.web.pages_searches import THERE, missing, priority_typed
from carbonnas.web.shelf import Shelf
from carbonnas.web.visitor import form_fields

_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One search as its page shows it, whether the daemon carries it out or only the store knows it."""

    row: SearchRow
    header: SearchHeader
    best: Trial | None
    slots: str
    next_at: datetime | None
    running: tuple[tuple[Trial, EpochReport | None], ...]
    decisions: tuple[DecisionRecord, ...]
    figures: tuple[FigureLink, ...]


class SearchPage:
    """Renders the page of one search."""

    def __init__(self, control: Control, shelf: Shelf, renderer: Renderer) -> None:
        self._control = control
        self._shelf = shelf
        self._renderer = renderer

    def answer(
        self, request: Request, search_id: str, *, problems: Collection[str] = (), status: int = 200
    ) -> Response:
        """Return the page; with problems if something was refused."""
        view = self._control.view()
        found = view.search(search_id)
        try:
            shown = self._stored(search_id) if found is None else self._active(view, found)
        except SearchNotFoundError as error:
            return missing(self._renderer, request, error)
        return self._renderer.page(
            request,
            "search.html.j2",
            here="/searches",
            title=shown.row.name,
            status=status,
            headline=_headline(shown.row),
            problems=list(problems),
            was_there=THERE in request.query_params,
            row=shown.row,
            header=shown.header,
            best=shown.best,
            slots=shown.slots,
            next_at=shown.next_at,
            running=shown.running,
            decisions=shown.decisions,
            figures=shown.figures,
        )

    def _active(self, view: DaemonView, found: SearchView) -> Shown:
        status, header = found.status, found.header
        return Shown(
            row=active_row(found, view.budgets),
            header=header,
            best=status.best if status else None,
            slots=f"{found.granted} of {header.slots} granted",
            next_at=status.next_at if status and found.phase is Phase.RUNNING else None,
            running=tuple((trial, status.epochs.get(trial.number)) for trial in status.running) if status else (),
            decisions=self._decisions(header.search_id),
            figures=live_figures(header, status),
        )

    def _decisions(self, search_id: str) -> tuple[DecisionRecord, ...]:
        return self._shelf.decisions(search_id, limit=_DECISIONS)

    def _stored(self, search_id: str) -> Shown:
        details = self._shelf.details(search_id)
        header = details.header
        first = header.objectives[0].metric if header.objectives else None
        return Shown(
            row=stored_row(details.summary, best_value(details.best, first), tuple(map(budget_row, details.budgets))),
            header=header,
            best=details.best,
            slots=f"{header.slots}",
            next_at=None,
            running=(),
            decisions=self._decisions(search_id),
            figures=stored_figures(header),
        )


def _headline(row: SearchRow) -> str:
    progress = ", ".join(f"{bar.label.lower()} {bar.text}" for bar in row.bars)
    return f"{row.name} is {row.phase_word}" + (f"; {progress}." if progress else ".")


def search_router(control: Control, shelf: Shelf, renderer: Renderer) -> APIRouter:
    """Return the routes of the page and its forms."""
    router, page = APIRouter(), SearchPage(control, shelf, renderer)

    def done(request: Request, search_id: str, command: Callable[[], None]) -> Response:
        try:
            command()
        except UnknownNameError as error:
            return missing(renderer, request, error)
        except CommandError as error:
            return page.answer(request, search_id, problems=[str(error)], status=409)
        return RedirectResponse(search_url(search_id), status_code=303)

    @router.get("/searches/{search_id}")
    def search(request: Request, search_id: str) -> Response:
        return page.answer(request, search_id)

    @router.post("/searches/{search_id}/pause")
    def pause(request: Request, search_id: str) -> Response:
        return done(request, search_id, lambda: control.pause(search_id))

    @router.post("/searches/{search_id}/resume")
    def resume(request: Request, search_id: str) -> Response:
        return done(request, search_id, lambda: control.resume(search_id))

    @router.post("/searches/{search_id}/cancel")
    def cancel(request: Request, search_id: str) -> Response:
        return done(request, search_id, lambda: control.cancel(search_id))

    @router.post("/searches/{search_id}/priority")
    def priority(
        request: Request, search_id: str, fields: Annotated[Mapping[str, str], Depends(form_fields)]
    ) -> Response:
        return done(
            request, search_id, lambda: control.set_priority(search_id, priority_typed(fields.get("priority", "")))
        )

    return router
