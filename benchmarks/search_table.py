"""NAS-Bench-201 as a table of what trainings and scorings gave and how long they took."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from carbonnas.architecture import Architecture
from carbonnas.evaluation.table import Column, ResultTable, read_table
from carbonnas.search_spaces.space import SearchSpace

TABLE = "nas/nb201_accuracy_cost.csv.gz"
SCORES = "nas/nb201_proxies_published.csv.gz"
FREE = ("params", "macs")
"""Scores that take no time worth charging."""
CHARGED = ("synflow", "logsynflow", "naswot")
TESTS = ("cifar10", "cifar100")

_VALIDATION, _SECONDS, _TEST = "val_accuracy", "training seconds", "test accuracy on "


@dataclass(frozen=True, slots=True)
class Training:
    """What a training of 12 epochs gave.

    Attributes:
        accuracy: Of the validation part, 0..1.
        seconds: GPU-seconds that it took.
        tests: Accuracy in percent of the full training by data set; what a search is judged by and never sees.
    """

    accuracy: float
    seconds: float
    tests: dict[str, float]


class Benchmark:
    """Looks up trainings and scorings.

    Args:
        data: Folder that holds the tables.
        space: Reads the architectures.

    Raises:
        DatasetError: If a table is missing or damaged.
    """

    def __init__(self, data: Path, space: SearchSpace) -> None:
        columns = [
            Column("cifar10_valid_12ep", _VALIDATION, 100.0, 0.0, 1.0),
            Column("train_s_12ep_cifar10", _SECONDS, lowest=0.0),
            *(Column(f"{name}_test_200ep", _TEST + name) for name in TESTS),
            *(Column(name, name) for name in FREE),
            *(Column(f"{name}_cifar10", name, may_lack=True) for name in CHARGED),
            *(Column(f"{name}_seconds", f"seconds of {name}", lowest=0.0) for name in CHARGED),
        ]
        self._table: ResultTable = read_table(data / TABLE, space, "arch_str", columns, join=(data / SCORES,))

    def train(self, architecture: Architecture) -> Training:
        """Return what the training of an architecture gave."""
        row = self._row(architecture)
        return Training(row[_VALIDATION], row[_SECONDS], {name: row[_TEST + name] for name in TESTS})

    def score(self, architecture: Architecture, proxies: tuple[str, ...]) -> tuple[dict[str, float] | None, float]:
        """Return the scores of an architecture, `None` if one is not finite, and the seconds that they took."""
        row = self._row(architecture)
        seconds = math.fsum(row[f"seconds of {name}"] for name in proxies if name in CHARGED)
        scores = {name: row[name] for name in (*FREE, *(p for p in proxies if p in CHARGED))}
        return (scores if all(map(math.isfinite, scores.values())) else None), seconds

    def _row(self, architecture: Architecture) -> dict[str, float]:
        row = self._table.row(architecture)
        if row is None:
            raise LookupError(f"{architecture} is not in {self._table.path}")
        return dict(row)
