"""Following a search of the daemon: live, through restarts, and until the user leaves."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from carbonnas.cli.attach import follow
from carbonnas.cli.live import LiveSearch, look_at, read
from carbonnas.client import DaemonClient, DaemonError, DaemonGoneError
from carbonnas.daemon.control import DaemonView, Phase
from carbonnas.record import SearchState, StopReason
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.api_models import SearchLine
from schedulers.decision import Decision, Reason, ReasonCode
from tests.carbonnas.cli.service.conftest import Desk, Service, serving
from tests.carbonnas.web.sketch import World, daemon_view

ENDED = {"state": SearchState.COMPLETED, "stop_reason": StopReason.PLAN_DONE}


def silent() -> Console:
    return Console(file=io.StringIO(), width=200)


def watched(service: Service, *steps: Callable[[], None]) -> list[LiveSearch]:
    """Follow the search to its end; each step happens once the one before has been seen."""
    left: list[Callable[[], None]] = [*steps, lambda: service.control.set_status(**ENDED)]
    seen: list[LiveSearch] = []

    def show(search: LiveSearch) -> None:
        seen.append(search)
        if left:
            left.pop(0)()

    assert follow(service.state, service.active, show, silent()).has_ended
    return seen


def test_each_change_is_seen_without_asking_again_and_again(service: Service) -> None:
    counts = {(TrialKind.TRAIN, TrialState.COMPLETED): 3}
    seen = watched(service, lambda: service.control.set_status(counts=counts))
    assert len(seen) == 3
    trained = [search.glance().trained for search in seen]
    assert [None if work is None else work.completed for work in trained] == [1, 3, 3]
    assert [search.has_ended for search in seen] == [False, False, True]
    assert seen[-1].ending == "completed (plan done)"


def test_what_the_daemon_lets_rest_says_why(service: Service) -> None:
    def into(phase: Phase, problem: str | None = None) -> Callable[[], None]:
        def changed(view: DaemonView) -> DaemonView:
            return replace(view, searches=(replace(view.searches[0], phase=phase, problem=problem),))

        return lambda: service.control.change(changed)

    seen = watched(
        service, into(Phase.QUEUED), into(Phase.PAUSED), into(Phase.FAILING, "no table"), into(Phase.RUNNING)
    )
    assert [search.glance().held for search in seen] == [
        None,
        "queued: it waits for a slot of the machine",
        "paused",
        "it can't run, and is tried again: no table",
        None,
        None,
    ]


def test_a_search_before_its_first_step_has_unknown_figures_and_no_zeros(service: Service) -> None:
    service.control.change(lambda view: replace(view, searches=(replace(view.searches[0], status=None),)))
    seen: list[LiveSearch] = []

    def show(search: LiveSearch) -> None:
        seen.append(search)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(service.state, service.active, show, silent())
    glance = seen[0].glance()
    assert (glance.scored, glance.trained, glance.drawn, glance.course, glance.best) == (None,) * 5


def test_the_grid_of_the_search_is_told_where_the_daemon_asks_one_for_it(service: Service) -> None:
    def with_grid(view: DaemonView) -> DaemonView:
        return replace(view, grids=(replace(view.grids[0], searches=(service.active,)),))

    def blind(view: DaemonView) -> DaemonView:
        grid = view.grids[0]
        return replace(view, grids=(replace(grid, observation=replace(grid.observation, current=None)),))

    # It is between 7 and 8: 300 + 200 * cos(2 pi * 7 / 24) = 248 g/kWh.
    seen = watched(service, lambda: service.control.change(with_grid), lambda: service.control.change(blind))
    assert [search.glance().intensity for search in seen[:3]] == [
        None,
        "248 g/kWh in SUN, measured",
        "intensity unknown: all is well",
    ]


def test_a_restart_of_the_daemon_is_waited_for(world_once: World, state: Path) -> None:
    said = silent()
    with ExitStack() as first, ExitStack() as second:
        control = Desk(daemon_view(world_once))
        first.enter_context(serving(state, control))
        seen: list[bool] = []

        def show(search: LiveSearch) -> None:
            seen.append(search.has_ended)
            first.close()

        def wait(_seconds: float) -> None:
            waits.append(_seconds)
            if len(waits) == 3:
                control.set_status(**ENDED)
                second.enter_context(serving(state, control))

        waits: list[float] = []
        follow(state, world_once.active.search_id, show, said, wait=wait)
    assert (seen, waits) == ([False, True], [1.0, 1.0, 1.0])
    assert isinstance(said.file, io.StringIO)
    assert said.file.getvalue().splitlines() == [
        "The daemon is gone; waiting for it to come back.",
        "The daemon is back.",
    ]


def test_a_daemon_that_stays_away_is_given_up(world_once: World, state: Path) -> None:
    waits: list[float] = []
    with ExitStack() as served:
        served.enter_context(serving(state, Desk(daemon_view(world_once))))
        with pytest.raises(DaemonGoneError, match=r"no daemon runs.*; `carbonnas watch .*` shows"):
            follow(state, world_once.active.search_id, lambda _: served.close(), silent(), wait=waits.append)
    assert sum(waits) == 90 + 1


def test_an_answer_of_another_release_is_a_sentence(service: Service) -> None:
    with pytest.raises(DaemonError, match=r"can't be understood \(name: .*another release"):
        read(SearchLine, {"id": "x", "phase": "sleeping"})


def test_watching_takes_the_newest_that_runs_and_tells_its_end(service: Service) -> None:
    service.end_once_followed()
    answer = service.ask("watch")
    assert (answer.status, answer.out) == (0, "")
    lines = answer.err.splitlines()
    assert lines[-1] == f"Search {service.active} has ended: completed (plan done)."
    assert "training, " in lines[0]


def test_a_daemon_that_is_still_taking_over_its_searches_may_know_one_yet(world_once: World, state: Path) -> None:
    control = Desk(replace(daemon_view(world_once), version=0, searches=()))
    with serving(state, control) as address:
        client = DaemonClient(address, state / "token")
        starting = look_at(client, world_once.active.search_id)
        control.change(lambda view: view)
        started = look_at(client, world_once.active.search_id)
    assert (starting.is_known, starting.is_nobodys) == (False, False)
    assert (started.is_known, started.is_nobodys) == (False, True)


def test_nothing_is_shown_of_a_search_while_the_daemon_does_not_know_it(service: Service) -> None:
    before = service.control.view()

    def away() -> None:
        service.control.change(lambda view: replace(view, searches=()))
        threading.Timer(0.3, lambda: service.control.change(lambda _: before)).start()

    seen = watched(service, away)
    assert [search.is_known for search in seen] == [True] * 3


def test_watching_in_json_prints_a_line_for_each_change(service: Service) -> None:
    service.end_once_followed()
    answer = service.ask("watch", service.active, "--json")
    documents = [json.loads(line) for line in answer.out.splitlines()]
    assert (answer.status, answer.err) == (0, "")
    assert {document["id"] for document in documents} == {service.active}
    assert documents[-1]["state"] == "completed"


def test_watching_one_that_has_ended_returns_at_once(service: Service) -> None:
    answer = service.ask("watch", service.ended)
    assert answer.status == 0
    assert answer.err.splitlines()[-1] == f"Search {service.ended} has ended: completed (plan done)."


def test_watching_what_the_daemon_does_not_work_on_is_refused(service: Service) -> None:
    service.control.cancel(service.active)
    assert service.ask("watch").err.startswith("error: no search runs: ")
    answer = service.ask("watch", service.active)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith(f"error: the daemon does not work on {service.active}")


def test_what_a_scheduler_or_a_user_wrote_cannot_control_the_terminal(service: Service) -> None:
    reason = Reason(ReasonCode.DIRTY, "\x1b[2J[red]dirty\r")
    decision = Decision(0, 1, reason, service.control.view().now)
    service.control.set_status(decision=decision)
    service.end_once_followed()
    answer = service.ask("watch", service.active)
    assert "0 training, 1 scoring: ?[2J[red]dirty?\n" in answer.err
    assert "\x1b" not in answer.err


def test_run_submits_follows_and_reports_where_a_daemon_is(service: Service) -> None:
    service.end_once_followed()
    answer = service.ask("run", service.configs[service.active], "--json")
    assert answer.status == 0
    assert answer.json["search"]["id"] == service.active
    assert Path(answer.json["report"]).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [submission.anew for submission in service.control.submitted] == [False]
    lines = answer.err.splitlines()
    assert (
        lines[0]
        == f"The daemon goes on with search {service.active}; its page is {service.address}/searches/{service.active}"
    )
    assert lines[-1] == f"Search {service.active} has ended: completed (plan done)."


def test_run_needs_no_daemon_for_a_search_that_has_ended(service: Service) -> None:
    answer = service.ask("run", service.configs[service.ended], "--json")
    assert answer.json["search"]["id"] == service.ended
    assert service.control.submitted == []


def test_run_lists_the_mistakes_that_the_daemon_finds(service: Service, tmp_path: Path) -> None:
    config = shutil.copytree(service.configs[service.active].parent, tmp_path / "wide") / "search.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("slots = 2", "slots = 64"), encoding="utf-8")
    answer = service.ask("run", config)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == f"error: {config}: 1 mistake\n  search.slots: this machine has 4\n"


@pytest.mark.slow
@pytest.mark.parametrize(("command", "status"), [("watch", 0), ("run", 1)])
def test_ctrl_c_leaves_the_search_running(service: Service, command: str, status: int) -> None:
    wanted = service.active if command == "watch" else service.configs[service.active]
    words = [sys.executable, "-m", "carbonnas", command, wanted, "--state", service.state]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "training, " not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (status, "")
    assert err.splitlines()[-1] == (
        f"No longer watching; search {service.active} goes on. `carbonnas watch {service.active}` shows it again."
    )
    assert service.control.view().searches[0].phase is Phase.RUNNING
