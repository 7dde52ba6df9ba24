"""Filling a round with proposals, a few at a time: to look at them can take long, and meanwhile whatever runs has to be metered."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from carbonnas.architecture import Architecture
from carbonnas.costs.screen import Screen
from carbonnas.plan import OpenRound
from carbonnas.strategies.strategy import Observation, SearchStrategy
from carbonnas.trials import Fidelity, TrialKind

_ASKS = 32
"""Of a strategy, at a time."""
_LOOKS = 1
"""At networks that have to be built for it, at a time: to count a large one takes a second or more."""
_ASKS_PER_PLACE = 50
"""How often a strategy may repeat itself, or miss the limits, before a round goes on with fewer proposals than planned."""
_ASKS_IN_VAIN = 1000
"""How often it may at least before a round goes on with none, which ends all proposing."""


@dataclass(slots=True)
class Allowance:
    """What may be done at a time: how often a strategy is asked, and how many networks are built to be looked at."""

    asks: int = _ASKS
    looks: int = _LOOKS

    @property
    def is_left(self) -> bool:
        """Whether anything may be done yet."""
        return self.asks > 0 and self.looks > 0


class Proposer:
    """Has a strategy fill rounds with architectures that are new and break no limit that is known beforehand.

    What is proposed does not depend on how much is done at a time.

    Args:
        strategy: Proposes; what breaks a limit it is told of as of a failed training.
        screen: Says what breaks a limit; `None` if nothing can.
        identify: Returns the canonical form of an architecture, and its key.
        key: Returns the key of an architecture that is canonical, which takes much less.
        size: How many proposals a round has at most, at least 1.
        fidelity: Of the training that is told as failed.
    """

    def __init__(
        self,
        strategy: SearchStrategy,
        screen: Screen | None,
        *,
        identify: Callable[[Architecture], tuple[Architecture, str]],
        key: Callable[[Architecture], str],
        size: int,
        fidelity: Fidelity,
    ) -> None:
        self._strategy = strategy
        self._screen = screen
        self._identify = identify
        self._key = key
        self._size = size
        self._fidelity = fidelity
        self._seen: tuple[OpenRound, set[str]] = (OpenRound(), set())

    def is_over(self, asks: int, proposed: int) -> bool:
        """Say whether a round is full, or was asked for often enough."""
        most = self._size * _ASKS_PER_PLACE
        return proposed == self._size or asks >= (most if proposed else max(most, _ASKS_IN_VAIN))

    def go_on(self, before: OpenRound, known: Collection[str], allowance: Allowance) -> OpenRound:
        """Return a round with some proposals more.

        Args:
            before: The round so far.
            known: Keys of what was proposed in other rounds.
            allowance: What may be done; what was done is taken from it.
        """
        asks, proposed = before.asks, list(before.proposed)
        dropped = {limit: list(architectures) for limit, architectures in before.dropped.items()}
        seen = self._keys(before)
        while allowance.is_left and not self.is_over(asks, len(proposed)):
            asks, allowance.asks = asks + 1, allowance.asks - 1
            architecture, key = self._identify(self._strategy.ask())
            if key in seen or key in known:
                continue
            seen.add(key)
            if (broken := self._look(architecture, allowance)) is None:
                proposed.append(architecture)
            else:
                dropped.setdefault(broken, []).append(architecture)
                self._strategy.tell(Observation(architecture, TrialKind.TRAIN, self._fidelity, {}, failed=True))
        after = OpenRound(asks, tuple(proposed), {limit: tuple(some) for limit, some in dropped.items()})
        self._seen = after, seen
        return after

    def _keys(self, round_: OpenRound) -> set[str]:
        """Return the keys of what was proposed and dropped in a round; those of the round that was returned last are remembered."""
        last, seen = self._seen
        if round_ is last:
            return seen
        kept = (round_.proposed, *round_.dropped.values())
        return {self._key(each) for architectures in kept for each in architectures}

    def _look(self, architecture: Architecture, allowance: Allowance) -> str | None:
        """Return the limit that an architecture breaks, if any is known to be broken."""
        if self._screen is None:
            return None
        allowance.looks -= self._screen.builds
        return self._screen.broken(architecture)


def standing(round_: OpenRound) -> str:
    """Return how a round stands that is being proposed, without a stop."""
    pruned = round_.pruned
    broken = f", {sum(pruned.values()):,} that break a limit" if pruned else ""
    return f"{round_.asks:,} proposals made so far, {len(round_.proposed):,} to be scored{broken}"


def why_nothing(round_: OpenRound) -> str:
    """Return what became of the proposals of a round that found nothing, without a stop."""
    pruned = round_.pruned
    repeated = round_.asks - sum(pruned.values())
    parts = [f'{count:,} break "{limit}"' for limit, count in pruned.items()]
    parts += [f"{repeated:,} had been made before"] if repeated else []
    return f"of {round_.asks:,} proposals in a row {' and '.join(parts)}"
