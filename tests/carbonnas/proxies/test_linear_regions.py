from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.linear_regions import LinearRegions
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch

BATCH = ProxyBatch(torch.zeros(2, 1, 8, 8), torch.zeros(2, dtype=torch.int64))


def regions(*layers: nn.Module) -> float:
    return LinearRegions().score(nn.Sequential(*layers), BATCH, torch.Generator().manual_seed(0))


def test_two_units_that_look_at_one_number_make_three_regions() -> None:
    class Stepped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = nn.ReLU()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            mean = images.mean(dim=(1, 2, 3))[:, None]
            low: torch.Tensor = self.step(mean)
            high: torch.Tensor = self.step(mean - 0.5)
            return low + high

    # Below 0, between the steps, above both.
    assert LinearRegions().score(Stepped(), BATCH, torch.Generator().manual_seed(0)) == 3


def test_each_pixel_of_the_first_channel_is_a_unit() -> None:
    assert regions(nn.AvgPool2d(3), nn.ReLU()) == 2
    assert regions(nn.ReLU()) == pytest.approx(2**9, rel=0.05)


def test_further_channels_are_silent() -> None:
    torch.manual_seed(0)
    narrow, wide = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 50, 3)
    after = nn.Conv2d(50, 50, 1, bias=False)
    assert regions(narrow, nn.ReLU()) == regions(wide, nn.ReLU()) == 2
    # One unit fed by one unit: it can't divide what the first one has cut off.
    assert regions(wide, nn.ReLU(), after, nn.ReLU()) == 2


def test_a_network_without_activations_has_one_region() -> None:
    assert regions(nn.Conv2d(1, 4, 3)) == 1


def test_a_network_that_takes_its_own_size_only_is_refused() -> None:
    with pytest.raises(RuntimeError, match="images of 3 x 3, and the network takes its own size only: mat1 and mat2"):
        regions(nn.Flatten(), nn.Linear(64, 2), nn.ReLU())
