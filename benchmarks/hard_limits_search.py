"""Random searches with limits: drawn from a seed, and run as every simulation is."""

from __future__ import annotations

import functools
import random
import tempfile
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.hard_limits_world import (
    DrawnWorkbench,
    Error,
    Grid,
    Told,
    UnreliableSource,
    Work,
    WrongForecaster,
    draw_grid,
    one_of,
)
from carbon_sources.forecasting.desk import ForecastDesk, ForecastTimes, at_once
from carbon_sources.interval import HOUR, full_hour
from carbon_sources.monitor import IntensityMonitor, Polling
from carbon_sources.units import J_PER_KWH
from carbonnas.config import (
    AccountingSection,
    BudgetSection,
    ClockSection,
    SafetySection,
    SearchConfig,
    SearchSection,
)
from carbonnas.driver import drive
from carbonnas.emissions import EmissionEntry
from carbonnas.plugins import PluginChoice
from carbonnas.record import DecisionRecord, StopReason
from carbonnas.status import SearchStatus
from carbonnas.storage.memory import MemoryStore
from carbonnas.trials import Fidelity, Trial, TrialKind
from carbonnas.wiring import Substitutes, open_search, search_id_for
from schedulers.budget import AtLimit, BudgetState, Window

MINUTE = timedelta(minutes=1)
_WINDOWS = (Window.SEARCH, Window.DAY, Window.WEEK, Window.MONTH)

_BLIND = PluginChoice("carbon_blind")
_COUNTING_REST = ("lowest_window", "suspend_resume", "oracle")
"""Schedulers that are asked whether rest counts."""
_ZONES = ("UTC", "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe")
_MOST_VALUES = 1000
"""Values of a grid, so that a search is simulated in a fraction of a second."""
_FOR_EVER = timedelta(days=3650)
_STEPS = tuple(minutes * MINUTE for minutes in (5, 15, 30, 60))


@dataclass(frozen=True, slots=True)
class Training:
    """A training of a search: its number in the plan, its fidelity and its slot seconds, near zero if it fails."""

    number: int
    fidelity: Fidelity
    seconds: float


@dataclass(frozen=True, slots=True)
class Case:
    """One random search.

    Attributes:
        seed: What it was drawn from.
        config: Its configuration.
        grid: Its grid.
        error: How its forecaster is wrong.
        work: How long its work takes.
        polling: How its source is asked.
        horizon: When it is paused for good if it has not ended, after its start.
        blind_for: How long it takes if it never waits and has no budgets.
        blind_trainings: Its trainings then.
        told_well: Whether no training takes longer than the configuration says, if it says anything.
        binding: Whether its budgets may stop it.
        slot_w: Most that a slot draws.
        idle_w: What the node draws besides.
    """

    seed: int
    config: SearchConfig
    grid: Grid
    error: Error
    work: Work
    polling: Polling
    horizon: timedelta
    blind_for: timedelta
    blind_trainings: tuple[Training, ...]
    told_well: bool
    binding: bool
    slot_w: float
    idle_w: float

    @property
    def start(self) -> datetime:
        """First instant."""
        return _start_of(self.config)


@dataclass(slots=True)
class Ran:
    """What became of a search.

    Attributes:
        ticks: The instants at which it looked at the world.
        told: What its source told it.
        entries: Its ledger.
        trials: Its trials.
        decisions: Its decisions.
        budgets: How its budgets stood in its own view at the end.
        exhausted: Whether one of them was exhausted at some time, in its own view.
        stop_reason: Why it ended, or `None` if it was paused.
        took: How long it took.
    """

    ticks: list[datetime] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    entries: list[EmissionEntry] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    decisions: list[DecisionRecord] = field(default_factory=list)
    budgets: tuple[BudgetState, ...] = ()
    exhausted: bool = False
    stop_reason: StopReason | None = None
    took: timedelta = timedelta(0)


