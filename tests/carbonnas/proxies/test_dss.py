from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.dss import Dss
from carbonnas.proxies.flow import CEILING, FLOOR
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch


def linear(weights: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights, dtype=torch.float32))
    return layer


class MixingAttention(nn.Module):
    """Attention in name only, so that its weight is one of attention."""

    def __init__(self, weights: list[list[float]]) -> None:
        super().__init__()
        self.mix = linear(weights)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.mix(tokens)
        return mixed


def score(*layers: nn.Module) -> float:
    batch = ProxyBatch(torch.zeros(3, 2, 1, 1), torch.zeros(3, dtype=torch.int64))
    return Dss().score(nn.Sequential(nn.Flatten(), *layers), batch, torch.Generator())


def test_layers_outside_attention_add_their_flow() -> None:
    # Absolute weights on ones give (1 + 2, 3 + 4) = (3, 7) and 5 * 3 + 6 * 7 = 57 in either layer.
    assert score(linear([[1, -2], [3, 4]]), linear([[5, -6]])) == pytest.approx(math.log(57 + 57))


def test_a_matrix_of_attention_adds_the_product_of_nuclear_norms() -> None:
    # Singular values of the weight: 3 and 4. Its gradient is (1, 1) times (1, 1), of the single value 2.
    assert score(MixingAttention([[3, 0], [0, -4]])) == pytest.approx(math.log((3 + 4) * 2))


def test_heads_that_repeat_each_other_score_less() -> None:
    # Entries sum to 8 in both, so both let the same through; the second has rank 1.
    assert score(MixingAttention([[4, 0], [0, 4]])) > score(MixingAttention([[2, 2], [2, 2]]))


def test_torchs_own_attention_is_known() -> None:
    class Attends(nn.Module):
        def __init__(self, *, alike: bool) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(2, 1, bias=False, batch_first=True)
            self.attention.in_proj_weight = nn.Parameter(torch.ones(6, 2) if alike else torch.eye(2).repeat(3, 1) * 2)
            self.attention.out_proj.weight = nn.Parameter(torch.eye(2))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            tokens = images.flatten(1)[:, None]
            attended: torch.Tensor = self.attention(tokens, tokens, tokens)[0]
            return attended

    batch = ProxyBatch(torch.zeros(3, 2, 1, 1), torch.zeros(3, dtype=torch.int64))
    diverse, alike = (Dss().score(Attends(alike=same), batch, torch.Generator()) for same in (False, True))
    assert diverse > alike


def test_a_disconnected_network_has_the_floor_and_an_overflow_the_ceiling() -> None:
    assert score(linear([[0.0, 0.0]])) == FLOOR
    assert score(*(linear([[1e38, 0.0], [0.0, 1e38]]) for _ in range(12))) == CEILING
