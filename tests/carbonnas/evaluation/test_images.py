from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.evaluation.images import ImageSplit, stratified_parts


@given(st.lists(st.integers(0, 4), min_size=4, max_size=80), st.integers(0, 9), st.data())
def test_the_parts_are_disjoint_and_of_the_sizes_asked_for(labels: list[int], seed: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(labels)))
    second = data.draw(st.integers(0, len(labels) - first))
    parts = stratified_parts(np.array(labels), (first, second), seed)
    assert [len(part) for part in parts] == [first, second]
    taken = np.concatenate(parts).tolist()
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(range(len(labels)))


@given(st.lists(st.integers(0, 4), min_size=4, max_size=80), st.integers(0, 9), st.data())
def test_every_part_holds_every_class_in_proportion(labels: list[int], seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(labels)))
    everything = np.array(labels)
    rest = stratified_parts(everything, (size, len(labels) - size), seed)[1]
    for label in np.unique(everything):
        share = np.mean(everything == label) * len(rest)
        # One image at the cut for each class that is there.
        assert abs(np.sum(everything[rest] == label) - share) <= len(np.unique(everything))


def test_another_seed_gives_other_parts() -> None:
    labels = np.arange(100) % 10
    first, second = (stratified_parts(labels, (50,), seed)[0].tolist() for seed in (1, 2))
    assert first != second


def test_parts_larger_than_the_data_are_refused() -> None:
    with pytest.raises(ValueError, match="parts of 5 images can't be cut out of 4"):
        stratified_parts(np.zeros(4, dtype=np.int64), (3, 2), 0)


def test_images_without_their_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="2 images have 3 labels"):
        ImageSplit(torch.zeros(2, 1, 8, 8), torch.zeros(3, dtype=torch.int64))
