"""Guidance and rewards in a whole search, as a configuration asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carbonnas.config_file import load_config
from carbonnas.driver import run_search
from carbonnas.errors import ConfigError
from carbonnas.record import SearchRecord
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialKind


def found_by(folder: Path, **tables: Any) -> SearchRecord:
    path = write_simulated_search(folder, rounds=5, **tables)
    return run_search(path.read_text(encoding="utf-8"), folder / "state", folder=folder)


GUIDED = {"guidance": {"compete": 2, "warm_start": 3}, "strategy": {"use": "local_search", "initial": 2}}


def test_a_guided_search_trains_the_same_networks_each_time(tmp_path: Path) -> None:
    trained = []
    for name in ("first", "second"):
        record = found_by(tmp_path / name, **GUIDED)
        trained.append([trial.key for trial in record.trials if trial.kind is TrialKind.TRAIN])
    assert trained[0] == trained[1]
    # Two in each of five rounds, and the full training of the winner.
    assert len(trained[0]) == 5 * 2 + 1


def test_guidance_changes_what_is_trained(tmp_path: Path) -> None:
    plain = found_by(tmp_path / "plain", strategy=GUIDED["strategy"])
    guided = found_by(tmp_path / "guided", **GUIDED)
    keys = [[t.key for t in record.trials if t.kind is TrialKind.TRAIN] for record in (plain, guided)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("strategy", ["predictor", "nsga2", "regularized_evolution"])
def test_several_objectives_in_a_search(tmp_path: Path, strategy: str) -> None:
    record = found_by(
        tmp_path,
        search={"objectives": ["maximize val_accuracy", "minimize params"]},
        strategy={"use": strategy},
        reward={"use": "chebyshev"},
    )
    assert sum(trial.kind is TrialKind.TRAIN for trial in record.trials) == 5 * 2 + 1


def test_targets_without_a_cost_are_told_with_their_table(tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, reward={"use": "tunas"})
    with pytest.raises(ConfigError, match="reward: a reward for hardware needs a target"):
        load_config(path)
