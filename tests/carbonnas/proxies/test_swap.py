from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.proxy import ProxyBatch
from carbonnas.proxies.swap import Swap

pytestmark = pytest.mark.torch


def score(images: torch.Tensor) -> float:
    network = nn.Sequential(nn.ReLU(), nn.Flatten())
    return Swap().score(network, ProxyBatch(images[:, :, None, None], torch.zeros(len(images))), torch.Generator())


def test_units_with_the_same_signs_over_the_images_count_once() -> None:
    # Over the two images the units have the signs +-, +-, --, ++.
    assert score(torch.tensor([[1.0, 2.0, -1.0, 1.0], [-1.0, -3.0, -1.0, 4.0]])) == 3


def test_sixteen_images_are_told_apart_and_further_ones_are_not_looked_at() -> None:
    # Unit i is positive for image i alone.
    assert score(2 * torch.eye(20) - 1) == 16 + 1


def test_a_network_without_activations_has_no_patterns() -> None:
    batch = ProxyBatch(torch.ones(2, 1, 1, 1), torch.zeros(2))
    assert Swap().score(nn.Flatten(), batch, torch.Generator()) == 0
