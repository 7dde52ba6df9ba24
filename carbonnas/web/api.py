"""The API: what the daemon and the store know, and the commands."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPBearer

from carbonnas.daemon.control import Control, DaemonView, SearchView, Submission
from carbonnas.report.render import ReportFormat
from carbonnas.web import api_answers as answers
from carbonnas.web import api_models as models
from carbonnas.web.errors import COMMANDS, READING, UNKNOWN
from carbonnas.web.events import EventStream, ViewFeed
from carbonnas.web.report_room import BusyError
from carbonnas.web.reports import REPORTS, report_response
from carbonnas.web.shelf import Shelf
from carbonnas.web.submitting import enter
from carbonnas.web.visitor import visitor_of

_BEARER = Depends(HTTPBearer(auto_error=False, description="What the file `token` of the state folder holds."))
SearchId = Annotated[str, Path(max_length=200, description="Id of the search.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


def api_router(control: Control, shelf: Shelf, feed: ViewFeed, *, guards_reading: bool) -> APIRouter:
    """Return the routes under `/api`."""
    router = APIRouter(prefix="/api")
    guard = [_BEARER] if guards_reading else []
    router.include_router(_daemon(control, feed), dependencies=guard, responses=READING, tags=["daemon"])
    reading = {**READING, **UNKNOWN}
    router.include_router(_searches(control, shelf), dependencies=guard, responses=reading, tags=["searches"])
    router.include_router(_parts(shelf), dependencies=guard, responses=reading, tags=["searches"])
    router.include_router(_commands(control), dependencies=[_BEARER], responses=COMMANDS, tags=["commands"])
    return router


def _daemon(control: Control, feed: ViewFeed) -> APIRouter:
    router = APIRouter()

    @router.get("/status")
    def status() -> models.StatusAnswer:
        """Tell how the daemon stands."""
        return answers.status_answer(control.view())

    @router.get("/budgets")
    def budgets() -> models.BudgetList:
        """Tell how all budgets stand: the daemon's, and those of searches that have not ended."""
        return models.BudgetList(budgets=[answers.budget_answer(budget) for budget in _taken_over(control).budgets])

    @router.get("/sources")
    def sources() -> models.SourceList:
        """Tell how the carbon sources serve."""
        return models.SourceList(sources=[answers.source_answer(grid) for grid in control.view().grids])

    @router.get(
        "/events",
        response_class=Response,
        responses={200: {"content": {EventStream.media_type: {"schema": {"type": "string"}}}}},
    )
    async def events(request: Request) -> EventStream:
        """Send an event `view` for each change: its version and, by search, phase, trials and grams; ends when the daemon stops.

        Some of the places are kept for those who show the token.
        """
        known = visitor_of(request).knows_token
        return EventStream(feed, feed.join(asyncio.get_running_loop(), knows_token=known))

    return router


def _searches(control: Control, shelf: Shelf) -> APIRouter:
    router = APIRouter()

    @router.get("/searches")
    def searches(
        limit: Limit = 50,
        before: Annotated[str | None, Query(max_length=200, description="Older than the search of this id.")] = None,
    ) -> models.SearchList:
        """List searches, the newest first: live ones as they stand, others from the store."""
        active = _active(control)
        page = shelf.searches(limit=limit + 1, before=before)
        lines = [
            answers.live_line(active[each.search_id]) if each.search_id in active else answers.shelved_line(each)
            for each in page[:limit]
        ]
        return models.SearchList(searches=lines, next=lines[-1].id if len(page) > limit else None)

    @router.get("/searches/{search_id}")
    def search(search_id: SearchId) -> models.SearchAnswer:
        """Tell how one search stands."""
        view = control.view()
        live = view.search(search_id)
        if live is None:
            return answers.shelved_answer(shelf.details(search_id))
        return answers.live_answer(live, tuple(b for b in view.budgets if b.search_id == search_id))

    return router


