"""Displays of a search that a daemon tells of: what it holds back, and what nobody knows yet."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from carbonnas.cli.glance import Best, BudgetGlance, Course, Drawn, Glance, Work
from carbonnas.cli.progress import progress_display
from schedulers.decision import ReasonCode

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTHING = Glance(NOON, None, None, None, None, None, None, (), None, (), None)
WORKING = Glance(
    now=NOON,
    held=None,
    intensity="250 g/kWh in Z, measured",
    course=Course(1, 2, ReasonCode.CLEAN),
    reason="clean",
    scored=Work(3, 0, 10),
    trained=Work(1, 1, None),
    running=("train 7 (epoch 4 of 12)",),
    drawn=Drawn(3.6e6, 250.0, 1.8e6),
    budgets=(BudgetGlance(250.0, 1000.0, "day", warned=False, exhausted=False),),
    best=Best(7, "key", {"val_accuracy": 0.9, "loss": None}),
)


def shown(*glances: Glance, terminal: bool = False) -> str:
    file = io.StringIO()
    with progress_display(Console(file=file, force_terminal=terminal, width=120, highlight=False)) as display:
        for glance in glances:
            display.show(glance)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())


def test_why_a_search_is_held_is_one_line_each_time_it_begins() -> None:
    paused, queued = replace(WORKING, held="paused"), replace(WORKING, held="queued: it waits")
    lines = shown(WORKING, paused, paused, queued, WORKING, WORKING, queued).splitlines()
    assert [line.partition("  ")[2] for line in lines] == [
        "1 training, 2 scoring: clean",
        "paused",
        "queued: it waits",
        "queued: it waits",
    ]


def test_what_is_unknown_is_called_so_and_is_never_zero() -> None:
    panel = shown(NOTHING, terminal=True)
    for name in ("scored", "trained", "drawn"):
        assert re.search(rf"{name}\s+unknown\s*$", panel, re.MULTILINE)
    assert re.search(r"best\s+nothing trained yet", panel)


def test_figures_that_become_known_are_no_news_of_a_training() -> None:
    assert shown(NOTHING, replace(NOTHING, trained=Work(5, 0, None))) == ""


def test_a_training_that_ends_is_a_line_whatever_else_is_unknown() -> None:
    before = replace(NOTHING, trained=Work(1, 0, None))
    after = replace(NOTHING, trained=Work(2, 0, None), best=WORKING.best)
    assert shown(before, after) == (
        "2026-01-01 12:00  unknown scored, 2 trained; unknown; trial 7: key (val_accuracy 90.00 %, loss unknown)\n"
    )


def test_a_plan_of_unknown_length_has_a_number_and_no_bar() -> None:
    panel = shown(WORKING, terminal=True)
    assert re.search(r"trained\s+2\s", panel)
    assert "3 of 10" in panel
    assert "500 Wh not priced yet" in panel


def test_what_holds_a_search_stands_in_the_panel() -> None:
    assert re.search(r"held\s+paused", shown(replace(WORKING, held="paused"), terminal=True))
    assert "held" not in shown(WORKING, terminal=True)


def test_no_text_can_control_the_terminal() -> None:
    evil = "\x1b]0;x\x07[red]"
    hostile = replace(
        WORKING,
        held=evil,
        intensity=evil,
        reason=evil,
        running=(evil,),
        best=Best(1, evil, {evil: 1.0}),
        budgets=(BudgetGlance(1.0, 1.0, evil, warned=True, exhausted=True),),
    )
    for terminal in (False, True):
        text = shown(WORKING, replace(hostile, trained=Work(9, 0, None)), terminal=terminal)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "?]0;x?[red]" in text
