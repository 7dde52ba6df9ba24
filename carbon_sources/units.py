"""Units: exact factors, and quantities written by people such as `"500 g"` or `"15 min"`.

Inside the program energy is in joules, power in watts, emissions in grams of CO2 equivalent, intensity in g/kWh,
instants are aware UTC `datetime` and durations `timedelta`. The `Annotated` types here let a configuration state each of
them with its unit written out; a bare number is refused, because its unit would have to be guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import BeforeValidator

J_PER_KWH = 3.6e6
"""Exact by definition: 1 kW for 3,600 s."""

G_PER_KWH_PER_LB_PER_MWH = 0.45359237
"""Exact by definition of the international pound (453.59237 g): 1 lb/MWh in g/kWh."""

_T = TypeVar("_T")

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d]+)\s*")

_GRAMS = {"mg": 1e-3, "g": 1.0, "kg": 1e3, "t": 1e6}
_JOULES = {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "Wh": 3.6e3, "kWh": J_PER_KWH, "MWh": 3.6e9}
_WATTS = {"mW": 1e-3, "W": 1.0, "kW": 1e3}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("week", "weeks"), 604800.0),
}


def _parse(text: object, units: Mapping[str, float], example: str) -> float:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None or match.group(2) not in units:
        raise ValueError(f"expected a number with a unit ({', '.join(units)}) such as {example!r}, got {text!r}")
    value = float(match.group(1)) * units[match.group(2)]
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"expected a finite quantity of at least zero, got {text!r}")
    return value


def parse_grams(text: object) -> float:
    """Read a mass such as `"2 kg"` and return grams; `ValueError` for anything else."""
    return _parse(text, _GRAMS, "500 g")


def parse_joules(text: object) -> float:
    """Read an energy such as `"3 kWh"` and return joules; `ValueError` for anything else."""
    return _parse(text, _JOULES, "3 kWh")


def parse_watts(text: object) -> float:
    """Read a power such as `"65 W"` and return watts; `ValueError` for anything else."""
    return _parse(text, _WATTS, "65 W")


def parse_duration(text: object) -> timedelta:
    """Read a duration such as `"15 min"` and return it; `ValueError` for anything else."""
    seconds = _parse(text, _SECONDS, "15 min")
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{text!r} is longer than a duration can be") from None


def _unless(kind: type[_T], parse: Callable[[object], _T]) -> Callable[[object], _T]:
    def validate(value: object) -> _T:
        return value if isinstance(value, kind) else parse(value)

    return validate


Grams = Annotated[float, BeforeValidator(parse_grams)]
Joules = Annotated[float, BeforeValidator(parse_joules)]
Watts = Annotated[float, BeforeValidator(parse_watts)]
Duration = Annotated[timedelta, BeforeValidator(_unless(timedelta, parse_duration))]
