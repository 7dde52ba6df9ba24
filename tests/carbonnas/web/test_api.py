"""The API: what it tells, and the commands."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from carbon_sources.health import Health, HealthState
from carbonnas.daemon.control import DaemonView, EndedWindow, Phase, SearchView, Submission
from carbonnas.record import Override
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialState
from carbonnas.web.shelf import Shelf
from schedulers.budget import BudgetState
from tests.carbonnas.web.sketch import DAEMON_BUDGET, SketchControl, World, live_view


def told(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def submission(world: World, **changes: Any) -> dict[str, Any]:
    """Return the body that enters the search that has ended once more."""
    folder = world.state_folder.parent / "done"
    return {"config": (folder / "search.toml").read_text(encoding="utf-8"), "folder": str(folder), **changes}


def test_the_status_tells_how_the_daemon_stands(reader: httpx.Client, control: SketchControl) -> None:
    view = control.view()
    status = told(reader, "/api/status")
    assert status["version"] == view.version
    assert (status["slots"], status["granted"]) == (4, 2)
    assert status["phases"] == {"running": 1}
    assert status["decisions"] == {"clean": 12, "dirty": 7}
    assert status["ticks"] == {"count": 1000, "median_s": 0.002, "p99_s": 0.015, "last_s": 0.003}
    assert status["trouble"] is status["stalled"] is None


def test_a_time_without_ticks_is_told(reader: httpx.Client, control: SketchControl) -> None:
    now = control.view().now
    control.change(lambda view: replace(view, trouble="no tick for 90 s", stalled=(now, timedelta(minutes=90))))
    status = told(reader, "/api/status")
    assert status["trouble"] == "no tick for 90 s"
    assert status["stalled"]["seconds"] == 5400


def test_searches_are_listed_newest_first_live_ones_as_they_stand(reader: httpx.Client, world: World) -> None:
    listed = told(reader, "/api/searches")
    live, ended = listed["searches"]
    assert (live["id"], live["phase"], live["granted"], live["labels"]) == (
        world.active.search_id,
        "running",
        2,
        ["team-a"],
    )
    assert live["totals"]["emissions_g"] == pytest.approx(world.status.totals.emissions_g)
    assert (ended["id"], ended["phase"], ended["stop_reason"]) == (world.ended, "ended", "plan_done")
    assert ended["priority"] is ended["submitted_at"] is None
    assert listed["next"] is None


def test_pages_of_searches_follow_each_other(reader: httpx.Client, world: World) -> None:
    first = told(reader, "/api/searches", limit=1)
    assert [search["id"] for search in first["searches"]] == [world.active.search_id] == [first["next"]]
    second = told(reader, "/api/searches", limit=1, before=first["next"])
    assert [search["id"] for search in second["searches"]] == [world.ended]
    assert second["next"] is None
    assert reader.get("/api/searches", params={"before": "nothing"}).status_code == 404


def test_a_search_that_the_daemon_does_not_run_is_not_said_to_have_ended(
    reader: httpx.Client, control: SketchControl, world: World
) -> None:
    control.cancel(world.active.search_id)
    assert told(reader, f"/api/searches/{world.active.search_id}")["phase"] is None


def test_a_live_search_tells_what_runs_and_why(reader: httpx.Client, world: World) -> None:
    search, status = told(reader, f"/api/searches/{world.active.search_id}"), world.status
    assert search["decision"]["reason"]["code"] == "clean"
    assert status.observation.current is not None
    assert search["decision"]["intensity_g_per_kwh"] == status.observation.current.g_per_kwh
    assert [trial["number"] for trial in search["running"]] == [trial.number for trial in status.running]
    assert search["planned"] == {"score": 20, "train": 8}  # 4 rounds of 5 scorings and 2 trainings
    assert status.best is not None
    assert search["best"]["metrics"]["val_accuracy"] == status.best.metrics["val_accuracy"]
    assert [budget["limit_g"] for budget in search["budgets"]] == [100_000]


def test_a_search_before_its_first_step_has_no_figures_and_no_zeros(
    reader: httpx.Client, control: SketchControl, world: World
) -> None:
    queued = live_view(world.active, None, Phase.QUEUED)
    control.change(lambda view: replace(view, searches=(queued,)))
    search = told(reader, f"/api/searches/{world.active.search_id}")
    assert search["phase"] == "queued"
    unknown = ("state", "totals", "trials", "decision", "best", "planned", "next_at")
    assert {name: search[name] for name in unknown} == dict.fromkeys(unknown)


def test_a_search_that_has_ended_is_told_from_the_store(reader: httpx.Client, world: World) -> None:
    store = Store(world.store)
    record = load_record(store, world.ended)
    store.close()
    search = told(reader, f"/api/searches/{world.ended}")
    assert search["trials"] == {"score": {"completed": 10}, "train": {"completed": 5}}  # 2 rounds, and the winner
    assert search["totals"]["energy_j"] == pytest.approx(sum(e.priced.sample.joules for e in record.entries))
    assert search["budgets"][0]["spent_g"] == pytest.approx(record.budgets[0].spent_g)
    best = max(t.metrics["val_accuracy"] for t in record.trials if t.fidelity.name.value == "search" and t.metrics)
    assert search["best"]["metrics"]["val_accuracy"] == best
    assert search["decision"]["time"] is not None


def test_what_operators_added_counts_in_a_search_that_has_ended(world: World, tmp_path: Path) -> None:
    copied = store_path(Path(shutil.copytree(world.state_folder, tmp_path / "copied")))
    kept, shelf = DaemonStore(copied), Shelf(copied)
    name = f"{world.ended}/1"
    kept.adopt(StoredSubmission(world.ended, world.status.now, "/", {}))
    kept.add_override(Override(name, world.status.now, 500.0, "one more night", None))
    (view,) = shelf.details(world.ended).budgets
    assert (view.name, view.state.budget.limit_g) == (name, 100_000 + 500)
    assert [override.reason for override in view.overrides] == ["one more night"]
    kept.close()
    shelf.close()


def test_trials_and_decisions_come_in_pages_without_a_gap_or_a_double(reader: httpx.Client, world: World) -> None:
    path = f"/api/searches/{world.ended}"
    numbers: list[int] = []
    after = -1
    while after is not None:
        page = told(reader, f"{path}/trials", after=after, limit=4)
        numbers += [trial["number"] for trial in page["trials"]]
        after = page["next"]
    assert numbers == list(range(15))
    times: list[str] = []
    before: dict[str, int] = {}
    while "none" not in before:
        page = told(reader, f"{path}/decisions", limit=3, **before)
        times += [made["time"] for made in page["decisions"]]
        before = {"none": 0} if page["next"] is None else {"before": page["next"]}
    assert times == sorted(times, reverse=True)
    assert len(times) == len(told(reader, f"{path}/decisions", limit=200)["decisions"]) > 3


@pytest.mark.parametrize("rest", ["", "/trials", "/decisions", "/report"])
@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%00b", "%F0%9F%8C%B1", "'--"])
def test_an_unknown_search_is_said_not_to_be_there(reader: httpx.Client, name: str, rest: str) -> None:
    assert reader.get(f"/api/searches/{name}{rest}").status_code == 404


def test_the_report_comes_in_its_formats(reader: httpx.Client, world: World) -> None:
    path = f"/api/searches/{world.ended}/report"
    assert reader.get(path, params={"format": "markdown"}).headers["content-type"] == "text/markdown; charset=utf-8"
    assert told(reader, path, format="json")["search"]["id"] == world.ended
    table = reader.get(path, params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == f'attachment; filename="{world.ended}.csv"'
    assert len(list(csv.reader(io.StringIO(table.text)))) == 1 + 15
    assert reader.get(path, params={"format": "pdf"}).status_code == 422


@pytest.mark.slow
def test_the_report_as_a_page_is_shut_off_from_the_daemon(reader: httpx.Client, world: World) -> None:
    page = reader.get(f"/api/searches/{world.ended}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"] == f'inline; filename="{world.ended}.html"'
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in page.headers["content-security-policy"]
    assert "Carbon report" in page.text


def test_budgets_and_sources_are_told(reader: httpx.Client, control: SketchControl, world: World) -> None:
    day, own = told(reader, "/api/budgets")["budgets"]
    assert (day["name"], day["remaining_g"], day["warned"], day["exhausted"]) == (DAEMON_BUDGET, 175, True, False)
    assert day["window_end"] == "2021-01-09T00:00:00Z"
    assert own["search_id"] == world.active.search_id
    (source,) = told(reader, "/api/sources")["sources"]
    assert (source["state"], source["age_s"], source["forecast_error"]) == ("ok", 1200, 0.082)
    blind = Health(HealthState.BLIND, ("no value yet",), None, None, 3, world.status.now, None)
    unknown = replace(control.view().grids[0].observation, current=None, forecast=None)
    control.change(
        lambda view: replace(
            view, grids=(replace(view.grids[0], health=blind, observation=unknown, forecast_error=None),)
        )
    )
    (source,) = told(reader, "/api/sources")["sources"]
    assert source["current"] is source["expected"] is source["age_s"] is source["forecast_error"] is None


def test_a_submitted_search_has_an_id(operator: httpx.Client, control: SketchControl, world: World) -> None:
    body = submission(world, priority=-3, labels=["team-a", "ümläut"], new=True)
    answer = operator.post("/api/searches", json=body)
    assert (answer.status_code, answer.json()) == (
        201,
        {"id": "simulated", "there": False, "priority": -3, "labels": body["labels"]},
    )
    expected = Submission(body["config"], body["folder"], -3, ("team-a", "ümläut"), anew=True, anyway=False)
    assert control.submitted == [expected]


def test_a_search_that_was_there_stays_as_it_was_and_that_is_told(
    operator: httpx.Client, control: SketchControl, world: World
) -> None:
    active = control.view().searches[0]
    # The sketch takes the name of a configuration for its id.
    there = replace(active, header=replace(active.header, search_id="simulated"))
    control.change(lambda view: replace(view, searches=(there,)))
    answer = operator.post("/api/searches", json=submission(world, priority=5, labels=["b"]))
    kept = {"id": "simulated", "there": True, "priority": 0, "labels": ["team-a"]}
    assert (answer.status_code, answer.json()) == (201, kept)


def test_every_mistake_of_a_configuration_is_told(operator: httpx.Client, world: World, tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, search={"slots": 0, "epochs": "many"})
    answer = operator.post("/api/searches", json=submission(world, config=path.read_text(encoding="utf-8")))
    assert answer.status_code == 422
    assert answer.json()["detail"] == "configuration: 2 mistakes"
    assert ["search.slots" in problem or "search.epochs" in problem for problem in answer.json()["problems"]] == [
        True,
        True,
    ]


WRONG: list[dict[str, Any]] = [
    {"priority": 101},
    {"priority": 1.5},
    {"labels": ["x"] * 17},
    {"labels": ["two\r\nlines"]},
    {"labels": ["x" * 65]},
    {"labels": [""]},
    {"folder": "relative"},
    {"folder": "/a\0b"},
    {"config": ""},
    {"config": "x" * 300_000},
    {"surprise": 1},
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: next(iter(change)))
def test_a_submission_out_of_range_is_refused_with_the_key(
    change: dict[str, Any], operator: httpx.Client, control: SketchControl, world: World
) -> None:
    answer = operator.post("/api/searches", json=submission(world, **change))
    assert answer.status_code == 422
    assert f"body.{next(iter(change))}" in answer.json()["problems"][0]
    assert control.submitted == []


def test_a_label_that_can_not_be_seen_is_refused_in_a_sentence(
    operator: httpx.Client, control: SketchControl, world: World
) -> None:
    answer = operator.post("/api/searches", json=submission(world, labels=["\u200b"]))
    assert answer.status_code == 409
    assert answer.json() == {"detail": "a label has 1 to 64 printable characters, got '\\u200b'"}
    assert control.submitted == []


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'{"config": NaN}', b"\xff\xfe"])
def test_wrong_json_is_refused(body: bytes, operator: httpx.Client) -> None:
    answer = operator.post("/api/searches", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()) == {"detail", "problems"}


def test_json_without_an_end_is_refused(operator: httpx.Client) -> None:
    answer = operator.post("/api/searches", content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_commands_reach_the_search(operator: httpx.Client, control: SketchControl, world: World) -> None:
    path = f"/api/searches/{world.active.search_id}"

    def found() -> SearchView:
        return control.view().searches[0]

    assert operator.post(f"{path}/pause").status_code == 204
    assert found().phase is Phase.PAUSED
    assert operator.post(f"{path}/resume").status_code == 204
    assert found().phase is Phase.RUNNING
    assert operator.put(f"{path}/priority", json={"priority": 7}).status_code == 204
    assert found().priority == 7
    assert operator.post(f"{path}/cancel").status_code == 204
    assert control.view().searches == ()


def test_what_can_not_be_done_is_answered_in_a_sentence(operator: httpx.Client, world: World) -> None:
    answer = operator.post(f"/api/searches/{world.active.search_id}/resume")
    assert answer.status_code == 409
    assert answer.json() == {"detail": f"the search {world.active.search_id} is not paused"}
    answer = operator.post(f"/api/searches/{world.ended}/pause")
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"there is no active search {world.ended!r}"}


def test_grams_are_added_to_a_budget_whose_name_has_a_slash(operator: httpx.Client, control: SketchControl) -> None:
    body = {"grams": 250.0, "reason": "the last night before the deadline"}
    assert operator.post(f"/api/budgets/{DAEMON_BUDGET}/override", json=body).status_code == 204
    (added,) = control.view().budgets[0].overrides
    assert (added.grams, added.reason) == (250.0, body["reason"])
    assert operator.post("/api/budgets/daemon/week/override", json=body).status_code == 404
    for wrong in ({"grams": 0}, {"grams": -1}, {"grams": 1e13}, {"reason": ""}, {"reason": "x" * 501}):
        assert operator.post(f"/api/budgets/{DAEMON_BUDGET}/override", json={**body, **wrong}).status_code == 422


def test_before_the_daemon_knows_its_budgets_it_does_not_say_that_there_are_none(
    reader: httpx.Client, control: SketchControl
) -> None:
    control.now_view = replace(
        control.now_view, version=0, ready=False, trouble="the daemon is taking over", budgets=()
    )
    answer = reader.get("/api/budgets")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the daemon is taking over; ask again in a moment")


def test_an_ended_window_over_its_limit_is_told_with_its_reason(reader: httpx.Client, control: SketchControl) -> None:
    def ended_over(view: DaemonView) -> DaemonView:
        first, *others = view.budgets
        budget = first.state.budget
        yesterday = budget.window_at(view.now - timedelta(days=1))
        ended = EndedWindow(BudgetState(budget, 2030.0, 0.0, yesterday), None)
        return replace(view, budgets=(replace(first, exceeded=(ended,)), *others))

    control.change(ended_over)
    day, own = told(reader, "/api/budgets")["budgets"]
    (window,) = day["exceeded"]
    assert (window["window_start"], window["window_end"]) == ("2021-01-07T00:00:00Z", "2021-01-08T00:00:00Z")
    assert (window["limit_g"], window["spent_g"], window["over_g"], window["at_end_g"]) == (2000, 2030, 30, None)
    assert window["why"].startswith("The daemon did not run when it ended, or was started anew since")
    assert own["exceeded"] == []


def test_values_that_are_no_numbers_are_null(reader: httpx.Client, control: SketchControl, world: World) -> None:
    status = world.status
    assert status.best is not None
    odd = replace(status.best, metrics={"val_accuracy": float("nan"), "loss": float("inf")}, state=TrialState.COMPLETED)
    control.change(lambda view: replace(view, searches=(live_view(world.active, replace(status, best=odd)),)))
    search = json.loads(reader.get(f"/api/searches/{world.active.search_id}").text, parse_constant=pytest.fail)
    assert search["best"]["metrics"] == {"val_accuracy": None, "loss": None}
