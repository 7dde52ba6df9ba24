from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy
from carbonnas.proxies.saliency import GradNorm, Plain, Snip

pytestmark = pytest.mark.torch


def layer(weights: list[list[float]]) -> nn.Linear:
    made = nn.Linear(2, 2)
    made.weight = nn.Parameter(torch.tensor(weights, dtype=torch.float32))
    nn.init.zeros_(made.bias)
    return made


def score(*layers: nn.Module, by: ZeroCostProxy | None = None) -> float:
    batch = ProxyBatch(torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1), torch.tensor([0]))
    return (by or GradNorm()).score(nn.Sequential(nn.Flatten(), *layers), batch, torch.Generator())


def test_the_norms_of_the_weight_gradients_of_the_layers_are_added() -> None:
    # x = (3, 4) gives (3, 3) twice, so p = (1/2, 1/2) and dL/dlogits = (-1/2, 1/2), of norm 1 / sqrt 2.
    # Second layer: (-1/2, 1/2) times (3, 3), of norm 3 sqrt 2. First layer: (-1/2, 1/2) times (3, 4), of norm 5.
    expected = 3 * math.sqrt(2) / math.sqrt(2) + 5 / math.sqrt(2)
    assert score(layer([[1, 0], [1, 0]]), layer([[1, 0], [0, 1]])) == pytest.approx(expected)


def test_plain_and_snip_multiply_weights_and_gradients() -> None:
    first, second = layer([[1, 0], [0, 1]]), layer([[1, 0], [1, 0]])
    # x = (3, 4) passes the first layer unchanged and gives (3, 3), so dL/dlogits = (-1/2, 1/2). The gradient of the second layer is
    # that times (3, 4), met by weights (1, 0) twice; what comes back to the first layer, (-1/2 + 1/2, 0), is nothing.
    assert score(first, second, by=Plain()) == pytest.approx(-3 / 2 + 3 / 2)
    assert score(first, second, by=Snip()) == pytest.approx(3 / 2 + 3 / 2)


@pytest.mark.parametrize("proxy", [Plain(), Snip()])
def test_a_disconnected_network_has_no_saliency(proxy: ZeroCostProxy) -> None:
    zeros = [[0.0, 0.0], [0.0, 0.0]]
    assert score(layer(zeros), layer(zeros), by=proxy) == 0.0


def test_biases_do_not_count_so_a_disconnected_network_scores_zero() -> None:
    zeros = [[0.0, 0.0], [0.0, 0.0]]
    # Only the last bias has a gradient.
    assert score(layer(zeros), layer(zeros)) == 0.0


def test_unused_layers_do_not_count() -> None:
    class Branched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = layer([[0, 0], [0, 0]]), layer([[1, 2], [3, 4]])

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.used(inputs)
            return result

    assert score(Branched()) == pytest.approx(5 / math.sqrt(2))
