"""The decisions of a search in order of time, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from carbon_sources.intensity import IntensitySample
from carbonnas.record import DecisionRecord
from carbonnas.trials import Trial
from schedulers.decision import Decision, Reason, ReasonCode

_LOOK_AGAIN = timedelta(hours=1)


class DecisionLog:
    """Decisions, oldest first; what is derived from them is the same after a restart."""

    def __init__(self, decisions: Sequence[DecisionRecord]) -> None:
        self._decisions = list(decisions)

    @property
    def last(self) -> DecisionRecord | None:
        """The newest decision."""
        return self._decisions[-1] if self._decisions else None

    def enter(self, record: DecisionRecord) -> bool:
        """Add a decision if it is news, and say whether it was."""
        news = self.last is None or record.is_news_after(self.last)
        if news:
            self._decisions.append(record)
        return news

    def waiting_since(self, train_ready: Sequence[Trial]) -> datetime | None:
        """Return since when trainings wait in vain; `None` if none is ready."""
        if not train_ready:
            return None
        since = min(trial.queued_at for trial in train_ready)
        last_allowed = next(
            (i for i in reversed(range(len(self._decisions))) if self._decisions[i].decision.train_slots > 0), None
        )
        if last_allowed is None or last_allowed + 1 == len(self._decisions):
            return since if last_allowed is None else max(since, self._decisions[last_allowed].time)
        return max(since, self._decisions[last_allowed + 1].time)


def rest(now: datetime, why: str) -> Decision:
    """Return the decision to do nothing, because of `why`."""
    return Decision(0, 0, Reason(ReasonCode.PAUSED, why), now + _LOOK_AGAIN)


def by_forecast(decision: Decision, expected: IntensitySample) -> Decision:
    """Say in the reason that the intensity was not known but expected."""
    reason = decision.reason
    return replace(decision, reason=replace(reason, text=f"{reason.text} (unknown; {expected.source})"))
