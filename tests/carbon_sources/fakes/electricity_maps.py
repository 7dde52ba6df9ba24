"""Electricity Maps, played: rows of one zone named by their start, the newest of them estimated."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.answers.electricity_maps import Granularity, Question, parse_forecast, parse_latest, parse_rows
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.providers.electricity_maps import ElectricityMapsSource
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORECAST_FAULTS, JSON_FAULTS, Fault

TOKEN = "em-token-8Zq41x"  # noqa: S105 -- of a fake
DAY = timedelta(hours=24)
_MARK = timedelta(minutes=5)
_MEASURED_AFTER = timedelta(hours=1)
_LENGTHS = {"hourly": timedelta(hours=1), "15_minutes": timedelta(minutes=15), "5_minutes": timedelta(minutes=5)}
_ALWAYS = {"zone", "disableCallerLookup", "emissionFactorType", "temporalGranularity"}
_SOMETIMES = {"flowTraced", "disableEstimations"}
_BY_VERB = {"latest": set[str](), "history": set(), "past-range": {"start", "end"}, "forecast": {"horizonHours"}}

Row = dict[str, Any]


@functools.lru_cache(maxsize=10_000)
def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _is_short(start: str, end: str) -> bool:
    return timedelta(0) < datetime.fromisoformat(end) - datetime.fromisoformat(start) <= timedelta(days=10)


def floored(instant: datetime, length: timedelta) -> datetime:
    epoch = datetime(2020, 1, 1, tzinfo=UTC)
    return epoch + (instant - epoch) // length * length


_OFFSETS: dict[Fault | None, timedelta] = {Fault.SKEWED_CLOCK: timedelta(minutes=10), Fault.STALE: -timedelta(hours=3)}


@functools.lru_cache(maxsize=20_000)
def mean_wave(interval: Interval) -> float:
    """Return the mean of the world's values at each five minutes of an interval."""
    marks = [interval.start + k * _MARK for k in range((interval.end - interval.start) // _MARK)]
    return sum(wave(mark) for mark in marks) / len(marks)


class FakeElectricityMaps(FakeApi):
    """Answers about `DE`.

    Attributes:
        refused: Verbs that the plan does not cover.
        strict: Whether more than one request in five minutes is throttled.
        ahead: How far rows that were born as forecasts are served beyond the present.
        later: What is added to values that begin after `fork`, g/kWh: another future.
        fork: See `later`.
    """

    name = "electricity_maps"
    own_faults = (
        JSON_FAULTS
        | FORECAST_FAULTS
        | {
            Fault.PLAN_NOT_COVERED,
            Fault.BAD_TOKEN,
            Fault.COARSER,
            Fault.OTHER_ZONE,
            Fault.SKEWED_CLOCK,
            Fault.UNKNOWN_CODE,
        }
    )

    def __init__(self, granularity: Granularity = Granularity.QUARTER_HOURLY) -> None:
        super().__init__()
        self.granularity = granularity
        self.refused: frozenset[str] = frozenset()
        self.strict = False
        self.ahead = timedelta(0)
        self.later, self.fork = 0.0, self.now
        self._last_request: datetime | None = None

    def answer(self, asked: Asked) -> Reply:
        refusal = self._refusal(asked) or self._violation(asked)
        if refusal is not None:
            return refusal
        if self.fault is Fault.EMPTY_OBJECT:
            return Reply.json({})
        verb = asked.path.rpartition("/")[2]
        query = {name: values[0] for name, values in asked.query.items()}
        answers: dict[str, Callable[[dict[str, str]], Reply]] = {
            "latest": self._latest,
            "history": self._history,
            "past-range": self._past_range,
            "forecast": self._forecast,
        }
        return answers[verb](query)

    def source(self, http: HttpClient, url: str, **options: Any) -> ElectricityMapsSource:
        secrets = Secrets({"ELECTRICITY_MAPS_TOKEN": TOKEN})
        wanted: dict[str, Any] = {"zone": "DE", "granularity": self.granularity, "base_url": url, **options}
        return ElectricityMapsSource(http, secrets, **wanted)

    def expected(self, interval: Interval) -> float:
        return mean_wave(interval) + (self.later if interval.start > self.fork else 0.0)

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity(self.name, "DE", IntensityKind.AVERAGE, Basis.LIFECYCLE)
        question = Question(identity, True, self.granularity)  # noqa: FBT003 -- flow-traced
        query = {"emissionFactorType": "lifecycle", "temporalGranularity": self.granularity.value, "flowTraced": "true"}
        query |= {"horizonHours": "6", "start": stamp(self.now - timedelta(hours=6)), "end": stamp(self.now)}

        def healthy(reply: Reply) -> object:
            document: object = json.loads(reply.body)
            return document

        return [
            FuzzTarget("latest", lambda document: parse_latest(document, question), healthy(self._latest(query))),
            FuzzTarget("past-range", lambda document: parse_rows(document, question), healthy(self._past_range(query))),
            FuzzTarget("forecast", lambda document: parse_forecast(document, question), healthy(self._forecast(query))),
        ]

    @property
    def _present(self) -> datetime:
        """What the provider takes for now."""
        return self.now + _OFFSETS.get(self.fault, timedelta(0))

    @property
    def _newest(self) -> datetime:
        """Rows that begin before it are there."""
        return self._present + self.ahead + timedelta(seconds=1)

    def _refusal(self, asked: Asked) -> Reply | None:
        verb = asked.path.rpartition("/")[2]
        refused = {"past", "past-range", "forecast"} if self.fault is Fault.PLAN_NOT_COVERED else self.refused
        if self.fault is Fault.HTML_REFUSAL:
            return Reply(b"<html><h1>error code: 1010</h1></html>", 403, {"Content-Type": "text/html"})
        if self.fault is Fault.BAD_TOKEN:
            return Reply.json({"error": "Invalid auth-token"}, 401)
        if self.strict and self._last_request is not None and self.now - self._last_request < timedelta(minutes=5):
            return Reply.json({"message": "Too many requests"}, 429)
        self._last_request = self.now
        if verb in refused:
            error = f"Request unauthorized for zoneKey=DE,requestType={verb},dataType=carbon-intensity."
            return Reply.json({"error": error, "message": "You do not have access to this."}, 401)
        return None

    def _violation(self, asked: Asked) -> Reply | None:
        """Return the provider's error for a request outside the contract."""
        root, _, verb = asked.path.rpartition("/")
        names = set(asked.query)
        if asked.header("auth-token") != TOKEN or TOKEN in asked.target:
            return self.refuse("no token in the header auth-token", Reply.json({"error": "Invalid auth-token"}, 401))
        if root not in {"/v3/carbon-intensity", "/v4/carbon-intensity"} or verb not in _BY_VERB:
            return self.refuse(f"no such path: {asked.path}", Reply.json({"message": "Not found"}, 404))
        needed = _ALWAYS | _BY_VERB[verb]
        allowed = needed | (_SOMETIMES if root.startswith("/v4") else _SOMETIMES - {"flowTraced"})
        if not needed <= names <= allowed or any(len(values) > 1 for values in asked.query.values()):
            return self._bad(f"parameters {sorted(names)}")
        query = {name: values[0] for name, values in asked.query.items()}
        if query["zone"] != "DE":
            return self.refuse("another zone", Reply.json({"error": f"Zone '{query['zone']}' does not exist"}, 404))
        fine = (
            query["disableCallerLookup"] == "true"
            and query["emissionFactorType"] in {"lifecycle", "direct"}
            and query["temporalGranularity"] in _LENGTHS
            and query.get("flowTraced", "true") in {"true", "false"}
            and query.get("horizonHours", "6") in {"6", "24", "48", "72"}
            and (verb != "past-range" or _is_short(query["start"], query["end"]))
        )
        if not fine:
            return self._bad(f"values {query}")
        return None

    def _bad(self, violation: str) -> Reply:
        return self.refuse(violation, Reply.json({"status": "error", "message": "invalid parameter"}, 400))

    def _latest(self, query: dict[str, str]) -> Reply:
        if self.fault is Fault.EMPTY_DATA:
            return Reply.json({"error": 'No recent data for zone "DE"'}, 404)
        running = floored(self._present, self._length(query))
        return Reply.json(self._rows(running, running + _MARK, query)[0])

    def _history(self, query: dict[str, str]) -> Reply:
        length = self._length(query)
        begin = floored(self._present, length) + length - DAY
        return self._enveloped("history", self._rows(begin, self._newest, query), query)

    def _past_range(self, query: dict[str, str]) -> Reply:
        start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
        until = min(end, self._newest)
        return self._enveloped("data", self._rows(start, until, query), query)

    def _forecast(self, query: dict[str, str]) -> Reply:
        length, horizon = self._length(query), timedelta(hours=int(query["horizonHours"]))
        if self.fault is Fault.SHORT_FORECAST:
            horizon /= 3
        begin = floored(self._present, length)
        until = begin + horizon + length
        if self.fault is Fault.FORECAST_FROM_PAST:
            begin -= timedelta(hours=6)
        rows = self._rows(begin, until, query)
        bare: list[Row] = [{key: row[key] for key in ("carbonIntensity", "datetime") if key in row} for row in rows]
        envelope = {"updatedAt": stamp(self._present)}
        return self._enveloped("forecast", bare, query, **envelope)

    def _enveloped(self, key: str, rows: list[Row], query: dict[str, str], **more: object) -> Reply:
        if self.fault is Fault.EMPTY_DATA:
            rows = []
        if self.fault is Fault.DISORDER:
            rows = [*reversed(rows), *rows[:3]]
        return Reply.json({"zone": self._zone, key: rows, "temporalGranularity": self._granularity(query), **more})

    @property
    def _zone(self) -> str:
        return "FR" if self.fault is Fault.OTHER_ZONE else "DE"

    def _granularity(self, query: dict[str, str]) -> str:
        return "hourly" if self.fault is Fault.COARSER else query["temporalGranularity"]

    def _length(self, query: dict[str, str]) -> timedelta:
        return _LENGTHS[self._granularity(query)]

    def _rows(self, start: datetime, end: datetime, query: dict[str, str]) -> list[Row]:
        """Return the rows that begin at `start` or later and before `end`."""
        length = self._length(query)
        begin = floored(start, length)
        begin = begin if begin >= start else begin + length
        rows = []
        while begin < end:
            row = self._row(Interval(begin, begin + length), query)
            if query.get("disableEstimations") != "true" or not row["isEstimated"]:
                rows.append(row)
            begin += length
        return rows

    def _row(self, interval: Interval, query: dict[str, str]) -> Row:
        estimated = interval.end > self._present - _MEASURED_AFTER
        row: Row = {
            "zone": self._zone,
            "carbonIntensity": self.expected(interval),
            "datetime": stamp(interval.start),
            "updatedAt": stamp(self._present),
            "createdAt": stamp(interval.start - timedelta(days=3)),
            "emissionFactorType": query["emissionFactorType"],
            "isEstimated": estimated,
            "estimationMethod": "FORECASTS_HIERARCHY" if estimated else None,
            "temporalGranularity": self._granularity(query),
        }
        if "flowTraced" in query:
            row["flowTraced"] = query["flowTraced"] == "true"
        return self._spoiled(row, interval)

    def _spoiled(self, row: Row, interval: Interval) -> Row:
        age = self.now - interval.start
        match self.fault:
            case Fault.ZEROS if age < timedelta(hours=6):
                row["carbonIntensity"] = 0
            case Fault.NULLS if timedelta(0) < age < timedelta(hours=6):
                row["carbonIntensity"] = None
            case Fault.MISSING_VALUE if age < timedelta(hours=2):
                del row["carbonIntensity"]
            case Fault.TEXT_NUMBERS:
                row["carbonIntensity"] = str(row["carbonIntensity"])
            case Fault.ABSURD if age < timedelta(hours=4):
                row["carbonIntensity"] = -5 if interval.start.hour % 2 else 43660
            case Fault.REVISED if timedelta(hours=1) < age < timedelta(hours=3):
                row |= {"carbonIntensity": row["carbonIntensity"] + 30, "isEstimated": True}
                row["estimationMethod"] = "TIME_SLICER_AVERAGE"
            case Fault.UNKNOWN_CODE if row["isEstimated"]:
                row["estimationMethod"] = "CRYSTAL_BALL"
        return row
