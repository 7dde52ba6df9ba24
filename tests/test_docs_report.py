"""The reference of the report says what a report holds, and its checks hold for a report."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from enum import Enum
from pathlib import Path

import pytest

from carbonnas.record import SearchState, StopReason
from carbonnas.report.model import (
    Best,
    BudgetLine,
    Comparison,
    DecisionLine,
    Downtime,
    FrontLine,
    LimitLine,
    MeasurementLine,
    OverrideLine,
    PricedBy,
    ProvenanceSummary,
    ReportDocument,
    SearchSummary,
    TargetFront,
    Totals,
    TrialLine,
)
from carbonnas.report.render import ReportFormat, render
from carbonnas.report.testing import made_up_record
from carbonnas.trials import TrialKind, TrialState
from schedulers.budget import AtLimit, Window
from schedulers.decision import ReasonCode

TEXT = (Path(__file__).parent.parent / "docs" / "report.md").read_text(encoding="utf-8")

PARTS: dict[str, type] = {
    "search": SearchSummary,
    "totals": Totals,
    "downtime": Downtime,
    "budget": BudgetLine,
    "overrides": OverrideLine,
    "best": Best,
    "pareto": FrontLine,
    "targets": TargetFront,
    "limits": LimitLine,
    "counterfactuals": Comparison,
    "measurement": MeasurementLine,
    "trials": TrialLine,
    "decisions": DecisionLine,
}


def _part(heading: str) -> str:
    found = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^#{{1,3}} |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found.group(1)


def _keys(part: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", part, re.MULTILINE)


def _names(record: type) -> list[str]:
    return [field.name for field in fields(record)]


@pytest.mark.parametrize("key", PARTS)
def test_every_key_of_a_part_is_documented(key: str) -> None:
    assert _keys(_part(f"### `{key}`")) == _names(PARTS[key])


def test_every_part_is_documented() -> None:
    assert _keys(_part("## The JSON report")) == _names(ReportDocument)
    assert _keys(_part("### `provenance`")) == _names(ProvenanceSummary) + _names(PricedBy)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("state", SearchState),
        ("stop_reason", StopReason),
        ("window", Window),
        ("at_limit", AtLimit),
        ("kind", TrialKind),
        ("state", TrialState),
        ("reason_code", ReasonCode),
    ],
)
def test_every_value_of_a_choice_is_documented(row: str, values: type[Enum]) -> None:
    cells = re.findall(rf"^\| `{row}` \| (.+?) \|", TEXT, re.MULTILINE)
    assert any(re.findall(r"`(\w+)`", cell) == [value.value for value in values] for cell in cells)


@pytest.mark.parametrize("unpriced", [False, True], ids=["priced", "unpriced"])
def test_the_checks_that_the_guide_shows_hold_for_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, unpriced: bool
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code.count("assert") == 4
    text = render(made_up_record(unpriced=unpriced), ReportFormat.JSON)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # noqa: S102 - the code of our own guide


def test_the_documented_version_is_the_one_that_is_written() -> None:
    written = json.loads(render(made_up_record(), ReportFormat.JSON))["format"]
    assert f"Version of this shape, {written}." in TEXT
