"""From a TOML file to a validated configuration, with every mistake listed at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from carbon_sources.errors import CarbonSourceError, PluginError
from carbon_sources.groups import DEFAULT_FORECASTER
from carbon_sources.plugins import PluginGroup
from carbon_sources.source_choice import SourceChoice
from carbonnas.config import LONGEST, ClockSection, ForecastingSection, SafetySection, SearchConfig
from carbonnas.errors import CarbonNASError, ConfigError
from carbonnas.objectives.objective import Objective
from carbonnas.plugins import GROUP_OF_TABLE, PluginChoice
from schedulers.errors import SchedulingError

DEPENDING = (*GROUP_OF_TABLE, "costs", "targets")
"""Tables whose meaning depends on more than their text: on plug-ins, or on the folder of the file."""

_UNUSABLE = PluginChoice("")
"""Stands in for a table that has mistakes of its own, so that the others are found as well."""


class GridConfig(BaseModel):
    """What a configuration says of the grid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    carbon_source: PluginChoice
    forecaster: PluginChoice = PluginChoice(DEFAULT_FORECASTER)
    forecasting: ForecastingSection = ForecastingSection()
    clock: ClockSection = ClockSection()


def load_config(path: Path) -> tuple[SearchConfig, str]:
    """Read a configuration file; return it validated, and its text.

    Relative paths in it are meant from the folder of the file.

    Raises:
        ConfigError: With every mistake and its key, if the file is missing, no TOML, or invalid.
    """
    text = _text(path)
    return parse_config(text, str(path), path.parent.resolve()), text


def load_grid(path: Path) -> GridConfig:
    """Read what a configuration file says of the grid; whatever else stands in it is not looked at.

    Raises:
        ConfigError: With every mistake in these tables, if the file is missing, no TOML, or invalid.
    """
    tables, folder = toml_tables(_text(path), str(path)), path.parent.resolve()
    if "carbon_source" not in tables:
        raise ConfigError(str(path), ("carbon_source: missing",))
    problems: list[str] = []
    choices = {
        key: _plugin_choice(key, tables[key], GROUP_OF_TABLE[key], folder, problems)
        for key in ("carbon_source", "forecaster")
        if key in tables
    }
    sections = {key: tables[key] for key in ("clock", "forecasting") if key in tables}
    try:
        config = GridConfig.model_validate({**choices, **sections})
    except ValidationError as error:
        problems.extend(sentences("", error))
    if problems:
        raise ConfigError(str(path), tuple(problems))
    return config


def config_from_choices(text: str, choices: Mapping[str, Any], origin: str) -> SearchConfig:
    """Return a configuration that `parse_config` has accepted before, without importing its plug-ins.

    Args:
        text: Its TOML.
        choices: The tables of `DEPENDING`, as the JSON of the accepted configuration has them.
        origin: What messages call it.

    Raises:
        ConfigError: If this release would not accept it.
    """
    chosen = {key: PluginChoice(**value) if key in GROUP_OF_TABLE else value for key, value in choices.items()}
    try:
        return SearchConfig.model_validate({**toml_tables(text, origin), **chosen})
    except ValidationError as error:
        raise ConfigError(origin, tuple(sentences("", error))) from error


def choose_plugin(key: str, table: Mapping[str, object], folder: Path, origin: str) -> PluginChoice:
    """Return the choice of a plug-in that is not made in a file, with its options validated.

    Args:
        key: The table that it would be in a file.
        table: `use` and its options.
        folder: Where relative paths start.
        origin: What messages call it.

    Raises:
        ConfigError: With every mistake.
    """
    problems: list[str] = []
    choice = _plugin_choice(key, dict(table), GROUP_OF_TABLE[key], folder, problems)
    if problems:
        raise ConfigError(origin, tuple(problems))
    return choice


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return what to add to a sentence on an unknown name: the known one that it is closest to, if any is close."""
    close = [] if name in known else difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            str(path), (f"can't be read: {error.strerror}; `carbonnas init` writes an example",)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), (f"is not UTF-8 text: {error.reason} at byte {error.start}",)) from error


def toml_tables(text: str, origin: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises `ConfigError` if it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(origin, ("is no valid TOML: it is nested too deeply",)) from error
    except ValueError as error:
        raise ConfigError(origin, (f"is no valid TOML: {error}",)) from error


def parse_config(text: str, origin: str, folder: Path) -> SearchConfig:
    """Validate the text of a configuration.

    Args:
        text: TOML.
        origin: What messages call it, such as the file's name.
        folder: Where relative paths start.

    Raises:
        ConfigError: With every mistake and its key.
    """
    tables = toml_tables(text, origin)
    problems: list[str] = []
    choices: dict[str, PluginChoice] = {}
    for key, group in GROUP_OF_TABLE.items():
        if key in tables:
            choices[key] = _plugin_choice(key, tables[key], group, folder, problems)
    config: SearchConfig | None = None
    try:
        config = SearchConfig.model_validate({**_with_paths(tables, folder), **choices})
    except ValidationError as error:
        problems.extend(sentences("", error, beside_others=bool(problems)))
    problems.extend(_refusals(choices, config))
    if problems or config is None:
        raise ConfigError(origin, tuple(problems))
    return config


def _plugin_choice(key: str, table: object, group: PluginGroup[Any], folder: Path, problems: list[str]) -> PluginChoice:
    if not isinstance(table, dict):
        problems.append(f"{key}: expected a table with `use`, one of {', '.join(group.names())}")
        return _UNUSABLE
    use = table.get("use")
    if not isinstance(use, str):
        found = "missing" if use is None else f"expected a name, got {_shown(use)}"
        problems.append(f"{key}.use: {found}; one of {', '.join(group.names())}")
        return _UNUSABLE
    try:
        options = group.options(use).model_validate({k: v for k, v in table.items() if k != "use"})
    except PluginError as error:
        problems.append(f"{key}.use: {error}{did_you_mean(use, group.names())}")
        return _UNUSABLE
    except ValidationError as error:
        problems.extend(sentences(f"{key}.", error))
        return _UNUSABLE
    impossible = [
        f"{key}.{name}: {why}, got {_shown(table[name])}" for name, value in options if (why := _impossible(value))
    ]
    if impossible:
        problems.extend(impossible)
        return _UNUSABLE
    written = {name: table[name] for name in sorted(options.model_fields_set)}
    return PluginChoice(use, {k: _from_folder(v, getattr(options, k), folder) for k, v in written.items()})


def _with_paths(tables: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the tables with the paths of latency tables resolved from the folder of the file."""
    found = dict(tables)
    if isinstance(costs := tables.get("costs"), dict):
        found["costs"] = _path_resolved(costs, "latency_table", folder)
    if isinstance(targets := tables.get("targets"), list):
        found["targets"] = [_path_resolved(t, "table", folder) if isinstance(t, dict) else t for t in targets]
    return found


