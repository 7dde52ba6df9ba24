"""How budgets stand, and what an operator allows beyond them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from carbonnas.daemon.control import BudgetView, DaemonView, EndedWindow
from carbonnas.record import Override
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.testing.commands import carbonnas
from schedulers.budget import BudgetState
from tests.carbonnas.cli.service.conftest import STARTED_AT, Service
from tests.carbonnas.web.sketch import DAEMON_BUDGET


def change_first(service: Service, **changes: object) -> None:
    """Let the daemon's own budget stand otherwise."""

    def changed(view: DaemonView) -> DaemonView:
        first, *others = view.budgets
        state = replace(first.state, **changes)  # type: ignore[arg-type] # checked by the dataclass's own types
        return replace(view, budgets=(replace(first, state=state), *others))

    service.control.change(changed)


def row(service: Service) -> str:
    """The daemon's own budget in the table."""
    answer = service.ask("budgets")
    assert (answer.status, answer.err) == (0, "")
    return next(line for line in answer.out.splitlines() if DAEMON_BUDGET in line)


def test_a_budget_is_a_line_with_a_bar(service: Service) -> None:
    # 1700 g of 2000 g are 17 of 20 characters, 125 g reserved 2 more in part; the mark stands at 80 %, after the 16th.
    shown = " ".join(row(service).split())
    assert shown == (
        "daemon/day day 2.00 kg 1.70 kg [################|#++.] 85 % 125 g 175 g"
        " near its end, exhausted about 2021-01-08 10:40 UTC"
    )


@pytest.mark.parametrize(
    ("spent_g", "reserved_g", "bar", "note"),
    [
        (0.0, 0.0, "[................|....] 0 %", ""),
        (1000.0, 0.0, "[##########......|....] 50 %", ""),
        (2000.0, 0.0, "[################|####] 100 %", "exhausted"),
        (2500.0, 0.0, "[################|####] 125 %", "exceeded"),
    ],
)
def test_the_note_says_what_needs_attention(
    service: Service, spent_g: float, reserved_g: float, bar: str, note: str
) -> None:
    change_first(service, spent_g=spent_g, reserved_g=reserved_g)
    shown = row(service)
    assert bar in shown
    assert ("exhausted" in shown.replace("exhausted about", ""), "exceeded" in shown) == (
        note == "exhausted",
        note == "exceeded",
    )


def test_budgets_are_told_as_json_with_their_share(service: Service) -> None:
    answer = service.ask("budgets", DAEMON_BUDGET, "--json").json["budgets"]
    assert [budget["name"] for budget in answer] == [DAEMON_BUDGET]
    assert answer[0]["share"] == pytest.approx(1700 / 2000)
    assert (answer[0]["spent_g"], answer[0]["reserved_g"], answer[0]["remaining_g"]) == (1700.0, 125.0, 175.0)


def test_a_budget_that_is_not_there_is_refused_with_those_that_are(service: Service) -> None:
    answer = service.ask("budgets", "nope")
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == f"error: there is no budget 'nope'; known are: {DAEMON_BUDGET}, {service.active}/1\n"


def test_without_a_daemon_the_searches_that_have_not_ended_tell_theirs(service: Service, tmp_path: Path) -> None:
    live = service.ask("budgets", "--json").json["budgets"]
    copied = copy_of(service.state, tmp_path)
    answer = carbonnas("budgets", "--state", copied, "--json")
    assert answer.err == "No daemon runs: budgets over several searches are not shown.\n"
    (stored,) = answer.json["budgets"]
    assert (stored["name"], stored["limit_g"]) == (f"{service.active}/1", 100_000.0)
    assert stored["spent_g"] == pytest.approx(live[1]["spent_g"])


def test_without_a_daemon_it_is_told_what_operators_have_added(service: Service, tmp_path: Path) -> None:
    copied, name = copy_of(service.state, tmp_path), f"{service.active}/1"
    daemon = DaemonStore(copied / "carbonnas.db")
    daemon.adopt(StoredSubmission(service.active, STARTED_AT, "/", {}))
    daemon.add_override(Override(name, STARTED_AT, 5000.0, "one more night", None))
    daemon.close()
    answer = carbonnas("budgets", "--state", copied)
    # 100 kg and 5 kg
    assert "105 kg" in answer.out.splitlines()[1]
    assert f"{name}: 5.00 kg more since 2026-01-01 00:00 UTC: one more night" in answer.out


def copy_of(state: Path, folder: Path) -> Path:
    """Return a copy of a store in a folder that nobody holds."""
    copied = folder / "copy"
    copied.mkdir()
    for file in state.glob("carbonnas.db*"):
        (copied / file.name).write_bytes(file.read_bytes())
    return copied


