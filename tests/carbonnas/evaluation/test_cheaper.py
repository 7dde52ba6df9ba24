"""A data set made cheaper keeps its classes in proportion, its validation part, and its test part."""

from __future__ import annotations

import pytest
import torch

from carbonnas.evaluation.cheaper import cheaper
from carbonnas.evaluation.datasets import load_dataset

pytestmark = pytest.mark.torch


def test_each_class_keeps_its_share_and_the_same_images_are_kept_each_time() -> None:
    whole = load_dataset("digits")
    half, again = (cheaper(whole, share=0.5, resolution=None) for _ in range(2))
    assert len(half.train) == round(len(whole.train) / 2)
    before, after = (torch.bincount(each.train.labels) for each in (whole, half))
    assert (before / 2 - after).abs().max() <= 1
    assert torch.equal(half.train.images, again.train.images)
    assert half.validation is whole.validation
    assert half.test is whole.test


def test_smaller_images_are_means_of_what_they_cover() -> None:
    whole = load_dataset("digits")
    small = cheaper(whole, share=1.0, resolution=4)
    assert (small.task.height, small.task.width, small.task.classes) == (4, 4, whole.task.classes)
    assert torch.allclose(small.train.images[0, 0, 0, 0], whole.train.images[0, 0, :2, :2].mean())
    assert small.validation.images.shape[2:] == (4, 4)


def test_texts_can_be_fewer_but_have_no_resolution() -> None:
    texts = load_dataset("text")
    assert len(cheaper(texts, share=0.1, resolution=None).train) == round(len(texts.train) * 0.1)
    with pytest.raises(ValueError, match="texts have no resolution, got 8"):
        cheaper(texts, share=1.0, resolution=8)


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing of"):
        cheaper(load_dataset("digits"), share=1e-6, resolution=None)
