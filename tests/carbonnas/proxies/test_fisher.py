from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.fisher import Fisher
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch


def score(network: nn.Module, images: list[list[list[float]]]) -> float:
    inputs = torch.tensor(images)[:, None]
    return Fisher().score(network, ProxyBatch(inputs, torch.zeros(len(images), dtype=torch.int64)), torch.Generator())


class Summed(nn.Module):
    """One convolution of one weight, whose map is summed into the first of two logits; the second is 0."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(self.layer.weight, weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logit = self.layer(images).sum(dim=(2, 3))
        return torch.cat([logit, torch.zeros_like(logit)], dim=1)


def test_a_channel_counts_half_the_mean_square_of_what_leaving_it_out_would_cost_each_image() -> None:
    # Maps sum to 0 and to log 3, so p = 1/2 and 3/4 of class 0 and dL/dlogit = -1/2 and -1/4; each place has that slope, so the sums
    # of activation times slope are 0 and -log 3 / 4: half the mean of their squares.
    expected = (0 + (math.log(3) / 4) ** 2) / 2 / 2
    images = [[[1.0, -1.0]], [[math.log(3) / 2, math.log(3) / 2]]]
    assert score(Summed(1.0), images) == pytest.approx(expected)


def test_a_network_of_zeros_scores_zero() -> None:
    assert score(Summed(0.0), [[[1.0, 2.0]], [[3.0, 4.0]]]) == 0.0
