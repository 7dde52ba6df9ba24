"""SWAP: how many different things the units of an untrained network respond to."""

from __future__ import annotations

import numpy as np

from carbonnas.proxies.proxy import SharedProxy, Subject
from carbonnas.proxies.signal import codes_of_all, signal

_IMAGES = 16


class Swap(SharedProxy):
    """The number of distinct sample-wise activation patterns among the units.

    Peng et al., 2024, "SWAP-NAS: Sample-wise activation patterns for ultra-fast NAS", ICLR: the pattern of a unit says for which of 16
    images its input is positive; units are those of `Naswot`. One initialisation instead of the mean over 32, and the default one
    instead of N(0, 1): norms make the signs of their outputs independent of the scale of the weights. At least 0, and 0 for a network
    without activations.
    """

    def read(self, subject: Subject) -> float:
        images = subject.batch.inputs[:_IMAGES]
        codes = codes_of_all((code[:_IMAGES] for code in subject.look(signal).codes), len(images))
        packed = np.packbits(codes.numpy(), axis=0).astype(np.uint16)
        patterns = packed[0] if len(packed) == 1 else packed[0] * 256 + packed[1]
        seen = np.zeros(2**_IMAGES, dtype=np.bool_)
        seen[patterns] = True
        return float(seen.sum())
