"""Networks for looking at: on no device at all, or on a real one, with an input that fits."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import SearchSpace, TaskKind, TaskShape

NOWHERE = torch.device("meta")
"""Tensors there have shapes and no contents: a network is built and run on it without arithmetic."""

UNFIT = (ArchitectureError, ArithmeticError, IndexError, RuntimeError, TypeError, ValueError)
"""What is raised where a network is built for a task, or run on an input, that it is not made for."""


def built(space: SearchSpace, architecture: Architecture, task: TaskShape, device: torch.device = NOWHERE) -> nn.Module:
    """Return the network in evaluation mode on a device; torch's generators are left as they were.

    Raises:
        ArchitectureError: If the architecture does not belong to the space.
    """
    with torch.random.fork_rng(devices=[]), torch.device(NOWHERE if device == NOWHERE else "cpu"):
        network = space.build(architecture, task)
    return network.eval() if device == NOWHERE else network.eval().to(device)


def is_there(device: str | torch.device) -> bool:
    """Say whether torch can compute on a device, by doing it: of one that has a name only, or no number, nothing would be heard before."""
    with warnings.catch_warnings():
        # Torch warns of names that it has given up: there is no such device all the same.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return torch.zeros(1, device=device).item() == 0
        except (RuntimeError, AssertionError, ImportError):  # the latter two where torch was built without it
            return False


def one_input(task: TaskShape, device: torch.device = NOWHERE) -> torch.Tensor:
    """Return one image, or one text as the numbers of its characters."""
    if task.kind is TaskKind.TEXT:
        return torch.zeros(1, task.width, dtype=torch.int64, device=device)
    return torch.randn(1, task.channels, task.height, task.width, device=device)


def spread_input(task: TaskShape) -> torch.Tensor:
    """Return one input as an image, nowhere: a text has a channel for each character, as proxies look at it."""
    return torch.empty(1, task.channels, task.height, task.width, device=NOWHERE)
