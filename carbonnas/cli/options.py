"""Options that several commands have, read as they were typed."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import HOUR, parse_instant
from carbon_sources.providers.trace import TraceSource
from carbon_sources.traces.columns import TraceOptions
from carbon_sources.traces.formats import IntensityUnit
from carbon_sources.units import parse_duration
from carbonnas.errors import ConfigError

_E = TypeVar("_E", bound=enum.Enum)

DAY = timedelta(days=1)
LONGEST_HORIZON = timedelta(days=31)
"""Nothing is expected of a later time."""
_LIMIT = f"{LONGEST_HORIZON // HOUR} h"

PICTURES = (".html", ".htm", ".svg", ".png")
"""Endings of the files that hold pictures."""

_LONGEST = 3653 * DAY
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TraceChoice:
    """A recorded trace and what its user says of it, as typed; `None` leaves it to the file.

    Attributes:
        path: The file, or a bundled trace by name.
        zone: Zone to take of several.
        column: Column of the intensity.
        kind: Average or marginal.
        basis: Life cycle or direct.
        unit: Unit of the numbers.
        time_zone: Zone of times without offset.
    """

    path: str
    zone: str | None
    column: str | None
    kind: str | None
    basis: str | None
    unit: str | None
    time_zone: str | None

    def source(self, forecasts: Path | None = None) -> TraceSource:
        """Return the trace as a carbon source, with the forecasts of a second file, if one is named.

        Raises:
            ConfigError: If a word is none of those that are known.
            TraceError: If a file can't be read.
        """
        chosen = self.options()
        return TraceSource(
            path=Path(self.path),
            zone=chosen.zone,
            column=chosen.column,
            kind=chosen.kind,
            basis=chosen.basis,
            unit=chosen.unit,
            time_zone=chosen.time_zone,
            forecasts=forecasts,
        )

    def options(self) -> TraceOptions:
        """Return what the reader of traces takes.

        Raises:
            ConfigError: If a word is none of those that are known.
        """
        return TraceOptions(
            zone=self.zone,
            column=self.column,
            kind=_member(IntensityKind, self.kind, "--kind"),
            basis=_member(Basis, self.basis, "--basis"),
            unit=_member(IntensityUnit, self.unit, "--unit"),
            time_zone=self.time_zone,
        )


def instant_option(text: str, option: str) -> datetime:
    """Read an instant, or a date as its midnight in UTC.

    Raises:
        ConfigError: If it is neither, naming the option.
    """
    try:
        dated = len(text) == len("2020-06-01")
        instant = datetime.fromisoformat(text).replace(tzinfo=UTC) if dated else parse_instant(text)
    except ValueError as error:
        why = f": {error}" if _is_time(text) else f", got {text!r}"
        raise ConfigError(option, (f"expected a date or an instant such as 2020-06-01T12:00Z{why}",)) from error
    if instant < _EARLIEST:
        raise ConfigError(option, (f"{text} is before {_EARLIEST:%Y}",))
    return instant


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def duration_option(text: str, option: str) -> timedelta:
    """Read a duration above zero.

    Raises:
        ConfigError: If it is none, naming the option.
    """
    duration = _duration(text, option)
    if not timedelta(0) < duration <= _LONGEST:
        raise ConfigError(option, (f"expected a duration above zero and of at most ten years, got {text!r}",))
    return duration


def horizon_option(text: str, option: str) -> timedelta:
    """Read a duration above zero, up to `LONGEST_HORIZON`.

    Raises:
        ConfigError: If it is none, naming the option.
    """
    horizon = _duration(text, option)
    check_horizon(horizon, option, repr(text))
    return horizon


def check_horizon(horizon: timedelta, option: str, told: str) -> None:
    """Check that a horizon is above zero and at most `LONGEST_HORIZON`.

    Args:
        horizon: The horizon.
        option: Where it stands.
        told: How it reads there.

    Raises:
        ConfigError: If it is not.
    """
    if not timedelta(0) < horizon <= LONGEST_HORIZON:
        raise ConfigError(option, (f"expected a duration above zero and of at most {_LIMIT}, got {told}",))


def hours_option(text: str, option: str) -> int:
    """Read a duration of whole hours, from one to `LONGEST_HORIZON`.

    Raises:
        ConfigError: If it is none, naming the option.
    """
    duration = _duration(text, option)
    if not HOUR <= duration <= LONGEST_HORIZON or duration % HOUR:
        raise ConfigError(option, (f"expected whole hours, 1 h to {_LIMIT}, got {text!r}",))
    return duration // HOUR


def _duration(text: str, option: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(option, (str(error),)) from error


def _member(kind: type[_E], text: str | None, option: str) -> _E | None:
    if text is None:
        return None
    known = {str(member.value): member for member in kind}
    if text not in known:
        raise ConfigError(option, (f"expected one of {', '.join(known)}, got {text!r}",))
    return known[text]


def check_folder(output: Path | None) -> None:
    """Check that the folder of a file to write is there, before the work begins.

    Raises:
        ConfigError: If it is not.
    """
    if output is not None and not output.parent.is_dir():
        raise ConfigError("--output", (f"there is no folder {output.parent}: make it, or choose another",))


def check_output(output: Path | None, endings: tuple[str, ...]) -> None:
    """Check a file to write before the work begins.

    Raises:
        ConfigError: If its folder is not there, or its ending says no format.
    """
    check_folder(output)
    if output is not None and output.suffix.lower() not in endings:
        raise ConfigError("--output", (f"{output.name}: the ending must be one of {', '.join(endings)}",))
