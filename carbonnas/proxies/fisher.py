"""Fisher: how much the loss would miss whole channels."""

from __future__ import annotations

from carbonnas.proxies.gradients import output_gradients
from carbonnas.proxies.layers import has_places
from carbonnas.proxies.proxy import SharedProxy, Subject


class Fisher(SharedProxy):
    """The sum over the channels of convolutions and linear layers of the Fisher information of leaving the channel out.

    Theis et al., 2018, "Faster gaze prediction with dense networks and Fisher pruning", and Turner et al., 2020, "BlockSwap:
    Fisher-guided block substitution for network compression on a budget", ICLR: half the mean over the images of the square of the sum
    over the places of a dL_i/da, with a the channel's output before its norm and L_i the loss of image i. Each channel counts once (the
    program of Abdelfattah et al., 2021, spreads it over the channel's weights, so that it counts as often as it has inputs). At least
    0, and 0 for a disconnected network.
    """

    def read(self, subject: Subject) -> float:
        images = len(subject.batch.labels)
        total = 0.0
        for found in subject.look(output_gradients):
            slope = found.call.output.detach() * found.gradient
            if has_places(slope):
                slope = slope.flatten(2).sum(2) if slope.ndim > 3 else slope.sum(1)
            # The gradient is that of the mean over the images.
            total += float((images * slope).square().mean(0).sum()) / 2
        return total
