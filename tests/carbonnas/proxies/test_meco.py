from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.meco import Meco
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch


def score(network: nn.Module, maps: list[list[float]]) -> float:
    images = torch.tensor(maps)[None, :, None, :]
    return Meco().score(network, ProxyBatch(images, torch.zeros(1)), torch.Generator())


def test_a_layer_adds_the_smallest_eigenvalue_of_the_correlations_of_its_channels() -> None:
    # Centred, the channels are (-1, 1, -1, 1) and (-1, 3, -1, -1): correlated by 4 / (2 * sqrt 12) = 1 / sqrt 3.
    maps = [[0.0, 2.0, 0.0, 2.0], [1.0, 5.0, 1.0, 1.0]]
    assert score(nn.Sequential(nn.Identity()), maps) == pytest.approx(1 - 3**-0.5)


def test_layers_are_added_and_containers_are_not() -> None:
    maps = [[0.0, 2.0, 0.0, 2.0], [1.0, 5.0, 1.0, 1.0]]
    network = nn.Sequential(nn.Identity(), nn.Sequential(nn.Identity()), nn.Flatten())
    assert score(network, maps) == pytest.approx(2 * (1 - 3**-0.5))


@pytest.mark.parametrize(
    "maps",
    [
        [[1.0, 2.0, 3.0]],
        [[1.0, 2.0], [3.0, 1.0]],
        [[1.0, 2.0, 4.0], [5.0, 5.0, 5.0]],
        [[1.0, 2.0, 4.0], [2.0, 4.0, 8.0]],
    ],
    ids=["one channel", "no more places than channels", "a constant channel", "a repeated channel"],
)
def test_a_layer_that_can_not_tell_its_channels_apart_adds_nothing(maps: list[list[float]]) -> None:
    assert score(nn.Sequential(nn.Identity()), maps) == pytest.approx(0.0, abs=1e-6)
