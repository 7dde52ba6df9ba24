from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.grad_sign import GradSign
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch


def score(images: list[list[float]], labels: list[int]) -> float:
    layer = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(layer.weight)
    inputs = torch.tensor(images)[:, :, None, None]
    batch = ProxyBatch(inputs, torch.tensor(labels))
    return GradSign().score(nn.Sequential(nn.Flatten(), layer), batch, torch.Generator())


def test_a_weight_counts_by_how_many_more_images_pull_it_one_way_than_the_other() -> None:
    # By the first input all three images pull alike, by the second one pulls the other way; two rows of weights.
    assert score([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]], [0, 0, 0]) == 2 * (3 + 1)
    assert score([[1.0, 2.0], [1.0, 2.0]], [0, 1]) == 0


def test_an_image_that_does_not_pull_counts_for_neither_side() -> None:
    assert score([[1.0, 0.0], [1.0, 1.0]], [0, 0]) == 2 * (2 + 1)


def test_a_convolution_is_pulled_by_each_image_alone() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4))
    inputs, labels = torch.randn(3, 2, 4, 4), torch.tensor([0, 3, 1])
    signs = []
    for image in range(3):
        network.zero_grad()
        one = slice(image, image + 1)
        torch.autograd.backward(nn.functional.cross_entropy(network(inputs[one]), labels[one]))
        signs.append([network[place].weight.grad.sign() for place in (0, 3)])  # type: ignore[union-attr,operator]
    expected = sum(float(torch.stack(layer).sum(0).abs().sum()) for layer in zip(*signs, strict=True))
    assert GradSign().score(network, ProxyBatch(inputs, labels), torch.Generator()) == expected
