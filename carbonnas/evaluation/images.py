"""Labelled images, or texts, in three parts that never mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from carbonnas.search_spaces.space import TaskShape


@dataclass(frozen=True, slots=True, eq=False)
class ImageSplit:
    """One part of a data set.

    Attributes:
        images: `n x channels x height x width`, float32; pixels of the clean images lie in 0..1. Of texts the numbers of their
            characters instead, `n x length`, int64.
        labels: `n`, int64, from 0. Of texts the character that follows at every place, `n x length`.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images have {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: ImageSplit) -> ImageSplit:
        return ImageSplit(torch.cat((self.images, other.images)), torch.cat((self.labels, other.labels)))

    def to(self, device: torch.device) -> ImageSplit:
        """Return the same part on a device."""
        return ImageSplit(self.images.to(device), self.labels.to(device))

    @property
    def is_text(self) -> bool:
        """Whether these are texts."""
        return not self.images.is_floating_point()


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A task with its images; the parts are constants of the data set and do not depend on any search's seed.

    Attributes:
        name: Name for `load_dataset`.
        task: Shape of the images and number of classes.
        train: Images to train on while searching.
        validation: Images that rank the candidates of a search.
        test: Images for the final figure only; a search never sees them.
    """

    name: str
    task: TaskShape
    train: ImageSplit
    validation: ImageSplit
    test: ImageSplit


def stratified_parts(labels: NDArray[np.int64], sizes: Sequence[int], seed: int) -> list[NDArray[np.int64]]:
    """Return disjoint index sets of the given sizes, each with nearly the same share of every class.

    The members of each class are shuffled and spread evenly over one sequence, which is then cut into pieces; so every piece
    holds each class in proportion, give or take one image at either cut.

    Raises:
        ValueError: If there are fewer labels than the parts need.
    """
    if sum(sizes) > len(labels):
        raise ValueError(f"parts of {sum(sizes)} images can't be cut out of {len(labels)}")
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    spread = shuffled[np.argsort(place[shuffled], kind="stable")]
    return np.split(spread, np.cumsum(sizes))[: len(sizes)]
