"""What the options of `score` ask for, checked before anything is spent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from carbonnas.architecture import Architecture, derive_seed
from carbonnas.errors import ConfigError
from carbonnas.plugins import SEARCH_SPACES, PluginChoice
from carbonnas.proxies.fusion import DEFAULT, expand
from carbonnas.search_spaces.space import SearchSpace

_TASK = re.compile(r"(\d{1,5})x(\d{1,5})x(\d{1,5})x(\d{1,5})", re.ASCII)
_TRIES = 100
_USUAL_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """The options of the command, as they were typed."""

    space: str
    sample: int | None
    architectures: tuple[str, ...]
    seed: int
    proxies: str | None
    batch: int
    task: str
    dataset: str | None
    data_path: Path | None


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """What is to be scored.

    Attributes:
        space: The space.
        choice: The space by name.
        architectures: Valid architectures of the space, different networks unless they were given.
        asked: Names of the proxies and ensembles that were asked for.
        scoring: The evaluator of proxies with its options.
        seed: As given.
    """

    space: SearchSpace
    choice: PluginChoice
    architectures: tuple[Architecture, ...]
    asked: tuple[str, ...]
    scoring: PluginChoice
    seed: int

    @property
    def fused(self) -> tuple[str, ...]:
        """What the fusion is made of: the default, if all of it is scored, else all that was asked for."""
        return DEFAULT if set(expand(DEFAULT)) <= set(expand(self.asked)) else self.asked

    def seed_of(self, architecture: Architecture) -> int:
        """Return the seed of an architecture: equal networks have equal weights."""
        return derive_seed(self.seed, self.space.key(architecture))


def make_plan(options: ScoreOptions) -> ScorePlan:
    """Return what the options ask for.

    Raises:
        ConfigError: If an option can't be read.
        PluginError: If there is no such space.
        ArchitectureError: If an architecture does not belong to the space.
    """
    try:
        space = SEARCH_SPACES.create(options.space, {}, {})
    except ValidationError as error:
        raise ConfigError("--space", (f"{options.space} needs options; use it in a configuration",)) from error
    given = tuple(space.parse(text) for text in options.architectures)
    for architecture in given:
        space.validate(architecture)
    wanted = options.sample if options.sample is not None else (0 if given else _USUAL_SAMPLE)
    rng = np.random.default_rng(derive_seed(options.seed, "sample"))
    asked = DEFAULT if options.proxies is None else _names(options.proxies)
    settings: dict[str, object] = {"proxies": expand(asked), "batch": options.batch, "task": _task(options.task)}
    if options.dataset is not None:
        settings |= {"dataset": options.dataset, "data_path": options.data_path}
    return ScorePlan(
        space=space,
        choice=PluginChoice(options.space),
        architectures=(*given, *_drawn(space, wanted, rng)),
        asked=asked,
        scoring=PluginChoice("proxies", settings),
        seed=options.seed,
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ConfigError("--proxies", ("names no proxy",))
    return names


def _task(text: str) -> tuple[int, ...]:
    match = _TASK.fullmatch(text)
    numbers = tuple(int(number) for number in match.groups()) if match else ()
    if not numbers or min(numbers) < 1:
        raise ConfigError("--task", (f"expected four whole numbers above zero such as 3x32x32x10, got {text!r}",))
    return numbers


def _drawn(space: SearchSpace, count: int, rng: np.random.Generator) -> list[Architecture]:
    """Return different networks, drawn uniformly; fewer than asked for where drawing finds no others."""
    found: dict[str, Architecture] = {}
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        architecture = space.sample(rng)
        found.setdefault(space.key(architecture), architecture)
    return list(found.values())
