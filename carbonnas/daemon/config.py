"""The configuration of the daemon: what its operator writes in TOML, validated.

It is written as that of a search is: durations and masses with their unit, unknown keys are errors, every mistake is told at once.
All of it may be left out.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from carbon_sources.groups import DEFAULT_FORECASTER
from carbonnas.config import AccountingSection, BudgetSection, ClockSection, Count, ForecastingSection, PositiveDuration
from carbonnas.config_file import choose_plugin, sentences, toml_tables
from carbonnas.daemon.log_format import LogFormat
from carbonnas.errors import ConfigError
from carbonnas.plugins import PluginChoice
from schedulers.budget import AtLimit, Window

_LONGEST_TICK = timedelta(seconds=5)
_PLUGINS = ("carbon_source", "forecaster", "energy")
_OF_THE_GRID = ("forecaster", "forecasting")


def _slots_of_this_machine() -> int:
    return len(os.sched_getaffinity(0))


def _printable(label: str) -> str:
    if not label.isprintable():
        raise ValueError("a label can't hold line breaks or control characters")
    return label


def _matching(pattern: str, expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)


Host = Annotated[str, _matching(r"[\w.:-]{1,255}", "an address or a name, such as '127.0.0.1'")]
HostName = Annotated[
    str,
    _matching(
        r"(\[[0-9A-Fa-f:]+\]|[\w.-]+)(:[0-9]{1,5})?",
        "a name such as 'carbon.example.org', with ':8443' where browsers show a port",
    ),
]
BudgetName = Annotated[
    str, _matching("[a-z0-9][a-z0-9_-]{0,63}", "small letters, digits, '-' and '_', 64 at most, such as 'daily'")
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DaemonSection(_Section):
    """`[daemon]`: the machine, the page, and how often what happens."""

    slots: Count = Field(default_factory=_slots_of_this_machine, ge=1, le=1024)
    """Pieces of work at a time, of all searches together; one worker process with one thread each. The default is one for each
    processor core that the daemon may use."""
    host: Host = "127.0.0.1"
    """Address that the page and the API are served at."""
    port: Count = Field(default=8765, ge=0, le=65535)
    """0 chooses a free one."""
    allowed_hosts: tuple[HostName, ...] = ()
    """Names, with their port where it is not the usual one, that browsers know the daemon by besides this machine's own: what a
    proxy in front is called."""
    read_needs_token: bool = Field(default=False, strict=True)
    """Whether reading needs the token as well as changing does. It always does if `host` is beyond this machine; where a proxy lets
    others in, this says so."""
    tick: PositiveDuration = _LONGEST_TICK
    """Longest time between two ticks; at most 5 s, because energy is metered by them."""
    stop_timeout: PositiveDuration = timedelta(seconds=30)
    """How long trainings have to reach a checkpoint once the daemon is asked to stop. The service manager must wait longer."""
    heartbeat: PositiveDuration = timedelta(seconds=30)
    """How often it is written down that the daemon lives, so that later a downtime shows as such."""
    log: LogFormat = LogFormat.TEXT
    quantum: PositiveDuration = timedelta(minutes=15)
    """How long a search keeps its slots before another one of the same priority gets them."""

    @field_validator("tick")
    @classmethod
    def _check_tick(cls, tick: timedelta) -> timedelta:
        if tick > _LONGEST_TICK:
            raise ValueError("can't exceed 5 s: that much energy may be lost when the machine dies")
        return tick


class BackupSection(_Section):
    """`[backup]`: copies of the store."""

    every: PositiveDuration = timedelta(days=1)
    keep: Count = Field(default=7, ge=1, le=1000)
    """How many of the newest stay."""
    folder: Path | None = None
    """Where they lie, best on another disk; absent: `backups` in the state folder."""


class RetentionSection(_Section):
    """`[retention]`: how long is kept what nothing refers to; searches and their ledgers stay for ever."""

    intensities: PositiveDuration = timedelta(days=3 * 365 + 1)
    """Intensities of grids and forecasts. The default is three years."""


class CommonBudgetSection(BudgetSection):
    """`[[budgets]]`: a limit on all searches of the daemon together, or on those that bear a label."""

    name: BudgetName
    """What commands call it: small letters, digits, `-` and `_`."""
    window: Window = Window.TOTAL
    at_limit: AtLimit = AtLimit.WAIT
    """Unlike that of a search, it lets work rest unless another is chosen: a bad day is no reason to end every search."""
    label: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)] | None = None
    """The label whose searches it holds for; absent: all searches."""

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: Window) -> Window:
        if window is Window.SEARCH:
            raise ValueError(
                "belongs to the configuration of a search; a budget over all of them has 'day', 'week', 'month' or 'total'"
            )
        return window


class DaemonConfig(_Section):
    """A whole configuration; made by `load_daemon_config`, which validates plug-in tables against their plug-ins.

    Attributes:
        carbon_source: A grid that the daemon watches even while no search uses it; `None` for none. `forecaster`, `accounting` and
            `forecasting` belong to it.
        energy: How the machine is metered, for all searches.
        clock: The clock that all searches live by.
    """

    daemon: DaemonSection = Field(default_factory=DaemonSection)
    backup: BackupSection = BackupSection()
    retention: RetentionSection = RetentionSection()
    energy: PluginChoice = PluginChoice("codecarbon")
    clock: ClockSection = ClockSection()
    carbon_source: PluginChoice | None = None
    forecaster: PluginChoice = PluginChoice(DEFAULT_FORECASTER)
    accounting: AccountingSection = AccountingSection()
    forecasting: ForecastingSection = ForecastingSection()
    budgets: tuple[CommonBudgetSection, ...] = ()

    @field_validator("budgets")
    @classmethod
    def _check_names(cls, budgets: tuple[CommonBudgetSection, ...]) -> tuple[CommonBudgetSection, ...]:
        twice = [name for name, times in Counter(budget.name for budget in budgets).items() if times > 1]
        if twice:
            raise ValueError(f"each needs a name of its own, got more than one {', '.join(map(repr, twice))}")
        return budgets

    @model_validator(mode="after")
    def _check_grid(self) -> DaemonConfig:
        idle = [table for table in _OF_THE_GRID if table in self.model_fields_set]
        if self.carbon_source is None and idle:
            raise ValueError(f"[{idle[0]}] has no effect without [carbon_source]: add it, or leave this to each search")
        return self


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says instead of the file; `None` leaves it to the file."""

    host: str | None = None
    port: int | None = None
    log: LogFormat | None = None