def draw(seed: int) -> Case:
    """Return the random search of a seed."""
    rng = random.Random(seed)  # noqa: S311 -- repeatable
    search, work, told_well = _draw_work(rng, seed)
    watts = {
        "train": rng.uniform(50, 1000),
        "score": rng.uniform(0, 300),
        "idle": rng.choice((0.0, rng.uniform(1, 200))),
    }
    config = _draw_config(rng, search, watts)
    blind = run(_still(seed, config, work, watts))
    binding = rng.random() < 0.55
    deadline = _draw_deadline(rng, blind.took, likely=not binding)
    horizon = max(12 * HOUR, min(25 * 24 * HOUR, 2.5 * (deadline or 4 * blind.took)))
    step = rng.choice([step for step in _STEPS if horizon / step < 0.6 * _MOST_VALUES])
    lookback = min(8 * 24 * HOUR, 0.4 * _MOST_VALUES * step)
    start = _start_of(config)
    grid = draw_grid(rng, full_hour(start - lookback - step), start + horizon + 24 * HOUR, step)
    budgets = _draw_budgets(rng, blind, grid, config, binding=binding)
    config = config.model_copy(
        update={
            "search": search.model_copy(update={"deadline": deadline}),
            "budgets": budgets,
            "scheduler": _draw_count_rest(seed, _draw_scheduler(rng)),
        }
    )
    overlap = min(24 * HOUR, 60 * step)
    return Case(
        seed=seed,
        config=config,
        grid=grid,
        error=rng.choice(list(Error)),
        work=work,
        polling=Polling(config.accounting.poll_interval, lookback, overlap, 2 * overlap),
        horizon=horizon,
        blind_for=blind.took,
        blind_trainings=_trainings(blind),
        told_well=told_well,
        binding=binding,
        slot_w=max(watts["train"], watts["score"]),
        idle_w=watts["idle"],
    )


def _draw_config(rng: random.Random, search: SearchSection, watts: Mapping[str, float]) -> SearchConfig:
    """Return a configuration without deadline and budgets."""
    return SearchConfig(
        search=search,
        space=PluginChoice("nasbench201"),
        strategy=PluginChoice(rng.choice(("random", "regularized_evolution"))),
        scoring=PluginChoice("tabular"),
        training=PluginChoice("tabular"),
        carbon_source=PluginChoice("trace"),
        scheduler=_BLIND,
        energy=PluginChoice("constant_power", {name: f"{power} W" for name, power in watts.items()}),
        executor=PluginChoice("simulated", _switching(rng)),
        safety=_draw_safety(rng),
        accounting=AccountingSection(
            pue=rng.choice((1.0, rng.uniform(1, 2))),
            bound_g_per_kwh=rng.choice((1050.0, 1050.0, 3000.0)),
            poll_interval=rng.choice((5, 15, 60)) * MINUTE,
        ),
        clock=ClockSection(use="simulated", start=_draw_start(rng)),
    )


def run(case: Case) -> Ran:
    """Run the search of a case with the production code on the virtual clock."""
    config, source, ran = case.config, UnreliableSource(case.grid), Ran()
    store, search_id, stop = MemoryStore(), search_id_for(config, 1), threading.Event()
    end = case.start + case.horizon

    def watch(status: SearchStatus) -> None:
        ran.ticks.append(status.now)
        ran.exhausted = ran.exhausted or any(state.exhausted for state in status.budgets)
        ran.budgets, ran.stop_reason = status.budgets, status.stop_reason
        if status.now >= end:
            stop.set()

    substitutes = Substitutes(
        monitor=IntensityMonitor(source, case.polling, _desk(case, source)),
        workbench=DrawnWorkbench(case.work),
        scheduler_services={"actual": case.grid.actual},
    )
    with tempfile.TemporaryDirectory(prefix="hard-limits-") as folder:
        drive(
            open_search(config, "", store, search_id=search_id, state_folder=Path(folder), substitutes=substitutes),
            watch,
            stop,
        )
    ran.told, ran.entries = source.told, store.entries(search_id)
    ran.trials, ran.decisions = store.trials(search_id), store.decisions(search_id)
    ran.took = ran.ticks[-1] - case.start
    return ran


