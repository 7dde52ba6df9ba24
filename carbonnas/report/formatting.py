"""Numbers and instants as people read them."""

from __future__ import annotations

import math
from datetime import datetime

from carbon_sources.interval import Interval

UNKNOWN = "unknown"
NOTHING = "–"

_MASSES = ((1e6, "t"), (1e3, "kg"), (1.0, "g"), (1e-3, "mg"))
_ENERGIES = ((1e3, "MWh"), (1.0, "kWh"), (1e-3, "Wh"), (1e-6, "mWh"))


def grams(value_g: float | None) -> str:
    """Return a mass of CO2 equivalent with three digits and a fitting unit."""
    return UNKNOWN if value_g is None else _scaled(value_g, _MASSES, "g")


def spent(value_g: float, limit_g: float) -> str:
    """Return what is spent of a limit, as `grams` does, but never rounded up to a limit that it has not reached."""
    return grams(_short_of(value_g, limit_g))


def spent_share(value_g: float, limit_g: float, decimals: int = 1) -> str:
    """Return the share of a limit that is spent in percent, never rounded up to 100 before the limit is reached."""
    step = 10.0**-decimals
    percent_spent = 100 * value_g / limit_g
    shown = min(percent_spent, 100 - step) if value_g < limit_g else percent_spent
    return f"{shown:.{decimals}f} %"


def _short_of(value: float, limit: float) -> float:
    """Return a value below its limit with the digits that are shown, rounded down where rounding would take it to the limit."""
    if not 0 < value < limit or _three(value) < min(limit, _three(limit)):
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.floor(value / step) * step


def _three(value: float) -> float:
    return float(f"{value:.3g}")


def kwh(value_kwh: float) -> str:
    """Return an energy with three digits and a fitting unit."""
    return _scaled(value_kwh, _ENERGIES, "kWh")


def _scaled(value: float, units: tuple[tuple[float, str], ...], zero: str) -> str:
    if value == 0:
        return f"0 {zero}"
    factor, unit = next(((f, u) for f, u in units if abs(value) >= f), units[-1])
    return f"{_digits(value / factor)} {unit}"


def _digits(value: float) -> str:
    """Return three significant digits, never in powers of ten between 0.001 and a million."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-3:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def mass_unit(largest_g: float) -> tuple[float, str]:
    """Return the grams in one unit, and the unit, in which a chart up to `largest_g` is drawn."""
    return next(((f, u) for f, u in _MASSES if largest_g >= f), _MASSES[-1]) if largest_g > 0 else (1.0, "g")


def percent(share: float | None) -> str:
    """Return a share 0..1 in percent with one decimal."""
    return UNKNOWN if share is None else f"{100 * share:.1f} %"


def is_share(metric: str) -> bool:
    """Say whether a metric is a fraction that people read in percent."""
    return metric == "accuracy" or metric.endswith("_accuracy")


def metric(name: str, value: float) -> str:
    """Return a metric's value: accuracies in percent with two decimals, whole numbers whole, others with four digits."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if is_share(name):
        return f"{100 * value:.2f} %"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def instant(value: datetime | None) -> str:
    """Return an instant to the second in UTC, or a dash where there is none."""
    return NOTHING if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def duration(span: Interval) -> str:
    """Return the length of a span in its two largest units."""
    seconds = round(span.seconds)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
