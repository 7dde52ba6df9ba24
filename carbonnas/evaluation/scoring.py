"""Evaluation of untrained networks by zero-cost proxies."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn

from carbonnas.architecture import derive_seed
from carbonnas.evaluation.datasets import DatasetName, load_dataset
from carbonnas.evaluation.evaluator import Evaluation, EvaluationFailedError, EvaluationRequest, Evaluator, Session
from carbonnas.evaluation.images import ImageSplit
from carbonnas.proxies.fusion import DEFAULT, expand
from carbonnas.proxies.proxy import ProxyBatch, SharedProxy, Subject
from carbonnas.proxies.registry import PROXIES
from carbonnas.search_spaces.characters import one_hot
from carbonnas.search_spaces.space import SearchSpace, TaskKind, TaskShape
from carbonnas.trials import TrialKind

_ALWAYS = ("params", "macs")


class ProxyEvaluator(Evaluator):
    """Scores architectures; the metrics are the raw scores by name, and always `params` and `macs`.

    All architectures of a search meet the same batch, drawn once from the search's seed. A network is initialised from its request's
    seed alone, so no score depends on what was scored before. Proxies that look at the same things (`SharedProxy`) share the looks:
    one forward and one backward pass serve all of them, and each has the score that it has alone.

    Args:
        space: The space of the architectures.
        seed: Seed of the search; decides the batch.
        proxies: Names of proxies and of ensembles of them, whose parts are scored; by default those of the default fusion and synflow,
            which costs a twentieth of a pass.
        dataset: Data set whose training images make up the batch, characters as ones among zeros; `None` for Gaussian images with
            random labels.
        data_path: Folder of the data set's files, if it needs one and not the default.
        batch: Images in the batch, at least 2. Scores of different batch sizes are not comparable.
        task: Channels, rows, columns and classes of the Gaussian images; a data set has its own.
        kind: What the Gaussian images stand for; a text has a row, and as many channels and classes as characters.

    Raises:
        ValueError: If the batch is smaller than 2 images or larger than the training part of the data set, or if the networks of the
            space can't do the task.
        PluginError: If a proxy is unknown.
        DatasetError: If the data set is missing or damaged.
    """

    def __init__(  # noqa: PLR0913 - each argument is an option
        self,
        space: SearchSpace,
        seed: int,
        *,
        proxies: tuple[str, ...] = (*DEFAULT, "synflow"),
        dataset: DatasetName | None = None,
        data_path: Path | None = None,
        batch: int = 32,
        task: tuple[int, int, int, int] = (1, 8, 8, 10),
        kind: TaskKind = TaskKind.IMAGES,
    ) -> None:
        if batch < 2:
            raise ValueError(f"batch norm needs a batch of at least 2 images, got {batch}")
        generator = torch.Generator().manual_seed(derive_seed(seed, "proxy batch"))
        if dataset is None:
            self._task = TaskShape(*task, kind)
            self._batch = _gaussian_batch(self._task, batch, generator)
        else:
            loaded = load_dataset(dataset, data_path)
            self._task = loaded.task
            self._batch = _drawn_batch(loaded.train, batch, self._task, generator)
        space.require(self._task)
        self._space = space
        self._proxies = {name: PROXIES.create(name, {}, {}) for name in expand((*_ALWAYS, *proxies))}

    @property
    def task(self) -> TaskShape:
        return self._task

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:  # noqa: ARG002 # scoring is too short to suspend
        """Return the raw scores.

        Raises:
            EvaluationFailedError: If training was asked for, torch can't run the network, or a score is not finite.
        """
        if request.kind is not TrialKind.SCORE:
            raise EvaluationFailedError("proxies only score; use another evaluator for training")
        subject = Subject(lambda: self._untrained(request), self._batch, request.seed)
        return Evaluation({name: self._score(name, subject) for name in self._proxies})

    def _score(self, name: str, subject: Subject) -> float:
        proxy = self._proxies[name]
        try:
            if isinstance(proxy, SharedProxy):
                score = proxy.read(subject)
            else:
                score = proxy.score(subject.build(), subject.batch, subject.generator(name))
        except RuntimeError as error:
            raise EvaluationFailedError(f"proxy {name!r} can't score the network: {error}") from error
        if not math.isfinite(score):
            raise EvaluationFailedError(f"proxy {name!r} gave {score}")
        return score

    def _untrained(self, request: EvaluationRequest) -> nn.Module:
        # Building the same network again takes a third of the time of copying it.
        with torch.random.fork_rng(devices=[]):
            torch.random.manual_seed(request.seed)
            return self._space.build(request.architecture, self._task)


def _gaussian_batch(task: TaskShape, size: int, generator: torch.Generator) -> ProxyBatch:
    inputs = torch.randn(size, task.channels, task.height, task.width, generator=generator)
    labelled = (size, task.width) if task.kind is TaskKind.TEXT else (size,)
    return ProxyBatch(inputs, torch.randint(task.classes, labelled, generator=generator))


def _drawn_batch(images: ImageSplit, size: int, task: TaskShape, generator: torch.Generator) -> ProxyBatch:
    if size > len(images):
        raise ValueError(f"a batch of {size} can't be drawn from {len(images)} training images")
    drawn = torch.randperm(len(images), generator=generator)[:size]
    inputs = images.images[drawn]
    if images.is_text:
        # Proxies ask how the network answers to small changes of what it sees, and numbers of characters have none.
        inputs = one_hot(inputs, task.channels)
    return ProxyBatch(inputs, images.labels[drawn])