def _path_resolved(table: Mapping[str, Any], key: str, folder: Path) -> dict[str, Any]:
    written = table.get(key)
    return {**table, key: str(folder / Path(written).expanduser())} if isinstance(written, str) else dict(table)


def _impossible(value: object) -> str | None:
    if isinstance(value, timedelta) and value > LONGEST:
        return "longer than a hundred years"
    if isinstance(value, Path) and "\0" in str(value):
        return "a path can't hold a zero character"
    return None


def _from_folder(written: object, validated: object, folder: Path) -> object:
    if isinstance(validated, Path) and not str(validated).startswith("bundled:"):
        return folder / validated.expanduser()
    if isinstance(validated, tuple) and isinstance(written, list):
        return [_item_from_folder(*pair, folder) for pair in zip(written, validated, strict=True)]
    return written


def _item_from_folder(written: object, validated: object, folder: Path) -> object:
    """Resolve a path in a list, or the paths among the options of a plug-in that stands in one."""
    if isinstance(validated, Path):
        return _from_folder(written, validated, folder)
    if not (isinstance(written, dict) and isinstance(validated, SourceChoice)):
        return written
    options = validated.validated_options()
    return {key: _from_folder(value, getattr(options, key, None), folder) for key, value in written.items()}


def _refusals(choices: Mapping[str, PluginChoice], config: SearchConfig | None) -> Iterator[str]:
    """Yield what the constructors refuse of plug-ins that are made from their options and a few values alone.

    Combinations of options are known to nobody else. What opens files, networks or devices is left to the start of the search.
    """
    made: dict[str, object] = {}
    if config is not None:
        objectives = tuple(Objective.parse(text) for text in config.search.objectives)
        made = {"objectives": objectives, "seed": config.search.seed}
        try:
            made["reward"] = config.reward.make(objectives, config.search.seed)
        except ValueError as error:
            yield f"reward: {error}"
    for key in ("space", "scheduler", "strategy"):
        choice = choices.get(key, _UNUSABLE)
        has_services = key != "strategy" or {"space", "seed"} <= made.keys()
        if choice is _UNUSABLE or not has_services:
            continue
        try:
            made[key] = GROUP_OF_TABLE[key].create(choice.use, choice.options, made)
        except (ValueError, CarbonNASError, CarbonSourceError, SchedulingError) as error:
            yield f"{key}: {error}"


def sentences(prefix: str, error: ValidationError, *, beside_others: bool = False) -> Iterator[str]:
    """Yield a sentence for each mistake that pydantic found.

    Args:
        prefix: What stands before each key, such as `scheduler.`.
        error: What it found.
        beside_others: Whether there are mistakes in parts already: what is wrong with the whole may follow from them, and is left out.
    """
    for item in error.errors(include_url=False):
        key = prefix + ".".join(str(part) for part in item["loc"])
        if not item["loc"] and beside_others:
            continue  # what is wrong with the whole may follow from what is wrong with its parts
        if _counts_wrong_items(item):
            continue
        yield f"{key.rstrip('.') or 'configuration'}: {_message(item)}{_elsewhere(prefix, item)}"


def _elsewhere(prefix: str, item: ErrorDetails) -> str:
    """Return what to add to a sentence on an option that all schedulers share, and none has of its own."""
    is_shared = item["type"] == "extra_forbidden" and item["loc"][0] in SafetySection.model_fields
    return "; it belongs to [safety]" if prefix == "scheduler." and is_shared else ""


def _counts_wrong_items(item: ErrorDetails) -> bool:
    """Say whether a list is only short of items because those that are wrong, and told as such, do not count."""
    found = item["input"]
    return item["type"] == "too_short" and isinstance(found, list) and len(found) >= item["ctx"]["min_length"]


def _message(item: ErrorDetails) -> str:
    found = item["input"]
    if item["type"] == "too_short":
        least = item["ctx"]["min_length"]
        return f"expected at least {'one' if least == 1 else least}, got {_shown(found)}"
    if item["type"] in _MESSAGES:
        return _MESSAGES[item["type"]].format(found=_shown(found))
    message = item["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return message if "got" in message or isinstance(found, dict) else f"{message}, got {_shown(found)}"


_LONGEST_SHOWN = 60
"""Characters of a value that a sentence shows."""

_MESSAGES = {
    "extra_forbidden": "unknown key",
    "missing": "missing",
    "model_type": "expected a table, got {found}",
    "tuple_type": "expected a list, got {found}",
}


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return f"a list of {len(value)}"
    text = repr(value)
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"a list of {len(value)}" if isinstance(value, list) else text[: _LONGEST_SHOWN - 3] + "..."
