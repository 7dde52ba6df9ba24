"""GradSign: how far single images agree on the direction of learning."""

from __future__ import annotations

from carbonnas.proxies.gradients import weight_gradients
from carbonnas.proxies.proxy import SharedProxy, Subject


class GradSign(SharedProxy):
    """The sum over the weights of |sum over the images of the sign of the gradient|.

    Zhang & Jia, 2022, "GradSign: Model performance inference with theoretical insights", ICLR, algorithm 1. The images pass
    through the network together, and the gradient of an image is what it contributes to that of the batch. At least 0, and 0 for a
    disconnected network.
    """

    def read(self, subject: Subject) -> float:
        return sum((found.agreement for found in subject.look(weight_gradients)), 0.0)
