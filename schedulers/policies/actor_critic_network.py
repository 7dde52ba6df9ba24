"""The learned allocator's actor in numpy: what a decision needs, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import numpy as np

from schedulers.policies.actor_critic_state import MONOTONE, OTHERS, Array

CLASSES: Final = 11
"""Actions: 0 to 10 tenths of the slots train."""
CHECKPOINT: Final = Path(__file__).parents[1] / "data" / "actor_critic.safetensors"
"""What comes with the package; where it is from stands in PROVENANCE.md beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A network that gives training fewer slots the dirtier the present hour is, whatever it learnt.

    With `d` how dirty the present hour is and `x` everything else,

        h = tanh(x A - d P + b),  g = tanh(h Q + x B + c),  f = g q + x a - d p + e,  P(action >= k) = 1 / (1 + exp(t_k - f)),

    where no element of P, Q, q and p is negative and t does not decrease. So f, each of the probabilities and the expected action
    never rise with any element of d: a partially monotone network (Daniels and Velikova 2010, "Monotone and Partially Monotone
    Neural Networks", IEEE Transactions on Neural Networks 21(6)) with the cumulative logits of ordinal regression (McCullagh 1980,
    "Regression Models for Ordinal Data").

    Attributes:
        other_first: A, shape (`OTHERS`, hidden).
        dirty_first: P, shape (`MONOTONE`, hidden).
        bias_first: b, shape (hidden,).
        first_second: Q, shape (hidden, hidden).
        other_second: B, shape (`OTHERS`, hidden).
        bias_second: c, shape (hidden,).
        second_last: q, shape (hidden,).
        other_last: a, shape (`OTHERS`,).
        dirty_last: p, shape (`MONOTONE`,).
        bias_last: e, shape (1,).
        thresholds: t, shape (`CLASSES` - 1,).

    Raises:
        ValueError: If a shape is wrong, or a weight would break the monotony.
    """

    other_first: Array
    dirty_first: Array
    bias_first: Array
    first_second: Array
    other_second: Array
    bias_second: Array
    second_last: Array
    other_last: Array
    dirty_last: Array
    bias_last: Array
    thresholds: Array
    _seen: Array = field(init=False, repr=False)
    _bias: Array = field(init=False, repr=False)
    """What meets the inputs, side by side: one product is faster than six, which years of decisions feel."""

    def __post_init__(self) -> None:
        hidden = len(self.bias_first)
        shapes: dict[str, tuple[int, ...]] = {
            "other_first": (OTHERS, hidden),
            "dirty_first": (MONOTONE, hidden),
            "bias_first": (hidden,),
            "first_second": (hidden, hidden),
            "other_second": (OTHERS, hidden),
            "bias_second": (hidden,),
            "second_last": (hidden,),
            "other_last": (OTHERS,),
            "dirty_last": (MONOTONE,),
            "bias_last": (1,),
            "thresholds": (CLASSES - 1,),
        }
        for name, shape in shapes.items():
            found = getattr(self, name)
            if found.shape != shape or not np.isfinite(found).all():
                raise ValueError(f"{name} must be finite and of shape {shape}, got shape {found.shape}")
        for name in ("dirty_first", "first_second", "second_last", "dirty_last"):
            if (getattr(self, name) < 0).any():
                raise ValueError(f"{name} must not be negative: dirtier hours would train more")
        if (np.diff(self.thresholds) < 0).any():
            raise ValueError("thresholds must not decrease")
        dirty = (-self.dirty_first, np.zeros((MONOTONE, hidden)), -self.dirty_last[:, None])
        other = (self.other_first, self.other_second, self.other_last[:, None])
        object.__setattr__(self, "_seen", np.block([list(dirty), list(other)]))
        object.__setattr__(self, "_bias", np.concatenate((self.bias_first, self.bias_second, self.bias_last)))

    def at_least(self, dirtiness: Array, others: Array) -> Array:
        """Return how likely each action above zero, or a higher one, is; shape (n, `CLASSES` - 1), not increasing along the row.

        Args:
            dirtiness: Shape (n, `MONOTONE`), as `observe` returns it.
            others: Shape (n, `OTHERS`), as `observe` returns it.
        """
        hidden = len(self.bias_first)
        seen = np.concatenate((dirtiness, others), axis=1) @ self._seen + self._bias
        first = np.tanh(seen[:, :hidden])
        second = np.tanh(first @ self.first_second + seen[:, hidden:-1])
        level = second @ self.second_last + seen[:, -1]
        # The logistic function, written so that it can't overflow.
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * (level[:, None] - self.thresholds)), dtype=np.float64)

    def expected_share(self, dirtiness: Array, others: Array) -> Array:
        """Return the expected share of the slots that train, 0..1; shape (n,). Arguments as for `at_least`."""
        return np.asarray(np.add.reduce(self.at_least(dirtiness, others), axis=1) / (CLASSES - 1), dtype=np.float64)


def read_actor(path: Path) -> Actor:
    """Return the actor that a safetensors file holds.

    Raises:
        ValueError: If a tensor is missing or does not fit.
        OSError: If the file can't be read.
    """
    from safetensors.numpy import load

    tensors = load(path.read_bytes())
    names = [each.name for each in fields(Actor) if each.init]
    if missing := [name for name in names if name not in tensors]:
        raise ValueError(f"{path} holds no {', '.join(missing)}: it was not written by this version")
    return Actor(**{name: tensors[name].astype(np.float64) for name in names})
