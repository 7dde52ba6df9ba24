"""What every policy answers alike: who gets slots, what a budget or the unknown allows, when to look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from schedulers.budget import AtLimit, BudgetState
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext

BLIND: Final = Reason(ReasonCode.BLIND, "the present intensity is unknown: nothing is trained until it is known")
"""Why training waits while `context.intensity` is `None`: an hour that can't be judged may be the dirtiest of the week."""


def allot(context: SchedulingContext, most_training: int) -> tuple[int, int]:
    """Return slots for training, at most `most_training`, and for scoring; neither more than there is work for.

    Slots that training leaves free may score; slots that scoring leaves free never train, they rest.
    """
    progress = context.progress
    train = min(most_training, context.slots, progress.train_ready + progress.train_running)
    score = min(context.slots - train, progress.score_ready + progress.score_running)
    return train, score


def train_first(context: SchedulingContext) -> tuple[int, int]:
    """Return slots for as much training as there is; what is left scores."""
    return allot(context, context.slots)


def score_only(context: SchedulingContext) -> tuple[int, int]:
    """Return no slot for training and as many for scoring as there is work."""
    return allot(context, 0)


def checked_review(review: timedelta) -> timedelta:
    """Return `review`, the longest time between two decisions; `ValueError` unless it is above zero."""
    if review <= timedelta(0):
        raise ValueError(f"review must be above zero, got {review}")
    return review


def next_review(context: SchedulingContext, review: timedelta) -> datetime:
    """Return the end of the present intensity sample, or `review` from now if that is sooner or no sample is known."""
    latest = context.now + review
    if context.intensity is None:
        return latest
    return min(latest, context.intensity.interval.end)


def budget_decision(context: SchedulingContext, review: timedelta) -> Decision | None:
    """Return the answer to exhausted budgets, or `None` while there is something left of each.

    One that stops or waits leaves no slot at all, even beside others that would let scoring go on. The review comes when the first
    of their windows ends, or `review` from now if that is sooner.
    """
    exhausted = [state for state in context.budgets if state.exhausted]
    if not exhausted:
        return None
    resting = [state for state in exhausted if state.budget.at_limit is not AtLimit.SCORE_ONLY]
    train, score = (0, 0) if resting else score_only(context)
    ends = (state.window.end for state in exhausted if state.window is not None)
    review_at = min((context.now + review, *(end for end in ends if end > context.now)))
    reason = Reason(ReasonCode.BUDGET_EXHAUSTED, _spent_text((resting or exhausted)[0], resting=bool(resting)))
    return Decision(train, score, reason, review_at)


def _spent_text(state: BudgetState, *, resting: bool) -> str:
    budget = state.budget
    outcome = "nothing runs" if resting else "only scoring runs"
    return f"{state.spent_g:.4g} g of the {budget.limit_g:.4g} g per {budget.window.value} are spent: {outcome}"
