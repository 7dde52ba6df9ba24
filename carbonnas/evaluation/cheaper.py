"""A data set made cheaper, for trainings that only have to rank: fewer images, or smaller ones."""

from __future__ import annotations

import dataclasses

import numpy as np
from torch.nn import functional

from carbonnas.architecture import derive_seed
from carbonnas.evaluation.images import Dataset, ImageSplit, stratified_parts
from carbonnas.search_spaces.space import TaskKind


def cheaper(dataset: Dataset, *, share: float, resolution: int | None) -> Dataset:
    """Return the data set with a part of what there is to train on, and with images of another size.

    Which images are left out is a constant of the data set, and each class keeps its share. The validation part keeps all of its images, so that
    accuracies stay as exact; the test part stays as it is.

    Args:
        dataset: The whole.
        share: Part of the images to train on, above 0 to 1.
        resolution: Height and width of the images in pixels, each the mean of what it covers (`area` interpolation); `None` for their own.

    Raises:
        ValueError: If texts are to have another size, or no image would be left.
    """
    train, validation, task = dataset.train, dataset.validation, dataset.task
    if share < 1:
        train = _part(train, share, derive_seed(0, "a part of", dataset.name))
    if resolution is not None:
        if task.kind is TaskKind.TEXT:
            raise ValueError(f"texts have no resolution, got {resolution}")
        train, validation = _resized(train, resolution), _resized(validation, resolution)
        task = dataclasses.replace(task, height=resolution, width=resolution)
    return dataclasses.replace(dataset, task=task, train=train, validation=validation)


def _part(split: ImageSplit, share: float, seed: int) -> ImageSplit:
    count = round(share * len(split))
    if count < 1:
        raise ValueError(f"a share of {share:g} leaves nothing of {len(split)} to train on")
    # Texts have no classes: of what has one label for all, any part has it in proportion.
    labels = np.zeros(len(split), dtype=np.int64) if split.is_text else split.labels.numpy()
    (kept,) = stratified_parts(labels, [count], seed)
    return ImageSplit(split.images[kept], split.labels[kept])


def _resized(split: ImageSplit, resolution: int) -> ImageSplit:
    return ImageSplit(functional.interpolate(split.images, size=(resolution, resolution), mode="area"), split.labels)
