"""How good the networks are that strategies find on NAS-Bench-201 for the same seconds of training.

    python benchmarks/search.py [--seeds 30] [--json FILE] [--data DIR] [--strategy NAME ...] [--processes 2]

The protocol is that of NATS-Bench (Dong et al. 2021) with the 12-epoch column: a search on CIFAR-10 pays for each network the seconds that its
12 epochs took on one GPU, 20,000 in all, and sees the validation accuracy they gave. It is judged by the test accuracy after 200 epochs of the
network that was best by validation: mean and standard deviation over the seeds, in percent. Strategies that look at proxies pay the seconds which
the published table tells for these, too; the scores come from that table. The same networks are judged on CIFAR-100, for which nothing was
tuned. All strategies run on the production plan, through `ask`, `tell` and `promote`, and none knows the budget.

References at 20,000 s: random search 93.74, REINFORCE 93.93, regularised evolution 94.10, local search 94.30; the best network has 94.37.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it is not in a package

from benchmarks.search_contestants import contestants
from benchmarks.search_run import Found, search
from benchmarks.search_table import TESTS, Benchmark
from carbonnas.search_spaces.nasbench201 import NASBench201

BUDGETS_S = (5_000, 20_000)


@functools.cache
def _benchmark(data: Path) -> Benchmark:
    """Return the tables; reading them takes seconds, so once for each process."""
    return Benchmark(data, NASBench201())


def run(data: Path, name: str, seed: int) -> list[Found]:
    """Return what one strategy found with one seed within the largest budget."""
    return search(contestants()[name], _benchmark(data), NASBench201(), seed, budget_s=max(BUDGETS_S))


def judged(runs: Sequence[Sequence[Found]], budget_s: float, test: str) -> dict[str, float]:
    """Return mean and standard deviation of the test accuracies, in percent, of what was best by validation within a budget."""
    best = [[found.tests[test] for found in one if found.seconds <= budget_s][-1] for one in runs]
    return {"mean": statistics.mean(best), "std": statistics.stdev(best) if len(best) > 1 else 0.0}


def results(
    data: Path, names: Sequence[str], seeds: int, processes: int
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return mean and standard deviation by data set, budget in seconds and strategy."""
    told: dict[str, dict[str, dict[str, dict[str, float]]]] = {test: {str(b): {} for b in BUDGETS_S} for test in TESTS}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        running = {name: [pool.submit(run, data, name, seed) for seed in range(seeds)] for name in names}
        for name, futures in running.items():
            runs = [future.result() for future in futures]
            for test in TESTS:
                for budget in BUDGETS_S:
                    told[test][str(budget)][name] = judged(runs, budget, test)
            _print_row(name, told)
    return told


def _print_row(name: str, told: dict[str, dict[str, dict[str, dict[str, float]]]]) -> None:
    cells = [told[test][str(budget)][name] for test in TESTS for budget in BUDGETS_S]
    sys.stdout.write(f"{name:<32}" + "".join(f"{cell['mean']:9.2f} ± {cell['std']:4.2f}" for cell in cells) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds nas/")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--strategy", action="append", choices=sorted(contestants()), help="default: all")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    chosen = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that are started, each of which has one core
    columns = [f"{test}, {budget:,} s" for test in TESTS for budget in BUDGETS_S]
    sys.stdout.write(f"{'':<32}" + "".join(f"{column:>16}" for column in columns) + "\n")
    told = results(chosen.data, chosen.strategy or list(contestants()), chosen.seeds, chosen.processes)
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
