"""Scored architectures that wait for training."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from carbonnas.proxies.fusion import expand, fuse
from carbonnas.trials import Trial, TrialKind, TrialState


class CandidateQueue:
    """Orders what was scored by the fused ranks of its proxies.

    Raw scores are what is kept; ranks are fused each time they are read, over everything scored so far, because a score says
    nothing by itself and its rank changes with each new one.

    Args:
        proxies: Names of the proxies that count, at least one, ensembles among them; larger raw scores are better.

    Raises:
        ValueError: If no proxy is named.
    """

    def __init__(self, proxies: tuple[str, ...]) -> None:
        if not proxies:
            raise ValueError("candidates can't be ranked without a proxy: name at least one")
        self.proxies = expand(proxies)

    def best(self, scored: Sequence[Trial], promoted_keys: Collection[str], count: int) -> list[Trial]:
        """Return at most `count` scorings that deserve a training, best first.

        Networks that were promoted already take part in the ranking but are not returned. Of several scorings of the same network the
        first one counts. Ties go to the lower trial number.

        Args:
            scored: Trials in any order; those that are no completed scorings are left out.
            promoted_keys: Keys of the networks that were trained or chosen for training.
            count: How many to return, at least 0.

        Raises:
            ValueError: If `count` is negative.
        """
        if count < 0:
            raise ValueError(f"count can't be negative, got {count}")
        by_key: dict[str, Trial] = {}
        for trial in sorted(scored, key=lambda trial: trial.number):
            if trial.kind is TrialKind.SCORE and trial.state is TrialState.COMPLETED:
                by_key.setdefault(trial.key, trial)
        pool = list(by_key.values())
        fused = fuse([trial.metrics for trial in pool], self.proxies)
        ranked = sorted(zip(fused, pool, strict=True), key=lambda pair: -pair[0])
        return [trial for _, trial in ranked if trial.key not in promoted_keys][:count]
