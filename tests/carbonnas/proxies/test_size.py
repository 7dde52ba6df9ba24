from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.size import Macs, Params

pytestmark = pytest.mark.torch

GENERATOR = torch.Generator()


def batch(channels: int, side: int) -> ProxyBatch:
    return ProxyBatch(torch.zeros(4, channels, side, side), torch.zeros(4, dtype=torch.int64))


def test_only_trainable_parameters_are_counted() -> None:
    frozen = nn.Linear(2, 5, bias=False)
    frozen.weight.requires_grad = False
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), frozen)
    assert Params().score(network, batch(1, 1), GENERATOR) == 3 * 2 + 2 + 2 * 2


def test_macs_of_one_image_are_those_of_convolutions_and_products() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 25, 7)
    )
    # Each of 6 x 25 outputs reads 4 / 2 channels of 3 x 3; the batch of four counts once.
    assert Macs().score(network, batch(4, 5), GENERATOR) == 6 * 25 * 2 * 9 + 150 * 7


def test_macs_of_a_map_of_one_pixel_can_be_counted() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten())
    assert Macs().score(network, batch(1, 1), GENERATOR) == 2
