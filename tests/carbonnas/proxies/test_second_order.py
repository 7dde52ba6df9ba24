"""Proxies that need more than one backward pass: GraSP and the neural tangent kernel."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.grasp import Grasp
from carbonnas.proxies.ntk import Ntk
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch


def linear(weights: list[list[float]]) -> nn.Sequential:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights))
    return nn.Sequential(nn.Flatten(), layer)


def batch(images: list[list[float]], labels: list[int]) -> ProxyBatch:
    return ProxyBatch(torch.tensor(images)[:, :, None, None], torch.tensor(labels))


def test_grasp_is_minus_the_weights_times_the_bent_gradient() -> None:
    # One image, x = 1, logits (w, 0) with w = log 3, so p = 3/4: g = p - 1 = -1/4 and H = p (1 - p) = 3/16 by w, and by the other
    # weight v = 0 the opposite signs: H g = (3/16) (-1/4 - 1/4) by w. Minus w (H g) = log 3 * 3/32.
    score = Grasp().score(linear([[math.log(3)], [0.0]]), batch([[1.0]], [0]), torch.Generator())
    assert score == pytest.approx(math.log(3) * 3 / 32)


def test_grasp_of_a_network_without_gradient_is_zero() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused, self.bias = nn.Linear(1, 2), nn.Parameter(torch.zeros(2))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.bias.expand(len(images), 2)

    assert Grasp().score(Constant(), batch([[1.0]], [0]), torch.Generator()) == 0.0


def test_ntk_is_minus_the_logarithm_of_the_condition_number() -> None:
    # One logit, whose gradient is the image: the kernel of (1, 0) and (0, 3) has the eigenvalues 1 and 9.
    score = Ntk().score(linear([[1.0, 1.0]]), batch([[1.0, 0.0], [0.0, 3.0]], [0, 0]), torch.Generator())
    assert score == pytest.approx(-math.log(9))


def test_a_singular_kernel_has_the_lowest_score() -> None:
    score = Ntk().score(linear([[1.0, 1.0]]), batch([[1.0, 2.0], [1.0, 2.0]], [0, 0]), torch.Generator())
    assert score == -math.log(1e12)


def test_ntk_looks_at_sixteen_images() -> None:
    images = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    network = linear([[1.0] * 30])
    many = Ntk().score(network, ProxyBatch(images[:, :, None, None], torch.zeros(20)), torch.Generator())
    few = Ntk().score(network, ProxyBatch(images[:16, :, None, None], torch.zeros(16)), torch.Generator())
    assert many == few
