"""MeCo: how far the channels of an untrained network are from repeating each other."""

from __future__ import annotations

import torch

from carbonnas.proxies.layers import by_channel
from carbonnas.proxies.proxy import SharedProxy, Subject
from carbonnas.proxies.signal import signal

_FEWEST = 2


class Meco(SharedProxy):
    """The sum over the layers of the smallest eigenvalue of the correlation matrix of the channels.

    Jiang et al., 2023, "MeCo: Zero-shot NAS with one data and single forward pass via minimum eigenvalue of correlation", NeurIPS. The
    authors look at one Gaussian image of 64 x 64; here as many images of the batch are looked at as make as many pixels. Layers are
    modules without parts (the authors count containers too, and with them their last layers twice). A layer with a single channel,
    with no more places than channels, or with a constant channel adds 0. At least 0.
    """

    def read(self, subject: Subject) -> float:
        return sum((_smallest(by_channel(maps)) for maps in subject.look(signal).maps), 0.0)


def _smallest(channels: torch.Tensor) -> float:
    count, places = channels.shape
    if count < _FEWEST or places <= count:
        # Channels that are centred span fewer dimensions than there are places.
        return 0.0
    centred = channels - channels.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    if not bool((norms > 0).all()):
        return 0.0
    unit = centred / norms
    return max(0.0, float(torch.linalg.eigvalsh(unit @ unit.T)[0]))
