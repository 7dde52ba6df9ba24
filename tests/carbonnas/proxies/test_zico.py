from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.zico import Zico

pytestmark = pytest.mark.torch


def score(weights: list[list[float]], images: list[list[float]], labels: list[int]) -> float:
    layer = nn.Linear(2, 2, bias=False)
    layer.weight = nn.Parameter(torch.tensor(weights))
    inputs = torch.tensor(images)[:, :, None, None]
    return Zico().score(nn.Sequential(nn.Flatten(), layer), ProxyBatch(inputs, torch.tensor(labels)), torch.Generator())


def test_each_weight_counts_the_mean_over_the_deviation_of_the_halves() -> None:
    zeros = [[0.0, 0.0], [0.0, 0.0]]
    # dL/dlogits is (-1/4, 1/4) for class 0 and its opposite for class 1, so the halves contribute (-1/4, 1/4) times (1, 2) and
    # (1/4, -1/4) times (3, 2). (|g| + |h|) / |g - h|: 4 / 4 by the first input and 4 / 4 by the second, in both rows.
    assert score(zeros, [[1.0, 2.0], [3.0, 2.0]], [0, 1]) == pytest.approx(math.log(4 / 4 + 4 / 4 + 4 / 4 + 4 / 4))
    # Of one class they have the same sign: 4 / 2 by the first input, and by the second no deviation at all.
    assert score(zeros, [[1.0, 2.0], [3.0, 2.0]], [0, 0]) == pytest.approx(math.log(4 / 2 + 4 / 2))


def test_a_network_whose_halves_do_not_differ_has_the_floor() -> None:
    assert score([[0.0, 0.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]], [0, 0]) == math.log(1e-30)
