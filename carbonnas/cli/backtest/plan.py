"""What a backtest is to do, read from the options of its command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from carbon_sources.forecasting.backtest_setting import (
    DAY,
    Recording,
    Setting,
    archived_issues,
    midnight,
    regular_issues,
)
from carbon_sources.forecasting.provider import ArchivedForecasts
from carbon_sources.groups import FORECASTERS
from carbon_sources.intensity import IntensitySeries
from carbon_sources.interval import HOUR
from carbon_sources.providers.trace import TraceSource
from carbonnas.cli.forecasters import needs_issues, passes_on_issues
from carbonnas.cli.options import PICTURES, TraceChoice, check_output, hours_option, instant_option
from carbonnas.config_file import did_you_mean
from carbonnas.errors import ConfigError

ENOUGH = 28 * DAY
"""A shorter recording before the first archived forecast is too little to learn from."""


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """The options as they were typed, `None` or empty where they were not.

    Attributes:
        trace: The recording, as the carbon source `trace` reads it.
        forecasts: A second file with archived forecasts.
        forecasters: Names of forecasters.
        train_until: End of the training.
        until: End of what is used of the recording.
        horizon: How far to look ahead.
        issue_every: Time between issues.
        output: Picture to write.
    """

    trace: TraceChoice
    forecasts: Path | None
    forecasters: tuple[str, ...]
    train_until: str | None
    until: str | None
    horizon: str
    issue_every: str | None
    output: Path | None


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """A backtest that is ready to run.

    Attributes:
        source: The recording as a source.
        archive: The provider's archived forecasts, `None` without any.
        setting: What every forecaster is asked.
        forecasters: Names of those that run.
        left_out: Names of those that were not asked for by name and can't run.
        every: Time between issues, `None` where they are those of the archive.
    """

    source: TraceSource
    archive: ArchivedForecasts | None
    setting: Setting
    forecasters: tuple[str, ...]
    left_out: tuple[str, ...]
    every: timedelta | None


def make_plan(options: BacktestOptions) -> BacktestPlan:
    """Read the recording and settle what the options leave open.

    Raises:
        ConfigError: If an option is wrong.
        TraceError: If a file can't be read.
        UnknownZoneError: If a file does not hold the zone.
    """
    horizon = hours_option(options.horizon, "--horizon")
    given_every = None if options.issue_every is None else hours_option(options.issue_every, "--issue-every") * HOUR
    train_until, until = _instant(options.train_until, "--train-until"), _instant(options.until, "--until")
    _check_names(options.forecasters)
    check_output(options.output, PICTURES)
    source = options.trace.source(options.forecasts)
    series = _used(source, options, until)
    end = series.samples[-1].interval.end
    issued = archived_issues(source.forecast, datetime.min.replace(tzinfo=UTC), end)
    archive = source.forecast if issued else None
    names, left_out = _choose(options.forecasters, archive)
    alone = archive is not None and all(passes_on_issues(name) for name in names)
    cut = train_until or _default_cut(series, issued, alone=alone)
    _check_cut(cut, series, alone=alone)
    every = None if alone and given_every is None else given_every or DAY
    if every is None:
        issues = tuple(at for at in issued if at >= cut)
    else:
        # beyond its last issue an archive would be blamed for its age
        needed = archive is not None and any(needs_issues(name) for name in names)
        issues = regular_issues(cut, min(end, issued[-1] + every) if needed else end, every)
    if not issues:
        raise _mistake(
            "--train-until", f"no forecast is issued between {cut:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC"
        )
    setting = Setting(Recording.of(series), cut, issues, horizon)
    return BacktestPlan(source, archive, setting, names, left_out, every)


def _mistake(option: str, sentence: str) -> ConfigError:
    return ConfigError(option, (sentence,))


def _instant(text: str | None, option: str) -> datetime | None:
    return None if text is None else instant_option(text, option)


def _check_names(names: tuple[str, ...]) -> None:
    known = FORECASTERS.names()
    for name in names:
        if name not in known:
            there_are = f"there are {', '.join(known)}{did_you_mean(name, known)}"
            raise _mistake("--forecaster", f"there is none named {name!r}; {there_are}")


def _used(source: TraceSource, options: BacktestOptions, until: datetime | None) -> IntensitySeries:
    if not len(source.series):
        raise _mistake(
            "--trace", f"{options.trace.path} holds forecasts alone: name the recording, and this file with --forecasts"
        )
    first = source.series.samples[0].interval.start
    series = source.series if until is None else source.series.before(until)
    if not len(series):
        raise _mistake("--until", f"the recording begins at {first:%Y-%m-%d %H:%M} UTC, so nothing is left before it")
    return series


def _choose(names: tuple[str, ...], archive: ArchivedForecasts | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the forecasters to run, and those that can't and were not asked for by name."""
    if names:
        return names, ()
    known = FORECASTERS.names()
    left_out = tuple(name for name in known if archive is None and needs_issues(name))
    return tuple(name for name in known if name not in left_out), left_out


def _default_cut(series: IntensitySeries, issued: tuple[datetime, ...], *, alone: bool) -> datetime:
    """Return the first archived issue if nothing is learnt, or enough before it; else the first midnight from the middle on."""
    start, end = series.samples[0].interval.start, series.samples[-1].interval.end
    if issued and (alone or start + ENOUGH <= issued[0] < end):
        return issued[0]
    return midnight(start + (end - start) / 2)


def _check_cut(cut: datetime, series: IntensitySeries, *, alone: bool) -> None:
    start, end = series.samples[0].interval.start, series.samples[-1].interval.end
    if cut >= end:
        raise _mistake(
            "--train-until",
            f"{cut:%Y-%m-%d %H:%M} leaves nothing to score: what is used ends at {end:%Y-%m-%d %H:%M} UTC",
        )
    if cut <= start and not alone:
        raise _mistake(
            "--train-until",
            f"{cut:%Y-%m-%d %H:%M} leaves nothing to learn from: the recording begins at {start:%Y-%m-%d %H:%M} UTC",
        )
