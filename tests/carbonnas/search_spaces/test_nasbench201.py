from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.nasbench201_cell import OPERATIONS

NONE, SKIP, CONV1, CONV3, POOL = range(5)
PUBLISHED = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"


def test_the_published_text_is_read_and_written() -> None:
    space = NASBench201()
    assert space.parse(PUBLISHED) == (CONV3, CONV3, POOL, SKIP, CONV3, SKIP)
    assert space.format((CONV3, CONV3, POOL, SKIP, CONV3, SKIP)) == PUBLISHED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            PUBLISHED.replace("skip_connect~0", "max_pool~0"),
            "'max_pool' is no operation; there are: none, skip_connect",
        ),
        (PUBLISHED.replace("avg_pool_3x3~1", "avg_pool_3x3~0"), "one operation for each earlier node, in order"),
        (PUBLISHED.replace("avg_pool_3x3~1|", ""), "one operation for each earlier node, in order"),
        (PUBLISHED + "+|none~0|", "is no cell"),
        ("nor_conv_3x3", "is no cell"),
    ],
)
def test_a_wrong_text_is_refused_with_its_reason(text: str, complaint: str) -> None:
    with pytest.raises(ArchitectureError, match=complaint):
        NASBench201().parse(text)


def test_6466_of_the_15625_cells_are_distinct() -> None:
    space = NASBench201()
    cells = list(itertools.product(range(5), repeat=6))
    assert len(cells) == 15_625
    assert len({space.canonical(cell) for cell in cells}) == 6_466


def test_dead_edges_are_none_in_the_canonical_form() -> None:
    space = NASBench201()
    # Nothing reaches node 1, so what its edges to nodes 2 and 3 do to nothing does not matter.
    assert space.canonical((NONE, CONV3, CONV1, SKIP, POOL, CONV3)) == (NONE, CONV3, NONE, SKIP, NONE, CONV3)
    # Nothing leaves node 2.
    assert space.canonical((CONV1, CONV3, POOL, SKIP, POOL, NONE)) == (CONV1, NONE, NONE, SKIP, POOL, NONE)


def test_the_order_of_a_sum_does_not_matter() -> None:
    space = NASBench201()
    # Node 1 is the input, so both edges into node 2 start at the same value.
    assert space.key((SKIP, CONV3, CONV1, NONE, NONE, SKIP)) == space.key((SKIP, CONV1, CONV3, NONE, NONE, SKIP))


def test_different_operations_are_different_networks() -> None:
    space = NASBench201()
    assert len({space.key((NONE, NONE, NONE, option, NONE, NONE)) for option in range(len(OPERATIONS))}) == 5


def test_the_canonical_form_is_the_first_of_its_kind() -> None:
    space = NASBench201()
    for cell in itertools.islice(itertools.product(range(5), repeat=6), 0, None, 97):
        assert space.canonical(cell) <= cell


def test_impossible_skeletons_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 16, 0, 3"):
        NASBench201(cells=0)


def test_spaces_are_imported_and_used_without_torch() -> None:
    program = (
        "import sys; from carbonnas.search_spaces.nasbench201 import NASBench201;"
        "from carbonnas.search_spaces.small_conv import SmallConv;"
        "NASBench201().key((0,) * 6); SmallConv().key((0,) * 8); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
