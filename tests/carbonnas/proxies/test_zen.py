from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.zen import Zen

pytestmark = pytest.mark.torch

BATCH = ProxyBatch(torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64))


def score(*layers: nn.Module) -> float:
    return Zen().score(nn.Sequential(*layers), BATCH, torch.Generator().manual_seed(5))


def convolution(initial: float = 1.0) -> nn.Conv2d:
    made = nn.Conv2d(3, 64, 3, padding=1)
    nn.init.constant_(made.weight, initial)
    return made


def test_the_initial_weights_do_not_matter() -> None:
    assert score(convolution(1.0), nn.ReLU()) == score(convolution(7.0), nn.ReLU())


def test_a_batch_norm_gives_back_what_it_takes() -> None:
    # A norm divides maps by their deviation, whose logarithm is added again.
    assert score(convolution(), nn.BatchNorm2d(64)) == pytest.approx(score(convolution()), abs=0.05)


def test_what_happens_after_the_last_maps_does_not_matter() -> None:
    classified = score(convolution(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1))
    assert classified == score(convolution())


def test_depth_adds_up_in_logarithms() -> None:
    deeper = score(convolution(), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64))
    # Each output of the second layer sums 64 x 9 products of unit variance, somewhat fewer at the border.
    assert deeper == pytest.approx(score(convolution(), nn.BatchNorm2d(64)) + math.log(64 * 9) / 2, abs=0.3)


def test_maps_that_do_not_change_have_the_floor() -> None:
    assert score(nn.Threshold(1e9, 0.0)) == math.log(1e-30)
    assert score(nn.Flatten(), nn.Linear(192, 1)) == math.log(1e-30)


def test_the_generator_decides_the_draws() -> None:
    other = Zen().score(nn.Sequential(convolution()), BATCH, torch.Generator().manual_seed(6))
    assert other != score(convolution())
