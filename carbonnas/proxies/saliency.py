"""Proxies made of the weights and of the gradient of the loss of one batch."""

from __future__ import annotations

from carbonnas.proxies.gradients import weight_gradients
from carbonnas.proxies.proxy import SharedProxy, Subject


class GradNorm(SharedProxy):
    """The sum over convolutions and linear layers of the Euclidean norm of the weight's gradient.

    Abdelfattah et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR: norms per layer, of weights only, for the mean
    cross-entropy of one batch, with batch norm in train mode. At least 0, and 0 for a disconnected network.
    """

    def read(self, subject: Subject) -> float:
        return sum((float(found.whole.norm()) for found in subject.look(weight_gradients)), 0.0)


class Plain(SharedProxy):
    """The sum over the weights of w dL/dw, with its sign.

    Abdelfattah et al., 2021, section 3. What a small step towards zero of all weights would add to the loss, negated: positive where
    the weights stand in the way of learning. A weak proxy, kept for comparison. 0 for a disconnected network.
    """

    def read(self, subject: Subject) -> float:
        return sum((float((found.weight * found.whole).sum()) for found in subject.look(weight_gradients)), 0.0)


class Snip(SharedProxy):
    """The sum over the weights of |w dL/dw|: how much the loss depends on single connections.

    Lee et al., 2019, "SNIP: Single-shot network pruning based on connection sensitivity", ICLR; the gradient by a mask of ones, in
    which the paper puts it, has the same value. At least 0, and 0 for a disconnected network.
    """

    def read(self, subject: Subject) -> float:
        return sum((float((found.weight * found.whole).abs().sum()) for found in subject.look(weight_gradients)), 0.0)
