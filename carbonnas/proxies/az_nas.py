"""The parts of AZ-NAS: what becomes of signal and gradient from block to block. What enters the first block counts as a block's output.

Lee & Ham, 2024, "AZ-NAS: Assembling zero-cost proxies for network architecture search", CVPR. Its fourth part, complexity, is `macs`;
`carbonnas.proxies.fusion` puts the ranks of the four together. The paper draws weights by Kaiming's rule; here they are in the default
initialisation, so that one forward pass serves all proxies: with norms after the convolutions both give the same signals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from carbonnas.proxies.layers import by_channel
from carbonnas.proxies.proxy import SharedProxy, Subject
from carbonnas.proxies.signal import signal

_SMALL = 1e-8
_SMALL_VALUE = 1e-6

_BLIND = 2 - 1 / _SMALL_VALUE
"""Trainability of a block that hands no gradient back, and of one that hands back what it was given."""


class Expressivity(SharedProxy):
    """The sum over the blocks of the entropy of the spectrum of the block's channels (equation 2): how evenly features fill the space.

    At least 0. A block whose channels are constant adds 0.
    """

    def read(self, subject: Subject) -> float:
        return sum(subject.look(entropies), 0.0)


class Progressivity(SharedProxy):
    """The smallest growth of that entropy from a block to the next (equation 4). A network of fewer than two blocks scores 0."""

    def read(self, subject: Subject) -> float:
        return min((after - before for before, after in pairwise(subject.look(entropies))), default=0.0)


class Trainability(SharedProxy):
    """The mean over the blocks of 2 - s - 1 / s (equation 6), 0 if each hands a gradient on unchanged in size and less otherwise.

    s is the largest singular value of the mean over batch and places of g_in^T g_out, where g_out is a gradient of random signs at
    the block's output and g_in what the block makes of it at the output of the block before. Blocks that shrink the map fold the finer
    places into channels. A block without parameters on the way hands back what it was given; as in the paper, that counts as the
    worst: about -10^6, and so does a block that hands back nothing. A network of fewer than two blocks scores that, too.
    """

    def read(self, subject: Subject) -> float:
        features, generator = subject.look(signal).features, subject.generator("trainability")
        found = [_trainability(before, after, generator) for before, after in pairwise(features)]
        return sum(found) / len(found) if found else _BLIND


def entropies(subject: Subject) -> list[float]:
    """Look at the entropy of the spectrum of the channels of what entered the first block and of what left each, in nats."""
    return [_entropy(by_channel(maps.detach())) for maps in subject.look(signal).features]


def _entropy(channels: torch.Tensor) -> float:
    centred = channels - channels.mean(dim=1, keepdim=True)
    # Both products have the same eigenvalues above zero.
    product = centred @ centred.T if len(centred) <= centred.shape[1] else centred.T @ centred
    spectrum = torch.linalg.eigvalsh(product).clamp(min=0.0)
    total = spectrum.sum()
    if not float(total) > 0:
        return 0.0
    shares = spectrum / total
    return max(0.0, float(-(shares * (shares + _SMALL).log()).sum()))


def _trainability(before: torch.Tensor, after: torch.Tensor, generator: torch.Generator) -> float:
    given = _signs(after, generator)
    if not after.requires_grad or not before.requires_grad:
        return _BLIND
    found: Sequence[torch.Tensor | None] = torch.autograd.grad(
        after, before, given, retain_graph=True, allow_unused=True
    )
    received = found[0]
    if received is None or (received.shape == given.shape and torch.equal(received, given)):
        return _BLIND
    rows, columns = by_channel(_folded(received, given)), by_channel(given)
    largest = float(torch.linalg.matrix_norm(rows @ columns.T / columns.shape[1], ord=2))
    return 2 - largest - 1 / (largest + _SMALL_VALUE)


def _signs(like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return random signs in the shape of a tensor; eight from each byte drawn, since drawing takes longer than the rest."""
    count = like.numel()
    drawn = torch.randint(256, (-(-count // 8),), generator=generator, dtype=torch.uint8)
    bits = torch.from_numpy(np.unpackbits(drawn.numpy(), count=count))
    return bits.to(like.dtype).mul_(2).sub_(1).reshape(like.shape)


def _folded(received: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Return the gradient at the input with the places of the output, finer places folded into channels."""
    if received.shape[2:] == given.shape[2:] or received.ndim != given.ndim or received.ndim != 4:
        return received
    stride = -(-received.shape[2] // given.shape[2])
    missing = [stride * g - r for r, g in zip(received.shape[2:], given.shape[2:], strict=True)]
    return functional.pixel_unshuffle(functional.pad(received, (0, missing[1], 0, missing[0])), stride)
