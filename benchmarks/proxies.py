"""How well zero-cost proxies rank NAS-Bench-201, how fast they are together, and what the default fusion costs.

    python -m benchmarks.proxies [--cells 60] [--published-cells 40] [--speed-cells 6] [--slow] [--seed 0] [--data ../shared/data] [--json FILE]

Three parts, on random cells at full size (C = 16, N = 5, 32 x 32 Gaussian images, random labels, batch 32) in one thread:

1. Spearman's rank correlation of each proxy with the test accuracy after 200 epochs on CIFAR-10, and with the published scores of the
   same proxy where the data folder holds some; NASLib's are of 491 cells, so some of these are scored for themselves. `--slow`
   includes grasp and ntk, which take several times as long as all others.
2. Processor time of all proxies but grasp, ntk and te_nas together, beside the same one at a time (`proxies_one_by_one`), cell by cell.
3. Cells per second and per joule of the default fusion and of what it takes without a backward pass.

Processor time and not time of the clock: on a busy machine the latter says more of the neighbours. Joules are CodeCarbon's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.proxies_one_by_one import ONE_BY_ONE
from carbonnas.architecture import Architecture, derive_seed
from carbonnas.energy.codecarbon_meter import CodeCarbonMeter
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.evaluation.scoring import ProxyEvaluator
from carbonnas.proxies.fusion import DEFAULT, ENSEMBLES, expand, fuse
from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.registry import PROXIES
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.space import TaskShape
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, TrialKind

TABLE, ACCURACY = "nb201_accuracy_cost.csv.gz", "cifar10_test_200ep"
SLOW = ("grasp", "ntk")
FORWARD = ("az_expressivity", "az_progressivity", "macs", "naswot", "meco")
TASK = (3, 32, 32, 10)
SPACE = NASBench201()
_FEWEST = 10


def all_but(left_out: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in PROXIES.names() if name not in set(left_out))


def evaluator(proxies: tuple[str, ...], seed: int) -> ProxyEvaluator:
    return ProxyEvaluator(SPACE, seed, proxies=proxies, task=TASK)


def score(scoring: ProxyEvaluator, cell: Architecture, seed: int) -> Mapping[str, float]:
    request = EvaluationRequest(cell, TrialKind.SCORE, PROXY, derive_seed(seed, SPACE.key(cell)))
    return scoring.evaluate(request, UnattendedSession()).metrics


def correlations(
    table: pd.DataFrame, published: pd.DataFrame, *, proxies: tuple[str, ...], seed: int
) -> dict[str, Any]:
    """Score the cells of the table and correlate ranks."""
    scoring = evaluator(proxies, seed)
    raw = [score(scoring, SPACE.parse(text), seed) for text in table["arch_str"]]
    scores = pd.DataFrame(raw, index=table.index)
    usable = {name: parts for name, parts in ENSEMBLES.items() if set(parts) <= set(scores)}
    for name in usable:
        scores[name] = fuse(raw, (name,))
    scores["default fusion"] = fuse(raw, DEFAULT)
    accuracy = scores.corrwith(table[ACCURACY], method="spearman")
    known = published.reindex(table.index)
    ours = {column: str(column).split("/")[0] for column in known if known[column].count() >= _FEWEST}
    agreement = {
        str(column): float(scores[[name]].corrwith(known[column], method="spearman").iloc[0])
        for column, name in ours.items()
        if name in scores
    }
    return {
        "cells": len(table),
        "spearman": {name: round(value, 4) for name, value in accuracy.items()},
        "agreement": {name: round(value, 4) for name, value in agreement.items()},
    }


def read_published(folder: Path) -> pd.DataFrame:
    """Return published scores by index of the cell; a column is called by our name of the proxy and its file."""
    every = pd.read_csv(folder / "nb201_proxies_published.csv.gz", index_col="index")
    names = {"synflow": "synflow", "logsynflow": "logsynflow", "naswot": "naswot", "nregions": "linear_regions"}
    columns = {f"{ours}/FreeREA": every[f"{theirs}_cifar10"] for theirs, ours in names.items()}
    few = pd.read_csv(folder / "nb201_zero_cost_491.csv.gz").query("dataset == 'cifar10'")
    few = few.drop_duplicates("index").set_index("index").rename(columns={"flops": "macs"})
    columns |= {f"{name}/NASLib": few[name] for name in few if name in PROXIES.names()}
    zen = pd.read_csv(folder / "nb201_zen_score.csv.gz").query("dataset == 'cifar10'").drop_duplicates("index")
    return pd.DataFrame({**columns, "zen/NASLib": zen.set_index("index")["zen"]})


def cells_of(table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    return table.iloc[np.random.default_rng(seed).permutation(len(table))[:count]]


def build(cell: Architecture) -> nn.Module:
    return SPACE.build(cell, TaskShape(*TASK))


def speed(cells: list[Architecture], seed: int) -> dict[str, Any]:
    """Return processor seconds of the proxies together and one by one, mean of the cells."""
    generator = torch.Generator().manual_seed(seed)
    batch = ProxyBatch(torch.randn(32, *TASK[:3], generator=generator), torch.randint(10, (32,), generator=generator))
    together = evaluator(all_but((*SLOW, "linear_regions")), seed)
    score(together, cells[0], seed)  # the first pass of a process also sets torch up
    alone: dict[str, float] = dict.fromkeys(ONE_BY_ONE, 0.0)
    shared_s = 0.0
    for cell in cells:
        shared_s += processor_seconds(partial(score, together, cell, seed))
        for name, proxy in ONE_BY_ONE.items():
            alone[name] += processor_seconds(partial(proxy, partial(build, cell), batch))
    count = len(cells)
    return {
        "cells": count,
        "together_s": round(shared_s / count, 3),
        "one_by_one_s": round(sum(alone.values()) / count, 3),
        "share": round(shared_s / sum(alone.values()), 3),
        "each_s": {name: round(seconds / count, 3) for name, seconds in alone.items()},
    }


def cost(cells: list[Architecture], proxies: tuple[str, ...], seed: int) -> dict[str, float]:
    """Return what scoring the cells by these proxies takes."""
    scoring = evaluator(proxies, seed)
    score(scoring, cells[0], seed)
    meter = CodeCarbonMeter(1)
    watts_of_a_core = core_watts(meter)
    seconds = sum(processor_seconds(partial(score, scoring, cell, seed)) for cell in cells)
    return {
        "seconds_per_cell": round(seconds / len(cells), 3),
        "cells_per_second": round(len(cells) / seconds, 3),
        "cells_per_joule": round(len(cells) / (seconds * watts_of_a_core), 5),
    }


def core_watts(meter: CodeCarbonMeter) -> float:
    """Return the power that CodeCarbon's model charges a busy core of this machine."""
    details = meter.measurement().details
    meter.close()
    return float(details["cpu_power_w"].split()[0]) / int(details["cores"])


