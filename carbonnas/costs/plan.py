"""Which costs a search needs, and how they are found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from carbonnas.costs.names import COUNTED, MEASURED
from carbonnas.search_spaces.space import TaskShape

UNSTABLE_ABOVE: Final = 0.1
"""Share of the median that the middle half of the measurements may be wide."""

_TASK = re.compile(r"(\d{1,5})x(\d{1,5})x(\d{1,5})x(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class CostPlan:
    """What is to be found of each network besides what its evaluator tells; picklable.

    Attributes:
        wanted: Names of the metrics that objectives, limits and targets speak of, whoever gives them.
        task: What the networks are built for; `None` for the task of the evaluator.
        device: The torch device on which latency and energy are measured.
        tables: Latency tables by the metric that they tell.
        unstable_above: Spread from which a measured latency is rejected, as a share of its median.
    """

    wanted: frozenset[str] = frozenset()
    task: TaskShape | None = None
    device: str = "cpu"
    tables: Mapping[str, Path] = field(default_factory=dict)
    unstable_above: float = UNSTABLE_ABOVE

    @property
    def known(self) -> tuple[str, ...]:
        """What is wanted and known of a network without running it, the cheapest first."""
        return (*sorted(self.wanted & COUNTED, key=("params", "peak_memory", "macs").index), *self.tables)

    @property
    def measured(self) -> tuple[str, ...]:
        """What is wanted and has to be measured on this machine."""
        return tuple(sorted(self.wanted & MEASURED - self.tables.keys()))


def parse_task(text: str) -> TaskShape:
    """Read `"3x32x32x10"`: channels, rows, columns and classes of images; `ValueError` for anything else."""
    found = _TASK.fullmatch(text)
    if found is None or 0 in (sizes := [int(part) for part in found.groups()]):
        raise ValueError(f"expected channels, rows, columns and classes such as '3x32x32x10', got {text!r}")
    channels, height, width, classes = sizes
    return TaskShape(channels, height, width, classes)
