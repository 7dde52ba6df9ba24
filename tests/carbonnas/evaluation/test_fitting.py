from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from carbonnas.evaluation.evaluator import EvaluationFailedError
from carbonnas.evaluation.fitting import Fit, Recipe, measured
from carbonnas.evaluation.images import ImageSplit

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

RECIPE = Recipe(learning_rate=0.05, batch_size=8, weight_decay=0.01, label_smoothing=0.0, shift=1)


@pytest.fixture(autouse=True)
def _a_fixed_seed() -> Iterator[None]:
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        yield


class Recorder(nn.Module):
    """A linear network that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(9, 2)
        self.seen: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.detach().clone())
        outputs: torch.Tensor = self.linear(images.flatten(1))
        return outputs


def images(count: int = 21) -> ImageSplit:
    """Images of 3 x 3 pixels with one bright pixel, at the left for class 0 and at the right for class 1."""
    pixels = torch.zeros(count, 1, 3, 3)
    labels = torch.arange(count) % 2
    pixels[labels == 0, 0, 1, 0] = 1
    pixels[labels == 1, 0, 1, 2] = 1
    return ImageSplit(pixels, labels)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Dropout(0.2), nn.Flatten(), nn.Linear(27, 2)
    )


def test_the_loss_falls_and_a_separable_task_is_learnt() -> None:
    fit = Fit(network(), replace(RECIPE, shift=0), epochs=10, seed=3)
    losses = [fit.run_epoch(images()) for _ in range(10)]
    assert losses[-1] < 0.1 < losses[0]
    assert fit.losses == losses
    assert measured(fit.network, images()).accuracy == 1


def test_a_restored_fit_goes_on_bit_by_bit_as_if_it_had_never_stopped() -> None:
    whole = Fit(network(), RECIPE, epochs=4, seed=3)
    for _ in range(2):
        whole.run_epoch(images())
    state = copy.deepcopy(whole.state())
    for _ in range(2):
        whole.run_epoch(images())

    torch.manual_seed(99)
    resumed = Fit(network(), RECIPE, epochs=4, seed=98)
    resumed.restore(state)
    for _ in range(2):
        resumed.run_epoch(images())
    assert resumed.losses == whole.losses
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name


def test_an_epoch_shows_every_image_once_in_batches_of_nearly_equal_size() -> None:
    recorder = Recorder()
    Fit(recorder, replace(RECIPE, shift=0), epochs=1, seed=3).run_epoch(images(17))
    # 17 images in batches of at most 8 are three batches.
    assert [len(batch) for batch in recorder.seen] == [6, 6, 5]
    shown = torch.cat(recorder.seen)
    assert int(shown[:, 0, 1, 0].sum()) == 9
    assert int(shown[:, 0, 1, 2].sum()) == 8


def test_shifted_images_move_by_at_most_one_pixel_and_what_leaves_is_lost() -> None:
    recorder = Recorder()
    pixels = torch.zeros(180, 1, 3, 3)
    pixels[:, 0, 1, 1] = 1
    Fit(recorder, RECIPE, epochs=1, seed=3).run_epoch(ImageSplit(pixels, torch.arange(180) % 2))
    shown = torch.cat(recorder.seen)
    assert bool((shown.sum(dim=(1, 2, 3)) == 1).all())
    # Each of nine places is expected 20 times.
    assert bool((shown.sum(dim=(0, 1)) > 5).all())


def test_a_loss_that_is_not_a_number_is_a_failure_that_names_the_epoch() -> None:
    fit = Fit(network(), RECIPE, epochs=2, seed=3)
    fit.run_epoch(images())
    broken = images()
    broken.images[4, 0, 0, 0] = float("nan")
    with pytest.raises(EvaluationFailedError, match="loss became nan in epoch 2"):
        fit.run_epoch(broken)


def test_accuracy_counts_what_is_right() -> None:
    linear = nn.Linear(9, 2)
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.copy_(torch.tensor([1.0, 0.0]))
    # Class 0 is always said; 11 of 21 labels are 0.
    assert measured(nn.Sequential(nn.Flatten(), linear), images()).accuracy == 11 / 21


def test_outputs_that_are_not_finite_have_no_accuracy() -> None:
    linear = nn.Linear(9, 2)
    with torch.no_grad():
        linear.bias.fill_(float("inf"))
    with pytest.raises(EvaluationFailedError, match="outputs are not finite"):
        measured(nn.Sequential(nn.Flatten(), linear), images())
