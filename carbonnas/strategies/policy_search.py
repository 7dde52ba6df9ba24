"""Search with a policy that is moved towards what was better than usual; `reinforce` and `ppo` differ in how far."""

from __future__ import annotations

import copy
import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.lstm_policy import LstmPolicy
from carbonnas.strategies.policy import IndependentPolicy, Policy
from carbonnas.strategies.policy_file import start_from
from carbonnas.strategies.reinforce_baseline import BaselineState, RunningBaseline
from carbonnas.strategies.results import Results
from carbonnas.strategies.reward import FirstObjective, Reward
from carbonnas.strategies.strategy import Json, Observation, SearchStrategy, StateDict
from carbonnas.strategies.transformer_policy import TransformerPolicy

_WEIGHTS = "policy/"
_ADAM = "adam/"
_DRAWS = 16
"""Architectures that are drawn at a time: it takes hardly longer than one."""
_KNOWN = 20
"""Draws in a row that were proposed before after which the policy has settled, and something near its last draw is proposed; so many
between two trainings are learnt from again at most, however many proposals compete for a training."""
_STEPS_AWAY = 20
_BEST = 10
"""Results that are imitated."""
_MOST_LOG_RATIO = 20.0
"""Far beyond what clipping lets count; without it a policy that is very sure of itself could overflow in an update."""
_LEANING_STEPS = 100
_DEFENCE = 5.0
"""Weight of the entropy below its floor, in advantages per nat: more than results ask for."""


