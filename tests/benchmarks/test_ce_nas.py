"""The CE-NAS experiment runs on any table in the same columns, and any trace."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ce_nas import COST, main
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.testing.searches import write_trace

pytestmark = pytest.mark.slow

COLUMNS = f"arch_str,cifar10_valid_12ep,train_s_12ep_cifar10,cifar10_test_200ep,params,macs,{COST}"


def _write_table(path: Path) -> None:
    """Write made-up results of all cells. Convolutions are better, slower and dearer, and full trainings better than short ones."""
    space, rng, lines = NASBench201(), np.random.default_rng(0), [COLUMNS]
    for architecture in itertools.product(*(range(len(choice.options)) for choice in space.choices)):
        names = [choice.options[place] for choice, place in zip(space.choices, architecture, strict=True)]
        big, small, pool = (names.count(name) for name in ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"))
        work = 6 * big + 5 * small + 3 * pool
        full = 60 + 34 * (1 - np.exp(-(2 * big + small) / 4)) + rng.normal(0, 0.3)
        numbers = (full - 12 + rng.normal(0, 1), 30 + 5 * work, full, 1000 + 300 * work, 5000 + 900 * work, 2 + work)
        lines.append(",".join([space.format(architecture), *(f"{number:.4f}" for number in numbers)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("accounting", ["ce-nas", "full"])
def test_the_experiment_tells_the_emissions_until_a_quality_of_each_policy(tmp_path: Path, accounting: str) -> None:
    table, trace, found = tmp_path / "table.csv", tmp_path / "trace.csv", tmp_path / "found.json"
    _write_table(table)
    write_trace(trace)
    options = f"--table {table} --trace {trace} --start 2021-01-20 --accounting {accounting} --hours 8 --seeds 1 --processes 1"
    chosen = "--policy vanilla --policy carbonnas"
    main([*options.split(), *chosen.split(), "--json", str(found)])
    told = json.loads(found.read_text(encoding="utf-8"))
    assert set(told["kg_to_quality"]["0.98"]) == {"vanilla", "carbonnas"}
    for name in ("vanilla", "carbonnas"):
        policy = told["policies"][name]
        assert policy["kg_in_all"] > 0
        assert 0.5 < policy["share_at_end"] <= 1.0
        assert policy["full_trainings"] > 0
        reached = [policy["kg_to_quality"][share][0] for share in ("0.95", "0.97")]
        assert reached[0] is not None
        assert reached == sorted(reached, key=lambda kg: float("inf") if kg is None else kg)
    assert told["policies"]["vanilla"]["search_trainings"] == 0 < told["policies"]["carbonnas"]["search_trainings"]
    assert told["policies"]["vanilla_equal_carbon"]["kg_in_all"] == told["policies"]["carbonnas"]["kg_in_all"]
