from __future__ import annotations

import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from carbonnas.search_spaces.mobile import Mobile
from carbonnas.search_spaces.space import TaskShape

IMAGENET = TaskShape(3, 224, 224, 1000)
SMALL = {"stages": 1, "depths": (1,), "kernels": (3,), "expansions": (1,), "widths": (1.0,)}


def efficientnet(phi: int) -> str:
    """Return the backbone of EfficientNet at an exponent: Tan and Le 2019, table 1."""
    depths, kernels = (1, 2, 2, 3, 3, 4, 1), (3, 3, 5, 3, 5, 5, 3)
    stages = (f"d{d},k{k},e{6 if i else 1},w1,se" for i, (d, k) in enumerate(zip(depths, kernels, strict=True)))
    return ",".join((f"phi{phi}", "r1", *stages))


def size(text: str, task: TaskShape = IMAGENET) -> tuple[int, float]:
    """Return parameters and multiply-accumulate operations."""
    space, counter = Mobile(), FlopCounterMode(display=False)
    with torch.device("meta"), torch.no_grad():
        network = space.build(space.parse(text), task).eval()
        with counter:
            network(torch.zeros(1, task.channels, task.height, task.width))
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops() / 2


@pytest.mark.torch
def test_efficientnet_b0_has_its_published_size() -> None:
    params, macs = size(efficientnet(0))
    # To the parameter as the documentation of torchvision's efficientnet_b0, with 0.39 billion; the paper rounds to 5.3 million.
    assert params == 5_288_548
    assert macs == pytest.approx(0.386e9, rel=0.01)
    assert round(macs / 1e9, 2) == 0.39


@pytest.mark.torch
def test_an_exponent_of_1_makes_efficientnet_b2() -> None:
    params, macs = size(efficientnet(1))
    assert params == 9_109_994
    # B2 has images of 260 pixels instead of 224 x 1.15 = 257.6, and 1.0 billion operations.
    assert macs == pytest.approx(1.0e9, rel=0.02)


def test_widths_that_come_out_alike_are_one_network() -> None:
    space = Mobile(stages=1, depths=(1,), kernels=(3,), expansions=(1,), phis=(0.0, 2.0))
    # 16 channels: 0.75, 1 and 1.25 of them are 12, 16 and 20, in multiples of 8 (and not a tenth less) 16, 16 and 24.
    assert space.key(space.parse("phi0,r1,d1,k3,e1,w1,se")) == "phi0,r1,d1,k3,e1,w0.75,se"
    assert space.key(space.parse("phi0,r1,d1,k3,e1,w1.25,se")) == "phi0,r1,d1,k3,e1,w1.25,se"
    # At phi 2 they are 14.5, 19.4 and 24.2: 16, 24 and 24.
    assert space.key(space.parse("phi2,r1,d1,k3,e1,w1.25,se")) == "phi2,r1,d1,k3,e1,w1,se"


def test_different_keys_are_different_plans() -> None:
    space = Mobile(stages=2, width=0.5, depths=(1, 2), kernels=(3,), expansions=(1, 2), phis=(0.0, 0.5))
    ranges = (range(len(choice.options)) for choice in space.choices)
    pairs = {(space.key(a), space.plan(a)) for a in itertools.product(*ranges)}
    assert len({key for key, _ in pairs}) == len(pairs) == len({plan for _, plan in pairs})


@pytest.mark.torch
@pytest.mark.parametrize(("side", "last"), [(224, 7), (128, 4), (100, 7), (32, 4), (28, 7), (8, 4), (7, 7), (1, 1)])
def test_small_images_are_halved_less_often(side: int, last: int) -> None:
    network = Mobile().build(Mobile().parse(efficientnet(0)), TaskShape(1, side, side, 2)).eval()
    with torch.inference_mode():
        assert network.get_submodule("features")(torch.ones(1, 1, side, side)).shape[2:] == (last, last)


@pytest.mark.torch
def test_images_are_seen_at_the_chosen_resolution() -> None:
    space = Mobile(**SMALL, resolutions=(0.5,), phis=(0.0,))  # type: ignore[arg-type] # options by name
    network = space.build((0,) * len(space.choices), TaskShape(1, 6, 9, 2))
    # Half of 9 is 4.5, which is rounded to the even 4.
    assert network.get_submodule("features.0")(torch.ones(1, 1, 6, 9)).shape == (1, 1, 3, 4)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"stages": 8}, "stages must be 1 to 7"),
        ({"width": 0.0}, "width must be above 0"),
        ({"kernels": (3, 4)}, "kernels must be odd"),
        ({"depths": (0, 1)}, "at least 1"),
        ({"widths": (1.0, 1.0)}, "different options"),
        ({"phis": (-1.0,)}, "at least 0"),
        ({"resolutions": (0.0,)}, "above 0"),
        ({"expansions": ()}, "different options"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Mobile(**wrong)  # type: ignore[arg-type] # on purpose
