"""Ready-made small searches for tests: a table of results, a trace and a configuration, written into a folder."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbonnas.architecture import Architecture
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.nasbench201_cell import EDGES, OPERATIONS

STARTS_AT = datetime(2021, 1, 8, tzinfo=UTC)
"""First instant of the clock of a search that `write_simulated_search` makes."""

TRACE_STARTS_AT = STARTS_AT - timedelta(days=7)
TRACE_HOURS = 30 * 24

_GAIN = (0.0, 2.0, 4.0, 9.0, 3.0)
"""Points of accuracy that an operation adds on one edge, by its place among the operations."""


def write_simulated_search(
    folder: Path,
    *,
    seed: int = 1,
    rounds: int = 6,
    budgets: Sequence[Mapping[str, object]] = (),
    **changes: Mapping[str, object],
) -> Path:
    """Write a search that runs in a second without torch: simulated time, results and times from a table, stated powers.

    It scores five cells of NAS-Bench-201 and trains two of them in each round, on two slots, each training for one to three hours;
    the grid follows the sun, and training waits for its cleaner half, so that trainings are suspended and resumed.

    Args:
        folder: Where `search.toml`, `table.csv` and `trace.csv` go; made if it is not there.
        seed: Seed of the search.
        rounds: Rounds of the plan.
        budgets: Keys of each `[[budgets]]` table.
        **changes: Keys to add or replace, by the name of their table; a value of `None` takes the key away.

    Returns:
        The path of the configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "table.csv")
    write_trace(folder / "trace.csv")
    path = folder / "search.toml"
    path.write_text(_toml(_tables(seed, rounds), changes, budgets), encoding="utf-8")
    return path


def write_table(path: Path) -> None:
    """Write made-up results of every distinct cell of NAS-Bench-201, in the columns that the tabular evaluator expects.

    Accuracies and times follow the operations by a formula: convolutions are better and slower.
    """
    path.write_text(_table(), encoding="utf-8")


def write_trace(path: Path, *, start: datetime = TRACE_STARTS_AT, hours: int = TRACE_HOURS) -> None:
    """Write hourly intensities that follow the sun: 300 g/kWh on average, 100 at noon UTC, 500 at midnight."""
    lines = ["start,end,g_per_kwh,zone,kind,basis,provenance"]
    for hour in range(hours):
        begins = start + timedelta(hours=hour)
        ends = begins + timedelta(hours=1)
        intensity = 300.0 + 200.0 * math.cos(math.tau * begins.hour / 24)
        lines.append(
            f"{begins:%Y-%m-%dT%H:%M:%SZ},{ends:%Y-%m-%dT%H:%M:%SZ},{intensity:.3f},SUN,average,lifecycle,measured"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(
    tables: Mapping[str, Mapping[str, object]],
    changes: Mapping[str, Mapping[str, object]],
    budgets: Sequence[Mapping[str, object]],
) -> str:
    merged = [(f"[{name}]", {**tables.get(name, {}), **changes.get(name, {})}) for name in {**tables, **changes}]
    lines: list[str] = []
    for title, keys in (*merged, *(("[[budgets]]", budget) for budget in budgets)):
        lines.append(title)
        # JSON writes strings, numbers and lists as TOML does.
        lines.extend(
            f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items() if value is not None
        )
    return "\n".join(lines) + "\n"


@functools.cache
def _table() -> str:
    space = NASBench201()
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("arch_str", "cifar10_valid_12ep", "cifar10_test_200ep", "train_s_12ep_cifar10", "params", "macs"))
    for cell in _distinct_cells(space):
        accuracy = 30.0 + sum(_GAIN[option] for option in cell)
        small, large = cell.count(2), cell.count(3)
        row = (accuracy, accuracy + 5.0, 3600 + 1200 * large, 1000 + 100 * small + 900 * large, 10_000 * (1 + large))
        writer.writerow((space.format(cell), *row))
    return file.getvalue()


def _distinct_cells(space: NASBench201) -> Iterator[Architecture]:
    for cell in itertools.product(range(len(OPERATIONS)), repeat=len(EDGES)):
        if space.canonical(cell) == cell:
            yield cell


def _tables(seed: int, rounds: int) -> dict[str, dict[str, object]]:
    evaluator = {"use": "tabular", "path": "table.csv", "score_seconds": 60.0, "full_seconds_factor": 2.0}
    return {
        "search": {
            "name": "simulated",
            "seed": seed,
            "slots": 2,
            "rounds": rounds,
            "score_per_round": 5,
            "train_per_round": 2,
            "epochs": 12,
            "full_epochs": 20,
            "rank_by": ["params", "macs"],
        },
        "space": {"use": "nasbench201"},
        "strategy": {"use": "regularized_evolution"},
        "scoring": dict(evaluator),
        "training": dict(evaluator),
        "carbon_source": {"use": "trace", "path": "trace.csv"},
        "scheduler": {"use": "threshold", "percentile": 50},
        "energy": {"use": "constant_power", "train": "300 W", "score": "100 W", "idle": "50 W"},
        "executor": {"use": "simulated"},
        "clock": {"use": "simulated", "start": STARTS_AT.isoformat()},
    }
