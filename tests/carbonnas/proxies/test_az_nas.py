from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.az_nas import Expressivity, Progressivity, Trainability
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch

WORST = 2 - 1e6


class Blocks(nn.Module):
    """Blocks one after the other, and the mean over the places."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.blocks(images)
        return maps.mean(dim=(2, 3))


def mixing(weights: list[list[float]], stride: int = 1) -> nn.Module:
    """Return a block that mixes channels."""
    layer = nn.Conv2d(len(weights[0]), len(weights), 1, stride=stride, bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights)[:, :, None, None])
    return nn.Sequential(layer)


ONE = [[1.0, 0.0], [0.0, 1.0]]
FLAT = [[1.0, 0.0], [1.0, 0.0]]
# The channels are uncorrelated and of variance 1 and 3: (1, -1, 1, -1) and sqrt 3 (1, 1, -1, -1).
IMAGES = torch.tensor([[1.0, -1.0, 1.0, -1.0], [3**0.5, 3**0.5, -(3**0.5), -(3**0.5)]])[None, :, None, :]
BATCH = ProxyBatch(IMAGES, torch.zeros(1, dtype=torch.int64))
ENTROPY = -(math.log(1 / 4) / 4 + 3 * math.log(3 / 4) / 4)


def test_expressivity_adds_the_entropies_of_the_spectra() -> None:
    score = Expressivity().score(Blocks(mixing(ONE), mixing(ONE)), BATCH, torch.Generator())
    assert score == pytest.approx(2 * ENTROPY, abs=1e-6)


def test_a_block_whose_channels_repeat_each_other_has_no_entropy() -> None:
    assert Expressivity().score(Blocks(mixing(FLAT)), BATCH, torch.Generator()) == pytest.approx(0.0, abs=1e-5)
    assert Expressivity().score(Blocks(mixing([[0.0, 0.0]])), BATCH, torch.Generator()) == 0.0


def test_progressivity_is_the_smallest_growth() -> None:
    # Entropies H, 0 and then 0 again: what was lost does not come back.
    score = Progressivity().score(Blocks(mixing(ONE), mixing(FLAT), mixing(FLAT)), BATCH, torch.Generator())
    assert score == pytest.approx(-ENTROPY, abs=1e-5)
    assert Progressivity().score(Blocks(mixing(ONE)), BATCH, torch.Generator()) == 0.0


def trainability(*blocks: nn.Module, channels: int = 2, side: int = 64) -> float:
    images = torch.randn(4, channels, side, side, generator=torch.Generator().manual_seed(0))
    batch = ProxyBatch(images, torch.zeros(4, dtype=torch.int64))
    return Trainability().score(Blocks(*blocks), batch, torch.Generator().manual_seed(3))


@pytest.mark.parametrize("factor", [0.5, 1.25, 2.0])
def test_trainability_falls_with_the_distance_of_a_gradients_factor_from_one(factor: float) -> None:
    scaled = mixing([[factor, 0.0], [0.0, factor]])
    # Signs are independent, so the mean of g_in^T g_out is nearly the factor times the identity: 16,384 places leave 1 %.
    assert trainability(mixing(ONE), scaled) == pytest.approx(2 - factor - 1 / factor, abs=0.05)


def test_a_block_that_hands_back_what_it_was_given_or_nothing_is_the_worst() -> None:
    class Nothing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = nn.Identity()

        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(maps)

    assert trainability(mixing(ONE), nn.Sequential(nn.Sequential(nn.Identity()))) == WORST
    assert trainability(mixing(ONE), Nothing()) == WORST
    assert trainability(mixing(ONE)) == WORST


def test_finer_places_are_folded_into_channels() -> None:
    # A stride of 2 reads every other place: of the four folded channels of each input channel one has the gradient.
    assert trainability(mixing(ONE), mixing(ONE, stride=2)) == pytest.approx(0.0, abs=0.05)
    assert trainability(mixing(ONE), mixing(ONE, stride=2), side=63) == pytest.approx(0.0, abs=0.05)


def test_the_same_seed_draws_the_same_signs() -> None:
    assert trainability(mixing(ONE), mixing(FLAT)) == trainability(mixing(ONE), mixing(FLAT))
