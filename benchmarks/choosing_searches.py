"""The searches that `choosing.py` compares: when they begin, on which machine, due when, and the forecasts that they share."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from carbon_sources.forecasting.backtest_setting import midnight
from carbon_sources.forecasting.hourly import HourlyForecast
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbonnas.cli.simulate.competitors import competitors
from carbonnas.config import ForecastingSection, SearchConfig
from carbonnas.config_file import load_config
from carbonnas.objectives.objective import Objective
from carbonnas.plugin_workbench import PluginWorkbench
from carbonnas.plugins import SEARCH_SPACES, PluginChoice
from carbonnas.report.simulation_model import SimulatedRun
from carbonnas.simulation.forecasts import Lesson
from carbonnas.simulation.setting import Costs, Setting, judged_fidelity, simulated_config
from carbonnas.simulation.simulator import Simulator
from carbonnas.simulation.yardstick import Yardstick, make_yardstick
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialKind

DAY = timedelta(days=1)
SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")
SHORTEST_PAST = timedelta(days=12)
LONGEST_SEARCH = timedelta(days=4)
SWITCHING = {"suspend_cost": "30 s", "resume_cost": "30 s"}
BUNDLED = "bundled:"


@dataclass(frozen=True, slots=True)
class Machine:
    """What two slots draw.

    Attributes:
        name: For people.
        train: Power of a slot while it trains, on top of rest.
        idle: Power of the whole machine at rest.
    """

    name: str
    train: str
    idle: str

    @property
    def folder(self) -> str:
        """Name of the folder of its search."""
        return self.name.replace(" ", "-")


MACHINES = (Machine("rest is free", "300 W", "0 W"), Machine("rest draws a fifth", "240 W", "120 W"))
DUES_H = (24, 48, None)
"""Hours after which the searches, of about 15 h, are due; `None` for no deadline."""


@dataclass(frozen=True, slots=True)
class Start:
    """One search on one trace.

    Attributes:
        trace: The trace as it was named.
        season: One of `SEASONS`.
        at: First instant.
        seed: Seed of the search.
    """

    trace: str
    season: str
    at: datetime
    seed: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of every start.

    Attributes:
        schedulers: As they are typed for `carbonnas simulate`; `carbon_blind` and `oracle` run along.
        forecaster: Name of the forecaster.
        dues_h: Hours after which work is due; `None` for no deadline.
        folder: Where the searches are written.
        keep: Where forecasts are kept; `None` to make them anew.
    """

    schedulers: tuple[str, ...]
    forecaster: str
    dues_h: tuple[float | None, ...]
    folder: Path
    keep: Path | None


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one search.

    Attributes:
        zone: Of the trace.
        start: When it began.
        machine: Name of the machine.
        due_h: Hours after which it was due; `None` for never.
        scheduler: Who decided.
        run: What came of it.
    """

    zone: str
    start: Start
    machine: str
    due_h: float | None
    scheduler: str
    run: SimulatedRun


@functools.cache
def opened(trace: str) -> TraceSource:
    """Return a trace, read once in each process."""
    return TraceSource(path=Path(trace))


def starts(argument: str, per_season: int) -> list[Start]:
    """Return the searches of TRACE[:FROM[:UNTIL]]: in each season evenly spread days, at different times of the day.

    Raises:
        SystemExit: If no season of the span has a day on which a search can begin.
    """
    prefix = BUNDLED if argument.startswith(BUNDLED) else ""
    name, *dates = argument.removeprefix(prefix).split(":")
    samples = opened(prefix + name).series.samples
    known = Interval(samples[0].interval.start, samples[-1].interval.end)
    given = [datetime.fromisoformat(date).replace(tzinfo=UTC) for date in dates]
    first = midnight(max([known.start + SHORTEST_PAST + DAY, *given[:1]]))
    last = min([known.end, *given[1:2]]) - LONGEST_SEARCH
    days = [first + place * DAY for place in range(max(0, (last - first) // DAY))]
    found: list[Start] = []
    for place, season in enumerate(SEASONS):
        own = [day for day in days if day.month % 12 // 3 == place]
        for number in range(per_season if own else 0):
            day = own[int((number + 0.5) / per_season * len(own))]
            found.append(Start(prefix + name, season, day + number * DAY // per_season, number + 1))
    if not found:
        raise SystemExit(f"{argument}: no search of up to {LONGEST_SEARCH.days} days fits into the span")
    return found


def searched(start: Start, asked: Asked) -> list[Row]:
    """Return the searches of one start: on each machine, with each deadline, by each scheduler; all share the forecasts."""
    source = opened(start.trace)
    players = competitors(asked.schedulers, PluginChoice("carbon_blind"), source.series)
    lesson: Lesson | None = None
    rows: list[Row] = []
    for machine in MACHINES:
        for due_h in asked.dues_h:
            simulator = Simulator(_setting(start, asked, machine, due_h))
            lesson = _lesson(simulator, start, asked) if lesson is None else lesson
            simulator.forecasts.add(0, lesson)
            rows += [
                Row(source.zone, start, machine.name, due_h, player.name, simulator.run(player, start.seed))
                for player in players
            ]
    return rows


def write_search(folder: Path, machine: Machine) -> Path:
    """Write the search that is compared: some 15 h of trainings on two slots, with made-up results."""
    return write_simulated_search(
        folder / machine.folder, energy={"train": machine.train, "score": "100 W", "idle": machine.idle}
    )


def _setting(start: Start, asked: Asked, machine: Machine, due_h: float | None) -> Setting:
    config, yardstick = _read(asked.folder / machine.folder / "search.toml")
    # One lesson of the forecaster serves all searches of a start, so that it is learnt for two days in place of one.
    config = config.model_copy(update={"forecasting": ForecastingSection(refit_every=2 * DAY)})
    simulated = simulated_config(
        config,
        start=start.at,
        deadline=None if due_h is None else timedelta(hours=due_h),
        costs=Costs(config.energy, SWITCHING, None),
        forecaster=PluginChoice(asked.forecaster),
    )
    return Setting(simulated, start.at, opened(start.trace), yardstick)


@functools.cache
def _read(path: Path) -> tuple[SearchConfig, Yardstick]:
    config, _ = load_config(path)
    workbench = PluginWorkbench(config.space, config.scoring, config.training, config.search.seed)
    yardstick = make_yardstick(
        config.training,
        SEARCH_SPACES.create(config.space.use, config.space.options, {}),
        workbench.evaluators()[TrialKind.TRAIN],
        objectives=tuple(Objective.parse(text) for text in config.search.objectives),
        fidelity=judged_fidelity(config),
        reference={},
    )
    return config, yardstick


def _lesson(simulator: Simulator, start: Start, asked: Asked) -> Lesson:
    """Return what was expected from the start on, made or read from where it was kept."""
    if asked.keep is None:
        return simulator.forecasts.learn(0)
    name = Path(start.trace.removeprefix(BUNDLED)).name.split(".")[0]
    path = asked.keep / f"{name}-{asked.forecaster}-{start.at:%Y%m%dT%H%M}-averages.npz"
    if not path.exists():
        _keep(path, simulator.forecasts.learn(0))
    with np.load(path) as file:
        issued = [datetime.fromisoformat(str(text)) for text in file["issued"]]
        averages = [None if np.isnan(average).any() else average for average in file["average"]]
        forecasts = map(HourlyForecast, file["mean"], file["quantiles"], averages)
        return dict(zip(issued, forecasts, strict=True))


def _keep(path: Path, lesson: Lesson) -> None:
    """Write what was expected; an average that a forecaster does not tell is written as NaN."""
    path.parent.mkdir(parents=True, exist_ok=True)
    issued: Sequence[str] = [hour.isoformat() for hour in lesson]
    told = list(lesson.values())
    averages = [np.full_like(one.mean, np.nan) if one.average is None else one.average for one in told]
    means, quantiles = [one.mean for one in told], [one.quantiles for one in told]
    np.savez(path, issued=issued, mean=means, quantiles=quantiles, average=averages)
