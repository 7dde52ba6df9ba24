"""The training loop: one network, a fixed number of epochs, interruptible between any two of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from carbonnas.evaluation.evaluator import EvaluationFailedError
from carbonnas.evaluation.images import ImageSplit

WARM_UP_SHARE: Final = 0.1
FIRST_STEP: Final = 0.01
"""Keeps the first step from being of size 0."""
EVALUATION_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """How networks are trained.

    Attributes:
        learning_rate: Peak step size of AdamW, reached after a tenth of the steps; falls to 0 along half a cosine.
        batch_size: Largest number of images in a step, from 4; an epoch is cut into equal batches, so that none is tiny.
        weight_decay: AdamW's decoupled weight decay.
        label_smoothing: Share of the target spread over all classes, 0 up to but not including 1.
        shift: Every image is moved by up to so many pixels along each axis, anew in each epoch; 0 leaves it in place.
    """

    learning_rate: float
    batch_size: int
    weight_decay: float
    label_smoothing: float
    shift: int


class Fit:
    """A network on its way through its epochs.

    The order of the images and their shifts come from a generator of its own; the network may draw from torch's global one, as
    dropout does. Both are part of the state, so a fit that is restored goes on bit by bit as if it had never stopped.

    References:
        I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019 (AdamW with a cosine schedule).

    Attributes:
        network: The network, on the device of the images.
        losses: Mean training loss of each epoch done.
        accuracies: Held-out accuracy after each epoch, as far as it was noted.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, *, epochs: int, seed: int) -> None:
        self.network = network
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self._recipe = recipe
        self._epochs = epochs
        self._device = next(network.parameters()).device
        self._generator = torch.Generator().manual_seed(seed)
        self._optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def run_epoch(self, images: ImageSplit) -> float:
        """Train for one epoch and return its mean loss.

        Raises:
            EvaluationFailedError: If the loss is not a finite number.
        """
        self.network.train()
        total = torch.zeros((), device=images.labels.device)
        batches = list(self._batches(images))
        for number, (inputs, labels) in enumerate(batches):
            self._set_learning_rate((len(self.losses) + number / len(batches)) / self._epochs)
            loss = functional.cross_entropy(self.network(inputs), labels, label_smoothing=self._recipe.label_smoothing)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
            self._optimizer.step()
            total += loss.detach() * len(labels)
        mean = total.item() / len(images)
        if not math.isfinite(mean):
            raise EvaluationFailedError(f"the training loss became {mean} in epoch {len(self.losses) + 1}")
        self.losses.append(mean)
        return mean

    def state(self) -> dict[str, Any]:
        """Return everything that the coming epochs depend on."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "losses": self.losses,
            "accuracies": self.accuracies,
            "order": self._generator.get_state(),
            "global": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state that `state` returned, including that of torch's global generators."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.losses = list(state["losses"])
        self.accuracies = list(state["accuracies"])
        self._generator.set_state(state["order"].cpu())
        torch.set_rng_state(state["global"].cpu())
        if state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"].cpu(), self._device)

    def _set_learning_rate(self, progress: float) -> None:
        """Set the step size for a moment between 0, the first step, and 1, the end."""
        if progress < WARM_UP_SHARE:
            share = (progress + FIRST_STEP) / (WARM_UP_SHARE + FIRST_STEP)
        else:
            share = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate * share

    def _batches(self, images: ImageSplit) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if images.is_text:
            yield from self._text_batches(images)
            return
        device, reach = images.images.device, self._recipe.shift
        count = len(images)
        order = torch.randperm(count, generator=self._generator).to(device)
        offsets = torch.randint(2 * reach + 1, (count, 2), generator=self._generator).to(device)
        height, width = images.images.shape[2:]
        padded = functional.pad(images.images, (reach,) * 4)
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)
        for batch in order.tensor_split(math.ceil(count / self._recipe.batch_size)):
            down, right = offsets[batch].unbind(1)
            # Indices on both sides of the channels' slice: the images of the batch become the first dimension.
            yield windows[batch, :, down, right], images.labels[batch]

    def _text_batches(self, texts: ImageSplit) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(texts), generator=self._generator).to(texts.labels.device)
        for batch in order.tensor_split(math.ceil(len(texts) / self._recipe.batch_size)):
            yield texts.images[batch], texts.labels[batch]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How a network does on what it was not trained on.

    Attributes:
        accuracy: Fraction of the images classified correctly; of texts the fraction of the characters that were told.
        loss: Mean cross-entropy per image or character in nats.
    """

    accuracy: float
    loss: float


def measured(network: nn.Module, images: ImageSplit) -> HeldOut:
    """Return how the network does in evaluation mode.

    Raises:
        EvaluationFailedError: If an output is not a finite number.
    """
    network.eval()
    right, loss = 0, 0.0
    with torch.inference_mode():
        for inputs, labels in zip(
            torch.split(images.images, EVALUATION_BATCH), torch.split(images.labels, EVALUATION_BATCH), strict=True
        ):
            outputs = network(inputs)
            if not bool(outputs.isfinite().all()):
                raise EvaluationFailedError("the trained network's outputs are not finite numbers")
            right += int((outputs.argmax(dim=1) == labels).sum())
            loss += float(functional.cross_entropy(outputs, labels, reduction="sum"))
    return HeldOut(right / images.labels.numel(), loss / images.labels.numel())
