"""The interface of every scheduling policy."""

from __future__ import annotations

from abc import ABC, abstractmethod

from schedulers.decision import Decision, SchedulingContext


class Scheduler(ABC):
    """Decides when to train and when to score; what is trained is not its business.

    `decide` is asked at each review time and whenever something changed: work finished, intensity moved, a budget window began.
    It is pure: the same context gives the same decision, nothing is remembered between calls (hysteresis reads
    `context.previous`), no clock or file is read. Options are keyword-only parameters of `__init__`.

    Implementers must keep `train_slots + score_slots <= context.slots`, must not give slots to work that is not there
    (`train_slots <= train_ready + train_running`, likewise for scoring), must return `review_at > context.now`, and must answer
    with no slots at all while a budget is exhausted. They may let training wait as long as they like: `schedulers.safety.SafetyLayer`,
    which every search puts around its policy, sees to it that nothing waits for ever, that nothing flaps, and that deadlines are met.
    `schedulers.testing.SchedulerConformance` checks the contract.
    """

    uses_forecast: bool = False
    """Whether `context.forecast` is wanted although the present intensity is known; it costs seconds of one core a day."""

    @abstractmethod
    def decide(self, context: SchedulingContext) -> Decision:
        """Return how many slots train and how many score until the next review, and why."""