def unlimited(case: Case) -> Case:
    """Return the same search without being told of its budgets and its deadline."""
    search = case.config.search.model_copy(update={"deadline": None})
    return replace(case, config=case.config.model_copy(update={"budgets": (), "search": search}))


def _desk(case: Case, source: UnreliableSource) -> ForecastDesk:
    times = ForecastTimes(48 * HOUR, 48 * HOUR, 24 * HOUR)
    return ForecastDesk(lambda: WrongForecaster(case.error, case.seed), "wrong", source.lesson, times, at_once)


def _trainings(ran: Ran) -> tuple[Training, ...]:
    seconds = defaultdict[int | None, float](float)
    for entry in ran.entries:
        seconds[entry.owner.trial] += entry.priced.sample.interval.seconds
    trainings = (trial for trial in ran.trials if trial.kind is TrialKind.TRAIN)
    return tuple(Training(trial.number, trial.fidelity, seconds[trial.number]) for trial in trainings)


def _start_of(config: SearchConfig) -> datetime:
    if config.clock.start is None:
        raise ValueError("a simulated search has a first instant")
    return config.clock.start


def _still(seed: int, config: SearchConfig, work: Work, watts: Mapping[str, float]) -> Case:
    """Return a search on a grid of which nothing is ever known: it never waits."""
    return Case(
        seed=seed,
        config=config,
        grid=Grid(full_hour(_start_of(config)), HOUR, ((),), ()),
        error=Error.SILENT,
        work=work,
        polling=Polling(24 * HOUR, 24 * HOUR, HOUR),
        horizon=_FOR_EVER,
        blind_for=_FOR_EVER,
        blind_trainings=(),
        told_well=True,
        binding=False,
        slot_w=max(watts["train"], watts["score"]),
        idle_w=watts["idle"],
    )


def _draw_work(rng: random.Random, seed: int) -> tuple[SearchSection, Work, bool]:
    epochs = rng.choice((1, 3, 12))
    work = Work(
        seed=seed,
        training_s=60 * rng.choice((rng.uniform(2, 20), rng.uniform(10, 90))),
        spread=rng.choice((1.0, 1.2, 2.0)),
        epochs=epochs,
        scoring_s=rng.choice((rng.uniform(1, 30), rng.uniform(30, 600))),
        failing=rng.choice((0.0, 0.0, 0.1, 0.4)),
        interrupted=rng.choice((0.0, 0.0, 0.2)),
    )
    stated_s = rng.choice(
        (None, work.longest_s, work.longest_s * rng.uniform(1, 2), work.training_s * rng.uniform(0.2, 5))
    )
    score = rng.randint(1, 6)
    train = rng.randint(1, min(4, score))
    full = rng.choice((0, 0, 1))
    search = SearchSection(
        name=f"lot {seed}",
        seed=seed,
        slots=rng.randint(1, 8),
        rounds=rng.randint(1, 5),
        score_per_round=score,
        train_per_round=train,
        full_per_round=full,
        lookahead_rounds=rng.randint(0, 3),
        epochs=epochs,
        full_epochs=2 * epochs if full else rng.choice((None, epochs, 3 * epochs)),
        rank_by=("params",),
        training_time=None if stated_s is None else timedelta(seconds=stated_s),
    )
    return search, work, stated_s is None or stated_s >= work.longest_s


def _draw_start(rng: random.Random) -> datetime:
    """Return an instant in two years: any, or within a day of a turn of a month, a week or the clocks."""
    day = datetime(2021, 1, 1, tzinfo=UTC) + rng.randrange(700) * 24 * HOUR
    turns = (
        day.replace(day=1),
        day - day.weekday() * 24 * HOUR,
        datetime(2021, 3, 28, tzinfo=UTC),
        datetime(2021, 10, 31, tzinfo=UTC),
    )
    return rng.choice((day, *turns)) + rng.randrange(-24 * 60, 24 * 60) * MINUTE


def _switching(rng: random.Random) -> dict[str, timedelta]:
    if rng.random() < 0.5:
        return {}
    return {name: rng.choice((30, 120, 600)) * timedelta(seconds=1) for name in ("suspend_cost", "resume_cost")}


