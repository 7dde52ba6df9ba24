"""What the store tells people, whoever asks at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import Request

from carbonnas.driver import run_search
from carbonnas.errors import SearchNotFoundError
from carbonnas.record import Override, SearchState
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.testing.searches import write_simulated_search, write_trace
from carbonnas.web.api_answers import shelved_answer
from carbonnas.web.pages_render import Renderer
from carbonnas.web.pages_search import SearchPage
from carbonnas.web.pages_static import static_files
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl, World

BUDGETS = (
    {"limit": "100 kg", "window": "search"},
    {"limit": "90 kg", "window": "day"},
    {"limit": "80 kg", "window": "week"},
)
KNOWN_HOURS = 7 * 24 + 9
"""The trace begins a week before the search: so its last hours are not known."""


@pytest.mark.parametrize("hours", [30 * 24, KNOWN_HOURS], ids=["priced", "partly unpriced"])
def test_budgets_stand_as_in_the_report(hours: int, tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, rounds=2, budgets=BUDGETS)
    write_trace(tmp_path / "trace.csv", hours=hours)
    record = run_search(path.read_text(encoding="utf-8"), tmp_path / "state", folder=tmp_path)
    shelf = Shelf(store_path(tmp_path / "state"))
    details = shelf.details(record.search_id)
    shelf.close()
    assert (details.summary.totals.unpriced_j > 0) == (hours == KNOWN_HOURS)
    assert len(details.budgets) == 3
    for told, right in zip((view.state for view in details.budgets), record.budgets, strict=True):
        assert told.budget == right.budget
        assert told.window == right.window
        figures = (told.spent_g, told.unpriced_g, told.doubt_g, told.reserved_g)
        assert figures == pytest.approx((right.spent_g, right.unpriced_g, right.doubt_g, right.reserved_g))


def test_only_what_was_added_to_the_window_of_the_last_step_is_shown(tmp_path: Path, control: SketchControl) -> None:
    path = write_simulated_search(tmp_path, rounds=2, budgets=BUDGETS)
    record = run_search(path.read_text(encoding="utf-8"), tmp_path / "state", folder=tmp_path)
    today = record.budgets[1].window
    assert today is not None
    file, day = store_path(tmp_path / "state"), f"{record.search_id}/2"
    daemon = DaemonStore(file)
    daemon.adopt(StoredSubmission(record.search_id, record.started_at, "/", {}))
    for grams, reason, start in (
        (500.0, "the day before", today.start - timedelta(days=1)),
        (30.0, "this day", today.start),
        (4.0, "once more", today.start),
    ):
        daemon.add_override(Override(day, record.started_at, grams, reason, start))
    daemon.close()
    shelf = Shelf(file)
    details = shelf.details(record.search_id)
    # 90 kg and what was added on the last day: 30 g and 4 g
    assert [view.state.budget.limit_g for view in details.budgets] == [100_000, 90_034, 80_000]
    told = [[each.reason for each in budget.overrides] for budget in shelved_answer(details).budgets]
    assert told == [[], ["this day", "once more"], []]
    page = SearchPage(control, shelf, Renderer(static_files()[0]))
    request = Request({"type": "http", "query_string": b"", "headers": []})
    text = bytes(page.answer(request, record.search_id).body).decode()
    assert [reason in text for reason in ("the day before", "this day", "once more")] == [False, True, True]
    shelf.close()


def test_many_who_ask_at_once_are_told_the_same(world: World, shelf: Shelf) -> None:
    def ask(_: int) -> tuple[object, ...]:
        other = Shelf(world.store)
        try:
            seen = other.details(world.active.search_id)
        finally:
            other.close()
        page = shelf.trials(world.ended, limit=200)
        return (
            shelf.searches(limit=10),
            shelf.details(world.ended),
            seen.best,
            len(page),
            shelf.decisions(world.ended, limit=5),
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert all(answer == answers[0] for answer in answers)


def test_a_search_that_goes_on_is_read_anew_and_one_that_has_ended_is_remembered(world: World, shelf: Shelf) -> None:
    assert shelf.details(world.ended) is shelf.details(world.ended)
    first, second = shelf.details(world.active.search_id), shelf.details(world.active.search_id)
    assert first is not second
    assert first == second
    assert first.summary.state is SearchState.RUNNING


def test_what_is_not_there_is_said_not_to_be_there(shelf: Shelf) -> None:
    with pytest.raises(SearchNotFoundError):
        shelf.details("nothing")
    with pytest.raises(SearchNotFoundError):
        shelf.trials("nothing", limit=1)
    with pytest.raises(SearchNotFoundError):
        shelf.decisions("nothing", limit=1)
    with pytest.raises(SearchNotFoundError):
        shelf.searches(limit=1, before="nothing")


def test_totals_leave_out_what_they_are_told_to(world: World, shelf: Shelf) -> None:
    ended, active = (shelf.details(name).summary.totals for name in (world.ended, world.active.search_id))
    assert shelf.totals(without=()) == pytest.approx(
        (ended.energy_j + active.energy_j, ended.emissions_g + active.emissions_g)
    )
    assert shelf.totals(without={world.active.search_id}) == pytest.approx((ended.energy_j, ended.emissions_g))
