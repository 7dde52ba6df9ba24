"""What a call of `simulate` is to do, read from its options and the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from carbon_sources.clock import SimulatedClock
from carbon_sources.groups import CARBON_SOURCES
from carbon_sources.interval import clock_text
from carbon_sources.providers.trace import TraceSource
from carbonnas.cli.options import TraceChoice, check_output, instant_option
from carbonnas.cli.simulate.competitors import competitors
from carbonnas.cli.simulate.costs import costs_of
from carbonnas.config import LONGEST, SearchConfig
from carbonnas.config_file import choose_plugin, load_config
from carbonnas.errors import ConfigError
from carbonnas.objectives.objective import Objective
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.simulation.setting import Competitor, Setting, judged_fidelity, simulated_config
from carbonnas.simulation.tournament import Tournament
from carbonnas.simulation.yardstick import Yardstick, make_yardstick
from carbonnas.trials import TrialKind


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The options as they were typed, `None` or empty where they were not.

    Attributes:
        config: The configuration file.
        trace: The trace; `None` for that of the file.
        trace_details_alone: Whether something was said of a trace that was not named.
        start: First instant.
        hours: Hours after which searches are ended.
        schedulers: Schedulers with their options.
        forecaster: Name of the forecaster.
        seeds: Number of seeds, at least 1.
        ce_nas: Whether to account as the released CE-NAS.
        suspend_cost: Time that a checkpoint takes.
        resume_cost: Time that going on from one takes.
        qualities: Shares of the maximal hypervolume.
        reference: The reference point.
        output: Report to write.
    """

    config: Path
    trace: TraceChoice | None
    trace_details_alone: bool
    start: str | None
    hours: float | None
    schedulers: tuple[str, ...]
    forecaster: str | None
    seeds: int
    ce_nas: bool
    suspend_cost: str | None
    resume_cost: str | None
    qualities: tuple[float, ...]
    reference: str | None
    output: Path | None


@dataclass(frozen=True, slots=True)
class SimulatePlan:
    """Simulations that are ready to run.

    Attributes:
        tournament: Who is simulated.
        trace: The trace as it was named.
        deadline: When searches are ended after their start; `None` for never.
        qualities: Shares of the maximal hypervolume, ascending.
    """

    tournament: Tournament
    trace: str
    deadline: timedelta | None
    qualities: tuple[float, ...]


def make_plan(options: SimulateOptions) -> SimulatePlan:
    """Read file, trace and table, and settle what the options leave open.

    Raises:
        ConfigError: If an option or the file is wrong.
        TraceError: If the trace can't be read.
        DatasetError: If the table can't be read.
    """
    check_output(options.output, (".html", ".htm"))
    config, _ = load_config(options.config)
    start = _start(options, config)
    deadline = config.search.deadline if options.hours is None else _hours(options.hours)
    trace, source = _source(options, config, start)
    _check_cover(source, start, deadline)
    forecaster = config.forecaster
    if options.forecaster is not None:
        forecaster = choose_plugin("forecaster", {"use": options.forecaster}, Path.cwd(), "--forecaster")
    simulated = simulated_config(
        config, start=start, deadline=deadline, costs=costs_of(options, config), forecaster=forecaster
    )
    setting = Setting(simulated, start, source, _yardstick(options, simulated))
    chosen: tuple[Competitor, ...] = competitors(options.schedulers, config.scheduler, source.series)
    seeds = tuple(config.search.seed + place for place in range(options.seeds))
    ends_at = None if deadline is None else start + deadline
    return SimulatePlan(Tournament(setting, chosen, seeds, ends_at), trace, deadline, tuple(sorted(options.qualities)))


def _mistake(option: str, sentence: str) -> ConfigError:
    return ConfigError(option, (sentence,))


def _start(options: SimulateOptions, config: SearchConfig) -> datetime:
    if options.start is not None:
        return instant_option(options.start, "--start")
    if config.clock.start is None:
        raise _mistake("--start", "the file's clock has no start: say when to begin, such as 2021-07-02T06:00Z")
    return config.clock.start


def _hours(hours: float) -> timedelta:
    if not (math.isfinite(hours) and 0 < hours <= LONGEST / timedelta(hours=1)):
        raise _mistake("--hours", f"expected hours above zero, got {hours:g}")
    return timedelta(hours=hours)


def _source(options: SimulateOptions, config: SearchConfig, start: datetime) -> tuple[str, TraceSource]:
    if options.trace_details_alone:
        raise _mistake("--trace", "name the trace of which the other options speak")
    if options.trace is not None:
        return options.trace.path, options.trace.source()
    if config.carbon_source.use != "trace":
        raise _mistake("--trace", f"name a recorded trace: {config.carbon_source.use} can't be replayed")
    made = CARBON_SOURCES.create("trace", config.carbon_source.options, {"clock": SimulatedClock(start)})
    if not isinstance(made, TraceSource):
        raise _mistake("--trace", "the carbon source 'trace' is another one than that of this package")
    return Path(str(config.carbon_source.options["path"])).name, made


def _check_cover(source: TraceSource, start: datetime, deadline: timedelta | None) -> None:
    """Check that the trace knows the time of the simulations; gaps in it stay gaps."""
    samples = source.series.samples
    if not samples:
        raise _mistake("--trace", "the trace holds no intensity that was measured")
    first, last = samples[0].interval.start, samples[-1].interval.end
    if not first <= start < last:
        raise _mistake(
            "--start",
            f"{clock_text(start)} is not in the trace, which goes from {clock_text(first)} to {clock_text(last)}",
        )
    if deadline is not None and start + deadline > last:
        most = math.floor((last - start) / timedelta(hours=1))
        raise _mistake("--hours", f"the trace ends at {clock_text(last)}, {most} h after the start: choose fewer hours")


def _yardstick(options: SimulateOptions, config: SearchConfig) -> Yardstick:
    if config.training.use != "tabular":
        raise _mistake(
            "training.use",
            f"only what a table knows can be simulated: 'tabular' is needed, not {config.training.use!r}",
        )
    space = SEARCH_SPACES.create(config.space.use, config.space.options, {})
    workbench = config.workbench()
    objectives = tuple(Objective.parse(text) for text in config.search.objectives)
    return make_yardstick(
        config.training,
        space,
        workbench.evaluators()[TrialKind.TRAIN],
        objectives=objectives,
        fidelity=judged_fidelity(config),
        reference=_reference(options.reference, objectives),
    )


def _reference(text: str | None, objectives: tuple[Objective, ...]) -> Mapping[str, float]:
    if text is None:
        return {}
    known = [objective.metric for objective in objectives]
    values: dict[str, float] = {}
    for part in text.split(","):
        metric, _, number = (word.strip() for word in part.partition("="))
        if metric not in known:
            raise _mistake("--reference", f"{part.strip()!r}: expected METRIC=VALUE with one of {', '.join(known)}")
        values[metric] = _finite(number, metric)
    return values


def _finite(text: str, metric: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _mistake("--reference", f"{metric}: expected a number, got {text!r}")
    return value