def _parts(shelf: Shelf) -> APIRouter:
    router = APIRouter()

    @router.get("/searches/{search_id}/trials")
    def trials(
        search_id: SearchId,
        limit: Limit = 100,
        after: Annotated[int, Query(ge=-1, le=2**31, description="With a number above this one.")] = -1,
    ) -> models.TrialList:
        """List the trials of a search by number."""
        page = shelf.trials(search_id, after=after, limit=limit + 1)
        shown = [answers.trial_answer(trial) for trial in page[:limit]]
        return models.TrialList(trials=shown, next=shown[-1].number if len(page) > limit else None)

    @router.get("/searches/{search_id}/decisions")
    def decisions(
        search_id: SearchId,
        limit: Limit = 100,
        before: Annotated[
            int | None, Query(ge=0, le=2**62, description="Older than the page that told this as its `next`.")
        ] = None,
    ) -> models.DecisionList:
        """List the decisions of a search, the newest first."""
        page = shelf.decisions_page(search_id, before=before, limit=limit + 1)
        shown = [answers.decision_answer(made) for _, made in page[:limit]]
        return models.DecisionList(decisions=shown, next=page[limit - 1][0] if len(page) > limit else None)

    @router.get("/searches/{search_id}/report", response_class=Response, responses={200: {"content": REPORTS}})
    def report(
        search_id: SearchId,
        format: Annotated[ReportFormat, Query(description="Its format.")] = ReportFormat.HTML,  # noqa: A002
    ) -> Response:
        """Return the report of a search as it stands, made now; of a long search that takes seconds."""
        return report_response(shelf, search_id, format)

    return router


def _commands(control: Control) -> APIRouter:
    router = APIRouter()

    @router.post("/searches", status_code=201)
    def submit(body: models.SubmissionBody) -> models.Submitted:
        """Enter a search; one with the same configuration that has not ended is returned as it is, unless `new` is set.

        Then `there` is true, and priority and labels are those that it has, whatever was asked for.
        """
        labels = tuple(body.labels)
        submission = Submission(body.config, body.folder, body.priority, labels, anew=body.new, anyway=body.anyway)
        entered = enter(control, submission)
        has = entered.there or submission
        there = entered.there is not None
        return models.Submitted(id=entered.search_id, there=there, priority=has.priority, labels=list(has.labels))

    @router.post("/searches/{search_id}/pause", status_code=204)
    def pause(search_id: SearchId) -> None:
        """Let a search rest: what trains leaves at its next epoch."""
        control.pause(search_id)

    @router.post("/searches/{search_id}/resume", status_code=204)
    def resume(search_id: SearchId) -> None:
        """Let a paused search go on."""
        control.resume(search_id)

    @router.post("/searches/{search_id}/cancel", status_code=204)
    def cancel(search_id: SearchId) -> None:
        """End a search; what it did is kept and reported."""
        control.cancel(search_id)

    @router.put("/searches/{search_id}/priority", status_code=204)
    def set_priority(search_id: SearchId, body: models.PriorityBody) -> None:
        """Set the priority of a search."""
        control.set_priority(search_id, body.priority)

    @router.post("/budgets/{name:path}/override", status_code=204)
    def override(
        name: Annotated[str, Path(max_length=200, description="Name of the budget.")], body: models.OverrideBody
    ) -> None:
        """Add grams to a budget for its present window; the reason stays in the report."""
        control.override(name, body.grams, body.reason)

    return router


def _taken_over(control: Control) -> DaemonView:
    """Return how the daemon stands; raise `BusyError` while it does not know yet what budgets there are, for that is not none."""
    view = control.view()
    if view.version == 0:
        raise BusyError(f"{view.trouble or 'the daemon is starting'}; ask again in a moment")
    return view


def _active(control: Control) -> dict[str, SearchView]:
    return {search.header.search_id: search for search in control.view().searches}
