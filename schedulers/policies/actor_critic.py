"""Let a network that was trained on years of traces share the slots."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

import numpy as np

from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import HOUR
from carbon_sources.units import Duration
from schedulers.decision import Decision, Reason, ReasonCode, SchedulingContext
from schedulers.planning import checked_stretch, usable_width
from schedulers.policies.actor_critic_network import CHECKPOINT, Actor, read_actor
from schedulers.policies.actor_critic_state import COMING_H, Situation, observe_one
from schedulers.scheduler import Scheduler
from schedulers.slot_allocation import BLIND, budget_decision, checked_review, grant, next_review
from schedulers.windows import Trailing, TrailingWindow

_WEEK: Final = timedelta(days=7)
_MIN_HISTORY: Final = timedelta(days=1)
_UNKNOWN_WORK: Final = timedelta(hours=COMING_H)
"""For how long work goes on of which nobody knows how much there is, and which has no deadline: as far as is looked ahead."""
_DAY_H: Final = 24
_SHORTEST: Final = timedelta(seconds=1)
_ENDED: Final = attrgetter("interval.end")


class ActorCritic(Scheduler):
    """The allocator of CE-NAS, mended: an actor trained by advantage actor-critic gives training its share of the slots.

    Zhao et al. 2024, "CE-NAS: An End-to-End Carbon-Efficient Neural Architecture Search Framework" (NeurIPS 2024). As there, the state is
    the time that is left, the intensity and how far the search is, the action one of a few shares of the slots, and the reward progress less
    emissions. What is different:

    * It was trained before it is used, in a simulator over years of traces, and the weights come with the package; there it learns from
      random weights while the search runs.
    * Credit is given over time: an hour that is waited for pays later, and emissions are not discounted.
    * Intensities are measured in standard deviations of the trailing week, never of the future, and the forecast of the hours to come
      is part of the state, as it was issued and with the error that it shows in the present hour carried on.
    * Whatever it learnt, a dirtier present hour never gets more slots when all else is equal (see `Actor`).
    * The state has no hypervolume, which there is the initial one for ever: a scheduler knows nothing of quality. The share of the trainings
      that have ended and the slot time that is left stand for progress; the reward knew the hypervolume that a search finds on average
      by then.
    * The action is the expected one and no draw: the same context gives the same decision.

    Without a deadline the work is taken to be due in `stretch` times the time that it takes without a pause, counted from now. While
    nothing is known of how much work is left, it is taken to need one part in `stretch` of the time until the deadline, or of two days.
    Without a forecast each hour is expected to be as it was the day before; what lies beyond what is known, to be like the past week.

    Args:
        stretch: How many times as long as without a pause the work that is left may take without a deadline, 1 to 1000.
        review: Longest time between two decisions, above zero.

    Raises:
        ValueError: If an option is out of range.
    """

    uses_forecast = True

    def __init__(self, *, stretch: float = 2.0, review: Duration = timedelta(hours=1)) -> None:
        self._stretch = checked_stretch(stretch)
        self._review = checked_review(review)
        self._past = TrailingWindow(_WEEK, _MIN_HISTORY)
        self._actor: Actor = read_actor(CHECKPOINT)

    def decide(self, context: SchedulingContext) -> Decision:
        stopped = budget_decision(context, self._review)
        if stopped is not None:
            return stopped
        most_training, reason = self._judge(context)
        return grant(context, most_training, reason, next_review(context, self._review))

    def _judge(self, context: SchedulingContext) -> tuple[int, Reason]:
        """Return how many slots training may have, and why."""
        if context.intensity is None:
            return 0, BLIND
        past = self._past.known(context)
        if past is None:
            return context.slots, self._past.no_history
        situation = _situation(context, context.intensity.g_per_kwh, past, self._stretch)
        dirtiness, others = observe_one(situation)
        share = float(self._actor.expected_share(np.array([dirtiness]), np.array([others]))[0])
        width = usable_width(context)
        most_training = int(share * width + 0.5)
        text = (
            f"{context.intensity.g_per_kwh:.4g} g/kWh after a week of {situation.mean:.4g} on average: the trained allocator gives"
            f" {100 * share:.0f} % of {width} slots to training, {most_training}"
        )
        return most_training, Reason(ReasonCode.LEARNED, text)


def _situation(context: SchedulingContext, present: float, past: Trailing, stretch: float) -> Situation:
    hours_left, load = _task(context, stretch)
    mean = past.mean
    return Situation(
        present=present,
        mean=mean,
        deviation=past.deviation,
        cleaner=past.cleaner_than(present),
        expected=_expected(context, present, mean),
        hours_left=hours_left,
        load=load,
        share_done=context.progress.share_done,
        slots=usable_width(context),
    )


def _task(context: SchedulingContext, stretch: float) -> tuple[float, float]:
    """Return the hours until the work is due, above zero, and the share of their slot time that it needs, 0..1."""
    progress = context.progress
    needed = None if progress.training_left is None else progress.training_left / usable_width(context)
    if progress.deadline is not None:
        left = max(progress.deadline - context.now, _SHORTEST)
    else:
        left = _UNKNOWN_WORK if needed is None else max(stretch * needed, _SHORTEST)
    return left / HOUR, 1 / stretch if needed is None else min(needed / left, 1.0)


def _expected(context: SchedulingContext, present: float, otherwise: float) -> list[float]:
    """Return what is expected of now, one hour from now and so on, in g/kWh; `otherwise` of what nothing is expected.

    The forecast is taken as it was issued, before the present was known, so that none of it changes with the present intensity.
    """
    if context.forecast is not None and context.forecast.series.samples:
        samples = context.forecast.series.samples
        known = _hour_by_hour(samples, context.now) or [present, *_hour_by_hour(samples, context.now + HOUR)]
        return [*known, *[otherwise] * (COMING_H + 1)][: COMING_H + 1]
    ended = bisect_right(context.history.samples, context.now, key=_ENDED)
    yesterday = _hour_by_hour(context.history.samples[:ended], context.now - _DAY_H * HOUR)[:_DAY_H]
    day = [*yesterday, *[otherwise] * (_DAY_H - len(yesterday))]
    return [day[lead % _DAY_H] for lead in range(COMING_H + 1)]


def _hour_by_hour(samples: tuple[IntensitySample, ...], instant: datetime) -> list[float]:
    """Return the intensity at an instant, an hour later and so on, at most `COMING_H` + 1 values and up to the first gap."""
    values: list[float] = []
    for place in range(bisect_right(samples, instant, key=_ENDED), len(samples)):
        sample = samples[place]
        interval = sample.interval
        if interval.start > instant or len(values) > COMING_H:
            break
        end = interval.end
        while instant < end:
            values.append(sample.g_per_kwh)
            instant += HOUR
    return values[: COMING_H + 1]
