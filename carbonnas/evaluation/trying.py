"""Whether the networks of a space take what a data set brings, tried before anything is paid for."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from carbonnas.costs.network import UNFIT, one_input
from carbonnas.errors import ConfigError
from carbonnas.search_spaces.space import Builder, SearchSpace, TaskShape

_TRIES: Final = 8
_CPU: Final = torch.device("cpu")


def require_that_networks_run(space: SearchSpace, build: Builder, task: TaskShape) -> None:
    """Let networks of the space look at one input, as `build` makes them, until one of them can; torch's generators are left as they were.

    Raises:
        ConfigError: If none of eight can, with what the first of them says.
    """
    rng, first = np.random.default_rng(0), ""
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        for _ in range(_TRIES):
            try:
                build(space.sample(rng), task).eval()(one_input(task, _CPU))
            except UNFIT as error:
                first = first or (str(error).splitlines() or [type(error).__name__])[0]
            else:
                return
    found = f"none of {_TRIES} networks of {type(space).__name__} takes inputs of {task.channels} x {task.height} x {task.width}"
    remedy = "choose another data set, or a larger search_resolution or search_width if there is one"
    raise ConfigError("training", (f"{found} ({first}); {remedy}",))
