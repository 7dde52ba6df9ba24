"""Proxies made of how the logits answer to each image."""

from __future__ import annotations

import torch

from carbonnas.proxies.jacobian import correlations, jacobian
from carbonnas.proxies.proxy import SharedProxy, Subject

_SMALL = 1e-5
"""Keeps logarithms and quotients finite, in both papers."""

_MANY_CLASSES = 100


class Jacov(SharedProxy):
    """How little the answers to different images resemble each other.

    The first version of Mellor et al., 2020, "Neural architecture search without training": with the eigenvalues v of the correlation
    matrix of the Jacobians of the images, minus the sum of log(v + k) + 1 / (v + k), k = 1e-5. A network that does not answer at all
    has the answers of one that treats all images alike, and with them the lowest score.
    """

    def read(self, subject: Subject) -> float:
        rows = subject.look(jacobian)
        matrix = correlations(rows) if bool(rows.any()) else torch.ones(len(rows), len(rows), dtype=rows.dtype)
        values = torch.linalg.eigvalsh(matrix).clamp(min=0.0) + _SMALL
        return -float((values.log() + 1 / values).sum())


class EpeNas(SharedProxy):
    """How far the answers to images of one class are from each other, class by class.

    Lopes et al., 2021, "EPE-NAS: Efficient performance estimation without training for neural architecture search", ICANN: for each
    class with at least one image, s is the sum of log(|c| + k) over the correlations c of the Jacobians of its images, k = 1e-5. The
    score is the sum of |s|; with more than 100 classes in the batch it is the mean of |s - s'| over all pairs of classes, each s
    divided by the number of its correlations. Texts are of the class of their last character. At least 0. A network that does not
    answer at all scores 0.
    """

    def read(self, subject: Subject) -> float:
        rows = subject.look(jacobian)
        if not bool(rows.any()):
            return 0.0
        labels = subject.batch.labels.flatten(1)[:, -1] if subject.batch.labels.ndim > 1 else subject.batch.labels
        matrices = [correlations(rows[labels == label]) for label in set(labels.tolist())]
        sums = torch.stack([(matrix.abs() + _SMALL).log().sum() for matrix in matrices])
        if len(sums) <= _MANY_CLASSES:
            return float(sums.abs().sum())
        means = sums / torch.tensor([matrix.numel() for matrix in matrices])
        return float(torch.pdist(means[:, None], p=1).mean())
