"""Reinforcement learning: a policy trained with REINFORCE."""

from __future__ import annotations

import enum
from dataclasses import replace
from pathlib import Path

from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.policy_search import PolicyKind, PolicySearch, PolicySettings
from carbonnas.strategies.reward import Reward


class Setting(enum.StrEnum):
    """Where the options come from that are not given; the texts are those of configurations."""

    TUNED = "tuned"
    """An LSTM with updates of two trainings, for searches of a hundred trainings or so."""
    ENAS = "enas"
    """Pham et al. 2018, "Efficient Neural Architecture Search via Parameter Sharing", the released code for cells."""
    ZOPH_LE = "zoph_le"
    """Zoph and Le 2017, section 4.1; made for ten thousand trainings."""
    NATS_BENCH = "nats_bench"
    """Dong et al. 2021, "NATS-Bench": logits of their own for each choice, and an update for each training."""


_TUNED = PolicySettings(
    policy=PolicyKind.LSTM,
    hidden=64,
    layers=1,
    learning_rate=3.5e-3,
    batch=2,
    epochs=1,
    clip=1.0,
    entropy=0.02,
    entropy_floor=0.0,
    imitation=0.05,
    baseline_decay=0.95,
)
_SETTINGS = {
    Setting.TUNED: _TUNED,
    Setting.ENAS: replace(_TUNED, batch=10, entropy=1e-4, imitation=0.0, baseline_decay=0.99),
    Setting.ZOPH_LE: replace(
        _TUNED, hidden=35, layers=2, learning_rate=6e-4, batch=8, entropy=0.0, imitation=0.0, spread=0.08
    ),
    Setting.NATS_BENCH: replace(
        _TUNED,
        policy=PolicyKind.INDEPENDENT,
        learning_rate=0.01,
        batch=1,
        entropy=0.0,
        imitation=0.0,
        baseline_decay=0.9,
    ),
}


class Reinforce(PolicySearch):
    """A policy that moves towards what was better than usual, one step for each batch of trainings.

    Williams 1992, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning"; Zoph and Le 2017, "Neural
    Architecture Search with Reinforcement Learning". `PolicySearch` tells how it learns; in difference to these papers advantages
    are scaled, every setting takes Adam, and the entropy of ENAS has a gradient.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the initial policy and the sequence of proposals.
        reward: What is maximised; the first objective if absent.
        setting: Where the options come from that are `None`.
        policy: What the policy is.
        hidden: Its width, at least 1.
        layers: Its layers, at least 1.
        learning_rate: Of Adam, above zero.
        batch: Trainings per update, at least 1.
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
        setting: Setting = Setting.TUNED,
        policy: PolicyKind | None = None,
        hidden: int | None = None,
        layers: int | None = None,
        learning_rate: float | None = None,
        batch: int | None = None,
        entropy: float | None = None,
        entropy_floor: float | None = None,
        imitation: float | None = None,
        baseline_decay: float | None = None,
        start_from: Path | None = None,
    ) -> None:
        given = {
            "policy": policy,
            "hidden": hidden,
            "layers": layers,
            "learning_rate": learning_rate,
            "batch": batch,
            "entropy": entropy,
            "entropy_floor": entropy_floor,
            "imitation": imitation,
            "baseline_decay": baseline_decay,
            "start_from": start_from,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        super().__init__(space, objectives, seed, reward, replace(_SETTINGS[setting], **chosen))  # type: ignore[arg-type] # by name
