"""Great Britain's national intensity from the National Energy System Operator (NESO), free and without a key.

Interface: https://carbon-intensity.github.io/api-definitions/ (data CC BY 4.0). Half hours in UTC, g/kWh, average, emissions of
combustion only. `forecast` is overwritten every half hour and old ones are not kept; `actual` is null until about half an
hour after the period and may be revised for a day.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval, parse_instant, require_span, require_utc
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=13)
"""One day below the provider's limit of 14 days, because it counts the half hours at both ends."""

HIGHEST_G_PER_KWH = 1000.0
"""A mix can't be dirtier than its dirtiest fuel, and the largest factor that NESO uses is coal with 937 g/kWh."""

_LOOK_BACK = timedelta(hours=24)
_HALF_HOUR = timedelta(minutes=30)
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One period of an answer; a value is `None` where none was given or the given one can't be true.

    Attributes:
        interval: The period, UTC.
        forecast: Newest forecast in g/kWh; for the running period it is the provider's estimate.
        actual: Estimated from metered generation afterwards, in g/kWh.
    """

    interval: Interval
    forecast: float | None
    actual: float | None


def range_path(start: datetime, end: datetime) -> str:
    """Return the path that asks for the half hours from `start` to `end`, at most 14 days."""
    return f"/intensity/{_stamp(start)}/{_stamp(end)}"


def forecast_path(now: datetime) -> str:
    """Return the path that asks for the 48 hours from `now`; fewer may come back."""
    return f"/intensity/{_stamp(now)}/fw48h"


def range_paths(start: datetime, end: datetime) -> list[str]:
    """Return the paths that together ask for `start .. end`."""
    paths = []
    while start < end:
        until = min(end, start + LONGEST_RANGE)
        paths.append(range_path(start, until))
        start = until
    return paths


def parse(answer: object) -> list[HalfHour]:
    """Return the half hours of an answer in order of time; an empty answer gives none.

    Zero is what the provider sends during outages (a forecast of 185 beside an `actual` of 0 for two hours on 2023-06-07), so
    it counts as no value, as do negative values and those above `HIGHEST_G_PER_KWH`.

    Raises:
        SourceAnswerError: If the answer is an error or has another shape, or periods overlap or contradict each other.
    """
    if not isinstance(answer, Mapping):
        raise SourceAnswerError(f"NESO answered with {_kind(answer)} instead of an object")
    if "error" in answer:
        raise SourceAnswerError(f"NESO answered with an error: {str(answer['error'])[:160]}")
    rows = answer.get("data", [])
    if not isinstance(rows, list):
        raise SourceAnswerError(f"NESO answered with {_kind(rows)} for 'data' instead of a list")
    return _in_order(_half_hour(row) for row in rows)


class NationalGridSource(CarbonSource):
    """National intensity of Great Britain.

    The provider keeps no old forecasts, so `forecast` answers `None` for a time that has already been measured.

    Args:
        http: Client to ask with.
        base_url: Address of the interface, without a slash at the end.
    """

    zone = "GB"
    kind = IntensityKind.AVERAGE
    basis = Basis.DIRECT

    def __init__(self, http: HttpClient, *, base_url: str = "https://api.carbonintensity.org.uk") -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the running half hour as measured, else as estimated by the provider, else the newest measured one."""
        require_utc(now, "now")
        begun = [
            half for half in self._ask(range_path(now - _LOOK_BACK, now + _HALF_HOUR)) if half.interval.start <= now
        ]
        for half in reversed(begun):
            if half.actual is not None:
                return _sample(half, half.actual, Provenance.MEASURED)
            if half.forecast is not None and half.interval.contains(now):
                return _sample(half, half.forecast, Provenance.ESTIMATED)
        return None

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        halves: dict[datetime, HalfHour] = {}
        for path in range_paths(start, end):
            halves |= {half.interval.start: half for half in self._ask(path)}
        return IntensitySeries(
            tuple(
                _sample(half, half.actual, Provenance.MEASURED)
                for _, half in sorted(halves.items())
                if half.actual is not None and half.interval.start < end and half.interval.end > start
            )
        )

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        ahead = [half for half in self._ask(forecast_path(now)) if half.interval.end > now]
        if any(half.actual is not None for half in ahead):
            return None
        samples = tuple(
            _sample(half, half.forecast, Provenance.ESTIMATED) for half in ahead if half.forecast is not None
        )
        return Forecast(now, IntensitySeries(samples)) if samples else None

    def _ask(self, path: str) -> list[HalfHour]:
        return parse(self._http.get_json(self._base_url + path))


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _half_hour(row: object) -> HalfHour:
    try:
        fields = _mapping(row)
        interval = Interval(parse_instant(_text(fields["from"])), parse_instant(_text(fields["to"])))
        intensity = _mapping(fields["intensity"])
        return HalfHour(
            interval,
            _value(intensity.get("forecast"), interval, "forecast"),
            _value(intensity.get("actual"), interval, "actual"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SourceAnswerError(
            f"NESO answered with a period that can't be read: {str(row)[:160]} ({error})"
        ) from error


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {_kind(value)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {_kind(value)}")
    return value


def _value(value: object, interval: Interval, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number for {name!r}, got {_kind(value)}")
    if 0 < value <= HIGHEST_G_PER_KWH:
        return float(value)
    _LOGGER.warning("NESO gives %s g/kWh as %s of %s, which can't be true: left as a gap", value, name, interval.start)
    return None


def _in_order(halves: Iterable[HalfHour]) -> list[HalfHour]:
    by_start: dict[datetime, HalfHour] = {}
    for half in halves:
        known = by_start.setdefault(half.interval.start, half)
        if known != half:
            raise SourceAnswerError(f"NESO answered twice and differently for {half.interval.start}: {known}, {half}")
    ordered = [by_start[start] for start in sorted(by_start)]
    for before, after in itertools.pairwise(ordered):
        if after.interval.start < before.interval.end:
            raise SourceAnswerError(f"NESO answered with periods that overlap at {after.interval.start}")
    return ordered


def _sample(half: HalfHour, g_per_kwh: float, provenance: Provenance) -> IntensitySample:
    return IntensitySample(
        interval=half.interval,
        g_per_kwh=g_per_kwh,
        zone=NationalGridSource.zone,
        kind=NationalGridSource.kind,
        basis=NationalGridSource.basis,
        provenance=provenance,
        source="national_grid",
    )
