"""What a backtest is to do, read from the options of its command."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from carbon_sources.errors import PluginError
from carbon_sources.forecasting.backtest_setting import (
    DAY,
    Recording,
    Setting,
    archived_issues,
    midnight,
    regular_issues,
)
from carbon_sources.forecasting.hourly import HOUR
from carbon_sources.forecasting.provider import Issues, Provider
from carbon_sources.groups import FORECASTERS
from carbon_sources.intensity import Basis, IntensityKind, IntensitySeries
from carbon_sources.interval import parse_instant
from carbon_sources.providers.trace import TraceSource
from carbon_sources.trace_formats import IntensityUnit
from carbon_sources.units import parse_duration
from carbonnas.cli.backtest_options import BacktestOptions
from carbonnas.errors import ConfigError

_E = TypeVar("_E", bound=enum.Enum)

LONGEST_HORIZON = timedelta(days=31)
ENOUGH = 28 * DAY
"""A shorter recording before the first archived forecast is too little to learn from."""

PICTURES = (".html", ".htm", ".svg", ".png")


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
    archive: Issues | None
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
    horizon = _whole_hours(options.horizon, "--horizon")
    given_every = None if options.issue_every is None else _whole_hours(options.issue_every, "--issue-every")
    train_until, until = _instant(options.train_until, "--train-until"), _instant(options.until, "--until")
    _check_names(options.forecasters)
    _check_output(options.output)
    source = _source(options)
    series = _used(source, options, until)
    end = series.samples[-1].interval.end
    issued = archived_issues(source.forecast, datetime.min.replace(tzinfo=UTC), end)
    archive = source.forecast if issued else None
    names, left_out = _choose(options.forecasters, archive)
    alone = archive is not None and all(_passes_on(name) for name in names)
    cut = train_until or _default_cut(series, issued, alone=alone)
    _check_cut(cut, series, alone=alone)
    every = None if alone and given_every is None else given_every or DAY
    if every is None:
        issues = tuple(at for at in issued if at >= cut)
    else:
        # beyond its last issue an archive would be blamed for its age
        passed_on = archive is not None and any(_passes_on(name) for name in names)
        issues = regular_issues(cut, min(end, issued[-1] + every) if passed_on else end, every)
    if not issues:
        raise _mistake(
            "--train-until", f"no forecast is issued between {cut:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC"
        )
    setting = Setting(Recording.of(series), cut, issues, horizon // HOUR)
    return BacktestPlan(source, archive, setting, names, left_out, every)


def _mistake(option: str, sentence: str) -> ConfigError:
    return ConfigError(option, (sentence,))


def _whole_hours(text: str, option: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise _mistake(option, str(error)) from error
    if not timedelta(0) < duration <= LONGEST_HORIZON or duration % HOUR:
        raise _mistake(option, f"expected whole hours, 1 h to {LONGEST_HORIZON // HOUR} h, got {text!r}")
    return duration


def _instant(text: str | None, option: str) -> datetime | None:
    """Return an instant; one without offset is in UTC, and a date is its midnight."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else parse_instant(text)
    except ValueError:
        sentence = f"expected a date or an instant in UTC such as 2021-07-01 or 2021-07-01T06:00Z, got {text!r}"
        raise _mistake(option, sentence) from None


def _check_names(names: tuple[str, ...]) -> None:
    known = FORECASTERS.names()
    for name in names:
        if name not in known:
            raise _mistake("--forecaster", f"there is none named {name!r}; there are {', '.join(known)}")


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in PICTURES:
        raise _mistake("--output", f"{output.name}: can't tell the format from its ending ({', '.join(PICTURES)})")
    if not output.parent.is_dir():
        raise _mistake("--output", f"there is no folder {output.parent}: make it, or choose another")


def _source(options: BacktestOptions) -> TraceSource:
    return TraceSource(
        path=Path(options.trace),
        zone=options.zone,
        column=options.column,
        kind=_member(IntensityKind, options.kind, "--kind"),
        basis=_member(Basis, options.basis, "--basis"),
        unit=_member(IntensityUnit, options.unit, "--unit"),
        time_zone=options.time_zone,
        forecasts=options.forecasts,
    )


def _member(kind: type[_E], text: str | None, option: str) -> _E | None:
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(str(member.value) for member in kind)
        raise _mistake(option, f"expected one of {allowed}, got {text!r}") from None


def _used(source: TraceSource, options: BacktestOptions, until: datetime | None) -> IntensitySeries:
    if not len(source.series):
        raise _mistake(
            "--trace", f"{options.trace} holds forecasts alone: name the recording, and this file with --forecasts"
        )
    first = source.series.samples[0].interval.start
    series = source.series if until is None else source.series.before(until)
    if not len(series):
        raise _mistake("--until", f"the recording begins at {first:%Y-%m-%d %H:%M} UTC, so nothing is left before it")
    return series


def _passes_on(name: str) -> bool:
    """Say whether a forecaster is the one that passes on archived forecasts; one that can't be loaded is not."""
    try:
        return issubclass(FORECASTERS.load(name), Provider)
    except PluginError:
        return False


def _choose(names: tuple[str, ...], archive: Issues | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the forecasters to run, and those that can't and were not asked for by name."""
    if names:
        return names, ()
    known = FORECASTERS.names()
    left_out = tuple(name for name in known if archive is None and _passes_on(name))
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