class PolicyKind(enum.StrEnum):
    """What a policy is; the texts are those of configurations."""

    INDEPENDENT = "independent"
    LSTM = "lstm"
    TRANSFORMER = "transformer"


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """How a policy is made and learns.

    Attributes:
        policy: What it is.
        hidden: Its width, at least 1; of no meaning for independent logits.
        layers: Its layers, at least 1; likewise.
        learning_rate: Of Adam, above zero.
        batch: Trainings per update, at least 1.
        epochs: Steps per update, at least 1.
        clip: How far the probability ratio counts on either side of 1, above zero.
        entropy: Weight of the entropy, in advantages per nat summed over the choices, at least 0.
        entropy_floor: Share of the entropy of uniform draws, at least 0 and below 1, that is defended.
        imitation: Weight of the best results so far, at least 0.
        baseline_decay: Weight of the past in the moving averages, at least 0 and below 1.
        spread: Of an LSTM's initial weights, above zero.
        start_from: File of a policy to start from.
    """

    policy: PolicyKind
    hidden: int
    layers: int
    learning_rate: float
    batch: int
    epochs: int
    clip: float
    entropy: float
    entropy_floor: float
    imitation: float
    baseline_decay: float
    spread: float = 0.1
    start_from: Path | None = None

    def __post_init__(self) -> None:
        for name in ("hidden", "layers", "batch", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above zero and finite, got {getattr(self, name)}")
        for name in ("entropy", "imitation"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least zero and finite, got {getattr(self, name)}")
        if not 0 <= self.entropy_floor < 1:
            raise ValueError(f"entropy_floor must be at least 0 and below 1, got {self.entropy_floor}")


class PolicySearch(SearchStrategy):
    """Draws from a policy and learns from every training that is told.

    A training's advantage over a bias-corrected moving average, divided by a running deviation, weighs the gradient of its
    log-probability. No network is proposed twice as long as there are others; a draw that has a result already is learnt from again,
    without another training. Once the policy draws nothing new, a few random steps from its last draw are proposed. Scorings are not
    learnt from. A failed training counts as one deviation worse than the worst result so far, and so does a result that is not finite.
    Results are taken as if the present policy had proposed them, however old they are.

    Args:
        space: What to search.
        objectives: What the reward is made of.
        seed: Decides the initial policy and the sequence of proposals.
        reward: What is maximised; the first objective if `None`.
        settings: How the policy is made and learns.

    Raises:
        ValueError: If `baseline_decay` is out of range or the policy can't be made.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        reward: Reward | None,
        settings: PolicySettings,
    ) -> None:
        self._space = space
        self._settings = settings
        self._results = Results(space, reward or FirstObjective(objectives))
        self._baseline = RunningBaseline(settings.baseline_decay)
        self._pending: list[tuple[Architecture, float]] = []
        self._drawn: list[Architecture] = []
        self._proposed: dict[Architecture, None] = {}
        """Networks that were proposed or told."""
        self._repeats = 0
        """Draws that were learnt from again since the last training that succeeded: of those that limits drop many are told at once."""
        self._rng = np.random.default_rng(derive_seed(seed, "policy proposals"))
        generator = torch.Generator().manual_seed(derive_seed(seed, "policy weights"))
        self._policy = _make_policy(space, settings, generator)
        self._unread = settings.start_from
        self._adam = torch.optim.Adam(self._policy.parameters(), lr=settings.learning_rate)

    def ask(self) -> Architecture:
        for _ in range(_KNOWN):
            drawn = self._draw()
            if drawn not in self._proposed:
                return self._propose(drawn)
            if drawn in self._results and self._repeats < _KNOWN:
                self._repeats += 1
                self._learn(drawn)
        for _ in range(_STEPS_AWAY):
            drawn = self._space.canonical(self._space.mutate(drawn, self._rng))
            if drawn not in self._proposed:
                break
        return self._propose(drawn)

    def tell(self, observation: Observation) -> None:
        architecture = self._results.tell(observation)
        if architecture is not None:
            self._proposed[architecture] = None
            if not observation.failed:
                self._repeats = 0
            self._learn(architecture)

    def lean(self, architectures: Sequence[Architecture], worth: np.ndarray, entropy_floor: float) -> None:
        """Raise the probability of what proxies find promising until the entropy would fall below its floor."""
        # The deviation of equal numbers is not always zero.
        if worth.max() == worth.min():
            return
        rows, active = self._tensors([self._space.canonical(architecture) for architecture in architectures])
        advantages = torch.tensor((worth - worth.mean()) / worth.std(), dtype=torch.float32)
        adam = torch.optim.Adam(self._policy.parameters(), lr=self._settings.learning_rate)
        for _ in range(_LEANING_STEPS):
            before = copy.deepcopy(self.policy.state_dict())
            log_probability, _ = self.policy(rows, active)
            _step(adam, -(advantages * log_probability).mean())
            if self._openness(rows, active) < entropy_floor:
                self._policy.load_state_dict(before)
                break
        self._drawn = []

    def state_dict(self) -> StateDict:
        width = len(self._space.choices)
        state: dict[str, Json | np.ndarray] = {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "baseline": cast("dict[str, Json]", self._baseline.state()),
            "pending": [[list(architecture), advantage] for architecture, advantage in self._pending],
            "repeats": self._repeats,
            "drawn": np.array(self._drawn, dtype=np.int64).reshape(-1, width),
            "proposed": np.array(list(self._proposed), dtype=np.int64).reshape(-1, width),
            **self._results.state(),
        }
        for name, weights in self.policy.state_dict().items():
            state[_WEIGHTS + name] = weights.numpy().copy()
        for index, moments in self._adam.state_dict()["state"].items():
            for name, moment in moments.items():
                state[f"{_ADAM}{index}/{name}"] = moment.numpy().copy()
        return state

    def load_state_dict(self, state: StateDict) -> None:
        self._unread = None
        self._results.load(state)
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])
        self._baseline.load(cast("BaselineState", state["baseline"]))
        pending = cast("list[tuple[list[int], float]]", state["pending"])
        self._pending = [(as_architecture(architecture), advantage) for architecture, advantage in pending]
        self._repeats = cast("int", state["repeats"])
        self._drawn = [as_architecture(row) for row in cast("np.ndarray", state["drawn"])]
        self._proposed = dict.fromkeys(as_architecture(row) for row in cast("np.ndarray", state["proposed"]))
        arrays = {name: torch.tensor(value) for name, value in state.items() if isinstance(value, np.ndarray)}
        weights = {name.removeprefix(_WEIGHTS): t for name, t in arrays.items() if name.startswith(_WEIGHTS)}
        self._policy.load_state_dict(weights)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in arrays.items():
            if name.startswith(_ADAM):
                index, _, moment = name.removeprefix(_ADAM).partition("/")
                moments.setdefault(int(index), {})[moment] = tensor
        groups = self._adam.state_dict()["param_groups"]
        self._adam.load_state_dict({"state": moments, "param_groups": groups})

    @property
    def policy(self) -> Policy:
        """The policy as it is now, for `policy_file.write_policy`.

        A file to start from is read when the policy is first asked for, and not at all by a search that goes on: its state has the policy,
        wherever the file is by then.

        Raises:
            ConfigError: If the file can't be started from.
        """
        if self._unread is not None:
            start_from(self._policy, self._unread)
            self._unread = None
        return self._policy

    def _propose(self, architecture: Architecture) -> Architecture:
        self._proposed[architecture] = None
        return architecture

    def _draw(self) -> Architecture:
        """Return the next draw in canonical form; invalid ones are passed over, and where there are no others one is drawn uniformly."""
        for _ in range(_KNOWN * _DRAWS):
            if not self._drawn:
                self._drawn = self.policy.draw(_DRAWS, self._rng)
            drawn = self._drawn.pop(0)
            if self._space.valid(drawn):
                return self._space.canonical(drawn)
        return self._space.canonical(self._space.sample(self._rng))

    def _learn(self, architecture: Architecture) -> None:
        if self._results.succeeded(architecture):
            trained = self._results.trained
            advantage = self._baseline.advantage(float(self._results.values(trained)[trained.index(architecture)]))
        else:
            advantage = self._baseline.failure()
        self._pending.append((architecture, advantage))
        if len(self._pending) == self._settings.batch:
            self._update()
            self._pending.clear()
            self._drawn = []

    def _update(self) -> None:
        settings, told = self._settings, len(self._pending)
        best, merits = self._imitated()
        rows, active = self._tensors([*(architecture for architecture, _ in self._pending), *best])
        advantages = torch.tensor([advantage for _, advantage in self._pending])
        uniform, former = self.policy.uniform_entropy(active[:told]), None
        for _ in range(settings.epochs):
            log_probability, entropy = self.policy(rows, active)
            former = log_probability[:told].detach() if former is None else former
            ratio = (log_probability[:told] - former).clamp(max=_MOST_LOG_RATIO).exp()
            clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            gain = torch.minimum(ratio * advantages, clipped * advantages)
            missing = (settings.entropy_floor * uniform - entropy[:told]).clamp(min=0)
            loss = -gain.mean() - settings.entropy * entropy[:told].mean() + _DEFENCE * missing.mean()
            if best:
                loss = loss - settings.imitation * (merits * log_probability[told:]).mean()
            _step(self._adam, loss)

    def _imitated(self) -> tuple[list[Architecture], Tensor]:
        """Return the best networks so far, and by how many deviations they exceed the usual, at least 0."""
        if not self._settings.imitation or not (trained := self._results.trained):
            return [], torch.empty(0)
        values = self._results.values(trained)
        places = np.argsort(-values, kind="stable")[:_BEST]
        merits = [max(0.0, self._baseline.normalised(float(values[place]))) for place in places]
        return [trained[place] for place in places], torch.tensor(merits)

    def _openness(self, rows: Tensor, active: Tensor) -> float:
        """Return the entropy as a share of that of uniform draws."""
        with torch.no_grad():
            entropy = self.policy(rows, active)[1].mean()
            return float(entropy / self.policy.uniform_entropy(active).mean().clamp(min=1e-12))

    def _tensors(self, architectures: Sequence[Architecture]) -> tuple[Tensor, Tensor]:
        active = torch.tensor([self._space.active(architecture) for architecture in architectures])
        return torch.tensor(architectures, dtype=torch.int64), active


def _make_policy(space: SearchSpace, settings: PolicySettings, generator: torch.Generator) -> Policy:
    shape = space.choices, settings.hidden, settings.layers
    if settings.policy is PolicyKind.LSTM:
        return LstmPolicy(*shape, spread=settings.spread, generator=generator)
    if settings.policy is PolicyKind.TRANSFORMER:
        return TransformerPolicy(*shape, heads=4, generator=generator)
    return IndependentPolicy(space.choices)


def _step(adam: torch.optim.Adam, loss: Tensor) -> None:
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call] # torch has no types for it
    adam.step()
