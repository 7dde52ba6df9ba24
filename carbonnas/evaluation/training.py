"""Evaluation by training: the expensive and faithful way."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import torch
from pydantic import Field
from torch import nn

from carbonnas.architecture import derive_seed, stable_hash
from carbonnas.costs.network import built, is_there
from carbonnas.errors import ArchitectureError, ConfigError
from carbonnas.evaluation.cheaper import cheaper
from carbonnas.evaluation.checkpoints import read_checkpoint, write_checkpoint
from carbonnas.evaluation.datasets import DatasetName, load_dataset
from carbonnas.evaluation.evaluator import (
    Evaluation,
    EvaluationFailedError,
    EvaluationRequest,
    Evaluator,
    Session,
    SuspendedError,
)
from carbonnas.evaluation.fitting import Fit, HeldOut, Recipe, measured
from carbonnas.evaluation.images import ImageSplit
from carbonnas.evaluation.trying import require_that_networks_run
from carbonnas.proxies.size import count_parameters
from carbonnas.search_spaces.space import Builder, SearchSpace, TaskKind, TaskShape
from carbonnas.trials import FidelityName, TrialKind

_MEMORY_WORDS: Final = ("out of memory", "can't allocate memory", "not enough memory")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What one fidelity trains and measures: the networks by their share of channels, the images, and what the part held out is called."""

    build: Builder
    width: float
    dataset: str
    task: TaskShape
    train: ImageSplit
    held_out: ImageSplit
    part: str


