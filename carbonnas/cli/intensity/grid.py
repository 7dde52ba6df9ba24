"""Which grid a command asks about: a configuration's, or that of a source named on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from carbon_sources.archive import IntensityArchive
from carbon_sources.clock import Clock, ReplayClock, SimulatedClock, SystemClock
from carbon_sources.groups import CARBON_SOURCES
from carbon_sources.interval import Interval, clock_text
from carbon_sources.providers.trace import TraceSource
from carbon_sources.source import CarbonSource
from carbonnas.cli.options import DAY, instant_option
from carbonnas.cli.output import open_store, state_folder
from carbonnas.config import ClockSection
from carbonnas.config_file import GridConfig, choose_plugin, load_grid
from carbonnas.errors import ConfigError
from carbonnas.grid import make_source


@dataclass(frozen=True, slots=True)
class Grid:
    """A source to ask.

    Attributes:
        name: Name of its plug-in.
        source: The source; what it fetches is kept.
        archive: Where that is kept.
        config: What was chosen.
        clock: Says what time is asked about.
    """

    name: str
    source: CarbonSource
    archive: IntensityArchive
    config: GridConfig
    clock: Clock


def open_grid(
    config: Path | None, source: str | None, options: Sequence[str], *, state: Path | None, at: str | None = None
) -> Grid:
    """Return the grid that a user means.

    Args:
        config: A configuration file.
        source: Name of a carbon source, in place of `config`.
        options: Its options as `KEY=VALUE`.
        state: Folder of the store.
        at: The instant to ask about, in place of the clock's.

    Raises:
        ConfigError: If it is not clear which, or the options are wrong.
    """
    chosen = _choose(config, source, options)
    clock = _clock(chosen.clock)
    if at is not None:
        instant = instant_option(at, "--at")
        if instant > clock.now():
            raise ConfigError("--at", (f"{at} has not come yet",))
        clock = SimulatedClock(instant)
    archive = open_store(state_folder(state)).archive
    asked = make_source(chosen.carbon_source, clock, archive)
    return Grid(chosen.carbon_source.use, asked, archive, chosen, clock)


def recording_end(source: CarbonSource, now: datetime) -> datetime | None:
    """Return when a recording ended, `None` if it lasts at `now` or the source is no recording."""
    if not isinstance(source, TraceSource) or not len(source.series):
        return None
    end = source.series.samples[-1].interval.end
    return end if end <= now else None


def ended(end: datetime) -> str:
    """Return the sentence on a recording that has ended, and what to do."""
    return f"the recording ended at {clock_text(end)}; --at shows a time within it"


def span_options(start: str | None, end: str | None, now: datetime) -> Interval:
    """Return the time from `--from` to `--to`, by default the last 24 hours; nothing later than `now`.

    Raises:
        ConfigError: If one can't be read or nothing is left.
    """
    until = now if end is None else min(now, instant_option(end, "--to"))
    since = until - DAY if start is None else instant_option(start, "--from")
    if since >= until:
        raise ConfigError("--from", (f"{since:%Y-%m-%d %H:%M} UTC is not before the end, {until:%Y-%m-%d %H:%M} UTC",))
    return Interval(since, until)


def _choose(config: Path | None, source: str | None, options: Sequence[str]) -> GridConfig:
    if config is not None and source is not None:
        raise ConfigError("--config and --source", ("name one of the two",))
    if config is not None:
        if options:
            raise ConfigError("--option", ("goes with --source; change the configuration instead",))
        return load_grid(config)
    if source is None:
        known = ", ".join(CARBON_SOURCES.names())
        raise ConfigError(
            "no carbon source", (f"name a configuration with --config, or one of these with --source: {known}",)
        )
    table = {"use": source, **dict(_option(option) for option in options)}
    choice = choose_plugin("carbon_source", table, Path.cwd(), f"--source {source}")
    return GridConfig(carbon_source=choice)


def _option(text: str) -> tuple[str, object]:
    key, found, value = text.partition("=")
    key = key.strip()
    if not found or not key or key == "use":
        raise ConfigError("--option", (f"expected KEY=VALUE, got {text!r}",))
    return key, _value(value.strip())


def _value(text: str) -> object:
    """Return a TOML value; what is none is a bare word."""
    try:
        tables = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tables["value"] if tables.keys() == {"value"} else text


def _clock(section: ClockSection) -> Clock:
    if section.start is None:
        return SystemClock()
    if section.use == "simulated":
        return SimulatedClock(section.start)
    return ReplayClock(section.start, section.speed)
