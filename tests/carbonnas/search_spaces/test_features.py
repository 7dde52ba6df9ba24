from __future__ import annotations

import itertools

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import SearchSpace

NONE, SKIP, CONV1, CONV3, POOL = range(5)
SPACES = [pytest.param(NASBench201(), id="nasbench201"), pytest.param(SmallConv(), id="small_conv")]


def samples(space: SearchSpace) -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(300)]


def of_paths(*cell: int) -> list[float]:
    """Return live paths, most 3 x 3, most and fewest of any size, and whether a path is skips only."""
    return [float(value) for value in NASBench201().features(cell)[-5:]]


@pytest.mark.parametrize("space", SPACES)
def test_features_are_finite_numbers_of_a_fixed_count(space: SearchSpace) -> None:
    features = [space.features(architecture) for architecture in samples(space)]
    assert len({(vector.shape, vector.dtype) for vector in features}) == 1
    assert features[0].dtype == np.float64
    assert features[0].ndim == 1
    assert np.isfinite(features).all()


@pytest.mark.parametrize("space", SPACES)
def test_features_are_equal_exactly_if_networks_are(space: SearchSpace) -> None:
    pairs = {(space.key(a), space.features(a).tobytes()) for a in samples(space)}
    assert len({key for key, _ in pairs}) == len(pairs) == len({vector for _, vector in pairs})


def test_all_writings_of_a_network_have_its_features() -> None:
    space = NASBench201()
    for cell in itertools.islice(itertools.product(range(5), repeat=6), 0, None, 131):
        assert (space.features(cell) == space.features(space.canonical(cell))).all()


@pytest.mark.parametrize("space", SPACES)
def test_foreign_architectures_have_no_features(space: SearchSpace) -> None:
    with pytest.raises(ArchitectureError):
        space.features((99,) * len(space.choices))


def test_each_choice_has_one_option() -> None:
    # Widths w4, w8, w12, w16; then two operators of four, three kernels, three depths and so on.
    vector = SmallConv().features((1, 3, 0, 2, 0, 1, 2, 0))
    assert vector.tolist() == [0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0]


def test_operations_are_counted_in_the_canonical_cell() -> None:
    # Nothing leaves node 2, so that the pooling and the convolution into it do not count.
    vector = NASBench201().features((CONV1, CONV3, POOL, SKIP, POOL, NONE))
    none, skip, conv1, conv3, pool = vector[30:35]
    assert (none, skip, conv1, conv3, pool) == (3, 1, 1, 0, 1)


def test_paths_are_told_by_their_convolutions() -> None:
    # Edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3.
    assert of_paths(CONV3, SKIP, CONV1, SKIP, NONE, CONV3) == [3, 2, 3, 0, 1]  # 0>3, 0>2>3, 0>1>2>3
    assert of_paths(CONV3, NONE, NONE, NONE, CONV1, NONE) == [1, 1, 2, 2, 0]  # 0>1>3
    assert of_paths(NONE, SKIP, NONE, POOL, NONE, SKIP) == [2, 0, 0, 0, 1]  # 0>3, 0>2>3


def test_a_cell_without_a_live_path_has_none_to_tell_of() -> None:
    assert of_paths(CONV3, CONV3, CONV3, NONE, NONE, NONE) == [0, 0, 0, 0, 0]
