"""Great Britain's provider as a fake: the national interface, and the regional one, which forecasts only."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.answers.national_grid import Place, parse_national, parse_region
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.national_grid import NationalGridSource
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, FORECAST_FAULTS, JSON_FAULTS, Fault

HALF = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=20)
"""How long after a half hour its `actual` appears."""
HORIZON = timedelta(hours=48)
NORTH_SCOTLAND = Place(region=1)

Row = dict[str, Any]

_STAMP = r"(\d{4}-\d\d-\d\dT\d\d:\d\dZ)"
_RANGE = re.compile(rf"/intensity/{_STAMP}/{_STAMP}")
_FORWARD = re.compile(rf"/intensity/{_STAMP}/fw48h")
_PLACE = re.compile(r"/regional(.*?)/(?:regionid/(\d+)|postcode/([A-Z0-9]+))")
_LONGEST = timedelta(days=14)


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%MZ")


def half_hour_of(instant: datetime) -> datetime:
    """Return when the half hour that contains the instant began."""
    return instant.replace(minute=instant.minute // 30 * 30, second=0, microsecond=0)


def error(status: int, title: str, message: str) -> Reply:
    return Reply.json({"error": {"code": f"{status} {title}", "message": message}}, status)


class FakeNationalGrid(FakeApi):
    """The national interface.

    `actual` is `wave`; the forecast of a half hour is 7 g/kWh above it. All times are asked for, so a clock that is wrong by ten
    minutes shows in nothing but when an `actual` appears, which is no fault that a client could see or would have to.
    """

    name = "national_grid"
    own_faults = JSON_FAULTS | FORECAST_FAULTS

    def answer(self, asked: Asked) -> Reply:
        violation = _violation_of_headers(asked)
        if violation:
            return self.refuse(violation, error(400, "Bad Request", violation))
        return self._answer_path(asked.path, lambda rows: {"data": rows})

    def source(self, http: HttpClient, url: str) -> NationalGridSource:
        return NationalGridSource(http, base_url=url)

    def expected(self, interval: Interval) -> float:
        return wave(interval.start)

    def is_true(self, sample: IntensitySample) -> bool:
        """Measured values are what was; estimates are what was expected."""
        told = self.expected(sample.interval)
        told += 7 if sample.provenance is Provenance.ESTIMATED else 0
        return math.isclose(sample.g_per_kwh, told, abs_tol=0.51)

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity(self.name, "GB", IntensityKind.AVERAGE, Basis.DIRECT)
        document = {"data": self.rows(self.now - 2 * HOUR, self.now + HOUR)}
        return [FuzzTarget("national", lambda changed: parse_national(changed, identity), document)]

    def rows(self, start: datetime, end: datetime) -> list[Row]:
        """Return the half hours from the one that contains `start` to the one that contains `end`, as long as they are known."""
        begin = half_hour_of(start)
        if begin == start:
            begin -= HALF  # both ends count, so the half hour that ends at the start comes along
        rows = []
        while begin <= min(end, self.now + HORIZON):
            rows.append(self.row(begin))
            begin += HALF
        return rows

    def row(self, start: datetime) -> Row:
        known = start + HALF + self._delay <= self.now
        actual = wave(start) if known else None
        return _row(start, {"forecast": wave(start) + 7, "actual": actual, "index": "moderate"})

    @property
    def _delay(self) -> timedelta:
        return 3 * HOUR if self.fault is Fault.STALE else DELAY

    def _answer_path(self, path: str, wrap: Callable[[list[Row]], object]) -> Reply:
        """Answer a range or what lies ahead, with the fault, in the shape that `wrap` gives it."""
        if forward := _FORWARD.fullmatch(path):
            start = _read(forward[1])
            hours = 30 if self.fault is Fault.SHORT_FORECAST else 48
            end = start + timedelta(hours=hours)
            start -= 2 * HOUR if self.fault is Fault.FORECAST_FROM_PAST else timedelta(0)
        elif between := _RANGE.fullmatch(path):
            start, end = _read(between[1]), _read(between[2])
        else:
            return self.refuse(f"no such path: {path}", error(400, "Bad Request", "Please enter a valid path."))
        if not start <= end <= start + _LONGEST and not forward:
            return self.refuse(f"range of more than 14 days: {path}", error(400, "Bad Request", "maximum 14 days"))
        return self._with_fault(self.rows(start, end), wrap)

    def _with_fault(self, rows: list[Row], wrap: Callable[[list[Row]], object]) -> Reply:
        match self.fault:
            case Fault.HTML_REFUSAL:
                return FORBIDDEN_PAGE
            case Fault.EMPTY_OBJECT:
                return Reply.json({})
            case Fault.EMPTY_DATA:
                return Reply.json({"data": []})
            case Fault.DISORDER:
                rows = [*reversed(rows), *rows[1:3], *map(_contradicted, rows[2:3])]
            case _:
                for row in rows:
                    if self._is_spoiled(row):
                        self._spoil(row)
        return Reply.json(wrap(rows))

    def _is_spoiled(self, row: Row) -> bool:
        """Say whether a row lies in the hours that a fault changes; some newer ones stay as they are."""
        return self.now - 5 * HOUR <= _read(row["from"]) <= self.now - 2 * HOUR

    def _spoil(self, row: Row) -> None:
        intensity = row["intensity"]
        for column in intensity.keys() & {"forecast", "actual"}:
            value = intensity[column]
            match self.fault:
                case Fault.ZEROS:
                    intensity[column] = 0
                case Fault.NULLS:
                    intensity[column] = None
                case Fault.MISSING_VALUE:
                    del intensity[column]
                case Fault.TEXT_NUMBERS:
                    intensity[column] = str(value)
                case Fault.ABSURD:
                    intensity[column] = 4366 if row["from"].endswith("00Z") else -5
                case Fault.REVISED:
                    intensity[column] = value + 9


class FakeNationalGridRegion(FakeNationalGrid):
    """The regional interface: North Scotland, which the wind makes free of emissions for hours.

    A region is forecast only, and what is kept of the past is the last forecast, `max(0, wave)` around 60 g/kWh. Without gas its
    mix is wind and hydro. Gas stands for as much as is needed at 394 g/kWh.
    """

    name = "national_grid region"
    own_faults = JSON_FAULTS | FORECAST_FAULTS | {Fault.OTHER_ZONE, Fault.UNKNOWN_CODE}

    def __init__(self, place: Place = NORTH_SCOTLAND) -> None:
        super().__init__()
        self.place = place

    def answer(self, asked: Asked) -> Reply:
        violation = _violation_of_headers(asked)
        path = _PLACE.fullmatch(asked.path)
        if violation or path is None or (path[2] and not 1 <= int(path[2]) <= 17):
            violation = violation or f"no such path: {asked.path}"
            return self.refuse(violation, error(400, "Bad Request", violation))
        told: Row = {"regionid": int(path[2] or 1), "dnoregion": "A company", "shortname": "A region"}
        if path[3]:
            told["postcode"] = path[3]
        if self.fault is Fault.OTHER_ZONE:
            told = {"regionid": 13, "dnoregion": "Another company", "shortname": "London", "postcode": "EC1A"}
        if not path[1]:
            running = [self.row(half_hour_of(self.now))]
            return self._with_fault(running, lambda rows: {"data": [told | {"data": rows}]})
        return self._answer_path(path[1], lambda rows: {"data": told | {"data": rows}})

    def source(self, http: HttpClient, url: str) -> NationalGridSource:
        return NationalGridSource(http, region=self.place.region, postcode=self.place.postcode, base_url=url)

    def expected(self, interval: Interval) -> float:
        return max(0.0, wave(interval.start, mean=60, swing=80))

    def is_true(self, sample: IntensitySample) -> bool:
        """Nothing of a region is ever measured."""
        return FakeApi.is_true(self, sample) and sample.provenance is Provenance.ESTIMATED

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity("national_grid", self.place.zone, IntensityKind.AVERAGE, Basis.DIRECT)
        region = {"regionid": 1, "shortname": "A region", "data": self.rows(self.now - 12 * HOUR, self.now)}
        documents = {"region, list": {"data": [region]}, "region, object": {"data": region}}
        return [
            FuzzTarget(name, lambda changed: parse_region(changed, identity, self.place), document)
            for name, document in documents.items()
        ]

    def rows(self, start: datetime, end: datetime) -> list[Row]:
        rows = super().rows(start, end)
        if self.fault is Fault.STALE:
            return [row for row in rows if _read(row["to"]) <= self.now - 3 * HOUR]
        return rows

    def row(self, start: datetime) -> Row:
        value = self.expected(Interval(start, start + HALF))
        gas = round(100 * value / 394, 1)
        shares = {"wind": round(80 - gas, 1), "hydro": 20, "gas": gas, "coal": 0, "imports": 0}
        if self.fault is Fault.UNKNOWN_CODE:
            shares = {"wind": 60, "tidal": 40}
        mix = [{"fuel": fuel, "perc": share} for fuel, share in shares.items()]
        return _row(start, {"forecast": int(value), "index": "low"}) | {"generationmix": mix}

    def _spoil(self, row: Row) -> None:
        super()._spoil(row)
        if self.fault is Fault.ZEROS:
            row["generationmix"] = [{"fuel": "gas", "perc": 0}, {"fuel": "wind", "perc": 0}]


def _row(start: datetime, intensity: Row) -> Row:
    return {"from": stamp(start), "to": stamp(start + HALF), "intensity": intensity}


def _read(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


def _contradicted(row: Row) -> Row:
    return row | {"intensity": dict.fromkeys(row["intensity"].keys() & {"forecast", "actual"}, 77)}


def _violation_of_headers(asked: Asked) -> str:
    if "json" not in (asked.header("Accept") or ""):
        return "the header Accept has to allow JSON"
    return "no parameters are known" if asked.query else ""
