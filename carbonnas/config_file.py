"""From a TOML file to a validated configuration, with every mistake listed at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from carbon_sources.errors import PluginError
from carbon_sources.plugins import PluginGroup
from carbonnas.config import SearchConfig
from carbonnas.errors import ConfigError
from carbonnas.plugins import (
    CARBON_SOURCES,
    ENERGY_METERS,
    EVALUATORS,
    EXECUTORS,
    SCHEDULERS,
    SEARCH_SPACES,
    STRATEGIES,
    PluginChoice,
)

_GROUPS: Mapping[str, PluginGroup[Any]] = {
    "space": SEARCH_SPACES,
    "strategy": STRATEGIES,
    "scoring": EVALUATORS,
    "training": EVALUATORS,
    "carbon_source": CARBON_SOURCES,
    "scheduler": SCHEDULERS,
    "energy": ENERGY_METERS,
    "executor": EXECUTORS,
}


def load_config(path: Path) -> tuple[SearchConfig, str]:
    """Read a configuration file; return it validated, and its text.

    Relative paths in it are meant from the folder of the file.

    Raises:
        ConfigError: With every mistake and its key, if the file is missing, no TOML, or invalid.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            str(path), (f"can't be read: {error.strerror}; `carbonnas init` writes an example",)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), (f"is not UTF-8 text: {error.reason} at byte {error.start}",)) from error
    return parse_config(text, str(path), path.parent.resolve()), text


def parse_config(text: str, origin: str, folder: Path) -> SearchConfig:
    """Validate the text of a configuration.

    Args:
        text: TOML.
        origin: What messages call it, such as the file's name.
        folder: Where relative paths start.

    Raises:
        ConfigError: With every mistake and its key.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(origin, (f"is no valid TOML: {error}",)) from error
    problems: list[str] = []
    choices: dict[str, object] = {}
    for key, group in _GROUPS.items():
        if key in tables:
            choices[key] = _plugin_choice(key, tables[key], group, folder, problems)
    config: SearchConfig | None = None
    try:
        config = SearchConfig.model_validate({**tables, **choices})
    except ValidationError as error:
        problems.extend(_sentences("", error))
    if problems or config is None:
        raise ConfigError(origin, tuple(problems))
    return config


def _plugin_choice(key: str, table: object, group: PluginGroup[Any], folder: Path, problems: list[str]) -> PluginChoice:
    stand_in = PluginChoice("")
    if not isinstance(table, dict):
        problems.append(f"{key}: expected a table with `use`, one of {', '.join(group.names())}")
        return stand_in
    use = table.get("use")
    if not isinstance(use, str):
        problems.append(f"{key}.use: missing; one of {', '.join(group.names())}")
        return stand_in
    try:
        options = group.options(use).model_validate({k: v for k, v in table.items() if k != "use"})
    except PluginError as error:
        problems.append(f"{key}.use: {error}")
        return stand_in
    except ValidationError as error:
        problems.extend(_sentences(f"{key}.", error))
        return stand_in
    written = {name: table[name] for name in sorted(options.model_fields_set)}
    return PluginChoice(use, {k: _from_folder(v, getattr(options, k), folder) for k, v in written.items()})


def _from_folder(written: object, validated: object, folder: Path) -> object:
    if isinstance(validated, Path) and not str(validated).startswith("bundled:"):
        return folder / validated.expanduser()
    return written


def _sentences(prefix: str, error: ValidationError) -> Iterable[str]:
    for item in error.errors(include_url=False, include_context=False):
        key = prefix + ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        elif item["type"] == "missing":
            message = "missing"
        else:
            message = item["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:] + ("" if "got" in message else f", got {_shown(item['input'])}")
        yield f"{key.rstrip('.') or 'configuration'}: {message}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
