"""Which observations a strategy learns from, and what they are worth."""

from __future__ import annotations

import math

from carbonnas.objectives.objective import Objective
from carbonnas.strategies.strategy import Observation
from carbonnas.trials import TrialKind


def learnable_value(observation: Observation, objective: Objective) -> float | None:
    """Return the value of a training, larger is better; `None` for a scoring, a failure, and a value that is not finite.

    Raises:
        KeyError: If the training succeeded but did not measure the objective.
    """
    if observation.kind is not TrialKind.TRAIN or observation.failed:
        return None
    value = objective.value(observation.metrics)
    return value if math.isfinite(value) else None