def processor_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description="How well and how fast zero-cost proxies rank NAS-Bench-201.")
    parser.add_argument("--cells", type=int, default=60, help="cells of the first part; 0 leaves it out")
    parser.add_argument("--published-cells", type=int, default=40, help="of the 491 cells; 0 leaves them out")
    parser.add_argument(
        "--speed-cells", type=int, default=6, help="cells of the second and third part; 0 leaves them out"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", action="store_true", help="include grasp and ntk in the first part")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with nas/")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = arguments.data / "nas"
    table = pd.read_csv(folder / TABLE, index_col="index")
    found: dict[str, Any] = {}
    if arguments.speed_cells:
        timed = [SPACE.parse(text) for text in cells_of(table, arguments.speed_cells, arguments.seed)["arch_str"]]
        found["speed"] = speed(timed, arguments.seed)
        found["default fusion"] = cost(timed, expand(DEFAULT), arguments.seed)
        found["without a backward pass"] = cost(timed, FORWARD, arguments.seed)
    proxies, published = all_but(() if arguments.slow else SLOW), read_published(folder)
    few = table.loc[published.index[published["snip/NASLib"].notna()]]
    for name, cells, count in (("ranking", table, arguments.cells), ("published", few, arguments.published_cells)):
        if count:
            drawn = cells_of(cells, count, arguments.seed)
            found[name] = correlations(drawn, published, proxies=proxies, seed=arguments.seed)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
