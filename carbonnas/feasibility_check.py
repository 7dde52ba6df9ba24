"""Whether deadline and budgets of a configuration leave room for its trainings, asked before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.archive import IntensityArchive
from carbon_sources.clock import Clock
from carbon_sources.forecasting.desk import ForecastDesk
from carbon_sources.monitor import IntensityMonitor
from carbonnas.config import SearchConfig
from carbonnas.errors import CarbonNASError
from carbonnas.grid import make_forecaster, make_source, polling
from carbonnas.plan import PlanPosition
from carbonnas.plugins import ENERGY_METERS
from carbonnas.trials import Fidelity, FidelityName
from carbonnas.work_left import scaled_seconds, trainings_left
from schedulers.budget import SET_ASIDE, EmissionBudget, Window
from schedulers.decision import Progress, SchedulingContext
from schedulers.feasibility import Feasibility, Verdict, check_feasible, longest_makespan
from schedulers.outlook import Outlook
from schedulers.training_room import TrainingLoad

OutlookUntil = Callable[[datetime], Outlook]
"""What is expected of the grid from the start of the search to an instant, or as far as anything is."""

_FARTHEST = timedelta(days=62)
"""Nothing is guessed of a later time."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a search may not come to its end.

    Attributes:
        refused: Whether it can't by all that is expected; else that could not be found out, or is a guess.
        sentence: What does not fit and what would, or what could not be found out; for people, without a full stop.
        found: The answer in numbers, where there is one.
    """

    refused: bool
    sentence: str
    found: Feasibility | None = None


def expected_outlook(config: SearchConfig, clock: Clock, archive: IntensityArchive, until: datetime) -> Outlook:
    """Return what a new search of a configuration would expect of the grid; its source is asked.

    The forecaster does what it can without a lesson, which takes too long to wait for.

    Args:
        config: The configuration.
        clock: Clock of the search.
        archive: Keeps what is fetched.
        until: How far to look ahead, UTC.

    Raises:
        ConfigError: If source or forecaster refuse their options, or a token is missing.
    """
    source = make_source(config.carbon_source, clock, archive)
    choice, now = config.forecaster, clock.now()
    desk = ForecastDesk(
        lambda: make_forecaster(choice, source, archive),
        choice.use,
        source.history,
        config.forecasting.times,
        lambda _lesson: None,
    )
    seen = IntensityMonitor(source, polling(config, source), desk).observe(now, with_forecast=True)
    context = SchedulingContext(
        now=now,
        slots=config.search.slots,
        intensity=seen.current or seen.expected,
        history=seen.series.before(now),
        forecast=seen.forecast,
        budgets=(),
        progress=Progress(0, 0, 0, 0, None, now),
        previous=None,
    )
    return Outlook.of(context, until)


def doubt_about(config: SearchConfig, start: datetime, outlook_until: OutlookUntil) -> Doubt | None:
    """Return why a new search may not come to its end, or `None` if nothing speaks against it.

    Args:
        config: Its configuration.
        start: When it begins, UTC.
        outlook_until: What is expected of the grid; only asked if budgets can be reckoned.
    """
    length = config.search.deadline
    deadline = None if length is None else start + length
    # Without a deadline what does not fit the windows of today may fit those of next month.
    budgets = tuple(b.budget for b in config.budgets if deadline is not None or b.window is Window.SEARCH)
    if deadline is None and not budgets:
        return None
    powers = _powers(config) if budgets else None
    load = _load(config, powers or (0.0, 0.0))
    if load is None:
        return _unsure(
            "whether all trainings can be done is not known beforehand: training_time in [search] would tell how long one takes"
        )
    if powers is not None:
        return _doubt_about_budgets(config, load, start, budgets, outlook_until=outlook_until)
    found = check_feasible(load, Outlook((), ()), start=start, deadline=deadline)
    if found.verdict is Verdict.FITS and budgets:
        return _unsure("whether the budgets are enough is not known before the first training has ended")
    return _doubt(found)


def _doubt_about_budgets(
    config: SearchConfig,
    load: TrainingLoad,
    start: datetime,
    budgets: Sequence[EmissionBudget],
    *,
    outlook_until: OutlookUntil,
) -> Doubt | None:
    length, horizon = config.search.deadline, config.forecasting.horizon
    deadline = None if length is None else start + length
    outlook = outlook_until(start + min(max(length or horizon, horizon), _FARTHEST))
    found = check_feasible(load, outlook, start=start, deadline=deadline, budgets=budgets)
    if found.verdict is not Verdict.UNKNOWN or length is None or length > _FARTHEST:
        return _doubt(found)
    longer = outlook.gone_on(length.total_seconds())
    guess = check_feasible(load, longer, start=start, deadline=deadline, budgets=budgets)
    if guess.verdict is Verdict.DOES_NOT_FIT:
        return _unsure(f"{guess.sentence} ({longer.note})")
    return _doubt(guess)


def _unsure(sentence: str) -> Doubt:
    return Doubt(refused=False, sentence=sentence)


def _doubt(found: Feasibility) -> Doubt | None:
    refused = found.verdict is Verdict.DOES_NOT_FIT
    return None if found.verdict is Verdict.FITS else Doubt(refused, found.sentence, found)


def _load(config: SearchConfig, powers: tuple[float, float]) -> TrainingLoad | None:
    """Return all trainings of the plan, or `None` if nobody says how long they take."""
    search, shape = config.search, config.search.plan
    seconds_of = scaled_seconds({}, search.training_s)
    ranking_s = seconds_of(Fidelity(FidelityName.SEARCH, search.epochs))
    if ranking_s is None:
        return None
    full_s = seconds_of(Fidelity(FidelityName.FULL, search.full_epochs)) or 0.0 if search.full_epochs else 0.0
    lengths_s = {FidelityName.SEARCH: ranking_s, FidelityName.FULL: full_s}
    counts = trainings_left(shape, PlanPosition(), with_final=search.full_epochs is not None)
    width = min(search.slots, shape.width)
    total_s = sum(count * lengths_s[name] for name, count in counts.items())
    # The winner's training waits for all others; every so many rounds a proposal waits for what came of an earlier one.
    last_s = 0.0 if shape.full_per_round else full_s
    link_s = sum(lengths_s[name] for name in counts if shape.size(name))
    chain_s = math.ceil(shape.rounds / (shape.lookahead_rounds + 1)) * link_s
    shortest_s = max((total_s - last_s) / width, chain_s) + last_s
    longest = longest_makespan(timedelta(seconds=total_s), width, timedelta(seconds=chain_s + last_s))
    kept_free = config.safety.deadline_margin * timedelta(seconds=total_s / width)
    at_once_s = max(last_s, width * max(lengths_s[name] for name in counts if shape.size(name)))
    return TrainingLoad(
        timedelta(seconds=total_s),
        width,
        *powers,
        chain=timedelta(seconds=shortest_s),
        spare_time=max(longest - timedelta(seconds=shortest_s), timedelta(0)) + kept_free,
        spare_j=SET_ASIDE * powers[0] * at_once_s,
    )


def _powers(config: SearchConfig) -> tuple[float, float] | None:
    """Return what a slot that trains, and what the node at rest draws in W, where that is stated and not measured; `None` else."""
    try:
        meter = ENERGY_METERS.create(config.energy.use, config.energy.options, {"slots": config.search.slots})
        stated = meter.stated()
    except (ValueError, CarbonNASError):
        # What is wrong with the meter is told where the search is made.
        return None
    if stated.training_w is None or stated.resting_w is None:
        return None
    return config.accounting.pue * stated.training_w, config.accounting.pue * stated.resting_w
