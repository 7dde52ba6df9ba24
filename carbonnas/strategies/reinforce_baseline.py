"""The moving average that a reward is compared with."""

from __future__ import annotations

import math
from typing import TypedDict

LIMIT = 5.0
"""Largest advantage either way: with a baseline that forgets slowly one lucky network must not decide the policy."""


class BaselineState(TypedDict):
    """State of a `RunningBaseline`."""

    weight: float
    mean: float
    variance: float
    worst: float | None


class RunningBaseline:
    """Turns rewards into advantages with a running mean and a running scale.

    Both are averages over all rewards so far with weights that decay exponentially and sum to 1 from the first reward on, which is
    what the bias correction of a moving average comes to.

    Args:
        decay: Weight of the past against one new reward, at least 0 and below 1.

    Raises:
        ValueError: If `decay` is out of range.
    """

    def __init__(self, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"baseline_decay must be at least 0 and below 1, got {decay}")
        self._decay = decay
        self._weight = 0.0
        self._mean = 0.0
        self._variance = 0.0
        self._worst: float | None = None

    def advantage(self, reward: float) -> float:
        """Take a reward into the averages and return by how many running deviations it exceeds the mean; 0 for the first."""
        self._weight = self._decay * self._weight + (1 - self._decay)
        share = (1 - self._decay) / self._weight
        difference = reward - self._mean
        self._mean += share * difference
        self._variance = (1 - share) * (self._variance + share * difference**2)
        self._worst = reward if self._worst is None else min(self._worst, reward)
        return self.normalised(reward)

    def failure(self) -> float:
        """Return the advantage of a failure: one deviation below the worst reward so far; -1 before any. The averages stay."""
        worst = 0.0 if self._worst is None else self.normalised(self._worst)
        return max(-LIMIT, min(worst, 0.0) - 1.0)

    def normalised(self, reward: float) -> float:
        """Return by how many running deviations a reward exceeds the mean, within the limit; 0 where there is no deviation."""
        deviation = math.sqrt(self._variance)
        return max(-LIMIT, min(LIMIT, (reward - self._mean) / deviation)) if deviation > 0 else 0.0

    def state(self) -> BaselineState:
        """Return all that `load` needs to go on."""
        return {"weight": self._weight, "mean": self._mean, "variance": self._variance, "worst": self._worst}

    def load(self, state: BaselineState) -> None:
        """Go on from what `state` returned."""
        self._weight, self._mean = state["weight"], state["mean"]
        self._variance, self._worst = state["variance"], state["worst"]
