"""WattTime, played: points of five minutes in pounds per megawatt-hour, behind a login that expires."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from carbon_sources.answers.reading import Identity
from carbon_sources.answers.watttime import Question, Signal, parse_forecast, parse_points, parse_token
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis
from carbon_sources.interval import Interval
from carbon_sources.providers.watttime import WattTimeSource
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORECAST_FAULTS, JSON_FAULTS, Fault

USERNAME, PASSWORD = "wt-ada", "wt-pass-7Kd0"
REGION = "CAISO_NORTH"
MODEL = "2024-08-01"
_MARK = timedelta(minutes=5)
_TOKEN_LIVES = timedelta(minutes=30)
_PAGE = Reply(
    b"<html><head><title>403 Forbidden</title></head><body>nginx</body></html>", 403, {"Content-Type": "text/html"}
)
_NEEDED = {
    "/v3/forecast": {"region", "signal_type", "horizon_hours"},
    "/v3/historical": {"region", "signal_type", "start", "end"},
}
_OPTIONAL = {"/v3/forecast": {"model"}, "/v3/historical": {"model", "include_imputed_marker"}}

Row = dict[str, Any]


class FakeWattTime(FakeApi):
    """Answers about `CAISO_NORTH`.

    Attributes:
        ahead: How far `historical` reaches beyond the present.
        later: What is added to values that begin after `fork`, lb/MWh: another future.
        fork: See `later`.
        warnings: What `meta.warnings` holds.
        logins: How many logins there were.
    """

    name = "watttime"
    own_faults = (
        JSON_FAULTS
        | FORECAST_FAULTS
        | {
            Fault.PLAN_NOT_COVERED,
            Fault.BAD_TOKEN,
            Fault.OTHER_ZONE,
            Fault.SKEWED_CLOCK,
            Fault.TOKEN_EXPIRES,
            Fault.OTHER_UNIT,
            Fault.OTHER_MODEL,
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta(0)
        self.later, self.fork = 0.0, self.now
        self.warnings: list[dict[str, str]] = []
        self.logins = 0
        self._issued: dict[str, datetime] = {}
        self._uses: dict[str, int] = {}

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/login":
            return self._log_in(asked)
        refusal = self._refusal(asked) or self._violation(asked)
        if refusal is not None:
            return refusal
        if self.fault is Fault.EMPTY_OBJECT:
            return Reply.json({})
        query = {name: values[0] for name, values in asked.query.items()}
        if asked.path == "/v3/forecast":
            return Reply.json(self._forecast(int(query["horizon_hours"])))
        return Reply.json(self._historical(*(datetime.fromisoformat(query[name]) for name in ("start", "end"))))

    def source(self, http: HttpClient, url: str, **options: Any) -> WattTimeSource:
        secrets = Secrets({"WATTTIME_USERNAME": USERNAME, "WATTTIME_PASSWORD": PASSWORD})
        wanted: dict[str, Any] = {"zone": REGION, "base_url": url, **options}
        return WattTimeSource(http, secrets, **wanted)

    def pounds_per_mwh(self, start: datetime) -> float:
        return 2.25 * wave(start) + (self.later if start > self.fork else 0.0)

    def expected(self, interval: Interval) -> float:
        # A pound is 453.59237 g and a megawatt-hour is 1000 kWh.
        return self.pounds_per_mwh(interval.start) * 453.59237 / 1000

    def fuzz_targets(self) -> list[FuzzTarget]:
        question = Question(Identity(self.name, REGION, Signal.CO2_MOER.kind, Basis.DIRECT), Signal.CO2_MOER, MODEL)
        historical: object = json.loads(json.dumps(self._historical(self.now - timedelta(hours=2), self.now)))
        forecast: object = json.loads(json.dumps(self._forecast(2)))
        return [
            FuzzTarget("login", parse_token, {"token": "a.b.c"}),
            FuzzTarget("historical", lambda document: parse_points(document, question), historical),
            FuzzTarget("forecast", lambda document: parse_forecast(document, question), forecast),
        ]

    @property
    def _present(self) -> datetime:
        """What the provider takes for now."""
        offset = {Fault.SKEWED_CLOCK: timedelta(minutes=10), Fault.STALE: -timedelta(hours=3)}
        return self.now + (offset.get(self.fault, timedelta(0)) if self.fault else timedelta(0))

    @property
    def _mark(self) -> datetime:
        """The running five minutes."""
        present = self._present
        return present.replace(minute=present.minute // 5 * 5, second=0, microsecond=0)

    def _log_in(self, asked: Asked) -> Reply:
        right = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if asked.query or asked.header("Authorization") != right:
            return self.refuse("a login without the right name and password in its header", _PAGE)
        if self.fault is Fault.BAD_TOKEN:
            return _PAGE
        self.logins += 1
        token = f"jwt.{self.logins}.wt-secret"
        self._issued[token], self._uses[token] = self.now, 0
        return Reply.json({"token": token})

    def _refusal(self, asked: Asked) -> Reply | None:
        """Return the page of the proxy, or what the plan refuses."""
        token = (asked.header("Authorization") or "").removeprefix("Bearer ")
        if token not in self._issued:
            return self.refuse("no token of a login in the header", _PAGE)
        self._uses[token] += 1
        used_up = self.fault is Fault.TOKEN_EXPIRES and self._uses[token] > 1
        if self.fault in {Fault.HTML_REFUSAL, Fault.BAD_TOKEN} or used_up:
            return _PAGE
        if self.now - self._issued[token] >= _TOKEN_LIVES:
            return _PAGE
        if self.fault is Fault.PLAN_NOT_COVERED:
            text = "Invalid scope. You do not have sufficient access privileges."
            return Reply.json({"error": "Invalid query parameters", "message": text}, 403)
        return None

    def _violation(self, asked: Asked) -> Reply | None:
        """Return the provider's error for a request outside the contract."""
        names = set(asked.query)
        needed = _NEEDED.get(asked.path)
        if needed is None:
            return self.refuse(f"no such path: {asked.path}", Reply.json({"error": "Not found"}, 404))
        query = {name: values[0] for name, values in asked.query.items()}
        if not needed <= names <= needed | _OPTIONAL[asked.path] or any(len(v) > 1 for v in asked.query.values()):
            return self._bad(f"parameters {sorted(names)}", "missing or unknown parameter")
        if query["region"] != REGION:
            return self._bad("another region", f"region {query['region']} is not known")
        if query["signal_type"] not in {"co2_moer", "co2_aoer"}:
            return self._bad("another signal", "signal_type is not known")
        fine = (
            0 <= int(query.get("horizon_hours", "0")) <= 72
            and query.get("include_imputed_marker", "true") == "true"
            and ("start" not in query or _is_range(query["start"], query["end"]))
        )
        return None if fine else self._bad(f"values {query}", "out of range: at most 32 days and 72 hours")

    def _bad(self, violation: str, message: str) -> Reply:
        return self.refuse(violation, Reply.json({"error": "Invalid query parameters", "message": message}, 400))

    def _meta(self, **more: object) -> dict[str, object]:
        return {
            "region": "PJM_DC" if self.fault is Fault.OTHER_ZONE else REGION,
            "signal_type": "co2_moer",
            "units": "kg_co2_per_mwh" if self.fault is Fault.OTHER_UNIT else "lbs_co2_per_mwh",
            "data_point_period_seconds": 300,
            "model": {"date": "2026-11-01" if self.fault is Fault.OTHER_MODEL else MODEL},
            "warnings": self.warnings,
            **more,
        }

    def _forecast(self, horizon_hours: int) -> dict[str, object]:
        begin = self._mark
        if horizon_hours and self.fault is Fault.SHORT_FORECAST:
            horizon_hours //= 3
        until = begin + timedelta(hours=horizon_hours)
        if horizon_hours and self.fault is Fault.FORECAST_FROM_PAST:
            begin -= timedelta(hours=6)
        rows = [self._row(start, 2.25 * wave(start)) for start in _marks(begin, until)]
        stamp = self._present.isoformat(timespec="seconds")
        return {"data": self._disordered(rows), "meta": self._meta(generated_at=stamp, generated_at_period_seconds=300)}

    def _historical(self, start: datetime, end: datetime) -> dict[str, object]:
        """Return the points from `start` to `end`, both included, that ended by the present."""
        first = start.replace(minute=start.minute // 5 * 5, second=0, microsecond=0)
        first = first if first == start else first + _MARK
        newest = self._mark - _MARK + self.ahead
        rows = [self._row(mark, self.pounds_per_mwh(mark), past=True) for mark in _marks(first, min(end, newest))]
        return {"data": self._disordered(rows), "meta": self._meta()}

    def _disordered(self, rows: list[Row]) -> list[Row]:
        if self.fault is Fault.EMPTY_DATA:
            return []
        return [*reversed(rows), *rows[:3]] if self.fault is Fault.DISORDER else rows

    def _row(self, start: datetime, pounds_per_mwh: float, *, past: bool = False) -> Row:
        row: Row = {"point_time": start.isoformat(), "value": pounds_per_mwh}
        if past:
            row |= {"last_updated": start.isoformat(), "imputed_data_used": False}
        age = self.now - start
        match self.fault:
            case Fault.ZEROS if age < timedelta(hours=10):
                row["value"] = 0.0
            case Fault.NULLS if timedelta(0) <= age < timedelta(hours=2):
                row["value"] = None
            case Fault.MISSING_VALUE if age < timedelta(hours=2):
                del row["value"]
            case Fault.TEXT_NUMBERS:
                row["value"] = str(row["value"])
            case Fault.ABSURD if age < timedelta(hours=4):
                row["value"] = -5 if start.minute % 10 else 43660
            case Fault.REVISED if past and age < timedelta(hours=2):
                row |= {"value": row["value"] + 60, "imputed_data_used": True}
        return row


def _marks(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += _MARK


def _is_range(start: str, end: str) -> bool:
    return timedelta(0) <= datetime.fromisoformat(end) - datetime.fromisoformat(start) <= timedelta(days=32)
