"""Reinforcement learning with proximal policy optimisation."""

from __future__ import annotations

from pathlib import Path

from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.policy_search import PolicyKind, PolicySearch, PolicySettings
from carbonnas.strategies.reward import Reward


class Ppo(PolicySearch):
    """A policy that makes the most of each batch of trainings: several steps, none of which may lead far from where it began.

    Schulman et al. 2017, "Proximal Policy Optimization Algorithms", equation 7, as NASNet uses it (Zoph et al. 2018); self-imitation in the
    spirit of Oh et al. 2018, "Self-Imitation Learning": the best results so far are repeated, weighted by their advantage.
    `PolicySearch` tells the rest.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the initial policy and the sequence of proposals.
        reward: What is maximised; the first objective if absent.
        policy: What the policy is.
        hidden: Its width, at least 1; a multiple of 4 for a transformer.
        layers: Its layers, at least 1.
        learning_rate: Of Adam, above zero.
        batch: Trainings per update, at least 1.
        epochs: Steps per update, at least 1.
        clip: How far the probability ratio counts on either side of 1, above zero.
        entropy: Weight of the entropy, in advantages per nat summed over the choices, at least 0.
        entropy_floor: Share of the entropy of uniform draws, at least 0 and below 1, that is defended.
        imitation: Weight of the ten best results so far, at least 0.
        baseline_decay: Weight of the past in the moving averages, at least 0 and below 1.
        start_from: File of a policy to start from, which a search of any space may have left; read when the search begins, and never again.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(  # noqa: PLR0913 - services, and the options that users set as keyword-only parameters
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        reward: Reward | None = None,
        *,
        policy: PolicyKind = PolicyKind.TRANSFORMER,
        hidden: int = 64,
        layers: int = 2,
        learning_rate: float = 3e-3,
        batch: int = 5,
        epochs: int = 4,
        clip: float = 0.2,
        entropy: float = 0.02,
        entropy_floor: float = 0.2,
        imitation: float = 0.1,
        baseline_decay: float = 0.95,
        start_from: Path | None = None,
    ) -> None:
        settings = PolicySettings(
            policy=policy,
            hidden=hidden,
            layers=layers,
            learning_rate=learning_rate,
            batch=batch,
            epochs=epochs,
            clip=clip,
            entropy=entropy,
            entropy_floor=entropy_floor,
            imitation=imitation,
            baseline_decay=baseline_decay,
            start_from=start_from,
        )
        super().__init__(space, objectives, seed, reward, settings)
