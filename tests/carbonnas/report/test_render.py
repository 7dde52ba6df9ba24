from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.report.markdown import MOST_TRIALS
from carbonnas.report.render import ReportFormat, render
from carbonnas.report.testing import made_up_record
from schedulers.budget import BudgetState, EmissionBudget

_HOSTILE = ("</script><script>alert(1)</script><img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "a`|b\n# c")


class _Elements(HTMLParser):
    """Counts scripts and images and keeps the text of the embedded figures."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.json = ""
        self.addresses: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "data", "action"}]
        self._inside = ("type", "application/json") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.json += data if self._inside else ""


def _named(record: SearchRecord, text: str) -> SearchRecord:
    trials = tuple(replace(t, key=text, failure=text if t.failure else None) for t in record.trials)
    decisions = tuple(
        replace(d, decision=replace(d.decision, reason=replace(d.decision.reason, text=text))) for d in record.decisions
    )
    measurement = replace(record.measurement, meter=text, method=text, caveat=text, details={text: text})
    return replace(
        record,
        search_id=text,
        name=text,
        config=text,
        clock=text,
        trials=trials,
        decisions=decisions,
        measurement=measurement,
    )


@pytest.mark.parametrize("text", _HOSTILE, ids=["script", "formula", "markup"])
def test_what_a_user_has_named_is_text_in_html(text: str) -> None:
    page = render(_named(made_up_record(hours=6), text), ReportFormat.HTML)
    found = _Elements()
    found.feed(page)
    assert found.tags.count("script") == 3
    assert "img" not in found.tags
    assert set(json.loads(found.json)) == {"timeline", "emissions", "progress", "front", "trials"}
    assert text in json.dumps(json.loads(found.json), ensure_ascii=False).replace("\\n", "\n")


def test_the_page_forbids_connections_and_names_no_other_file(made_up: SearchRecord) -> None:
    page = render(made_up, ReportFormat.HTML)
    assert "default-src 'none'" in page
    found = _Elements()
    found.feed(page)
    assert [address for address in found.addresses if not address.startswith("data:")] == []
    assert "unsafe-eval" not in page


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_the_same_record_gives_the_same_text(format_: ReportFormat, made_up: SearchRecord) -> None:
    assert render(made_up, format_) == render(made_up_record(), format_)


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_a_search_that_has_just_begun_and_one_without_prices_have_every_format(
    format_: ReportFormat, made_up: SearchRecord
) -> None:
    begun = replace(
        made_up,
        state=SearchState.RUNNING,
        stop_reason=None,
        ended_at=None,
        trials=(),
        decisions=(),
        entries=(),
        measured=(),
    )
    assert render(replace(begun, objectives=(), budgets=()), format_)
    assert render(made_up_record(hours=6, unpriced=True), format_)


def test_html_and_markdown_say_what_was_found_and_what_is_missing() -> None:
    record = made_up_record(hours=12, unpriced=True)
    for format_ in (ReportFormat.HTML, ReportFormat.MARKDOWN):
        text = render(record, format_)
        assert "The intensity is unknown for" in text
        assert "could not be priced yet" in text
        assert "Nothing was measured: the search and its energy are made up." in text


def test_an_exceeded_budget_is_said_and_not_clipped(made_up: SearchRecord) -> None:
    over = BudgetState(EmissionBudget(100.0), 130.0, 0.0)
    record = replace(made_up, budgets=(over,), state=SearchState.STOPPED, stop_reason=StopReason.BUDGET_EXHAUSTED)
    text = render(record, ReportFormat.MARKDOWN)
    assert "The budget of 100 g (search) was exceeded by 30.0 g." in text
    assert "its emission budget was used up, or left too little for the next trial" in text


def test_a_ledger_that_does_not_hold_what_was_measured_is_said(made_up: SearchRecord) -> None:
    text = render(replace(made_up, measured=made_up.measured[1:]), ReportFormat.MARKDOWN)
    assert "The ledger holds" in text
    assert "The ledger holds" not in render(made_up, ReportFormat.MARKDOWN)


def test_markdown_tables_keep_their_columns_whatever_the_names(made_up: SearchRecord) -> None:
    text = render(_named(made_up, "a|b\n| c `d` <b> *e* _f_"), ReportFormat.MARKDOWN)
    widths: set[int] = set()
    for line in text.split("\n## Configuration", maxsplit=1)[0].splitlines():
        if line.startswith("| "):
            widths.add(len(re.findall(r"(?<!\\)\|", line)) - 1)
        assert "<b>" not in line
    assert widths <= {2, 3, 4, 7, 8}


def test_the_code_block_of_the_configuration_can_not_be_left(made_up: SearchRecord) -> None:
    text = render(replace(made_up, config="```\n# free\n"), ReportFormat.MARKDOWN)
    assert text.endswith("````toml\n```\n# free\n````\n")


def test_markdown_names_how_many_trials_are_left_out(made_up: SearchRecord) -> None:
    many = tuple(replace(made_up.trials[0], number=n) for n in range(MOST_TRIALS + 1))
    text = render(replace(made_up, trials=many), ReportFormat.MARKDOWN)
    assert f"The first {MOST_TRIALS} are shown" in text


def test_csv_has_a_row_for_each_trial_and_numbers_as_numbers(made_up: SearchRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(render(made_up, ReportFormat.CSV))))
    assert [int(row["trial"]) for row in rows] == [trial.number for trial in made_up.trials]
    first = rows[0]
    assert float(first["params"]) == made_up.trials[0].metrics["params"]
    assert first["val_accuracy"] == ""


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_spreadsheet_runs_a_cell(text: str, made_up: SearchRecord) -> None:
    trial = replace(made_up.trials[0], key=text, metrics={"score": -1.5, text: 2.0})
    rows = list(csv.reader(io.StringIO(render(replace(made_up, trials=(trial,)), ReportFormat.CSV), newline="")))
    assert rows[1][4] == f"'{text}"
    assert f"'{text}" in rows[0]
    assert rows[1][rows[0].index("score")] == "-1.5"


def test_only_html_loads_the_libraries_of_the_figures() -> None:
    code = (
        "import sys; from carbonnas.report.render import *; from carbonnas.report.testing import made_up_record; "
        "record = made_up_record(hours=2); "
        "[render(record, f) for f in ReportFormat if f is not ReportFormat.HTML]; "
        "print(sorted({'altair', 'vl_convert', 'jinja2', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
