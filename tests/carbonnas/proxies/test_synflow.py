from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from carbonnas.proxies.flow import CEILING, FLOOR
from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.synflow import LogSynflow, Synflow

pytestmark = pytest.mark.torch


def linear(weights: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights, dtype=torch.float32))
    return layer


def score(*layers: nn.Module, inputs: int = 2) -> float:
    batch = ProxyBatch(torch.full((4, inputs, 1, 1), math.nan), torch.zeros(4, dtype=torch.int64))
    return Synflow().score(nn.Sequential(nn.Flatten(), *layers), batch, torch.Generator())


def test_a_linear_network_has_its_flow_once_in_each_layer() -> None:
    # Absolute weights on ones: (1 + 2, 3 + 4) = (3, 7), then 5 * 3 + 6 * 7 = 57 in either layer.
    assert score(linear([[1, -2], [3, 4]]), linear([[5, -6]])) == pytest.approx(math.log(57 + 57))


def test_logsynflow_takes_the_logarithm_of_each_gradient() -> None:
    layers = nn.Sequential(nn.Flatten(), linear([[1, -2], [3, 4]]), linear([[5, -6]]))
    batch = ProxyBatch(torch.zeros(4, 2, 1, 1), torch.zeros(4, dtype=torch.int64))
    # dR/dw of the first layer is the second layer's weight, 5 or 6, times the input, 1; of the second what enters it, 3 and 7.
    expected = (1 + 2) * math.log(6) + (3 + 4) * math.log(7) + 5 * math.log(4) + 6 * math.log(8)
    assert LogSynflow().score(layers, batch, torch.Generator()) == pytest.approx(expected)


def test_logsynflow_counts_a_gradient_below_zero_by_its_size() -> None:
    class Falling(nn.Module):
        """Falls with what enters it, as one output of a softmax does with the inputs of the others."""

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return -inputs

    batch = ProxyBatch(torch.zeros(4, 2, 1, 1), torch.zeros(4, dtype=torch.int64))
    layers = nn.Sequential(nn.Flatten(), linear([[1, -2]]), Falling())
    # dR/dw is -1 at both weights.
    assert LogSynflow().score(layers, batch, torch.Generator()) == pytest.approx((1 + 2) * math.log(2))


def test_logsynflow_of_a_network_that_lets_nothing_through_is_zero() -> None:
    batch = ProxyBatch(torch.zeros(4, 2, 1, 1), torch.zeros(4, dtype=torch.int64))
    dead = nn.Sequential(nn.Flatten(), linear([[0, 0]]), linear([[0]]))
    assert LogSynflow().score(dead, batch, torch.Generator()) == 0.0


def test_norms_and_dropout_are_left_out() -> None:
    layers = linear([[1, -2], [3, 4]]), nn.BatchNorm1d(2), nn.Dropout(0.9), nn.ReLU(), linear([[5, -6]])
    assert score(*layers) == pytest.approx(math.log(57 + 57))


def test_a_norm_deep_inside_is_left_out() -> None:
    inner = nn.Sequential(nn.Sequential(nn.LayerNorm(2)), linear([[1, -2], [3, 4]]))
    assert score(inner, linear([[5, -6]])) == pytest.approx(math.log(57 + 57))


def test_branches_that_do_not_reach_the_output_do_not_count() -> None:
    class Branched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = linear([[1, 1]]), linear([[9, 9]])

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.used(inputs)
            return result

    assert score(Branched()) == pytest.approx(math.log(2))


def test_a_network_that_lets_nothing_through_has_the_floor() -> None:
    assert score(linear([[0, 0]]), linear([[1]])) == FLOOR == pytest.approx(-708.396, abs=1e-3)


def test_a_flow_beyond_float64_has_the_ceiling() -> None:
    huge = [linear([[1e38]]) for _ in range(12)]
    assert score(*huge, inputs=1) == CEILING == pytest.approx(709.783, abs=1e-3)


def test_flows_beyond_float32_keep_their_order() -> None:
    deep = [linear([[1e30]]) for _ in range(4)]
    # Four layers with the flow of 1e120 each; float32 holds 1e30 to seven digits.
    assert score(*deep, inputs=1) == pytest.approx(math.log(4) + 120 * math.log(10), abs=1e-5)


@settings(max_examples=25)
@given(factor=st.sampled_from([0.125, 0.5, 2.0, 64.0]), layer=st.integers(0, 2), seed=st.integers(0, 99))
def test_a_factor_on_one_layer_is_a_summand_of_the_score(factor: float, layer: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(shape, generator=generator) for shape in ((3, 2), (3, 3), (1, 3))]
    scaled = [weight * factor if place == layer else weight for place, weight in enumerate(weights)]
    before = score(*(linear(weight.tolist()) for weight in weights))
    assert score(*(linear(weight.tolist()) for weight in scaled)) == pytest.approx(before + math.log(factor))
