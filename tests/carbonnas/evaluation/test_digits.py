from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from carbonnas.errors import DatasetError
from carbonnas.evaluation.datasets import load_dataset
from carbonnas.evaluation.digits import DRAWS, NOISY_PARTS, NOISY_SEED
from carbonnas.evaluation.images import Dataset, ImageSplit, stratified_parts
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def clean() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return load_dataset("noisy_digits")


@pytest.fixture(scope="module")
def sources(clean: Dataset) -> tuple[ImageSplit, ...]:
    """The clean images behind the parts of the noisy digits, one for each noisy image."""
    seen = clean.train + clean.validation
    return tuple(
        ImageSplit(seen.images[part].repeat_interleave(draws, 0), seen.labels[part].repeat_interleave(draws))
        for part, draws in zip(stratified_parts(seen.labels.numpy(), NOISY_PARTS, NOISY_SEED), DRAWS, strict=True)
    )


def contents(*parts: ImageSplit) -> set[bytes]:
    return {image.numpy().tobytes() for part in parts for image in part.images}


def test_the_clean_digits_are_cut_into_1077_360_and_360(clean: Dataset) -> None:
    assert clean.task == TaskShape(1, 8, 8, 10)
    assert (len(clean.train), len(clean.validation), len(clean.test)) == (1_077, 360, 360)
    assert 1_077 + 360 + 360 == 1_797
    assert clean.train.images.dtype == torch.float32
    assert clean.train.images.shape == (1_077, 1, 8, 8)
    assert clean.train.labels.dtype == torch.int64


def test_the_clean_pixels_lie_between_0_and_1(clean: Dataset) -> None:
    assert clean.train.images.min() == 0
    assert clean.train.images.max() == 1


def test_no_image_is_in_two_parts(clean: Dataset) -> None:
    parts = (clean.train, clean.validation, clean.test)
    assert len(contents(*parts)) == 1_797


def test_every_class_is_in_every_part_in_proportion(clean: Dataset) -> None:
    # There are 174 to 183 images of each digit: 360 / 1,797 of them are 34.9 to 36.7.
    assert set(torch.bincount(clean.test.labels).tolist()) <= {34, 35, 36, 37, 38}


def test_the_noisy_digits_have_1000_images_to_train_on_and_four_draws_of_the_others(noisy: Dataset) -> None:
    assert noisy.task == TaskShape(1, 8, 8, 10)
    assert (len(noisy.train), len(noisy.validation), len(noisy.test)) == (1_000, 4 * 237, 4 * 200)


def test_no_noisy_image_shows_a_digit_of_the_clean_test_part(clean: Dataset, sources: tuple[ImageSplit, ...]) -> None:
    shown = contents(*sources)
    assert shown.isdisjoint(contents(clean.test))
    # Every image that the search may see is used, and only once: 1,000 + 237 + 200 = 1,077 + 360.
    assert len(shown) == 1_437


def test_no_digit_is_in_two_noisy_parts(sources: tuple[ImageSplit, ...]) -> None:
    train, validation, test = (contents(part) for part in sources)
    assert train.isdisjoint(validation)
    assert test.isdisjoint(train | validation)


def test_a_noisy_image_is_its_source_shifted_by_at_most_a_pixel_plus_noise_of_one_half(
    noisy: Dataset, sources: tuple[ImageSplit, ...]
) -> None:
    for part, source in zip((noisy.train, noisy.validation, noisy.test), sources, strict=True):
        assert torch.equal(part.labels, source.labels)
        padded = torch.nn.functional.pad(source.images, (1, 1, 1, 1))
        windows = [padded[:, :, down : down + 8, right : right + 8] for down in range(3) for right in range(3)]
        residues = torch.stack([(part.images - window).square().mean(dim=(1, 2, 3)) for window in windows])
        # The variance of the noise is 0.5^2; the least of nine estimates lies a little below. Another digit leaves about 0.36.
        assert 0.22 < residues.min(dim=0).values.mean() < 0.26


def test_the_noise_is_the_same_for_ever(noisy: Dataset) -> None:
    assert noisy.train.labels[:8].tolist() == [1, 3, 4, 5, 6, 9, 7, 0]
    assert noisy.train.images[0, 0, 0, :3].tolist() == pytest.approx([-0.040509, 0.41178, -0.716831], abs=1e-6)
    assert torch.equal(load_dataset("noisy_digits").test.images, noisy.test.images)


def test_an_unknown_data_set_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(DatasetError, match="no data set 'cifar'; choose one of digits, noisy_digits, fashion_mnist"):
        load_dataset("cifar")


def test_scikit_learn_is_imported_for_the_digits_only() -> None:
    program = "import sys, carbonnas.evaluation.training; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
