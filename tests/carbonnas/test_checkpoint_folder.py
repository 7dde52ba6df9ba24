"""Checkpoints live until the results of their trainings are in the store."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from carbonnas.checkpoint_folder import CheckpointFolder
from carbonnas.config_file import load_config
from carbonnas.driver import drive
from carbonnas.errors import StorageError
from carbonnas.search_state import SearchProgress, Step
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.paths import search_folder
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from carbonnas.wiring import OpenSearch, open_search

TRAINED: dict[str, Mapping[str, object]] = {
    "search": {"slots": 1, "score_per_round": 2, "train_per_round": 1, "epochs": 2, "full_epochs": 1, "rank_by": None},
    "space": {"use": "small_conv"},
    "strategy": {"use": "random"},
    "scoring": {"use": "proxies", "path": None, "score_seconds": None, "full_seconds_factor": None},
    "training": {"use": "training", "path": None, "score_seconds": None, "full_seconds_factor": None},
    "scheduler": {"use": "carbon_blind", "percentile": None},
    "executor": {"use": "inline"},
    "clock": {"use": None, "start": None},
}


class Observed(MemoryStore):
    """Keeps what lay in a folder when trainings were committed as completed, and may refuse the first of those commits."""

    def __init__(self, folder: Path, *, refuses: bool = False) -> None:
        super().__init__()
        self.refuses = refuses
        self.lay_there: dict[int, bool] = {}
        self._folder = folder

    def commit(self, search_id: str, progress: SearchProgress, step: Step) -> None:
        done = [t for t in step.trials.values() if t.kind is TrialKind.TRAIN and t.state is TrialState.COMPLETED]
        if done and self.refuses:
            raise StorageError("the process ends here")
        self.lay_there |= {trial.number: _file(self._folder, trial.number).exists() for trial in done}
        super().commit(search_id, progress, step)


def _file(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}.checkpoint"


def _training(number: int, state: TrialState = TrialState.RUNNING) -> Trial:
    fidelity = Fidelity(FidelityName.SEARCH, 1)
    return Trial(number, 0, TrialKind.TRAIN, fidelity, (0,), "a", 0, STARTS_AT, state)


def _opened(path: Path, store: MemoryStore) -> OpenSearch:
    config, text = load_config(path)
    return open_search(config, text, store, search_id="s", state_folder=path.parent)


def _run(opened: OpenSearch) -> None:
    drive(opened, lambda _: None, threading.Event())


def test_what_is_left_of_trainings_that_have_ended_goes_at_the_opening_and_nothing_else(tmp_path: Path) -> None:
    trials = {1: _training(1), 2: _training(2, TrialState.COMPLETED), 3: _training(3, TrialState.CANCELLED)}
    names = [*(f"trial-{number}.checkpoint" for number in (1, 2, 3, 4)), "trial-2.checkpoint.new", "of a user"]
    for name in names:
        (tmp_path / name).touch()
    CheckpointFolder(tmp_path).open(trials)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["of a user", "trial-1.checkpoint", "trial-4.checkpoint"]


def test_what_a_training_writes_after_it_was_given_up_goes_once_nobody_is_at_work(tmp_path: Path) -> None:
    checkpoints = CheckpointFolder(tmp_path)
    checkpoints.forget([_training(1), _training(2, TrialState.CANCELLED)])
    for number in (1, 2):
        _file(tmp_path, number).touch()
    checkpoints.close()
    assert list(tmp_path.iterdir()) == [_file(tmp_path, 1)]


def test_what_can_not_be_removed_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trials = {number: _training(number, TrialState.COMPLETED) for number in (1, 2, 3)}
    for number in (1, 2):
        _file(tmp_path, number).mkdir()  # which is no file to remove
    _file(tmp_path, 3).touch()
    checkpoints = CheckpointFolder(tmp_path)
    checkpoints.open(trials)
    checkpoints.forget(trials.values())
    assert not _file(tmp_path, 3).exists()
    (told,) = caplog.records
    assert told.levelname == "WARNING"
    assert "checkpoint is of no use any more and can't be removed (" in told.message


def test_a_cancelled_search_leaves_no_checkpoint(tmp_path: Path) -> None:
    blind = {"use": "carbon_blind", "percentile": None}
    opened = _opened(write_simulated_search(tmp_path, scheduler=blind), MemoryStore())
    opened.search.start(opened.clock.now())
    status = opened.search.tick(opened.clock.now())
    while not any(trial.kind is TrialKind.TRAIN for trial in status.running):
        opened.executor.wait(status.next_at, threading.Event())
        status = opened.search.tick(opened.clock.now())
    folder = search_folder(tmp_path, "s") / "checkpoints"
    _file(folder, next(trial.number for trial in status.running if trial.kind is TrialKind.TRAIN)).touch()
    opened.search.cancel(opened.clock.now())
    opened.search.close()
    assert list(folder.iterdir()) == []


def test_a_checkpoint_goes_after_the_commit_of_the_result_and_not_before(tmp_path: Path) -> None:
    folder = search_folder(tmp_path, "s") / "checkpoints"
    store = Observed(folder)
    opened = _opened(write_simulated_search(tmp_path, rounds=2), store)
    folder.mkdir(parents=True)
    for number in range(100):
        _file(folder, number).write_text('{"epochs_done": 0}', encoding="utf-8")
    _run(opened)
    assert len(store.lay_there) > 1
    assert all(store.lay_there.values())
    assert not any(_file(folder, number).exists() for number in store.lay_there)


@pytest.mark.torch
@pytest.mark.usefixtures("one_thread")
def test_a_training_whose_result_was_not_stored_is_not_trained_again(tmp_path: Path) -> None:
    folder = search_folder(tmp_path, "s") / "checkpoints"
    store = Observed(folder, refuses=True)
    path = write_simulated_search(tmp_path, seed=1, rounds=1, budgets=(), **TRAINED)
    with pytest.raises(StorageError):
        _run(_opened(path, store))
    (checkpoint,) = folder.iterdir()
    kept = checkpoint.stat().st_mtime_ns
    store.refuses = False
    opened = _opened(path, store)
    opened.search.start(opened.clock.now())  # which evaluates at once what was running
    assert checkpoint.stat().st_mtime_ns == kept  # each epoch would have written it
    opened.search.tick(opened.clock.now())
    assert not checkpoint.exists()
    (trial,) = (t for t in store.trials("s") if t.kind is TrialKind.TRAIN and t.state is TrialState.COMPLETED)
    assert len(trial.curve["train_loss"]) == 2
    opened.search.close()
