"""A configuration in place of the one that a running daemon has: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path

from pydantic import BaseModel

from carbonnas.daemon.config import DaemonConfig, Flags, load_daemon_config
from carbonnas.errors import ConfigError
from carbonnas.plugins import PluginChoice

FIXED = (
    "daemon.host",
    "daemon.port",
    "daemon.allowed_hosts",
    "daemon.read_needs_token",
    "daemon.log",
    "daemon.tick",
    "energy",
    "clock",
    "carbon_source",
    "forecaster",
    "forecasting",
    "accounting",
)
"""Keys and tables that can't change while the daemon runs: its sockets are open, its meter counts, its grid is watched, and time does not jump."""


def reload_daemon_config(path: Path | None, flags: Flags | None, old: DaemonConfig) -> DaemonConfig:
    """Read the configuration again, as it was read when the daemon started.

    Raises:
        ConfigError: With every mistake, or every change that needs a restart; `old` goes on to hold then.
    """
    new = load_daemon_config(path, flags)
    before, after = dict(_leaves("", old)), dict(_leaves("", new))
    refused = [key for key in _changed(before, after) if key.startswith(FIXED)]
    if refused:
        raise ConfigError(
            "the command line" if path is None else str(path),
            tuple(
                f"{key}: can't change while the daemon runs ({_shown(before, key)} -> {_shown(after, key)}); restart it, or change it back"
                for key in refused
            ),
        )
    return new


def changes_on_reload(old: DaemonConfig, new: DaemonConfig) -> list[str]:
    """Return a sentence for each key whose value differs, sorted by key; none if nothing does."""
    before, after = dict(_leaves("", old)), dict(_leaves("", new))
    return [f"{key}: {_shown(before, key)} -> {_shown(after, key)}" for key in _changed(before, after)]


def _changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    missing = object()
    return [key for key in sorted(before | after) if before.get(key, missing) != after.get(key, missing)]


def _leaves(key: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what a configuration says, by key; budgets by name, because their order means nothing."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(f"{key}.{name}".lstrip("."), getattr(value, name))
    elif key == "budgets" and isinstance(value, tuple):
        for budget in value:
            yield from _leaves(f"{key}.{budget.name}", budget)
    elif isinstance(value, PluginChoice):
        yield key, value.use
        for name, option in value.options.items():
            yield f"{key}.{name}", option
    else:
        yield key, value


def _shown(values: dict[str, object], key: str) -> str:
    value = values.get(key)
    if value is None or value == ():
        return "nothing"
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    return repr(str(value)) if isinstance(value, Path) else repr(value)
