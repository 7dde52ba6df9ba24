"""GraSP: what a step on the weights does to the flow of gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from carbonnas.proxies.layers import WEIGHTED, batch_loss, on_the_bench
from carbonnas.proxies.proxy import SharedProxy, Subject


class Grasp(SharedProxy):
    """Minus the sum over the weights of w (H g), with g the gradient of the loss and H its second derivative.

    Wang et al., 2020, "Picking winning tickets before training by preserving gradient flow", ICLR, with the sign with which Abdelfattah
    et al., 2021, "Zero-cost proxies for lightweight NAS", ICLR, found larger to be better. By a second backward pass, of the product of
    g with itself held constant. 0 for a disconnected network.
    """

    def read(self, subject: Subject) -> float:
        network = on_the_bench(subject.build())
        weights = [module.weight for module in network.modules() if isinstance(module, WEIGHTED)]
        loss = batch_loss(network(subject.batch.inputs), subject.batch.labels)
        found: Sequence[torch.Tensor | None] = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
        product = sum(((g.detach() * g).sum() for g in found if g is not None), torch.zeros(()))
        if not product.requires_grad:
            return 0.0
        bent: Sequence[torch.Tensor | None] = torch.autograd.grad(product, weights, allow_unused=True)
        return -sum(float((w.detach() * h).sum()) for w, h in zip(weights, bent, strict=True) if h is not None)