def load_daemon_config(path: Path | None, flags: Flags | None = None) -> DaemonConfig:
    """Read the configuration of a daemon.

    Args:
        path: The file; `None` for what holds without one. Relative paths in it are meant from its folder.
        flags: What the command line says instead.

    Raises:
        ConfigError: With every mistake and its key, if the file is missing, no TOML, or invalid.
    """
    origin = "the command line" if path is None else str(path)
    folder = Path.cwd() if path is None else path.parent.resolve()
    tables = {} if path is None else toml_tables(_text(path), origin)
    _take_over(tables, flags or Flags())
    problems: list[str] = []
    choices = {key: _choice(key, tables[key], folder, problems) for key in _PLUGINS if key in tables}
    config: DaemonConfig | None = None
    try:
        config = DaemonConfig.model_validate({**tables, **choices})
    except ValidationError as error:
        problems.extend(sentences("", error, beside_others=bool(problems)))
    if problems or config is None:
        raise ConfigError(origin, tuple(problems))
    return _with_backups_beside(config, folder)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"can't be read: {error.strerror}; without a configuration the daemon runs with its defaults"
        raise ConfigError(str(path), (reason,)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), (f"is not UTF-8 text: {error.reason} at byte {error.start}",)) from error


def _take_over(tables: dict[str, Any], flags: Flags) -> None:
    said = {"host": flags.host, "port": flags.port, "log": flags.log}
    written = tables.get("daemon", {})
    if isinstance(written, Mapping):
        tables["daemon"] = {**written, **{key: value for key, value in said.items() if value is not None}}


def _choice(key: str, table: object, folder: Path, problems: list[str]) -> PluginChoice:
    if not isinstance(table, Mapping):
        problems.append(f"{key}: expected a table with `use`")
        return PluginChoice("")
    try:
        return choose_plugin(key, table, folder, key)
    except ConfigError as error:
        problems.extend(error.problems)
        return PluginChoice("")


def _with_backups_beside(config: DaemonConfig, folder: Path) -> DaemonConfig:
    if config.backup.folder is None:
        return config
    absolute = folder / config.backup.folder.expanduser()
    return config.model_copy(update={"backup": config.backup.model_copy(update={"folder": absolute})})
