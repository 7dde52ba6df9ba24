from __future__ import annotations

import itertools

import pytest
import torch

from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.macro import Macro
from carbonnas.search_spaces.space import TaskShape

CIFAR = TaskShape(3, 32, 32, 10)


def parameters(text: str) -> int:
    space = Macro()
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text), CIFAR).parameters())


def test_there_are_3969_networks_among_6561_architectures() -> None:
    space = Macro()
    everything = list(itertools.product(range(3), repeat=8))
    assert space.size == len(everything) == 6_561
    # A first layer of three kinds and up to one or two blocks of two kinds after it: 3 (1 + 2) and 3 (1 + 2 + 4).
    assert len({space.canonical(a) for a in everything}) == 9 * 21 * 21 == 3_969


def test_identities_go_to_the_end_of_their_stage_but_for_its_first_layer() -> None:
    space = Macro()
    assert space.key(space.parse("01201002")) == "01210020"


def test_texts_are_those_of_the_benchmark() -> None:
    space = Macro()
    assert space.parse("00120120") == (0, 0, 1, 2, 0, 1, 2, 0)
    for wrong in ("0012012", "001201200", "00120123", "٠٠١٢٠١٢٠"):
        with pytest.raises(ArchitectureError):
            space.parse(wrong)


@pytest.mark.torch
def test_a_network_has_the_size_that_its_layers_add_up_to() -> None:
    def norm(channels: int) -> int:
        return 2 * channels

    stem = 3 * 32 * 9 + norm(32)
    halvings = 32 * 64 + norm(64) + 64 * 128 + norm(128) + 128 * 256 + norm(256)
    head = 256 * 1280 + norm(1280) + 1280 * 10 + 10
    assert parameters("00000000") == stem + halvings + head == 387_882
    block = 64 * 384 + norm(384) + 384 * 25 + norm(384) + 384 * 64 + norm(64)
    assert parameters("02000000") == 387_882 + block


@pytest.mark.torch
def test_each_stage_halves_the_resolution_whatever_its_first_layer_is() -> None:
    space = Macro(stages=(1, 1, 1), channels=2, head=4)
    for text in ("000", "111", "222"):
        network = space.build(space.parse(text), TaskShape(1, 13, 16, 5))
        assert network.get_submodule("features")(torch.ones(2, 1, 13, 16)).shape == (2, 4, 2, 2)


@pytest.mark.parametrize("wrong", [{"stages": ()}, {"stages": (2, 0)}, {"channels": 0}, {"head": 0}])
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Macro(**wrong)  # type: ignore[arg-type] # on purpose
