"""Which strategies are compared, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from carbonnas.config_file import parse_config
from carbonnas.objectives.objective import Objective
from carbonnas.plugins import STRATEGIES
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.guided import Guided
from carbonnas.strategies.strategy import SearchStrategy

PROXIES = ("params", "logsynflow", "naswot")
"""Scores that guide, as published for every cell; their published seconds are charged."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A strategy and how the plan asks it; picklable.

    Attributes:
        strategy: Name of the plug-in.
        options: Its options.
        score_per_round: Architectures that are scored in each round.
        train_per_round: Of these are trained.
        compete: How many proposals compete for a training; `None` if the strategy or the fused ranks of all choose.
        warm_start: Trainings at the beginning that are drawn by proxies.
        uses_proxies: Whether the scores are charged; if not they are the number of parameters, which is free, and every proposal is trained.
    """

    strategy: str
    options: Mapping[str, object] = field(default_factory=dict)
    score_per_round: int = 1
    train_per_round: int = 1
    compete: int | None = None
    warm_start: int = 0
    uses_proxies: bool = False

    @property
    def proxies(self) -> tuple[str, ...]:
        """Scores that are looked up."""
        return PROXIES if self.uses_proxies else ("params",)

    def make(self, space: SearchSpace, objectives: tuple[Objective, ...], seed: int) -> SearchStrategy:
        """Return a new strategy."""
        services = {"space": space, "objectives": objectives, "seed": seed}
        strategy = STRATEGIES.create(self.strategy, self.options, services)
        if self.compete is None and not self.warm_start:
            return strategy
        return Guided(
            strategy,
            self.proxies,
            objective=objectives[0],
            seed=seed,
            compete=self.compete,
            warm_start=self.warm_start,
        )


def default() -> Contestant:
    """Return the strategy of the configuration that `carbonnas init` writes, with its plan."""
    text = (files("carbonnas.cli") / "configs" / "example.toml").read_text(encoding="utf-8")
    config = parse_config(text, "example.toml", Path())
    search, guidance = config.search, config.guidance
    return Contestant(
        config.strategy.use,
        config.strategy.options,
        search.score_per_round,
        search.train_per_round,
        guidance.compete,
        guidance.warm_start,
        uses_proxies=True,
    )


def contestants() -> dict[str, Contestant]:
    """Return all by name. Those named after a published strategy alone have its published settings."""
    nats = {"setting": "nats_bench"}
    return {
        "default": default(),
        "random": Contestant("random"),
        "local_search": Contestant("local_search"),
        "regularized_evolution": Contestant("regularized_evolution", {"population": 10, "sample": 3}),
        "regularized_evolution_filtered": Contestant("regularized_evolution", {}, 8, 1, uses_proxies=True),
        "reinforce": Contestant("reinforce", nats),
        "reinforce_tuned": Contestant("reinforce"),
        "reinforce_filtered": Contestant("reinforce", {}, 8, 1, uses_proxies=True),
        "reinforce_compete": Contestant("reinforce", {}, 8, 1, 8, uses_proxies=True),
        "reinforce_warm": Contestant("reinforce", {}, 8, 1, 8, warm_start=10, uses_proxies=True),
        "ppo_transformer": Contestant("ppo", {"policy": "transformer"}),
        "ppo_lstm": Contestant("ppo", {"policy": "lstm"}),
        "nsga2": Contestant("nsga2"),
        "bayesian": Contestant("bayesian"),
        "predictor": Contestant("predictor", {}, 8, 1, uses_proxies=True),
    }
