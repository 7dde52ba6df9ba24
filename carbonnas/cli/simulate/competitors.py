"""Schedulers as they are typed: a name, and options after a colon."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from carbon_sources.errors import CarbonSourceError
from carbon_sources.intensity import IntensitySeries
from carbonnas.config_file import choose_plugin
from carbonnas.errors import CarbonNASError, ConfigError
from carbonnas.plugins import SCHEDULERS, PluginChoice
from carbonnas.simulation.setting import Competitor
from schedulers.errors import SchedulingError

_BASELINES = ("carbon_blind", "oracle")
"""What every scheduler is compared with: no regard to the grid at all, and perfect foresight."""

_NEXT_OPTION = re.compile(r",\s*(?=\w+\s*=)")


def competitors(texts: Sequence[str], of_file: PluginChoice, actual: IntensitySeries) -> tuple[Competitor, ...]:
    """Return the schedulers to simulate: `carbon_blind` first, `oracle` last, the others in the order in which they were named.

    Args:
        texts: What was typed; empty for the scheduler of the file and all that can be made without options. The bare name of the
            file's scheduler stands for it with the file's options.
        of_file: The scheduler of the file.
        actual: The trace, for schedulers that know the future.

    Raises:
        ConfigError: If one is unknown or refuses its options.
    """
    chosen = [_chosen(text, of_file) for text in texts] if texts else _default(of_file, actual)
    bare = [(name, PluginChoice(name)) for name in _BASELINES]
    others = [(name, choice) for name, choice in chosen if (choice.use, dict(choice.options)) not in _plain(bare)]
    return tuple(_made(name, choice, actual) for name, choice in (bare[0], *others, bare[1]))


def _plain(choices: Sequence[tuple[str, PluginChoice]]) -> list[tuple[str, dict[str, object]]]:
    return [(choice.use, dict(choice.options)) for _, choice in choices]


def _chosen(text: str, of_file: PluginChoice) -> tuple[str, PluginChoice]:
    name, colon, written = text.partition(":")
    name = name.strip()
    if not colon and name == of_file.use:
        return name, of_file
    options = dict(_option(part, text) for part in _NEXT_OPTION.split(written) if part.strip())
    return text, choose_plugin("scheduler", {"use": name, **options}, Path.cwd(), f"--scheduler {text}")


def _option(part: str, text: str) -> tuple[str, object]:
    key, equals, value = (word.strip() for word in part.partition("="))
    if not (key and equals and value):
        raise ConfigError(
            f"--scheduler {text}", (f"{part.strip()!r} is no option: write KEY=VALUE, such as percentile=40",)
        )
    return key, _value(value)


def _value(text: str) -> object:
    """Return a value as TOML reads it; what is no TOML is text, so that `24 h` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _default(of_file: PluginChoice, actual: IntensitySeries) -> list[tuple[str, PluginChoice]]:
    found = [(of_file.use, of_file)]
    for name in SCHEDULERS.names():
        choice = PluginChoice(name)
        if name != of_file.use and _refusal(choice, actual) is None:
            found.append((name, choice))
    return found


def _refusal(choice: PluginChoice, actual: IntensitySeries) -> str | None:
    """Return why a scheduler can't be made, or `None` if it can."""
    try:
        SCHEDULERS.create(choice.use, choice.options, {"actual": actual})
    except (ValueError, CarbonNASError, CarbonSourceError, SchedulingError) as error:
        return str(error)
    return None


def _made(name: str, choice: PluginChoice, actual: IntensitySeries) -> Competitor:
    refusal = _refusal(choice, actual)
    if refusal is not None:
        raise ConfigError(f"--scheduler {name}", (refusal,))
    made = SCHEDULERS.create(choice.use, choice.options, {"actual": actual})
    return Competitor(name, choice, made.uses_forecast)
