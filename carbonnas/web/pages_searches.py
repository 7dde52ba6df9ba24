"""The page of all searches, and the form that submits one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.control import PRIORITIES, CommandError, Control, Submission, require_priority
from carbonnas.errors import ConfigError, SearchNotFoundError
from carbonnas.record import SearchState
from carbonnas.storage.search_index import SearchSummary
from carbonnas.web.pages_model import SearchRow, active_row, best_value, stored_row
from carbonnas.web.pages_now import phases
from carbonnas.web.pages_render import Renderer, search_url
from carbonnas.web.shelf import Shelf
from carbonnas.web.submitting import enter
from carbonnas.web.visitor import form_fields

THERE = "there"
"""In the address of a search's page: it was submitted, and was there before."""

_PAGE = 50
"""Ended searches on one page."""

_LOOKING_S = 0.03
"""So long a list looks for best values."""

_ELSEWHERE = "see its page"
_SHOWN = ("all", "active", "ended")


@dataclass(frozen=True, slots=True)
class TypedSubmission:
    """What somebody has typed into the form, so that a refusal does not lose it."""

    config: str = ""
    folder: str = ""
    priority: str = "0"
    labels: str = ""
    anew: bool = False
    anyway: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> TypedSubmission:
        """Read the fields of a form."""
        # browsers send two characters for the end of a line
        config = fields.get("config", "").replace("\r\n", "\n")
        return cls(
            config,
            fields.get("folder", "").strip(),
            fields.get("priority", "0").strip() or "0",
            fields.get("labels", ""),
            "anew" in fields,
            "anyway" in fields,
        )

    def submission(self) -> Submission:
        """Return what is to be entered.

        Raises:
            CommandError: If something is out of range, or the priority is no whole number.
        """
        labels = tuple(label for each in self.labels.split(",") if (label := each.strip()))
        return Submission(self.config, self.folder, priority_typed(self.priority), labels, self.anew, self.anyway)


def priority_typed(text: str) -> int:
    """Return a priority that somebody typed.

    Raises:
        CommandError: If it is none.
    """
    try:
        priority = int(text)
    except ValueError:
        raise CommandError(
            f"a priority is a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}, got {text[:20]!r}"
        ) from None
    require_priority(priority)
    return priority


class SearchesPage:
    """Renders the page of all searches."""

    def __init__(
        self, control: Control, shelf: Shelf, renderer: Renderer, monotonic: Callable[[], float] = monotonic_s
    ) -> None:
        self._monotonic = monotonic
        self._control = control
        self._shelf = shelf
        self._renderer = renderer

    def answer(
        self,
        request: Request,
        *,
        typed: TypedSubmission | None = None,
        problems: Collection[str] = (),
        status: int = 200,
    ) -> Response:
        """Return the page; with problems if something was refused."""
        show = request.query_params.get("show", "all")
        show = show if show in _SHOWN else "all"
        view = self._control.view()
        rows = [] if show == "ended" else [active_row(each) for each in reversed(view.searches)]
        older: str | None = None
        if show != "active":
            active = {each.header.search_id for each in view.searches}
            try:
                stored, older = self._stored(active, request.query_params.get("before"))
            except SearchNotFoundError as error:
                return missing(self._renderer, request, error)
            rows += stored
        return self._renderer.page(
            request,
            "searches.html.j2",
            here="/searches",
            title="Searches",
            status=status,
            show=show,
            rows=rows,
            older=older,
            headline=f"{phases(view)}.",
            problems=list(problems),
            typed=typed or TypedSubmission(),
        )

    def _stored(self, active: Collection[str], before: str | None) -> tuple[list[SearchRow], str | None]:
        """Return a page of searches that the daemon does not carry out, and the id after which the next one starts."""
        found: list[SearchSummary] = []
        while len(found) < _PAGE:
            page = self._shelf.searches(limit=_PAGE, before=before)
            found += [each for each in page if each.search_id not in active]
            if len(page) < _PAGE:
                before = None
                break
            before = page[-1].search_id
        if len(found) > _PAGE:
            found = found[:_PAGE]
            before = found[-1].search_id
        until_s = self._monotonic() + _LOOKING_S
        return [stored_row(each, self._best(each, until_s)) for each in found], before

    def _best(self, summary: SearchSummary, until_s: float) -> str:
        """Return the best value of a search that has ended; the shelf keeps it, so that a later look finds those there was no time for."""
        if summary.state is SearchState.RUNNING or self._monotonic() >= until_s:
            return _ELSEWHERE
        details = self._shelf.details(summary.search_id)
        objectives = details.header.objectives
        return best_value(details.best, objectives[0].metric if objectives else None)


def missing(renderer: Renderer, request: Request, error: Exception) -> Response:
    """Return the page for what is not there."""
    return renderer.page(
        request, "missing.html.j2", here="/searches", title="Not found", status=404, sentence_of=str(error)
    )


def searches_router(control: Control, shelf: Shelf, renderer: Renderer) -> APIRouter:
    """Return the routes of the page and its form."""
    router, page = APIRouter(), SearchesPage(control, shelf, renderer)

    @router.get("/searches")
    def searches(request: Request) -> Response:
        return page.answer(request)

    @router.post("/searches")
    def submit(request: Request, fields: Annotated[Mapping[str, str], Depends(form_fields)]) -> Response:
        typed = TypedSubmission.of(fields)
        try:
            entered = enter(control, typed.submission())
        except ConfigError as error:
            return page.answer(request, typed=typed, problems=error.problems, status=422)
        except CommandError as error:
            return page.answer(request, typed=typed, problems=[str(error)], status=409)
        there = "" if entered.there is None else f"?{THERE}=1"
        return RedirectResponse(search_url(entered.search_id) + there, status_code=303)

    return router
