"""What schedulers are told of the work that is left, read along whole simulated searches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from carbonnas.architecture import Architecture
from carbonnas.config_file import load_config
from carbonnas.costs.table import LatencyTable
from carbonnas.driver import drive
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.storage.memory import MemoryStore
from carbonnas.testing.searches import write_simulated_search
from carbonnas.wiring import open_search, search_id_for
from schedulers.decision import SchedulingContext

LISTENER = """
from dataclasses import replace

from schedulers.policies.carbon_blind import CarbonBlind

heard = []


class Listener(CarbonBlind):
    def decide(self, context):
        heard.append(context)
        return super().decide(context)


class Restless(Listener):
    def decide(self, context):
        decision = super().decide(context)
        return decision if context.now.hour % 2 == 0 else replace(decision, train_slots=0)
"""
METADATA = "Metadata-Version: 2.1\nName: listening\nVersion: 1.0\n"
POINTS = "[carbonnas.schedulers]\nlistener = listening:Listener\nrestless = listening:Restless\n"

Told = list[SchedulingContext]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """Return a function that runs a search and returns all that its scheduler, a plug-in that never waits, was told."""
    site = tmp_path / "site"
    (site / "listening-1.0.dist-info").mkdir(parents=True)
    (site / "listening-1.0.dist-info" / "METADATA").write_text(METADATA)
    (site / "listening-1.0.dist-info" / "entry_points.txt").write_text(POINTS)
    (site / "listening.py").write_text(LISTENER)
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "listening", raising=False)

    def run(
        use: str = "listener",
        executor: Mapping[str, object] | None = None,
        cells: Sequence[Architecture] = (),
        **search: object,
    ) -> Told:
        folder = tmp_path / "search"
        scheduler = {"use": use, "percentile": None}
        path = write_simulated_search(folder, rounds=4, search=search, scheduler=scheduler, executor=executor or {})
        if cells:
            keep_only(cells, path)
        config, _ = load_config(path)
        search_id = search_id_for(config, 1)
        opened = open_search(config, "", MemoryStore(), search_id=search_id, state_folder=folder)
        drive(opened, lambda _: None, threading.Event())
        heard: Told = sys.modules["listening"].heard
        return heard

    return run


def keep_only(cells: Sequence[Architecture], path: Path) -> None:
    """Set a limit that only some cells keep."""
    space = NASBench201()
    table = LatencyTable("a phone", architectures={space.key(space.canonical(cell)): 1.0 for cell in cells})
    (path.parent / "latencies.json").write_text(table.to_json(), encoding="utf-8")
    limit = '[costs]\nlatency_table = "latencies.json"\n[[limits]]\nmetric = "latency_ms"\nat_most = 1.0\n'
    path.write_text(path.read_text(encoding="utf-8") + limit, encoding="utf-8")


@pytest.mark.slow
def test_once_nothing_is_proposed_any_more_only_what_was_scored_is_left(told: Callable[..., Told]) -> None:
    # Of thousands of cells a few keep the limit, of which some are found.
    cells = [(3, 3, 3, first, 3, second) for first in range(5) for second in range(5)]
    sizes = {"rounds": 300, "score_per_round": 20, "train_per_round": 1, "lookahead_rounds": 0}
    heard = [c.progress for c in told(cells=cells, training_time="1 h", full_epochs=None, **sizes)]
    before = [p for p in heard if (p.training_left or timedelta()) > timedelta(hours=200)]
    after = [p for p in heard if p not in before]
    assert before
    assert after
    for progress in after:
        assert progress.training_left is not None
        assert progress.training_left <= timedelta(hours=3 * len(cells))  # a training takes three hours at most
        assert progress.time_to_finish is not None
        # The scorings of 300 rounds would take 100 h.
        assert progress.time_to_finish <= 2 * progress.training_left + timedelta(hours=6)
        assert progress.training_chain <= progress.training_left
    assert after[-1].training_left == timedelta(0)


def test_the_work_that_is_left_is_unknown_until_a_training_has_finished(told: Callable[..., Told]) -> None:
    first, *_, last = (context.progress for context in told())
    assert (first.training_left, first.time_to_finish, first.share_done) == (None, None, 0.0)
    # What the meter states is known before anything was measured.
    assert first.training_w == 300.0
    assert (last.training_left, last.share_done) == (timedelta(0), 1.0)
    assert last.training_w == pytest.approx(300.0)
    assert last.resting_w == pytest.approx(50.0)


def test_what_the_user_expects_counts_until_a_training_has_finished(told: Callable[..., Told]) -> None:
    first = told(training_time="1 h", full_epochs=None)[0].progress
    assert first.training_left == timedelta(hours=4 * 2)  # four rounds of two trainings
    assert first.training_width == 6  # two of each of the three rounds that may be under way


def test_a_full_training_is_expected_to_take_as_long_as_its_epochs_say(told: Callable[..., Told]) -> None:
    first = told(training_time="1 h", epochs=12, full_epochs=24)[0].progress
    assert first.training_left == timedelta(hours=4 * 2 + 2)


def test_done_and_left_make_the_whole_when_all_trainings_take_the_same(told: Callable[..., Told]) -> None:
    heard = told(training_time="1 h", full_epochs=None)
    whole = heard[-1].progress.training_done
    known = [c.progress for c in heard if c.progress.share_done > 0.5 and c.progress.training_left is not None]
    assert known
    for progress in known:
        assert progress.training_done + (progress.training_left or timedelta()) == pytest.approx(
            whole, abs=0.35 * whole
        )


def test_a_search_never_takes_longer_than_it_was_told_from_halfway_on(told: Callable[..., Told]) -> None:
    heard = told(training_time="3 h", full_epochs=None)
    end = heard[-1].now
    for context in heard:
        if context.progress.share_done >= 0.5 and context.progress.time_to_finish is not None:
            assert context.now + context.progress.time_to_finish * 1.1 >= end


def test_a_training_that_was_just_laid_out_is_not_counted_twice(told: Callable[..., Told]) -> None:
    before_any_ended = [context.progress for context in told(training_time="1 h") if context.progress.share_done == 0.0]
    for progress in before_any_ended:
        # Four rounds of two trainings of 12 epochs, and one of 20 at the end: 8 h + 1 h 40 min.
        whole = progress.training_done + (progress.training_left or timedelta())
        assert whole == pytest.approx(timedelta(hours=9, minutes=40), abs=timedelta(seconds=1))


def test_writing_and_loading_checkpoints_is_no_progress(told: Callable[..., Told]) -> None:
    dear = {"suspend_cost": "50 min", "resume_cost": "50 min"}
    heard = told("restless", dear, training_time="1 h", full_epochs=None)
    resting = [c.progress for c in heard if c.progress.share_done == 0 and not c.progress.train_running]
    assert any(progress.training_done > timedelta(hours=2) for progress in resting)
    for progress in resting:
        # Of the twelve epochs of a training that left its slot at least one is left: eleven are 55 min of the hour; there are 8 trainings.
        assert (progress.training_left or timedelta()) >= timedelta(hours=8) - progress.train_ready * timedelta(
            minutes=55
        )
