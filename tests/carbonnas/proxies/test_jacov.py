from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from carbonnas.proxies.jacobian import correlations
from carbonnas.proxies.jacov import EpeNas, Jacov
from carbonnas.proxies.proxy import ProxyBatch

pytestmark = pytest.mark.torch

SMALL = 1e-5


class Squared(nn.Module):
    """Adds up half the squares of the pixels, so that the gradient by an image is the image itself."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).square().sum(1, keepdim=True) / 2


def batch(rows: list[list[float]], labels: list[int]) -> ProxyBatch:
    return ProxyBatch(torch.tensor(rows)[:, :, None, None], torch.tensor(labels))


UNLIKE = [[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]
OPPOSITE = [[1.0, -1.0, 0.0, 0.0], [-2.0, 2.0, 0.0, 0.0]]


def test_answers_that_do_not_correlate_have_eigenvalues_of_one() -> None:
    score = Jacov().score(Squared(), batch(UNLIKE, [0, 0]), torch.Generator())
    assert score == pytest.approx(-2 * (math.log(1 + SMALL) + 1 / (1 + SMALL)))


def test_answers_that_repeat_each_other_score_low() -> None:
    # Correlations of -1 give the eigenvalues 0 and 2.
    score = Jacov().score(Squared(), batch(OPPOSITE, [0, 0]), torch.Generator())
    assert score == pytest.approx(-(math.log(SMALL) + 1 / SMALL + math.log(2 + SMALL) + 1 / (2 + SMALL)), rel=1e-6)


def test_a_network_that_does_not_answer_scores_as_one_that_treats_all_images_alike() -> None:
    dead = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    nn.init.zeros_(dead[1].weight)  # type: ignore[arg-type]
    alike = batch([UNLIKE[0], UNLIKE[0]], [0, 0])
    expected = Jacov().score(Squared(), alike, torch.Generator())
    assert Jacov().score(dead, batch(UNLIKE, [0, 0]), torch.Generator()) == pytest.approx(expected, rel=1e-3)
    assert EpeNas().score(dead, batch(UNLIKE, [0, 0]), torch.Generator()) == 0.0


def test_epe_nas_looks_at_the_images_of_each_class() -> None:
    # Within class 0 correlations of 1 and twice 0; class 1 has one image, which correlates with itself.
    score = EpeNas().score(Squared(), batch([*UNLIKE, UNLIKE[0]], [0, 0, 1]), torch.Generator())
    assert score == pytest.approx(abs(2 * math.log(SMALL) + 2 * math.log(1 + SMALL)) + math.log(1 + SMALL))


def test_with_many_classes_epe_nas_compares_them() -> None:
    images = torch.randn(202, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(101).repeat_interleave(2)
    score = EpeNas().score(Squared(), ProxyBatch(images, labels), torch.Generator())
    pairs = [correlations(images[2 * c : 2 * c + 2].flatten(1).double()) for c in range(101)]
    means = [float((pair.abs() + SMALL).log().mean()) for pair in pairs]
    differences = [abs(one - other) for i, one in enumerate(means) for other in means[:i]]
    assert score == pytest.approx(sum(differences) / len(differences))


def test_texts_are_of_the_class_of_their_last_character() -> None:
    images, labels = torch.tensor(UNLIKE)[:, :, None, None], torch.tensor([[5, 0], [7, 0]])
    text = EpeNas().score(Squared(), ProxyBatch(images, labels), torch.Generator())
    assert text == EpeNas().score(Squared(), ProxyBatch(images, labels[:, 1]), torch.Generator())


def test_a_constant_row_correlates_with_itself_alone() -> None:
    assert correlations(torch.tensor([[2.0, 2.0], [1.0, 3.0]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]
