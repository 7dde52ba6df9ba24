from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from carbonnas.proxies.naswot import Naswot, agreements, log_determinant
from carbonnas.proxies.proxy import ProxyBatch, Subject
from carbonnas.proxies.signal import codes_of_all, signal

pytestmark = pytest.mark.torch

CODES = [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
IMAGES = torch.tensor([[1.0, 2.0, -1.0], [3.0, -1.0, -2.0], [-1.0, -2.0, 5.0]])[:, :, None, None]


def score(network: nn.Module, images: torch.Tensor = IMAGES) -> float:
    return Naswot().score(network, ProxyBatch(images, torch.zeros(len(images))), torch.Generator())


def activation_codes(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    seen = signal(Subject(lambda: network, ProxyBatch(images, torch.zeros(len(images))), 0))
    return codes_of_all(seen.codes, len(images)).double()


def log_determinant_of(codes: torch.Tensor) -> float:
    return log_determinant(agreements([codes.bool()], len(codes)))


def test_the_score_of_codes_is_the_log_determinant_of_their_agreements() -> None:
    # Agreements: [[3, 2, 0], [2, 3, 1], [0, 1, 3]]; determinant 3 (9 - 1) - 2 (6 - 0) = 12.
    assert log_determinant_of(torch.tensor(CODES, dtype=torch.float64)) == pytest.approx(math.log(12))


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.SiLU(), nn.Sigmoid(), nn.Tanh()])
def test_a_code_holds_the_signs_of_what_enters_the_activations(activation: nn.Module) -> None:
    network = nn.Sequential(activation, nn.Flatten())
    assert activation_codes(network, IMAGES).tolist() == CODES
    assert score(network) == pytest.approx(math.log(12))


def test_the_images_stay_as_they_are() -> None:
    before = IMAGES.clone()
    score(nn.Sequential(nn.ReLU(inplace=True), nn.Flatten()))
    assert torch.equal(IMAGES, before)
    assert not IMAGES.requires_grad


def test_activations_that_do_not_reach_the_output_have_no_units() -> None:
    class Branched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused, self.constant = nn.ReLU(), nn.ReLU(), nn.ReLU()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.unused(images)
            self.constant(torch.ones_like(images))
            result: torch.Tensor = self.used(images)
            return result

    assert activation_codes(Branched(), IMAGES).tolist() == CODES


def test_images_that_are_treated_alike_give_the_lowest_score() -> None:
    assert score(nn.Sequential(nn.ReLU(), nn.Flatten()), IMAGES[[0, 0, 1]]) == 0.0


def test_rounding_does_not_hide_that_codes_are_dependent() -> None:
    drawn = torch.randint(2, (16, 1000), generator=torch.Generator().manual_seed(0)).double()
    assert log_determinant_of(drawn) > 0
    # A code and its opposite agree with any third code in 1,000 units together, whichever pair it is.
    assert log_determinant_of(torch.cat([drawn, 1 - drawn[:2]])) == 0.0


def test_a_network_without_activations_has_the_lowest_score() -> None:
    assert score(nn.Flatten()) == 0.0


def test_batch_norm_uses_the_statistics_of_the_batch() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten()).eval()
    shifted = IMAGES + 100
    # In eval mode every code would be ones.
    assert score(network, shifted) > 0


codes = st.integers(2, 6).flatmap(
    lambda units: st.lists(
        st.lists(st.sampled_from([0.0, 1.0]), min_size=units, max_size=units), min_size=2, max_size=5
    )
)


@settings(max_examples=50)
@given(codes, st.integers(0, 5))
def test_the_score_is_at_least_zero_and_blind_to_order_and_to_the_sign_of_a_unit(
    rows: list[list[float]], place: int
) -> None:
    matrix = torch.tensor(rows, dtype=torch.float64)
    expected = log_determinant_of(matrix)
    assert expected >= 0
    assert log_determinant_of(matrix.flip(0)) == pytest.approx(expected, abs=1e-9)
    assert log_determinant_of(matrix.flip(1)) == pytest.approx(expected, abs=1e-9)
    flipped = matrix.clone()
    flipped[:, place % matrix.shape[1]] = 1 - flipped[:, place % matrix.shape[1]]
    assert log_determinant_of(flipped) == pytest.approx(expected, abs=1e-9)