def test_no_budget_is_said(tmp_path: Path) -> None:
    answer = carbonnas("budgets", "--state", tmp_path)
    assert (answer.status, answer.out[:9]) == (0, "No budget")
    assert carbonnas("budgets", "--state", tmp_path, "--json").json == {"budgets": []}


@pytest.mark.parametrize(("amount", "grams"), [("50 g", 50.0), ("2 kg", 2000.0), ("0.5", 0.5)])
def test_an_operator_allows_more(service: Service, amount: str, grams: float) -> None:
    answer = service.ask("budgets", "--add", amount, "--reason", " the paper is due ", DAEMON_BUDGET, "--json")
    assert answer.json == {"name": DAEMON_BUDGET, "grams": grams, "reason": "the paper is due"}
    (override,) = service.control.view().budgets[0].overrides
    assert (override.grams, override.reason) == (grams, "the paper is due")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--add", "50 g", DAEMON_BUDGET],
        ["--reason", "why", DAEMON_BUDGET],
        ["--add", "50 g", "--reason", "why"],
        ["--add", "0", "--reason", "why", DAEMON_BUDGET],
        ["--add", "-5 g", "--reason", "why", DAEMON_BUDGET],
        ["--add", "nan", "--reason", "why", DAEMON_BUDGET],
        ["--add", "inf", "--reason", "why", DAEMON_BUDGET],
        ["--add", "5 kWh", "--reason", "why", DAEMON_BUDGET],
        ["--add", "5 g", "--reason", " ", DAEMON_BUDGET],
        ["--add", "5 g", "--reason", "x" * 501, DAEMON_BUDGET],
    ],
    ids=" ".join,
)
def test_an_override_that_is_not_whole_is_wrong_usage(service: Service, arguments: list[str]) -> None:
    answer = service.ask("budgets", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert service.control.view().budgets[0].overrides == ()


def test_an_override_of_a_budget_that_is_not_there_is_refused(service: Service) -> None:
    answer = service.ask("budgets", "--add", "5 g", "--reason", "why", "daemon/../x y")
    assert (answer.status, answer.out) == (1, "")
    assert "daemon/../x y" in answer.err


def test_a_reason_can_neither_control_the_terminal_nor_style_it(service: Service) -> None:
    def with_override(view: DaemonView) -> DaemonView:
        first, *others = view.budgets
        hostile = Override(first.name, view.now, 50.0, "\x1b[2J[red]why\r\n", None)
        return replace(view, budgets=(replace(first, overrides=(hostile,)), *others))

    service.control.change(with_override)
    answer = service.ask("budgets")
    assert "daemon/day: 50.0 g more since 2021-01-08 07:40 UTC: ?[2J[red]why??\n" in answer.out
    assert "50.0 g of the limit by override" in answer.out
    assert "\x1b" not in answer.out


def test_an_ended_window_over_its_limit_is_a_line_of_its_own(service: Service) -> None:
    def ended_over(view: DaemonView) -> DaemonView:
        first, *others = view.budgets
        budget = first.state.budget
        ended = EndedWindow(
            BudgetState(budget, 2030.0, 0.0, budget.window_at(view.now - timedelta(days=1))), at_end_g=1999.9
        )
        return replace(view, budgets=(replace(first, exceeded=(ended,)), *others))

    service.control.change(ended_over)
    # 2030 g - 2000 g; 1999.9 g were below the limit of 2 kg, and read so.
    assert (
        "daemon/day: 30.0 g over the limit of 2.00 kg from 2021-01-07 00:00 to 2021-01-08 00:00 UTC, which has ended."
        " Prices came later: when it ended, 1.99 kg counted.\n"
    ) in service.ask("budgets").out
    (told,) = service.ask("budgets", DAEMON_BUDGET, "--json").json["budgets"][0]["exceeded"]
    assert told["over_g"] == pytest.approx(30.0)


def test_a_budget_just_below_its_limit_does_not_read_as_if_it_had_reached_it(service: Service) -> None:
    change_first(service, spent_g=1999.87, reserved_g=0.0)
    assert "1.99 kg" in row(service)
    assert "99 %" in row(service)


def test_the_label_of_a_budget_stands_beside_its_name(service: Service) -> None:
    def labelled(view: DaemonView) -> DaemonView:
        first: BudgetView = replace(view.budgets[0], label="team [b]")
        return replace(view, budgets=(first,))

    service.control.change(labelled)
    assert f"{DAEMON_BUDGET} (team [b])" in service.ask("budgets").out
