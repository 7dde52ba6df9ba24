"""The page of the present: the grid, what runs and why, budgets, and trouble first."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from carbon_sources.health import HealthState
from carbonnas.daemon.control import Control, DaemonView, Phase
from carbonnas.web import pages_words as words
from carbonnas.web.pages_grids import grid_card
from carbonnas.web.pages_model import BudgetRow, active_row, budget_row
from carbonnas.web.pages_render import Renderer, search_url

_NEWS_FOR = timedelta(days=1)
_MOST_GRIDS = 3
_MOST_SEARCHES = 12
_MOST_BUDGETS = 9
_ORDER = (Phase.FAILING, Phase.RUNNING, Phase.OPENING, Phase.QUEUED, Phase.PAUSED, Phase.ENDED)

Trouble = tuple[str, str | None]
"""A sentence, and where more is to be seen."""


def now_router(control: Control, renderer: Renderer) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/")
    def now(request: Request) -> Response:
        view = control.view()
        searches = sorted(view.searches, key=lambda each: _ORDER.index(each.phase))
        return renderer.page(
            request,
            "now.html.j2",
            here="/",
            title="Now",
            view=view,
            headline=headline(view),
            troubles=troubles(view),
            grids=[grid_card(each) for each in view.grids[:_MOST_GRIDS]],
            more_grids=len(view.grids) > _MOST_GRIDS,
            slots=slots(view),
            rows=[active_row(each) for each in searches[:_MOST_SEARCHES]],
            more_rows=len(searches) > _MOST_SEARCHES,
            budgets=_glance(view),
        )

    return router


def headline(view: DaemonView) -> str:
    """Return the page in one sentence, for those who can't see that it changes."""
    known = [words.intensity(each.observation.current) for each in view.grids[:_MOST_GRIDS]]
    return "; ".join([phases(view), *(f"the grid's intensity is {value}" for value in known)]) + "."


def phases(view: DaemonView) -> str:
    """Return how many searches are in which phase."""
    counted = {phase: sum(each.phase is phase for each in view.searches) for phase in _ORDER}
    told = [f"{count} {words.PHASES[phase]}" for phase, count in counted.items() if count]
    return ", ".join(told) or "no search is under way"


def slots(view: DaemonView) -> str:
    """Return how the slots of the machine are used."""
    granted = sum(each.granted for each in view.searches)
    running = sum(len(each.status.running) for each in view.searches if each.status)
    trials = f"{running} {'trial holds' if running == 1 else 'trials hold'} one"
    return f"{granted} of the machine's {view.slots} slots {'is' if granted == 1 else 'are'} granted; {trials} now."


def troubles(view: DaemonView) -> list[Trouble]:
    """Return what a person should look at, the daemon's own first."""
    found: list[Trouble] = []
    if view.stopping:
        found.append(("the daemon is stopping", None))
    elif view.trouble is not None:
        found.append((view.trouble, None))
    elif not view.ready:
        found.append(("the daemon is not ready yet", None))
    found += _standstill(view)
    found += [
        (
            f"the search {each.header.name} can't run: {each.problem or 'the reason is unknown'}",
            search_url(each.header.search_id),
        )
        for each in view.searches
        if each.phase is Phase.FAILING
    ]
    found += [
        (
            f"the source {each.name}: {each.health.sentences[0] if each.health.sentences else 'the present intensity is unknown'}",
            "/sources",
        )
        for each in view.grids
        if each.health.state is HealthState.BLIND
    ]
    found += [
        (f"the budget {words.limit(each)} ({each.name}) is used up", "/budgets")
        for each in view.budgets
        if each.state.exhausted
    ]
    return found


def _standstill(view: DaemonView) -> list[Trouble]:
    """Return the last time in which nothing ran, while that is news."""
    if view.stalled is None:
        return []
    since, lasted = view.stalled
    if view.now - (since + lasted) >= _NEWS_FOR:
        return []
    told = f"the machine slept or the daemon stood still for {words.lasting(lasted)} from {since:%Y-%m-%d %H:%M} UTC"
    return [(told, None)]


def _glance(view: DaemonView) -> list[BudgetRow]:
    """Return the daemon's budgets, and those of searches that are near their limits."""
    over_all = [each for each in view.budgets if each.search_id is None]
    near = [each for each in view.budgets if each.search_id is not None and (each.state.warned or each.state.exhausted)]
    return [budget_row(each) for each in (*over_all, *near)[:_MOST_BUDGETS]]
