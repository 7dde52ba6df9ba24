"""Hard limits: what a network must keep to be of any use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """The range that a metric has to lie in, in the metric's unit; an end that is infinite does not bind.

    Raises:
        ValueError: If no end binds, one is not a number, or nothing lies between them.
    """

    metric: str
    at_least: float = -math.inf
    at_most: float = math.inf

    def __post_init__(self) -> None:
        if math.isnan(self.at_least) or math.isnan(self.at_most):
            raise ValueError(f"a limit on {self.metric} must be a number")
        if math.isinf(self.at_least) and math.isinf(self.at_most):
            raise ValueError(f"a limit on {self.metric} needs at_most or at_least")
        if self.at_least > self.at_most:
            raise ValueError(f"nothing is at least {self.at_least:g} and at most {self.at_most:g}")

    def kept_by(self, metrics: Mapping[str, float]) -> bool:
        """Say whether the metric is known and in the range: what is not known keeps no limit."""
        return self.at_least <= metrics.get(self.metric, math.nan) <= self.at_most

    def broken_by(self, metrics: Mapping[str, float]) -> bool:
        """Say whether the metric is known and out of the range."""
        return self.metric in metrics and not self.kept_by(metrics)

    def __str__(self) -> str:
        ends = [f"at least {self.at_least:,g}"] if self.at_least > -math.inf else []
        ends += [f"at most {self.at_most:,g}"] if self.at_most < math.inf else []
        return f"{self.metric} {' and '.join(ends)}"
