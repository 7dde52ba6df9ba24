"""The page of all budgets, and the form that adds to one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from carbonnas.daemon.control import MOST_GRAMS, CommandError, Control, DaemonView, UnknownNameError
from carbonnas.web import pages_words as words
from carbonnas.web.pages_model import BudgetRow, budget_row
from carbonnas.web.pages_render import Renderer
from carbonnas.web.visitor import form_fields


@dataclass(frozen=True, slots=True)
class TypedOverride:
    """What somebody has typed into the form, so that a refusal does not lose it."""

    budget: str = ""
    grams: str = ""
    reason: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> TypedOverride:
        """Read the fields of a form."""
        return cls(fields.get("budget", ""), fields.get("grams", "").strip(), fields.get("reason", "").strip())


class BudgetsPage:
    """Renders the page of all budgets."""

    def __init__(self, control: Control, renderer: Renderer) -> None:
        self._control = control
        self._renderer = renderer

    def answer(
        self, request: Request, *, typed: TypedOverride | None = None, problems: Collection[str] = (), status: int = 200
    ) -> Response:
        """Return the page; with problems if something was refused."""
        view = self._control.view()
        names = {each.header.search_id: each.header.name for each in view.searches}
        return self._renderer.page(
            request,
            "budgets.html.j2",
            here="/budgets",
            title="Budgets",
            status=status,
            headline=_headline(view),
            groups=_groups(view),
            names=names,
            choices=[
                (each.name, _choice(each.name, words.limit(each), names.get(each.search_id or "")))
                for each in view.budgets
            ],
            problems=list(problems),
            typed=typed or TypedOverride(),
        )


def _groups(view: DaemonView) -> list[tuple[str, list[BudgetRow]]]:
    rows = [budget_row(each) for each in view.budgets]
    return [
        ("Of the daemon", [row for row in rows if row.search_id is None]),
        ("Of searches", [row for row in rows if row.search_id is not None]),
    ]


def _choice(name: str, limit: str, search: str | None) -> str:
    return f"{name}: {limit}" + (f", {search}" if search else "")


def _headline(view: DaemonView) -> str:
    used_up = sum(each.state.exhausted for each in view.budgets)
    over = sum(bool(each.exceeded) for each in view.budgets)
    ended = f" {over} of them had windows that ended over the limit." if over else ""
    return f"{used_up} of {len(view.budgets)} budgets are used up.{ended}"


def grams_typed(text: str) -> float:
    """Return grams that somebody typed.

    Raises:
        CommandError: If they are no number above zero, or too large.
    """
    try:
        grams = float(text)
    except ValueError:
        grams = math.nan
    if not 0 < grams <= MOST_GRAMS:
        raise CommandError(
            f"what is added to a budget is a number of grams above zero and at most {MOST_GRAMS:g}, got {text[:20]!r}"
        )
    return grams


def budgets_router(control: Control, renderer: Renderer) -> APIRouter:
    """Return the routes of the page and its form."""
    router, page = APIRouter(), BudgetsPage(control, renderer)

    @router.get("/budgets")
    def budgets(request: Request) -> Response:
        return page.answer(request)

    @router.post("/budgets/override")
    def override(request: Request, fields: Annotated[Mapping[str, str], Depends(form_fields)]) -> Response:
        typed = TypedOverride.of(fields)
        try:
            control.override(typed.budget, grams_typed(typed.grams), typed.reason)
        except UnknownNameError as error:
            return page.answer(request, typed=typed, problems=[str(error)], status=404)
        except CommandError as error:
            return page.answer(request, typed=typed, problems=[str(error)], status=409)
        return RedirectResponse("/budgets", status_code=303)

    return router
