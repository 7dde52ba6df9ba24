from __future__ import annotations

import pytest
import torch
from torch import nn

from carbonnas.proxies.gradients import output_gradients, weight_gradients
from carbonnas.proxies.layers import weight_gradient, weight_gradients_of_images
from carbonnas.proxies.proxy import ProxyBatch, Subject
from carbonnas.proxies.signal import signal

pytestmark = pytest.mark.torch


def network() -> nn.Module:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return nn.Sequential(body, nn.Sequential(nn.Conv2d(4, 4, 3, stride=2), nn.ReLU()), nn.Flatten(), nn.Linear(36, 3))


def subject() -> Subject:
    generator = torch.Generator().manual_seed(1)
    return Subject(network, ProxyBatch(torch.randn(5, 2, 8, 8, generator=generator), torch.arange(5) % 3), 7)


def test_a_look_is_taken_once() -> None:
    built = []

    def build() -> nn.Module:
        built.append(network())
        return built[-1]

    examined = Subject(build, subject().batch, 7)
    examined.look(weight_gradients)
    examined.look(output_gradients)
    examined.look(signal)
    assert len(built) == 1


def test_purposes_have_generators_of_their_own_that_begin_anew() -> None:
    examined = subject()
    one, again, other = (torch.rand(3, generator=examined.generator(name)).tolist() for name in ("a", "a", "b"))
    assert one == again != other


def test_what_passes_is_seen() -> None:
    seen = subject().look(signal)
    assert [tuple(call.output.shape) for call in seen.calls] == [(5, 4, 8, 8), (5, 4, 3, 3), (5, 3)]
    assert [tuple(code.shape) for code in seen.codes] == [(5, 256), (5, 36)]
    assert [tuple(block.shape) for block in seen.features] == [(5, 4, 8, 8), (5, 4, 3, 3)]
    # All five images of 64 pixels fit into 4,096; convolution, norm, activation, dropout, convolution, activation.
    assert [tuple(maps.shape) for maps in seen.maps] == [(5, 4, 8, 8)] * 4 + [(5, 4, 3, 3)] * 2


def test_what_enters_the_first_block_is_a_feature_unless_it_is_the_batch() -> None:
    batch = ProxyBatch(torch.randn(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64))
    block = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU())
    for stem, features in ((nn.ReLU(), [1, 3]), (nn.Identity(), [3])):
        made = nn.Sequential(stem, block, nn.Flatten())
        seen = Subject(lambda made=made: made, batch, 0).look(signal)  # type: ignore[misc]
        assert [feature.shape[1] for feature in seen.features] == features


def test_of_large_images_the_maps_of_the_first_alone_are_kept() -> None:
    batch = ProxyBatch(torch.randn(3, 1, 80, 80), torch.zeros(3, dtype=torch.int64))
    seen = Subject(lambda: nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten()), batch, 0).look(signal)
    assert [len(maps) for maps in seen.maps] == [1]


def test_the_halves_add_up_to_the_gradient_of_the_batch() -> None:
    examined = subject()
    examined.look(signal)
    found = examined.look(weight_gradients)
    twin = network().train()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    torch.autograd.backward(nn.functional.cross_entropy(twin(examined.batch.inputs), examined.batch.labels))
    layers = [module for module in twin.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len(found) == len(layers)
    for gradient, layer in zip(found, layers, strict=True):
        assert layer.weight.grad is not None
        torch.testing.assert_close(gradient.whole, layer.weight.grad, rtol=1e-4, atol=1e-6)
        assert torch.equal(gradient.weight, layer.weight)


def test_a_layer_that_is_called_twice_has_one_gradient() -> None:
    shared = nn.Linear(2, 2, bias=False)
    batch = ProxyBatch(torch.randn(4, 2, 1, 1), torch.tensor([0, 1, 0, 1]))
    examined = Subject(lambda: nn.Sequential(nn.Flatten(), shared, nn.Tanh(), shared), batch, 0)
    (found,) = examined.look(weight_gradients)
    shared.zero_grad()
    logits = shared(shared(batch.inputs.flatten(1)).tanh())
    torch.autograd.backward(nn.functional.cross_entropy(logits, batch.labels))
    assert shared.weight.grad is not None
    torch.testing.assert_close(found.whole, shared.weight.grad)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 2), (4, 5, 3)),
        (nn.Conv1d(3, 2, 3, padding=1), (4, 3, 6)),
        (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), (4, 4, 7, 7)),
        (nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4), (4, 4, 7, 7)),
        (nn.Conv2d(3, 2, 3, padding="same", padding_mode="reflect"), (4, 3, 6, 6)),
        (nn.Conv3d(1, 2, 2), (4, 1, 3, 3, 3)),
    ],
    ids=["linear", "1-D", "grouped", "depthwise", "reflected", "3-D"],
)
def test_the_gradient_of_every_kind_of_layer_is_autograds(layer: nn.Module, shape: tuple[int, ...]) -> None:
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    output = layer(inputs)
    gradient = torch.randn(output.shape, generator=torch.Generator().manual_seed(1))
    (expected,) = torch.autograd.grad(output, layer.get_parameter("weight"), gradient)
    torch.testing.assert_close(weight_gradient(layer, inputs, gradient), expected, rtol=1e-4, atol=1e-4)
    alone = weight_gradients_of_images(layer, inputs, gradient)
    torch.testing.assert_close(alone.sum(0), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(alone[1], weight_gradient(layer, inputs[1:2], gradient[1:2]), rtol=1e-4, atol=1e-4)
