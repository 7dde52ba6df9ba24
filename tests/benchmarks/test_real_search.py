"""The real search runs what `carbonnas init` writes, and random networks for as many joules."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks.real_search import Joules, as_toml, example, random_draws, summary, usual
from carbonnas.config_file import parse_config
from carbonnas.proxies.fusion import DEFAULT

pytestmark = pytest.mark.torch

OPTIONS = argparse.Namespace(
    slots=1,
    space="small_conv",
    dataset="digits",
    rounds=None,
    epochs=3,
    share=0.5,
    processor_only=True,
)


def test_the_search_is_that_of_init_on_another_data_set_and_a_constant_grid(tmp_path: Path) -> None:
    config, written = parse_config(as_toml(usual(OPTIONS, 7)), "usual", tmp_path), example()
    assert (config.strategy.use, config.rank_by) == (written["strategy"]["use"], DEFAULT)
    assert (config.search.rounds, config.search.epochs) == (written["search"]["rounds"], 3)
    assert (config.search.seed, config.search.slots, config.search.full_epochs) == (7, 1, None)
    assert config.scoring.options["dataset"] == config.training.options["dataset"] == "digits"
    assert config.training.options["search_share"] == 0.5
    assert "final_dataset" not in config.training.options
    assert config.carbon_source.use == "constant"
    assert config.energy.options["ram_power"] == "0 W"


def test_random_networks_are_all_trained_and_not_scored(tmp_path: Path) -> None:
    tables = usual(OPTIONS, 7)
    config = parse_config(as_toml(random_draws(tables)), "random", tmp_path)
    assert config.search.score_per_round == config.search.train_per_round == tables["search"]["train_per_round"]
    assert (config.strategy.use, config.rank_by) == ("random", ("params",))
    assert (config.search.epochs, config.training) == (3, parse_config(as_toml(tables), "usual", tmp_path).training)


def test_the_joules_end_with_the_training_that_is_under_way_when_they_are_spent() -> None:
    joules = Joules(100.0)
    for trained, energy_j, ended in ((0, 50.0, False), (1, 99.0, False), (1, 100.0, False), (2, 120.0, True)):
        joules.count(trained, energy_j)
        assert joules.stop.is_set() is ended


def test_the_summary_counts_the_seeds_that_were_won() -> None:
    rows = [{"usual": {"test_accuracy": a}, "random": {"test_accuracy": b}} for a, b in ((0.9, 0.8), (0.7, 0.8))]
    told = summary(rows)
    assert told["won"] == 1
    assert told["test_accuracy_pct"] == {"usual": 80.0, "random": 80.0}
