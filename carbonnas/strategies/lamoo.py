"""Multi-objective search by learned partitions of the space."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from carbonnas.architecture import Architecture, as_architecture, derive_seed
from carbonnas.objectives.objective import Direction, Objective
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.lamoo_draws import RegionDraws
from carbonnas.strategies.lamoo_tree import Region, TreeShape, best_region
from carbonnas.strategies.learning import learnable_value
from carbonnas.strategies.strategy import Observation, SearchStrategy, StateDict
from carbonnas.trials import Fidelity, FidelityName

_MARGIN = 0.1
"""How far below the worst values the reference point lies, in ranges of the values, so that extremes of the front count."""

_REMEMBERED = 1 << 15
"""Architectures whose features and canonical forms are kept."""

_Rank = tuple[int, int]


class Encoding(enum.StrEnum):
    """What the boundaries are learned in; the texts are those of configurations."""

    FEATURES = "features"
    """Whatever the space knows of an architecture."""
    OPTIONS = "options"
    """The option indices as coordinates, as the published program has it; wants options in a meaningful order."""


class LaMOO(SearchStrategy):
    """Learns which part of the space holds the good trade-offs and draws uniformly from it.

    All trained architectures are split into the half that the fewest others dominate and the rest, and a support vector machine
    with a polynomial kernel of degree 4 learns the boundary between them; both sides are split again. The leaf with
    the highest upper confidence bound on its hypervolume, `HV(leaf) + 2 Cp sqrt(2 ln n_parent / n_leaf)`, is sampled: uniform draws
    of the space until one is accepted by every boundary on the way to the leaf. Where none of a thousand draws is, the way is
    followed less far. Networks that were proposed or told already are passed over as long as there are others.

    Trainings of every fidelity are learned from; of the same network the one of the highest fidelity counts. Proposals are random
    until `initial` networks have a result. Failures and results that are not finite teach nothing.

    Zhao et al. 2022, "Multi-objective Optimization by Learning Space Partitions", ICLR. Deviations: the tree is limited in height;
    samples that equally many dominate stay together, what
    the boundaries are learned in is standardised.

    Args:
        space: What to search.
        objectives: All of them count; with a single one the hypervolume is the best value.
        seed: Decides the sequence of proposals.
        initial: Networks with a result before partitions are learned, at least 1.
        leaf: Most samples that are not split any more, at least 1.
        height: Most boundaries on the way to a leaf, at least 0.
        exploration: Cp as a share of the hypervolume of all samples, at least 0. Larger values go to leaves sampled little.
        reference: Reference point of the hypervolume: the worst value of interest of each objective, in its own unit and sign. Without
            one it is a tenth of the range seen so far below the worst.
        encoding: What the boundaries are learned in.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(  # noqa: PLR0913 - services, and the options that users set as keyword-only parameters
        self,
        space: SearchSpace,
        objectives: tuple[Objective, ...],
        seed: int,
        *,
        initial: int = 10,
        leaf: int = 10,
        height: int = 3,
        exploration: float = 0.1,
        reference: tuple[float, ...] | None = None,
        encoding: Encoding = Encoding.FEATURES,
    ) -> None:
        for name, value, least in (("initial", initial, 1), ("leaf", leaf, 1), ("height", height, 0)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if not 0 <= exploration < math.inf:
            raise ValueError(f"exploration must be at least zero and finite, got {exploration}")
        self._space = space
        self._objectives = objectives
        self._initial = initial
        self._shape = TreeShape(leaf, height, exploration)
        self._fixed_reference = None if reference is None else _larger_is_better(reference, objectives)
        self._ranks: dict[Architecture, _Rank] = {}
        self._values: dict[Architecture, tuple[float, ...]] = {}
        self._seen: dict[Architecture, None] = {}
        self._draws: RegionDraws | None = None
        self._draws_seed: int | None = None
        encode = space.features if encoding is Encoding.FEATURES else _coordinates
        self._features = functools.lru_cache(_REMEMBERED)(encode)
        self._canonical = functools.lru_cache(_REMEMBERED)(space.canonical)
        self._rng = np.random.default_rng(derive_seed(seed, "lamoo"))

    def ask(self) -> Architecture:
        if self._draws is None:
            self._draws = self._new_draws()
        found = self._draws.first_new(self._seen)
        proposal = self._draw(self._rng) if found is None else found
        self._seen[proposal] = None
        return proposal

    def tell(self, observation: Observation) -> None:
        self._space.validate(observation.architecture)
        architecture = self._canonical(observation.architecture)
        self._seen[architecture] = None
        values = [learnable_value(observation, objective) for objective in self._objectives]
        finite = tuple(value for value in values if value is not None)
        rank = _rank(observation.fidelity)
        if len(finite) < len(values) or rank < self._ranks.get(architecture, rank):
            return
        if self._values.get(architecture) != finite:
            self._draws = self._draws_seed = None
        self._ranks[architecture] = rank
        self._values[architecture] = finite

    def state_dict(self) -> StateDict:
        return {
            "rng": cast("dict[str, Any]", self._rng.bit_generator.state),
            "draws_seed": self._draws_seed,
            "seen": self._table(list(self._seen), np.int64, len(self._space.choices)),
            "trained": self._table(list(self._values), np.int64, len(self._space.choices)),
            "values": self._table(list(self._values.values()), np.float64, len(self._objectives)),
            "ranks": self._table(list(self._ranks.values()), np.int64, 2),
        }

    def load_state_dict(self, state: StateDict) -> None:
        seen, trained, values, ranks = (
            cast("np.ndarray", state[name]).tolist() for name in ("seen", "trained", "values", "ranks")
        )
        architectures = [as_architecture(row) for row in trained]
        self._seen = dict.fromkeys(as_architecture(row) for row in seen)
        self._values = {a: tuple(row) for a, row in zip(architectures, values, strict=True)}
        self._ranks = {a: (full, epochs) for a, (full, epochs) in zip(architectures, ranks, strict=True)}
        self._draws, self._draws_seed = None, cast("int | None", state["draws_seed"])
        self._rng.bit_generator.state = cast("dict[str, Any]", state["rng"])

    def _new_draws(self) -> RegionDraws:
        if self._draws_seed is None:
            self._draws_seed = int(self._rng.integers(2**63))
        region = self._learned() if len(self._values) >= self._initial else ()
        return RegionDraws(self._draw, self._features, region=region, seed=self._draws_seed)

    def _learned(self) -> Region:
        values = np.array(list(self._values.values()))
        features = np.array([self._features(architecture) for architecture in self._values])
        return best_region(features, values, self._reference(values), self._shape)

    def _reference(self, values: np.ndarray) -> np.ndarray:
        if self._fixed_reference is not None:
            return self._fixed_reference
        worst, best = values.min(axis=0), values.max(axis=0)
        return np.asarray(worst - _MARGIN * (best - worst))

    def _draw(self, rng: np.random.Generator) -> Architecture:
        return self._canonical(self._space.sample(rng))

    @staticmethod
    def _table(rows: Sequence[Sequence[float]], dtype: type[np.generic], columns: int) -> np.ndarray:
        return np.array(rows, dtype=dtype).reshape(len(rows), columns)


def _coordinates(architecture: Architecture) -> np.ndarray:
    return np.array(architecture, dtype=np.float64)


def _rank(fidelity: Fidelity) -> _Rank:
    return int(fidelity.name is FidelityName.FULL), fidelity.epochs


def _larger_is_better(reference: tuple[float, ...], objectives: tuple[Objective, ...]) -> np.ndarray:
    if len(reference) != len(objectives) or not all(math.isfinite(value) for value in reference):
        raise ValueError(f"reference must be {len(objectives)} finite values, one for each objective, got {reference}")
    signs = [1.0 if objective.direction is Direction.MAXIMIZE else -1.0 for objective in objectives]
    return np.asarray(np.array(signs) * np.array(reference))
