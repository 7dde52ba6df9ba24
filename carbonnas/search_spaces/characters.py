"""Characters as networks read them."""

from __future__ import annotations

import torch
from torch.nn import functional


def one_hot(characters: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Return texts, `batch x length` of int64, as images of one row: `batch x vocabulary x 1 x length` of float32."""
    return functional.one_hot(characters, vocabulary).to(torch.float32).transpose(1, 2).unsqueeze(2)
