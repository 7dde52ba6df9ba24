"""How the logits answer to the images."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from carbonnas.proxies.proxy import Subject
from carbonnas.proxies.signal import signal


def jacobian(subject: Subject) -> torch.Tensor:
    """Look at the gradient of the sum of all logits by each image: `batch x (channels * height * width)`, float64."""
    seen = subject.look(signal)
    found: Sequence[torch.Tensor | None] = torch.autograd.grad(
        seen.logits.sum(), seen.inputs, retain_graph=True, allow_unused=True
    )
    gradient = found[0]
    rows = torch.zeros_like(seen.inputs) if gradient is None else gradient
    return rows.flatten(1).double()


def correlations(rows: torch.Tensor) -> torch.Tensor:
    """Return the correlation matrix of the rows; a row that is constant correlates with nothing but itself."""
    centred = rows - rows.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    unit = torch.where(norms > 0, centred / norms, 0.0)
    matrix = (unit @ unit.T).clamp(-1.0, 1.0)
    return matrix.fill_diagonal_(1.0)
