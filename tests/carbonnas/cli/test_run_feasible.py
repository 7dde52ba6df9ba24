"""`run` and `simulate` say beforehand whether deadline and budgets leave room for all trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from carbonnas.testing.commands import Answer, carbonnas
from carbonnas.testing.searches import write_simulated_search

Budgets = Sequence[Mapping[str, object]]


def write(folder: Path, budgets: Budgets = (), **changes: object) -> Path:
    """Write a search of two rounds of two trainings of about an hour, and one of 20/12 of it at the end, on two slots."""
    search = {"training_time": "1 h", "deadline": "20 h"}
    return write_simulated_search(folder, rounds=2, budgets=budgets, search={**search, **changes})


def run(path: Path, *flags: str) -> Answer:
    return carbonnas("run", path, "--state", path.parent / "state", "--json", *flags)


def searches(path: Path) -> int:
    return len(carbonnas("list", "--state", path.parent / "state", "--json").json["searches"])


def test_a_deadline_that_is_too_early_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path, deadline="2 h")
    answer = run(path)
    assert (answer.status, answer.out) == (2, "")
    # 2 h for the four short trainings in two slots and 1 h 40 min for the last one.
    assert answer.err.splitlines()[0] == f"error: {path}: 1 mistake"
    assert (
        "the trainings take at least 3 h 40 min in 2 slots without a pause, and the deadline is 2 h away" in answer.err
    )
    assert "--anyway begins the search all the same" in answer.err
    assert searches(path) == 0


def test_the_deadline_that_is_offered_is_taken_and_met(tmp_path: Path) -> None:
    refused = run(write(tmp_path, deadline="2 h", training_time="90 min")).err
    offered = refused.partition(": a deadline of ")[2].partition(" (")[0]
    answer = run(write(tmp_path, deadline=offered, training_time="90 min"))
    assert answer.status == 0, answer.err
    assert answer.json["search"]["stop_reason"] == "plan_done"


def test_a_budget_that_is_too_low_is_refused_with_the_nearest_one_which_is_enough(tmp_path: Path) -> None:
    refused = run(write(tmp_path, [{"limit": "100 g"}], training_time="90 min")).err
    assert "emit at least " in refused
    assert "which does not fit the budget of 100 g: a budget of " in refused
    offered = refused.partition("100 g: a budget of ")[2].partition(" would do")[0]
    answer = run(write(tmp_path, [{"limit": offered}], training_time="90 min"))
    assert answer.status == 0, answer.err
    assert "Note" not in answer.err
    assert answer.json["search"]["stop_reason"] == "plan_done"


def test_a_daily_budget_is_held_against_each_day_before_the_deadline(tmp_path: Path) -> None:
    budget = {"limit": "150 g", "window": "day"}
    assert "the budget of 150 g per day: a budget of " in run(write(tmp_path, [budget])).err


def test_who_knows_may_begin_anyway_and_the_report_tells(tmp_path: Path) -> None:
    path = write(tmp_path, deadline="2 h")
    answer = run(path, "--anyway")
    assert answer.status == 0, answer.err
    assert "Note: the trainings take at least 3 h 40 min" in answer.err
    assert answer.json["search"]["stop_reason"] == "deadline"
    assert answer.json["search"]["config"].startswith("# Begun with --anyway: the trainings take at least 3 h 40 min")
    page = carbonnas("report", "--state", tmp_path / "state", "--format", "markdown").out
    assert "# Begun with --anyway" in page


def test_a_search_that_exists_is_not_asked_about_again_but_a_new_one_is(tmp_path: Path) -> None:
    path = write(tmp_path, deadline="2 h")
    assert run(path, "--anyway").status == 0
    assert run(path).status == 0
    assert run(path, "--new").status == 2
    assert searches(path) == 1


def test_what_can_not_be_known_beforehand_is_said_in_a_line_and_stops_nothing(tmp_path: Path) -> None:
    answer = run(write(tmp_path, [{"limit": "100 g"}], deadline=None))
    assert answer.status == 0, answer.err
    notes = [line for line in answer.err.splitlines() if line.startswith("Note: ")]
    assert len(notes) == 1
    assert "whether that fits the budget of 100 g can't be said by what is known of the grid until" in notes[0]
    assert not answer.json["search"]["config"].startswith("#")


def test_a_simulation_tells_and_goes_on(tmp_path: Path) -> None:
    one = ("--scheduler", "carbon_blind", "--seeds", "1", "--processes", "1", "--json")
    answer = carbonnas("simulate", write(tmp_path), "--hours", "2", *one)
    assert answer.status == 0, answer.err
    assert "Note: the trainings take at least 3 h 40 min in 2 slots without a pause" in answer.err
    assert "Note" not in carbonnas("simulate", tmp_path / "search.toml", *one).err