def _draw_safety(rng: random.Random) -> SafetySection:
    return SafetySection(
        max_wait=rng.choice((None, None, 0 * HOUR, rng.uniform(0.1, 12) * HOUR)),
        wait_run=rng.choice((HOUR, rng.uniform(0.1, 3) * HOUR)),
        min_run=rng.choice((15 * MINUTE, 0 * HOUR, rng.uniform(0, 2) * HOUR)),
        min_rest=rng.choice((0 * HOUR, rng.uniform(0, 2) * HOUR)),
        deadline_margin=rng.choice((0.1, 0.1, 0.25)),
    )


def _draw_deadline(rng: random.Random, blind_for: timedelta, *, likely: bool) -> timedelta | None:
    """Return when the search has to end: never, too early, tight, fair or far off."""
    share = rng.choice(((1.0, 1.5), (1.2, 3.0), (1.2, 3.0), (3.0, 8.0), (0.3, 1.0), None if not likely else (1.0, 2.0)))
    return None if share is None else max(MINUTE, rng.uniform(*share) * blind_for)


def _draw_budgets(
    rng: random.Random, blind: Ran, grid: Grid, config: SearchConfig, *, binding: bool
) -> tuple[BudgetSection, ...]:
    """Return budgets that are too small, tight or wide, measured by what all the work takes; those that can't bind are a million times that."""
    kwh = sum(entry.priced.sample.joules for entry in blind.entries) / J_PER_KWH
    values = [sample.g_per_kwh for sample in grid.actual]
    mean = max(1.0, sum(values) / len(values)) if values else 100.0
    whole_g = max(1e-3, kwh * config.accounting.pue * mean)
    return tuple(
        BudgetSection(
            limit=f"{whole_g * (one_of(rng, (0.01, 0.1), (0.1, 0.6), (0.6, 1.5)) if binding else 1e6)!r} g",
            window=rng.choice(_WINDOWS),
            at_limit=rng.choice(list(AtLimit)),
            timezone=rng.choice(_ZONES),
        )
        for _ in range(rng.choice((1, 1, 2, 3)) if binding else rng.choice((0, 1)))
    )


def _draw_scheduler(rng: random.Random) -> PluginChoice:
    review = rng.choice((15, 60, 180)) * MINUTE
    stretch: dict[str, object] = {"stretch": rng.choice((1.0, 2.0, 5.0)), "review": review}
    history: dict[str, object] = {"min_history": rng.choice((HOUR, 24 * HOUR)), "review": review}
    by_percentile = {"percentile": rng.uniform(0, 100), "hysteresis": rng.choice((0.0, 0.05, 1.0)), **history}
    choices: tuple[tuple[str, dict[str, object]], ...] = (
        ("carbon_blind", {"review": review}),
        ("threshold", {"g_per_kwh": rng.choice((0.0, rng.uniform(0, 800))), "review": review}),
        ("threshold", by_percentile),
        ("proportional", history),
        ("lowest_window", stretch),
        ("suspend_resume", stretch),
        ("budget_pacing", stretch),
        ("lookahead", {**stretch, "risk": rng.choice((0.0, 1.0)), "switch_cost": rng.choice((0, 5)) * MINUTE}),
        ("oracle", stretch),
        ("actor_critic", stretch),
        ("random_allocation", {"seed": rng.randrange(1000)}),
    )
    return PluginChoice(*rng.choice(choices))


def _draw_count_rest(seed: int, chosen: PluginChoice) -> PluginChoice:
    """Return a scheduler that counts rest or does not, by a lot of its own: nothing else that a seed draws depends on it."""
    if chosen.use not in _COUNTING_REST:
        return chosen
    counts = random.Random(f"count_rest {seed}").random() < 0.5  # noqa: S311 -- repeatable
    return PluginChoice(chosen.use, {**chosen.options, "count_rest": counts})


@functools.cache
def schedulers_drawn() -> frozenset[str]:
    """Return the names of all schedulers that are drawn."""
    return frozenset(_draw_scheduler(random.Random(seed)).use for seed in range(500))  # noqa: S311 -- repeatable
