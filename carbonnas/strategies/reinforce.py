"""Reinforcement learning: a recurrent controller trained with REINFORCE."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.learning import learnable_value
from carbonnas.strategies.reinforce_baseline import BaselineState, RunningBaseline
from carbonnas.strategies.reinforce_controller import Controller
from carbonnas.strategies.strategy import Json, Observation, SearchStrategy, StateDict
from carbonnas.trials import TrialKind

_WEIGHTS = "controller/"
_ADAM = "adam/"


class Reinforce(SearchStrategy):
    """Draws from a policy and moves it towards what was better than usual.

    Every training that is told counts once: its advantage over a bias-corrected moving average, divided by a running deviation,
    weighs the gradient of its log-probability under the present policy; an entropy term keeps the policy from settling early.
    Scorings are not learned from. A failed training counts as one deviation worse than the worst result so far, and so does a
    result that is not finite. Results are taken as if the present policy had proposed them, however old they are.

    Williams 1992, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning"; Zoph and Le 2017,
    "Neural Architecture Search with Reinforcement Learning". Deviations: Adam as in ENAS; advantages are scaled.

    Args:
        space: What to search.
        objectives: The first one is maximised.
        seed: Decides the initial policy and the sequence of proposals.
        hidden: Units of the LSTM, at least 1.
        learning_rate: Of Adam, above zero.
        entropy: Weight of the entropy, in advantages per nat summed over the choices, at least 0.
        baseline_decay: Weight of the past in the moving averages, at least 0 and below 1.
        batch: Trainings per update, at least 1.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(  # noqa: PLR0913 - services, and the options that users set as keyword-only parameters
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        *,
        hidden: int = 64,
        learning_rate: float = 3.5e-3,
        entropy: float = 0.02,
        baseline_decay: float = 0.95,
        batch: int = 2,
    ) -> None:
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {hidden}")
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be above zero, got {learning_rate}")
        if not entropy >= 0:
            raise ValueError(f"entropy must be at least zero, got {entropy}")
        if batch < 1:
            raise ValueError(f"batch must be at least 1, got {batch}")
        self._space = space
        self._objective = objectives[0]
        self._entropy = entropy
        self._batch = batch
        self._baseline = RunningBaseline(baseline_decay)
        self._pending: list[tuple[Architecture, float]] = []
        self._rng = np.random.default_rng(derive_seed(seed, "reinforce proposals"))
        generator = torch.Generator().manual_seed(derive_seed(seed, "reinforce weights"))
        self._controller = Controller([len(choice.options) for choice in space.choices], hidden, generator)
        self._adam = torch.optim.Adam(self._controller.parameters(), lr=learning_rate)

    def ask(self) -> Architecture:
        return self._controller.sample(self._rng)

    def tell(self, observation: Observation) -> None:
        if observation.kind is not TrialKind.TRAIN:
            return
        self._space.validate(observation.architecture)
        value = learnable_value(observation, self._objective)
        advantage = self._baseline.failure() if value is None else self._baseline.advantage(value)
        self._pending.append((observation.architecture, advantage))
        if len(self._pending) == self._batch:
            self._update()

    def state_dict(self) -> StateDict:
        state: dict[str, Json | np.ndarray] = {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "baseline": cast("dict[str, Json]", self._baseline.state()),
            "pending": [[list(architecture), advantage] for architecture, advantage in self._pending],
        }
        for name, weights in self._controller.state_dict().items():
            state[_WEIGHTS + name] = weights.numpy().copy()
        for index, moments in self._adam.state_dict()["state"].items():
            for name, moment in moments.items():
                state[f"{_ADAM}{index}/{name}"] = moment.numpy().copy()
        return state

    def load_state_dict(self, state: StateDict) -> None:
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])
        self._baseline.load(cast("BaselineState", state["baseline"]))
        pending = cast("list[tuple[list[int], float]]", state["pending"])
        self._pending = [(as_architecture(architecture), advantage) for architecture, advantage in pending]
        arrays = {name: torch.tensor(value) for name, value in state.items() if isinstance(value, np.ndarray)}
        weights = {name.removeprefix(_WEIGHTS): t for name, t in arrays.items() if name.startswith(_WEIGHTS)}
        self._controller.load_state_dict(weights)
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in arrays.items():
            if name.startswith(_ADAM):
                index, _, moment = name.removeprefix(_ADAM).partition("/")
                moments.setdefault(int(index), {})[moment] = tensor
        groups = self._adam.state_dict()["param_groups"]
        self._adam.load_state_dict({"state": moments, "param_groups": groups})

    def _update(self) -> None:
        architectures = torch.tensor([architecture for architecture, _ in self._pending])
        advantages = torch.tensor([advantage for _, advantage in self._pending])
        log_probability, entropy = self._controller(architectures)
        loss = -(advantages * log_probability).mean() - self._entropy * entropy.mean()
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        self._pending.clear()
