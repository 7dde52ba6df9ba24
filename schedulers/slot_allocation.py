"""What every policy answers alike: who gets slots, what a budget or the unknown allows, when to look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext

BLIND: Final = Reason(ReasonCode.BLIND, "the present intensity is unknown: nothing is trained until it is known")
"""Why training waits while `context.intensity` is `None`: an hour that can't be judged may be the dirtiest of the week."""

_NO_WORK: Final = ", no work is ready"
_NO_TRAINING: Final = ", but nothing is ready to train"
_NO_SCORING: Final = ", and nothing is left to score: rest"


def allot(context: SchedulingContext, most_training: int) -> tuple[int, int]:
    """Return slots for training, at most `most_training`, and for scoring; neither more than there is work for.

    Slots that training leaves free may score; slots that scoring leaves free never train, they rest.
    """
    progress = context.progress
    train = min(most_training, context.slots, progress.train_ready + progress.train_running)
    score = min(context.slots - train, progress.score_ready + progress.score_running)
    return train, score


def grant(context: SchedulingContext, most_training: int, reason: Reason, review_at: datetime) -> Decision:
    """Return the decision to train in at most `most_training` slots and to score in the others.

    Args:
        context: What is decided about.
        most_training: Slots that training may take, 0 to all of them.
        reason: Why not more and not fewer; where work is missing, its text goes on to say so.
        review_at: When to look again at the latest, UTC.
    """
    train, score = allot(context, most_training)
    text = reason.text
    for note in (_NO_WORK, _NO_TRAINING, _NO_SCORING):  # a reason taken over from an earlier decision may carry one
        text = text.removesuffix(note)
    return Decision(train, score, Reason(reason.code, text + _note(context, most_training)), review_at)


def _note(context: SchedulingContext, most_training: int) -> str:
    """Return how the reason's text has to go on so that nobody wonders about slots that are left empty."""
    progress = context.progress
    training = progress.train_ready + progress.train_running > 0
    scoring = progress.score_ready + progress.score_running > 0
    if not training and not scoring:
        return _NO_WORK
    if most_training > 0 and not training:
        return _NO_TRAINING
    return _NO_SCORING if most_training == 0 and not scoring else ""


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
    """Return the answer to exhausted budgets, no slot for anything, or `None` while there is something left of each.

    What `AtLimit` asks for happens before: work that does not fit what is left is not started. The review comes when the first of their
    windows ends, or `review` from now if that is sooner.
    """
    exhausted = [state for state in context.budgets if state.exhausted]
    if not exhausted:
        return None
    ends = (state.window.end for state in exhausted if state.window is not None)
    review_at = min((context.now + review, *(end for end in ends if end > context.now)))
    state, budget = exhausted[0], exhausted[0].budget
    text = f"{state.spent_g:.4g} g of the {budget.limit_g:.4g} g per {budget.window.value} are spent: nothing runs"
    if not state.surely_exhausted:
        may_be = state.spent_g + state.doubt_g
        text = (
            f"up to {may_be:.4g} g of the {budget.limit_g:.4g} g per {budget.window.value} may be spent, as much of that energy has no price yet:"
            " nothing runs until it has"
        )
    return Decision(0, 0, Reason(ReasonCode.BUDGET_EXHAUSTED, text), review_at)
