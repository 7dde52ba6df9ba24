"""The Web API of the Carbon Aware SDK as a fake, with a marginal provider of five-minute values behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.answers.carbon_aware_sdk import parse_emissions, parse_forecast
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.providers.carbon_aware_sdk import CarbonAwareSDKSource
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, FORECAST_FAULTS, JSON_FAULTS, Fault

STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
LONGEST = timedelta(days=30)
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
"""Nothing is known of the time before."""

Row = dict[str, Any]


def problem(status: int, title: str, detail: str, **errors: list[str]) -> Reply:
    document = {"title": title, "status": status, "detail": detail, "errors": errors, "traceId": "00-1f-2e-00"}
    return Reply(Reply.json(document).body, status, {"Content-Type": "application/problem+json"})


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def step_of(instant: datetime) -> datetime:
    """Return when the five minutes that contain the instant began."""
    return instant.replace(minute=instant.minute // 5 * 5, second=0, microsecond=0)


class FakeCarbonAwareSDK(FakeApi):
    """A service that knows `westus`, whose grid region is `CAISO_NORTH`.

    The provider behind it has `wave` around 800 lb/MWh, new every five minutes.
    """

    name = "carbon_aware_sdk"
    own_faults = (
        JSON_FAULTS
        | FORECAST_FAULTS
        | {
            Fault.PLAN_NOT_COVERED,
            Fault.BAD_TOKEN,
            Fault.COARSER,
            Fault.OTHER_ZONE,
            Fault.SKEWED_CLOCK,
        }
    )

    def answer(self, asked: Asked) -> Reply:
        refused = self._refusal(asked) or self._fault_of_the_whole()
        if refused is not None:
            return refused
        if asked.path == "/emissions/bylocation":
            return self._emissions(asked)
        if asked.path == "/emissions/forecasts/current":
            return self._forecast()
        return self.refuse(f"no such path: {asked.path}", problem(404, "Not Found", "no such path"))

    def source(self, http: HttpClient, url: str) -> CarbonAwareSDKSource:
        return CarbonAwareSDKSource(
            http, base_url=url, location="westus", kind=IntensityKind.MARGINAL, basis=Basis.DIRECT
        )

    def expected(self, interval: Interval) -> float:
        # 1 lb/MWh = 453.59237 g / 1000 kWh.
        return wave(interval.start, mean=800, swing=200) * 453.59237 / 1000

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity(self.name, "westus", IntensityKind.MARGINAL, Basis.DIRECT)
        asked = Interval(self.now - HOUR, self.now)
        rows = [self.row(start, "time", "rating") for start in self._starts(asked.start, asked.end, STEP)]
        return [
            FuzzTarget("emissions", lambda changed: parse_emissions(changed, identity, asked), rows),
            FuzzTarget(
                "forecast", lambda changed: parse_forecast(changed, identity), [self.forecast_document(hours=2)]
            ),
        ]

    @property
    def present(self) -> datetime:
        """What the clock of the service shows."""
        return self.now + timedelta(minutes=10) if self.fault is Fault.SKEWED_CLOCK else self.now

    def row(self, start: datetime, time_key: str, value_key: str) -> Row:
        step = HOUR if self.fault is Fault.COARSER else STEP
        duration: object = f"{step // HOUR:02}:{step % HOUR // timedelta(minutes=1):02}:00"
        if time_key == "timestamp":
            duration = step // timedelta(minutes=1)
        grid = "CAISO_SOUTH" if self.fault is Fault.OTHER_ZONE else "CAISO_NORTH"
        value = self.expected(Interval(start, start + step))
        return {"location": grid, time_key: stamp(start), "duration": duration, value_key: value}

    def forecast_document(self, hours: float = 24) -> Row:
        issued = step_of(self.present)
        start = issued - HOUR if self.fault is Fault.FORECAST_FROM_PAST else issued
        end = issued + timedelta(hours=hours)
        promised = end
        if self.fault is Fault.SHORT_FORECAST:
            end = issued + timedelta(hours=6)
        step = HOUR if self.fault is Fault.COARSER else STEP
        rows = []
        while start < end:
            rows.append(self.row(start, "timestamp", "value"))
            start += step
        return {
            "generatedAt": stamp(issued),
            "requestedAt": stamp(self.present),
            "location": "eastus" if self.fault is Fault.OTHER_ZONE else "westus",
            "dataStartAt": rows[0]["timestamp"],
            "dataEndAt": stamp(promised),
            "windowSize": 5,
            "optimalDataPoints": [min(rows, key=lambda row: row["value"])],
            "forecastData": rows,
        }

    def _refusal(self, asked: Asked) -> Reply | None:
        locations = asked.query.get("location", [])
        if locations != ["westus"]:
            return problem(400, "ArgumentException", "Unknown location", location=["it is not in the location source"])
        allowed = {"location", "time", "toTime"} if asked.path == "/emissions/bylocation" else {"location"}
        strange = asked.query.keys() - allowed
        if strange:
            latest = [self.row(step_of(self.now) - 2 * STEP, "time", "rating")]
            return self.refuse(f"unknown parameters are ignored: {strange}", Reply.json(latest))
        return None

    def _fault_of_the_whole(self) -> Reply | None:
        match self.fault:
            case Fault.PLAN_NOT_COVERED:
                return problem(401, "HttpRequestException", "the plan does not cover this zone")
            case Fault.BAD_TOKEN:
                return problem(401, "HttpRequestException", "Invalid auth-token")
            case Fault.HTML_REFUSAL:
                return FORBIDDEN_PAGE
            case Fault.EMPTY_OBJECT:
                return Reply.json({})
            case Fault.EMPTY_DATA:
                return Reply.json([])
        return None

    def _forecast(self) -> Reply:
        document = self.forecast_document()
        self._spoil_rows(document["forecastData"], lambda row: row["timestamp"] > stamp(self.now + HOUR), "value")
        return Reply.json([document])

    def _emissions(self, asked: Asked) -> Reply:
        ends = [asked.query.get(name, [""])[0] for name in ("time", "toTime")]
        try:
            start, end = (datetime.fromisoformat(text) for text in ends)
        except ValueError:
            return self.refuse(f"no instants: {ends}", problem(400, "ArgumentException", "Invalid", time=["invalid"]))
        if start.tzinfo is None or end.tzinfo is None or not start < end:
            return self.refuse(f"no range: {ends}", problem(400, "ArgumentException", "time must be before toTime"))
        if end - start > LONGEST:
            return self.refuse(f"more than 30 days: {ends}", problem(400, "ArgumentException", "the range is too long"))
        step = HOUR if self.fault is Fault.COARSER else STEP
        rows = [self.row(begin, "time", "rating") for begin in self._starts(start, end, step)]
        hours = (stamp(self.now - 4 * HOUR), stamp(self.now - HOUR))
        rows = self._spoil_rows(rows, lambda row: hours[0] <= row["time"] <= hours[1], "rating")
        return Reply.json(rows) if rows else Reply(b"", 204)

    def _starts(self, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
        """Return the beginnings of the intervals that touch `start .. end` and have been published, as the service finds them."""
        delay = 3 * HOUR if self.fault is Fault.STALE else STEP
        begin = FIRST + (max(start - step, FIRST) - FIRST) // step * step
        starts = []
        while begin <= min(end, self.present - delay):
            if begin + step >= start:
                starts.append(begin)
            begin += step
        return starts

    def _spoil_rows(self, rows: list[Row], is_spoiled: Callable[[Row], bool], value_key: str) -> list[Row]:
        if self.fault is Fault.DISORDER:
            rows[:] = [*reversed(rows), *rows[1:3], *(row | {value_key: 77} for row in rows[2:3])]
        for row in filter(is_spoiled, rows):
            self._spoil(row, value_key)
        return rows

    def _spoil(self, row: Row, value_key: str) -> None:
        match self.fault:
            case Fault.ZEROS:
                row[value_key] = 0
            case Fault.NULLS:
                row[value_key] = None
            case Fault.MISSING_VALUE:
                del row[value_key]
            case Fault.TEXT_NUMBERS:
                row[value_key] = str(row[value_key])
            case Fault.ABSURD:
                row[value_key] = 4366 if row[value_key] > 360 else -5
            case Fault.REVISED:
                row[value_key] += 9
