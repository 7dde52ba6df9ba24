from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from carbon_sources.interval import Interval
from carbonnas.record import Override, SearchRecord, own_budget_name
from carbonnas.report.document import build_document
from carbonnas.report.headline import headline
from carbonnas.report.render import ReportFormat, render
from carbonnas.report.testing import START
from schedulers.budget import BudgetState, EmissionBudget, Window

HOSTILE = ("</td><script>alert(1)</script>", "=cmd|' /C calc'!A0", "a`|b\n| c | <b>", "[x](javascript:alert(1))")

_DAY = Interval(START - timedelta(hours=6), START + timedelta(hours=18))
_BEFORE = _DAY.start - timedelta(days=1)


def overridden(record: SearchRecord, reason: str = "One more night", budget: str = "daemon/all") -> SearchRecord:
    """Return a search with a budget for the day, to which 300 g and 200 g were added, and 50 g the day before."""
    name = own_budget_name(record.search_id, 1)
    at = START + timedelta(hours=2)
    return replace(
        record,
        budgets=(
            BudgetState(EmissionBudget(500.0), 100.0, 0.0),
            BudgetState(EmissionBudget(1500.0, Window.DAY), 750.0, 0.0, _DAY),
        ),
        overrides=(
            Override(name, _BEFORE, 50.0, reason, _BEFORE),
            Override(name, at, 300.0, reason, _DAY.start),
            Override(name, at, 200.0, reason, _DAY.start),
            Override(budget, at, 900.0, reason, None),
        ),
    )


class _Cells(HTMLParser):
    """Collects the text of table cells, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


def test_the_limit_tells_what_was_added_to_its_present_window(made_up: SearchRecord) -> None:
    record = overridden(made_up)
    assert [line.added_g for line in build_document(record).budget] == [0.0, 500.0]
    for format_ in (ReportFormat.MARKDOWN, ReportFormat.HTML):
        text = render(record, format_)
        assert "1.50 kg for the day from 2024-05-01 00:00:00 UTC, of which 500 g were added by an operator" in text
        assert "500 g for the search, of which" not in text


def test_json_holds_every_override(made_up: SearchRecord) -> None:
    told = json.loads(render(overridden(made_up), ReportFormat.JSON))["overrides"]
    assert [line["grams"] for line in told] == [50.0, 300.0, 200.0, 900.0]
    assert told[1] == {
        "at": "2024-05-01T08:00:00Z",
        "budget": "made-up/2",
        "grams": 300.0,
        "reason": "One more night",
        "window_start": "2024-05-01T00:00:00Z",
    }
    assert told[3]["window_start"] is None


def test_a_reader_is_told_before_citing(made_up: SearchRecord) -> None:
    record = overridden(made_up)
    assert any(
        "raised the limits of budgets 4 times" in warning for warning in headline(build_document(record)).warnings
    )
    once = replace(record, overrides=record.overrides[:1])
    assert any("raised the limits of budgets once" in warning for warning in headline(build_document(once)).warnings)
    assert not any("raised" in warning for warning in headline(build_document(made_up)).warnings)


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "formula", "table", "link"])
def test_reasons_and_names_are_text_in_html(text: str, made_up: SearchRecord) -> None:
    found = _Cells()
    found.feed(render(overridden(made_up, text, f"daemon/{text}"), ReportFormat.HTML))
    assert found.cells.count(text) == 4
    assert f"daemon/{text}" in found.cells
    assert found.tags.count("script") == 3


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "formula", "table", "link"])
def test_reasons_and_names_are_text_in_markdown(text: str, made_up: SearchRecord) -> None:
    page = render(overridden(made_up, text, f"daemon/{text}"), ReportFormat.MARKDOWN)
    rows = [line for line in page.splitlines() if "05-01 08:00:00 UTC" in line and "900 g" in line]
    assert len(rows) == 1
    # five columns, hence six bars that are none of the text's
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 6
    assert not re.search(r"<script|<b>|(?<!\\)\[x", page)


def test_without_overrides_no_format_speaks_of_them(made_up: SearchRecord) -> None:
    for format_ in (ReportFormat.MARKDOWN, ReportFormat.HTML):
        assert "added" not in render(made_up, format_).split("Configuration", maxsplit=1)[0].split("</style>")[-1]


def test_a_window_that_has_ended_over_its_limit_is_told_with_what_was_added_to_it(made_up: SearchRecord) -> None:
    budget = EmissionBudget(120.0, Window.DAY)
    window = budget.window_at(made_up.started_at)
    assert window is not None
    added = Override(own_budget_name(made_up.search_id, 0), made_up.started_at, 20.0, "why", window.start)
    record = replace(made_up, budgets=(), overrides=(added,), exceeded=((0, BudgetState(budget, 150.0, 0.0, window)),))
    (line,) = build_document(record).budget
    assert (line.window_start, line.added_g, line.remaining_g) == (window.start, 20.0, -30.0)
    for format_ in (ReportFormat.MARKDOWN, ReportFormat.HTML):
        assert "30.0 g over the limit" in render(record, format_)
