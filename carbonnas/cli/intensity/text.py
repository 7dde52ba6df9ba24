"""Intensities as people and programs read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.markup import escape

from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource
from carbonnas.cli.output import messages
from carbonnas.report.document import iso


def printable(text: str) -> str:
    """Return a text of somebody else without what would control a terminal or a page."""
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in text)


def plain(text: str) -> str:
    """Return a text of somebody else for a terminal, whose markup is only text."""
    return escape(printable(text))


def stamp(instant: datetime) -> str:
    """Return an instant in UTC to the minute, or to the second where it is none."""
    return f"{instant:%Y-%m-%d %H:%M}" if instant.second == 0 else f"{instant:%Y-%m-%d %H:%M:%S}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lasting(duration: timedelta) -> str:
    """Return a duration in its two largest units."""
    minutes = round(duration.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def grid_json(source: CarbonSource) -> dict[str, Any]:
    """Return what all values of a source have in common."""
    return {"zone": source.zone, "kind": source.kind.value, "basis": source.basis.value}


def interval_json(interval: Interval) -> dict[str, Any]:
    """Return an interval as JSON."""
    return {"start": iso(interval.start), "end": iso(interval.end)}


def sample_json(sample: IntensitySample) -> dict[str, Any]:
    """Return a sample as JSON, without what all values of its source have in common."""
    return {
        **interval_json(sample.interval),
        "g_per_kwh": sample.g_per_kwh,
        "provenance": sample.provenance.value,
        "source": sample.source,
        "method": sample.method,
    }


def mean(series: IntensitySeries, within: Interval) -> float | None:
    """Return the mean over the known part of `within`, weighted by time, in g/kWh; `None` if nothing is known."""
    parts = [
        (part.seconds, sample.g_per_kwh)
        for sample in series.between(within.start, within.end)
        if (part := sample.interval.intersection(within)) is not None
    ]
    known_s = sum(seconds for seconds, _ in parts)
    return sum(seconds * value for seconds, value in parts) / known_s if parts else None


def has_band(forecast: Forecast) -> bool:
    """Say whether the quantiles tell anything: a provider's forecast has none of its own, and stands in for all."""
    return any(values[0] < values[-1] for values in forecast.quantiles)


def say_written(path: Path) -> None:
    """Print among the messages where a file went."""
    what = "Trace" if path.suffix.lower() == ".csv" else "Picture"
    messages().print(f"{what}: {plain(str(path))}", soft_wrap=True)


def remark(remarks: Iterable[str]) -> None:
    """Print what is odd among the messages."""
    for text in remarks:
        messages().print(f"[yellow]note:[/yellow] {plain(text)}", soft_wrap=True)
