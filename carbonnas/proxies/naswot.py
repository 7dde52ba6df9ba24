"""NASWOT: how differently an untrained network treats different images."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from carbonnas.proxies.proxy import SharedProxy, Subject
from carbonnas.proxies.signal import signal


class Naswot(SharedProxy):
    """The logarithm of the determinant of the kernel of activation codes, larger when images are told apart.

    Mellor et al., 2021, "Neural architecture search without training", ICML: the code of an image holds for each unit whether its
    input is positive, and K_ij counts the units in which the codes of images i and j agree. Batch norm in train mode, as the authors
    recommend. Units are the inputs of activation modules (smooth ones too: the sign of what enters them counts) which the output
    depends on; activations called as plain functions are not seen. Scores grow with the size of the batch: compare
    only those of one batch.

    K is a matrix of whole numbers, so a determinant that is not zero is at least 1: scores are at least 0, and a singular K, as of
    a network that treats two images alike, scores 0.
    """

    def read(self, subject: Subject) -> float:
        return log_determinant(agreements(subject.look(signal).codes, len(subject.batch.inputs)))


def agreements(codes: Iterable[torch.Tensor], batch: int) -> torch.Tensor:
    """Return in how many units the codes of each two images agree, `batch x batch` of whole numbers in float64.

    Args:
        codes: Parts of the codes, `batch x units` of booleans each.
        batch: Number of images.
    """
    kernel = torch.zeros(batch, batch, dtype=torch.float64)
    for code in codes:
        # Ones of equal sign agree. Float32 counts up to 16 million exactly, more than one activation has units.
        signs = code.float().mul_(2).sub_(1)
        kernel += (signs @ signs.T).double().add_(code.shape[1]).div_(2)
    return kernel


def log_determinant(kernel: torch.Tensor) -> float:
    """Return the score of a kernel of agreements, `batch x batch` in float64."""
    if int(torch.linalg.matrix_rank(kernel, hermitian=True)) < len(kernel):
        return 0.0
    return max(0.0, float(torch.linalg.slogdet(kernel).logabsdet))