class TrainingEvaluator(Evaluator):
    """Trains the network and measures its accuracy on images that it was not trained on.

    At fidelity `full` it trains on the train and validation parts of the final data set and reports `test_accuracy`; the
    validation part is no longer independent then, so there is no `val_accuracy`. At every other fidelity it trains on the
    train part of the search's data set and reports `val_accuracy`; the test part is not touched. Both come with `train_loss` of
    the last epoch and `params`, the number of trainable scalars. The accuracy of a text is the share of its characters that were
    told from those before, and there is `val_bits_per_character` or `test_bits_per_character`, the mean cross-entropy to base 2.

    All randomness comes from the request's seed; torch's global generators are used, and put back afterwards. On a CPU
    with one thread the result is the same to the bit however often it was suspended; on a GPU sums may differ in
    their last bits.

    Trainings that only rank may be made cheaper: on a share of the data, on smaller images, or with a share of the channels. The final
    training is of the whole network on all there is. `params` are always those of the network that is proposed, not of a narrower one.

    Args:
        space: Builds the networks.
        seed: Seed of the search; not used, since each request brings its own.
        dataset: Data set of the search.
        final_dataset: Data set of the final training; `None` for that of the search.
        data_path: Folder of the data set's files, or file of `text`; `None` for where the system keeps them.
        learning_rate: Peak step size of AdamW; see `Recipe`, also for the following four.
        batch_size: Largest number of images in a step.
        weight_decay: AdamW's decoupled weight decay.
        label_smoothing: Share of the target that is spread over all classes.
        shift: Pixels by which images are moved at random while training.
        search_share: Share of the train part that trainings of the search see, above 0 to 1; the same images for all.
        search_resolution: Height and width in pixels to which they resize images; `None` for the data set's own.
        search_width: Share of their channels that networks have in them, above 0 to 1.
        validate_each_epoch: Whether the learning curve tells `val_accuracy` besides `train_loss`; to measure it takes some per cent of a training.
        device: A torch device such as `cpu` or `cuda:0`; `auto` for a GPU if there is one.

    Raises:
        DatasetError: If a data set is missing or damaged; found at once, and not when the search has been paid for.
        ConfigError: If there is no such device, or no network takes inputs of the size that they would have.
        ValueError: If networks of the space can't do the task of a data set, or be made narrower, or texts are to be shifted.
    """

    def __init__(  # noqa: PLR0913 # each keyword is an option that users set
        self,
        space: SearchSpace,
        seed: int,  # noqa: ARG002 # every evaluator is offered it
        *,
        dataset: DatasetName = "noisy_digits",
        final_dataset: DatasetName | None = None,
        data_path: Path | None = None,
        learning_rate: Annotated[float, Field(gt=0)] = 0.01,
        batch_size: Annotated[int, Field(ge=4)] = 64,
        weight_decay: Annotated[float, Field(ge=0)] = 0.05,
        label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        shift: Annotated[int, Field(ge=0)] = 0,
        search_share: Annotated[float, Field(gt=0, le=1)] = 1.0,
        search_resolution: Annotated[int, Field(ge=1)] | None = None,
        search_width: Annotated[float, Field(gt=0, le=1)] = 1.0,
        validate_each_epoch: bool = False,
        device: str = "cpu",
    ) -> None:
        self._space = space
        self._device = _device(device)
        self._validates = validate_each_epoch
        self._recipe = Recipe(learning_rate, batch_size, weight_decay, label_smoothing, shift)
        searched = load_dataset(dataset, data_path)
        final = searched if final_dataset in (None, dataset) else load_dataset(str(final_dataset), data_path)
        for loaded in (searched, final):
            space.require(loaded.task)
            if shift and loaded.task.kind is TaskKind.TEXT:
                raise ValueError(f"texts can't be shifted, got shift = {shift}")
        self._task = searched.task
        ranked = cheaper(searched, share=search_share, resolution=search_resolution)
        space.require(ranked.task)
        build = space.build if search_width == 1 else _narrowed(space, search_width)
        for tried, task in dict.fromkeys(((build, ranked.task), (space.build, final.task))):
            require_that_networks_run(space, tried, task)
        self._search_work = _Work(
            build,
            search_width,
            ranked.name,
            ranked.task,
            ranked.train.to(self._device),
            ranked.validation.to(self._device),
            "val",
        )
        self._final_work = _Work(
            space.build,
            1.0,
            final.name,
            final.task,
            (final.train + final.validation).to(self._device),
            final.test.to(self._device),
            "test",
        )

    @property
    def task(self) -> TaskShape:
        return self._task

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        if request.kind is not TrialKind.TRAIN or request.fidelity.epochs < 1:
            raise EvaluationFailedError(f"training can't evaluate a {request.kind.value} trial at {request.fidelity}")
        with _memory_told():
            return self._train(request, session)

    def _train(self, request: EvaluationRequest, session: Session) -> Evaluation:
        work = self._final_work if request.fidelity.name is FidelityName.FULL else self._search_work
        epochs = request.fidelity.epochs
        devices = [self._device] if self._device.type == "cuda" else []
        cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
        with torch.random.fork_rng(devices), cudnn:
            torch.manual_seed(request.seed)
            network = _built(request, work).to(self._device)
            identity = self._identity(request, work, network)
            fit = Fit(network, self._recipe, epochs=epochs, seed=derive_seed(request.seed, "images"))
            self._resume(fit, session.checkpoint, identity)
            while len(fit.losses) < epochs:
                if session.checkpoint is not None and session.suspend_requested():
                    raise SuspendedError(f"suspended after epoch {len(fit.losses)} of {epochs}")
                told = {"train_loss": fit.run_epoch(work.train)}
                if self._validates and work is self._search_work:
                    told["val_accuracy"] = measured(network, work.held_out).accuracy
                    fit.accuracies.append(told["val_accuracy"])
                if session.checkpoint is not None:
                    write_checkpoint(session.checkpoint, identity, fit.state())
                session.report(len(fit.losses), epochs, told)
            metrics = _metrics(work, measured(network, work.held_out))
        metrics |= {"train_loss": fit.losses[-1], "params": self._params(request, work, network)}
        curve = {"train_loss": fit.losses, "val_accuracy": fit.accuracies}
        return Evaluation(metrics, curve={name: values for name, values in curve.items() if values})

    def _params(self, request: EvaluationRequest, work: _Work, network: nn.Module) -> float:
        """Return how many parameters the network has that is proposed; to rank it another one may have been trained."""
        is_other = work is self._search_work and (work.width < 1 or work.task != self._task)
        return float(count_parameters(built(self._space, request.architecture, self._task) if is_other else network))

    def _resume(self, fit: Fit, checkpoint: Path | None, identity: dict[str, object]) -> None:
        state = None if checkpoint is None else read_checkpoint(checkpoint, identity, self._device)
        if state is not None:
            fit.restore(state)

    def _identity(self, request: EvaluationRequest, work: _Work, network: nn.Module) -> dict[str, object]:
        """Return what the bits of the result depend on, apart from the code: a checkpoint of anything else is foreign."""
        return {
            "architecture": list(request.architecture),
            "network": stable_hash(*((name, tuple(value.shape)) for name, value in network.state_dict().items())),
            "fidelity": [request.fidelity.name.value, request.fidelity.epochs],
            "seed": request.seed,
            "dataset": work.dataset,
            "recipe": dataclasses.asdict(self._recipe),
            # Left out where it is whole, so that checkpoints of earlier releases stay good.
            **({"width": work.width} if work.width < 1 else {}),
            "images": [len(work.train), work.task.height, work.task.width],
            "validated": self._validates,
            "device": self._device.type,
            "torch": torch.__version__,
        }


def _narrowed(space: SearchSpace, share: float) -> Builder:
    try:
        return space.narrowed(share)
    except ValueError as error:
        raise ConfigError("training", (f"search_width: {error}",)) from error


def _built(request: EvaluationRequest, work: _Work) -> nn.Module:
    try:
        return work.build(request.architecture, work.task)
    except ArchitectureError as error:
        raise EvaluationFailedError(str(error)) from error


def _metrics(work: _Work, held_out: HeldOut) -> dict[str, float]:
    metrics = {f"{work.part}_accuracy": held_out.accuracy}
    if work.task.kind is TaskKind.TEXT:
        metrics[f"{work.part}_bits_per_character"] = held_out.loss / math.log(2)
    return metrics


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not is_there(name):
        raise ConfigError("training", (f"device: torch finds no {name!r} to train on; choose cpu or auto",))
    return torch.device(name)


@contextmanager
def _memory_told() -> Iterator[None]:
    """Tell of a lack of memory as a failed evaluation."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise EvaluationFailedError(f"the training does not fit into memory: {_first_line(error)}") from error


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error).lower() for words in _MEMORY_WORDS)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
