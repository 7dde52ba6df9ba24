"""What a search is after: metrics to maximise or to minimise."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Direction(enum.Enum):
    """Which way is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True, slots=True)
class Objective:
    """One metric and the direction in which it is better."""

    metric: str
    direction: Direction

    def value(self, metrics: Mapping[str, float]) -> float:
        """Return the metric with its sign turned so that larger is better.

        Raises:
            KeyError: If the metric was not measured.
        """
        measured = metrics[self.metric]
        return measured if self.direction is Direction.MAXIMIZE else -measured

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Read `"maximize val_accuracy"` or `"minimize params"`; `ValueError` for anything else."""
        words = text.split()
        if len(words) != 2 or words[0] not in {d.value for d in Direction}:
            raise ValueError(f"expected 'maximize METRIC' or 'minimize METRIC', got {text!r}")
        return cls(words[1], Direction(words[0]))

    def __str__(self) -> str:
        return f"{self.direction.value} {self.metric}"
