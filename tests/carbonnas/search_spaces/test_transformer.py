from __future__ import annotations

import pytest
import torch

from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.characters import one_hot
from carbonnas.search_spaces.space import TaskShape
from carbonnas.search_spaces.transformer import Transformer
from carbonnas.search_spaces.transformer_network import TransformerNetwork

TEXT = TaskShape.of_text(vocabulary=7, length=13)


def decoder(patch: int) -> TransformerNetwork:
    """Return a small network for texts whose weights are large enough for every input to be seen in every output."""
    space = Transformer(patches=(1, 2, 3), depths=(2,), widths=(8,), heads=(2,), mlp_ratios=(2.0,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = space.build((patch - 1, 0, 0, 0, 0, 0, 0), TEXT)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)
    assert isinstance(network, TransformerNetwork)
    return network.eval()


def size(space: Transformer, task: TaskShape) -> int:
    with torch.device("meta"):
        network = space.build((0,) * len(space.choices), task)
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.torch
def test_the_smallest_vision_transformer_of_the_literature_has_its_published_size() -> None:
    space = Transformer(patches=(16,), depths=(12,), widths=(192,), heads=(3,), mlp_ratios=(4.0,))
    # DeiT-Ti has 5,717,416, of which 2 x 192 are the token to be classified and its position; ours has the mean instead.
    assert size(space, TaskShape(3, 224, 224, 1000)) == 5_717_416 - 2 * 192


@pytest.mark.torch
def test_a_network_for_text_has_the_size_that_its_layers_add_up_to() -> None:
    space = Transformer(patches=(2,), depths=(1,), widths=(8,), heads=(2,), mlp_ratios=(3.0,))
    # Tokens of two characters out of 7, of which 13 make 7; then norm, attention, norm, perceptron, norm, and two characters told.
    embedding, positions, norms = 2 * 7 * 8 + 8, 7 * 8, 3 * 2 * 8
    attention, perceptron = 4 * (8 * 8 + 8), 8 * 24 + 24 + 24 * 8 + 8
    assert size(space, TEXT) == embedding + positions + norms + attention + perceptron + 2 * 7 * 8 + 2 * 7


@pytest.mark.torch
@pytest.mark.parametrize("patch", [1, 2, 3])
def test_no_character_is_told_from_itself_or_what_follows(patch: int) -> None:
    network = decoder(patch)
    text = torch.arange(13).remainder(7).unsqueeze(0)
    told = network(text)
    for place in range(13):
        changed = text.clone()
        changed[0, place] = (changed[0, place] + 1) % 7
        differs = (network(changed) - told).abs().amax(dim=1)[0] > 0
        # Place i tells character i + 1 from the token that ends with the last multiple of the patch up to i.
        expected = [i // patch * patch >= place for i in range(13)]
        assert differs.tolist() == expected


@pytest.mark.torch
def test_numbers_of_characters_and_their_one_hot_images_are_the_same_to_it() -> None:
    text = torch.randint(7, (3, 13), generator=torch.Generator().manual_seed(0))
    image = one_hot(text, 7)
    assert image.shape == (3, 7, 1, 13)
    assert image[1, :, 0, 5].tolist() == [float(number == text[1, 5]) for number in range(7)]
    assert torch.equal(decoder(2)(text), decoder(2)(image))
    assert decoder(2)(text).shape == (3, 7, 13)


@pytest.mark.torch
def test_sides_that_patches_do_not_divide_are_padded() -> None:
    space = Transformer(patches=(4,), depths=(1,), widths=(8,), heads=(2,), mlp_ratios=(1.0,))
    network = space.build((0,) * len(space.choices), TaskShape(1, 5, 9, 3)).eval()
    assert network.get_parameter("positions").shape == (1, 2 * 3, 8)
    assert network(torch.ones(2, 1, 5, 9)).shape == (2, 3)


@pytest.mark.torch
def test_images_are_seen_as_a_whole() -> None:
    space = Transformer(patches=(2,), depths=(1,), widths=(8,), heads=(2,), mlp_ratios=(1.0,))
    network = space.build((0,) * len(space.choices), TaskShape(1, 4, 4, 3))
    images = torch.ones(1, 1, 4, 4, requires_grad=True)
    network(images).square().sum().backward()
    assert images.grad is not None
    assert bool((images.grad != 0).all())


def test_heads_must_divide_the_width() -> None:
    space = Transformer(patches=(2,), depths=(1, 2), widths=(8, 12), heads=(2, 3), mlp_ratios=(1.0,))
    space.parse("2,2,12,2,1,3,1")
    with pytest.raises(ArchitectureError, match="breaks the constraint of Transformer"):
        space.parse("2,2,8,2,1,3,1")
    # The second block, which there is not, may have any heads.
    assert space.key(space.parse("2,1,8,2,1,3,1")) == "2,1,8,2,1,2,1"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"widths": (64,), "heads": (3,)}, "none of the widths"),
        ({"widths": (6,), "heads": (3,), "mlp_ratios": (0.75,)}, "whole numbers"),
        ({"depths": (0, 1)}, "above 0"),
        ({"depths": ()}, "different options"),
        ({"patches": (2, 2)}, "different options"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, tuple[int, ...]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Transformer(**wrong)


@pytest.mark.torch
def test_images_of_another_size_are_refused() -> None:
    task = TaskShape(1, 8, 8, 3)
    network = Transformer(patches=(4,), widths=(8,), heads=(2,)).build((0,) * 15, task)
    # 2 x 2 patches against one, which every position could silently be added to.
    with pytest.raises(ValueError, match="positions for 4 tokens, got 1"):
        network(torch.zeros(2, 1, 4, 4))
