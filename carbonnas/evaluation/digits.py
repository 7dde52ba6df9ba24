"""Scikit-learn's handwritten digits, clean and behind noise.

The images are the test part of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998. Clean digits are so easy that the difference between two good networks drowns in the noise of their seeds; the
noisy ones spread architectures over several standard deviations of that noise within seconds of training.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sklearn.datasets
import torch
from numpy.typing import NDArray

from carbonnas.evaluation.images import Dataset, ImageSplit, stratified_parts
from carbonnas.search_spaces.space import TaskShape

TASK: Final = TaskShape(channels=1, height=8, width=8, classes=10)
LARGEST_PIXEL: Final = 16
CLEAN_PARTS: Final = (1_077, 360, 360)
NOISY_PARTS: Final = (1_000, 237, 200)
DRAWS: Final = (1, 4, 4)
"""Noisy copies of each image in each part: more copies to measure with make the ranking steadier at little cost."""
NOISE: Final = 0.5
SHIFT: Final = 1
# Constants of the data sets; a change of any of them makes other data sets, whose accuracies can't be compared.
CLEAN_SEED: Final = 1797
NOISY_SEED: Final = 1998


def load_digits() -> Dataset:
    """Return the clean digits: 1,077 images to train on, 360 to validate, 360 to test; pixels in 0..1."""
    images, labels = _all_digits()
    train, validation, test = (
        _split(images[part], labels[part]) for part in stratified_parts(labels, CLEAN_PARTS, CLEAN_SEED)
    )
    return Dataset("digits", TASK, train, validation, test)


def load_noisy_digits() -> Dataset:
    """Return shifted digits behind Gaussian noise: 1,000 images to train on, 4 x 237 to validate, 4 x 200 to test.

    Each image is shifted by -1, 0 or 1 pixels along either axis and gets noise of standard deviation 0.5, both fixed for ever.
    All come from the train and validation parts of the clean digits: whoever searches here may test the winner there.
    """
    images, labels = _all_digits()
    rng = np.random.default_rng(NOISY_SEED)
    train, validation, test = (
        _noisy(images[part], labels[part], draws, rng) for part, draws in zip(_noisy_parts(labels), DRAWS, strict=True)
    )
    return Dataset("noisy_digits", TASK, train, validation, test)


def _noisy_parts(labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    seen = np.concatenate(stratified_parts(labels, CLEAN_PARTS, CLEAN_SEED)[:2])
    return [seen[part] for part in stratified_parts(labels[seen], NOISY_PARTS, NOISY_SEED)]


def _all_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    bunch = sklearn.datasets.load_digits()
    images = (bunch.images / LARGEST_PIXEL).astype(np.float32)[:, np.newaxis]
    return images, bunch.target.astype(np.int64)


def _split(images: NDArray[np.float32], labels: NDArray[np.int64]) -> ImageSplit:
    return ImageSplit(torch.from_numpy(images), torch.from_numpy(labels))


def _noisy(images: NDArray[np.float32], labels: NDArray[np.int64], draws: int, rng: np.random.Generator) -> ImageSplit:
    copies = np.repeat(images, draws, axis=0)
    shifts = rng.integers(-SHIFT, SHIFT + 1, size=(len(copies), 2))
    noise = rng.normal(0.0, NOISE, size=copies.shape)
    shifted = np.stack([_shifted(image, dy, dx) for image, (dy, dx) in zip(copies, shifts, strict=True)])
    return _split((shifted + noise).astype(np.float32), np.repeat(labels, draws))


def _shifted(image: NDArray[np.float32], dy: int, dx: int) -> NDArray[np.float32]:
    """Return the image moved down by `dy` and right by `dx` pixels; what comes in from outside is background."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    return padded[:, SHIFT - dy : SHIFT - dy + height, SHIFT - dx : SHIFT - dx + width]
