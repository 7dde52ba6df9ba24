"""Zero-cost proxies written straight from their papers, one at a time: each builds its network and makes its own passes.

What `benchmarks/proxies.py` holds the shared passes against. Settings are those of `carbonnas.proxies`: same batch, one initialisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.trunk import blocks_of

Build = Callable[[], nn.Module]
LAYERS = (nn.Conv2d, nn.Linear)


def params(build: Build, _: ProxyBatch) -> float:
    return float(sum(parameter.numel() for parameter in build().parameters()))


def macs(build: Build, batch: ProxyBatch) -> float:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        build().eval()(batch.inputs[:1])
    return counter.get_total_flops() / 2


def l2_norm(build: Build, _: ProxyBatch) -> float:
    return sum(float(layer.weight.detach().norm()) for layer in weighted(build()))


def grad_norm(build: Build, batch: ProxyBatch) -> float:
    return sum(float(layer.weight.grad.norm()) for layer in trained_once(build(), batch))


def plain(build: Build, batch: ProxyBatch) -> float:
    return sum(float((layer.weight.detach() * layer.weight.grad).sum()) for layer in trained_once(build(), batch))


def snip(build: Build, batch: ProxyBatch) -> float:
    return sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in trained_once(build(), batch))


def fisher(build: Build, batch: ProxyBatch) -> float:
    network = build()
    outputs: list[torch.Tensor] = []

    def keep(_: nn.Module, __: object, output: torch.Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    for layer in weighted(network):
        layer.register_forward_hook(keep)
    torch.autograd.backward(functional.cross_entropy(network(batch.inputs), batch.labels))
    total = 0.0
    for output in outputs:
        if output.grad is not None:
            slope = output.detach() * output.grad
            total += float(0.5 * slope.flatten(2).sum(2).pow(2).mean(0).sum() if slope.ndim > 2 else 0.0)
    return total


def jacov(build: Build, batch: ProxyBatch) -> float:
    values = np.linalg.eigvalsh(np.corrcoef(input_gradients(build(), batch)))
    return -float(np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5)))


def epe_nas(build: Build, batch: ProxyBatch) -> float:
    rows, labels = input_gradients(build(), batch), batch.labels.numpy()
    total = 0.0
    for label in np.unique(labels):
        matrix = np.atleast_2d(np.corrcoef(rows[labels == label]))
        total += abs(float(np.log(np.abs(matrix) + 1e-5).sum()))
    return total


def synflow(build: Build, batch: ProxyBatch) -> float:
    return sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in flowed(build(), batch))


def logsynflow(build: Build, batch: ProxyBatch) -> float:
    return sum(float((layer.weight.detach() * layer.weight.grad.log1p()).sum()) for layer in flowed(build(), batch))


def naswot(build: Build, batch: ProxyBatch) -> float:
    network = build()
    kernel = np.zeros((len(batch.inputs), len(batch.inputs)))

    def add(_: nn.Module, arguments: tuple[torch.Tensor], __: object) -> None:
        nonlocal kernel
        code = (arguments[0].flatten(1) > 0).float()
        kernel += (code @ code.T).numpy() + ((1 - code) @ (1 - code.T)).numpy()

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(add)
    with torch.no_grad():
        network(batch.inputs)
    return float(np.linalg.slogdet(kernel)[1])


def swap(build: Build, batch: ProxyBatch) -> float:
    network = build()
    signs: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, a, __: signs.append((a[0] > 0).flatten(1)))
    with torch.no_grad():
        network(batch.inputs[:16])
    return float(len(torch.unique(torch.cat(signs, dim=1).T, dim=0)))


def zen(build: Build, batch: ProxyBatch) -> float:
    network = build()
    maps: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, LAYERS):
            nn.init.normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    last = [module for module in network.modules() if isinstance(module, nn.ReLU)][-1]
    last.register_forward_hook(lambda _, __, output: maps.append(output))
    images = torch.randn(16, *batch.inputs.shape[1:])
    with torch.no_grad():
        network(images)
        network(images + 0.01 * torch.randn_like(images))
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    variances = [(norm.running_var, norm.eps) for norm in norms]
    taken = math.fsum(math.log(float(v.mean()) + eps) / 2 for v, eps in variances if v is not None)
    return math.log(float((maps[0] - maps[1]).abs().sum(dim=(1, 2, 3)).mean()) + 1e-30) + taken


def zico(build: Build, batch: ProxyBatch) -> float:
    network = build()
    gradients: list[list[torch.Tensor]] = []
    half = len(batch.labels) // 2
    for part in (slice(half), slice(half, None)):
        network.zero_grad()
        torch.autograd.backward(functional.cross_entropy(network(batch.inputs[part]), batch.labels[part]))
        gradients.append([layer.weight.grad.clone() for layer in weighted(network) if layer.weight.grad is not None])
    total = 0.0
    for pair in zip(*gradients, strict=True):
        stacked = torch.stack(pair)
        deviation = stacked.std(dim=0, unbiased=False)
        ratio = stacked.abs().mean(dim=0)[deviation > 0] / deviation[deviation > 0]
        total += math.log(float(ratio.sum())) if float(ratio.sum()) > 0 else 0.0
    return total


def az_nas(build: Build, batch: ProxyBatch) -> float:
    """Return the trainability; expressivity and progressivity come on the way, complexity is `macs`."""
    network = build()
    blocks: list[torch.Tensor] = []
    for block in blocks_of(network):
        block.register_forward_hook(lambda _, __, output: blocks.append(output))
    network(batch.inputs)
    entropies = []
    for output in blocks:
        rows = output.detach().permute(0, 2, 3, 1).flatten(0, 2)
        rows = rows - rows.mean(dim=0)
        values = torch.linalg.eigvalsh(rows.T @ rows / len(rows))
        shares = values / values.sum()
        entropies.append(float((-shares * (shares + 1e-8).log()).sum()))
    scores = []
    for before, after in pairwise(blocks):
        given = torch.bernoulli(torch.full_like(after, 0.5)) * 2 - 1
        (got,) = torch.autograd.grad(after, before, given, retain_graph=True, allow_unused=True)
        if got is None:
            continue
        if got.shape[2] != given.shape[2]:
            got = functional.pixel_unshuffle(got, got.shape[2] // given.shape[2])
        rows, columns = (x.permute(0, 2, 3, 1).flatten(0, 2) for x in (got, given))
        largest = float(torch.linalg.svdvals(rows.T @ columns / len(rows)).max())
        scores.append(2 - largest - 1 / (largest + 1e-6))
    return sum(scores) / max(1, len(scores))


def meco(build: Build, batch: ProxyBatch) -> float:
    network = build()
    total = 0.0

    def add(_: nn.Module, __: object, output: torch.Tensor) -> None:
        nonlocal total
        if output.ndim == 4 and output.shape[1] > 1:
            matrix = np.nan_to_num(np.corrcoef(output[0].flatten(1).numpy()))
            total += float(np.linalg.eigvalsh(matrix)[0])

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(add)
    with torch.no_grad(), np.errstate(invalid="ignore", divide="ignore"):
        network(torch.randn(1, batch.inputs.shape[1], 64, 64))
    return total


def grad_sign(build: Build, batch: ProxyBatch) -> float:
    network = build()
    signs: list[list[torch.Tensor]] = []
    for image in range(len(batch.labels)):
        one = slice(image, image + 1)
        network.zero_grad()
        torch.autograd.backward(functional.cross_entropy(network(batch.inputs[one]), batch.labels[one]))
        signs.append([layer.weight.grad.sign() for layer in weighted(network) if layer.weight.grad is not None])
    return sum(float(torch.stack(layer).sum(dim=0).abs().sum()) for layer in zip(*signs, strict=True))


def dss(build: Build, batch: ProxyBatch) -> float:
    network = build().double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    torch.autograd.backward(network(torch.ones_like(batch.inputs[:1], dtype=torch.float64)).sum())
    layers = (layer for layer in weighted(network) if layer.weight.grad is not None)
    return sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in layers)


ONE_BY_ONE: Mapping[str, Callable[[Build, ProxyBatch], float]] = {
    function.__name__: function
    for function in (
        *(params, macs, l2_norm, grad_norm, plain, snip, fisher, jacov, epe_nas, synflow, logsynflow, naswot),
        *(swap, zen, zico, az_nas, meco, grad_sign, dss),
    )
}


def weighted(network: nn.Module) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, LAYERS)]


def trained_once(network: nn.Module, batch: ProxyBatch) -> list[Any]:
    """Return the layers that have a gradient after one forward and one backward pass of the loss."""
    torch.autograd.backward(functional.cross_entropy(network(batch.inputs), batch.labels))
    return [layer for layer in weighted(network) if layer.weight.grad is not None]


def input_gradients(network: nn.Module, batch: ProxyBatch) -> np.ndarray:
    inputs = batch.inputs.clone().requires_grad_()
    torch.autograd.backward(network(inputs).sum())
    if inputs.grad is None:
        return np.eye(len(inputs))
    return inputs.grad.flatten(1).double().numpy()


def flowed(network: nn.Module, batch: ProxyBatch) -> list[Any]:
    """Return the layers that have a gradient after the flow of an image of ones."""
    network = network.double().eval()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    torch.autograd.backward(network(torch.ones_like(batch.inputs[:1], dtype=torch.float64)).sum())
    return [layer for layer in weighted(network) if layer.weight.grad is not None]
