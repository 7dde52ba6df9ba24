"""The search benchmark runs on tables in the published columns and tells what the issue of it asks for."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import BUDGETS_S, judged, main
from benchmarks.search_contestants import contestants, default
from benchmarks.search_run import Found, search
from benchmarks.search_table import SCORES, TABLE, Benchmark
from carbonnas.search_spaces.nasbench201 import NASBench201

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

RESULTS = "index,arch_str,cifar10_valid_12ep,train_s_12ep_cifar10,cifar10_test_200ep,cifar100_test_200ep,params,macs"
PUBLISHED = "index,synflow_cifar10,synflow_seconds,logsynflow_cifar10,logsynflow_seconds,naswot_cifar10,naswot_seconds"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write made-up results of all cells; a training takes 500 s and a proxy 0.5 s."""
    import gzip

    folder, space, rng = tmp_path_factory.mktemp("data"), NASBench201(), np.random.default_rng(0)
    results, published = [RESULTS], [PUBLISHED]
    for index, cell in enumerate(itertools.product(*(range(len(choice.options)) for choice in space.choices))):
        names = [choice.options[place] for choice, place in zip(space.choices, cell, strict=True)]
        size = 3 * names.count("nor_conv_3x3") + names.count("nor_conv_1x1")
        good = 60 + size + rng.normal(0, 0.5)
        results.append(
            f"{index},{space.format(cell)},{good - 10:.4f},500,{good:.4f},{good - 20:.4f},{1 + size},{9 + size}"
        )
        naswot = "-inf" if size == 0 else f"{size + rng.normal():.4f}"
        published.append(f"{index},{size + rng.normal():.4f},0.5,{size + rng.normal():.4f},0.5,{naswot},0.5")
    (folder / "nas").mkdir()
    for name, lines in ((TABLE, results), (SCORES, published)):
        (folder / name).write_bytes(gzip.compress("\n".join(lines).encode(), compresslevel=1))
    return folder


def test_it_tells_mean_and_deviation_by_data_set_budget_and_strategy(data: Path, tmp_path: Path) -> None:
    names = ["random", "default"]
    main(
        [
            "--data",
            str(data),
            "--seeds",
            "2",
            "--processes",
            "1",
            "--json",
            str(tmp_path / "found.json"),
            "--strategy",
            *names[:1],
            "--strategy",
            names[1],
        ]
    )
    told = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert set(told) == {"cifar10", "cifar100"}
    assert set(told["cifar10"]) == {"5000", "20000"}
    assert set(told["cifar10"]["20000"]) == set(names)
    assert set(told["cifar10"]["20000"]["random"]) == {"mean", "std"}
    assert told["cifar10"]["20000"]["default"]["mean"] > told["cifar10"]["20000"]["random"]["mean"]
    # The made-up accuracies differ by 20 between the data sets.
    assert told["cifar100"]["5000"]["random"]["mean"] == pytest.approx(told["cifar10"]["5000"]["random"]["mean"] - 20)


@pytest.mark.parametrize("name", ["reinforce_filtered", "reinforce_warm", "ppo_transformer", "nsga2"])
def test_contestants_pay_for_what_they_use(data: Path, name: str) -> None:
    space = NASBench201()
    contestant, benchmark = contestants()[name], Benchmark(data, space)
    found = search(contestant, benchmark, space, 0, budget_s=4_000)
    first = found[0]
    # One training of 500 s, and for those that look at proxies two of half a second for each of eight proposals.
    scorings = contestant.score_per_round if contestant.uses_proxies else 0
    assert first.seconds <= 500 + 1.0 * scorings
    assert first.seconds >= 500
    assert all(one.seconds <= 4_000 for one in found)
    assert [one.accuracy for one in found] == sorted(one.accuracy for one in found)


def test_what_ends_after_a_budget_does_not_count() -> None:
    runs = [[Found(100.0, 0.5, {"cifar10": 90.0}, 1), Found(6000.0, 0.6, {"cifar10": 94.0}, 60)]]
    assert [judged(runs, budget, "cifar10")["mean"] for budget in BUDGETS_S] == [90.0, 94.0]


def test_the_issue_s_strategies_are_there() -> None:
    asked = "default random regularized_evolution local_search reinforce reinforce_filtered ppo_transformer"
    assert set(asked.split()) <= set(contestants())


def test_the_default_is_what_a_new_configuration_has() -> None:
    assert default().strategy == "predictor"
