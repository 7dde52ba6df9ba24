"""Energi Data Service, played: five-minute rows of both price areas, and a prognosis that is always right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from carbon_sources.answers.energi_data import HISTORY, PROGNOSIS, parse
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.providers.energi_data import EnergiDataSource
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import NOW, FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, FORECAST_FAULTS, JSON_FAULTS, Fault

Row = dict[str, Any]

STEP = timedelta(minutes=5)
DELAY = timedelta(minutes=5)
REACH = timedelta(hours=24)
LATELY = timedelta(hours=1)
"""How far back faults of values reach."""
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
PARAMETERS = {"start", "end", "timezone", "filter", "columns", "sort", "limit"}


def bad(text: str) -> Reply:
    return Reply(text.encode(), 400, {"Content-Type": "text/plain"})


class FakeEnergiData(FakeApi):
    """The server. `altered_after` changes what is measured after an instant, for the law about the future."""

    name = "energi_data"
    own_faults = (
        JSON_FAULTS
        | FORECAST_FAULTS
        | {
            Fault.COARSER,
            Fault.OTHER_ZONE,
            Fault.SKEWED_CLOCK,
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.altered_after: datetime | None = None

    def world(self, instant: datetime) -> float:
        altered = self.altered_after is not None and instant > self.altered_after
        return wave(instant) + (50 if altered else 0)

    def expected(self, interval: Interval) -> float:
        return self.world(interval.start)

    def source(self, http: HttpClient, url: str) -> EnergiDataSource:
        return EnergiDataSource(http, zone="DK1", base_url=url + "/")

    def answer(self, asked: Asked) -> Reply:
        dataset = {"/dataset/co2emis": HISTORY, "/dataset/co2emisprog": PROGNOSIS}.get(asked.path.lower())
        if dataset is None:
            return self.refuse(f"unknown path {asked.path}", Reply(b"dataset not found", 404))
        if wrong := self._wrong(asked):
            return self.refuse(wrong, bad(wrong))
        if self.fault is Fault.HTML_REFUSAL:
            return FORBIDDEN_PAGE
        if self.fault is Fault.EMPTY_OBJECT:
            return Reply.json({})
        start, end = (datetime.fromisoformat(asked.query[name][0]).replace(tzinfo=UTC) for name in ("start", "end"))
        zone = json.loads(asked.query["filter"][0])["PriceArea"][0]
        rows = self._history(start, end, zone) if dataset == HISTORY else self._prognosis(start, end, zone)
        if self.fault is Fault.EMPTY_DATA:
            rows = []
        return Reply.json(
            {"total": len(rows), "sort": "Minutes5UTC asc", "limit": 0, "dataset": dataset, "records": rows}
        )

    def _wrong(self, asked: Asked) -> str:
        query = {name: values[0] for name, values in asked.query.items()}
        if asked.header("User-Agent") in {None, ""} or "python-requests" in str(asked.header("User-Agent")):
            return "a library's default agent"
        if unknown := set(query) ^ PARAMETERS:
            return f"parameters missing or unknown: {sorted(unknown)}"
        if any(not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", query[name]) for name in ("start", "end")):
            return "start and end are written YYYY-MM-DDTHH:MM"
        if query["timezone"] != "UTC" or query["limit"] != "0" or query["sort"] != "Minutes5UTC asc":
            return "without UTC, a limit of 0 and a sort, rows are cut off or shifted"
        if json.loads(query["filter"]) not in ({"PriceArea": ["DK1"]}, {"PriceArea": ["DK2"]}):
            return f"bad filter {query['filter']}"
        return ""

    def _rows(self, start: datetime, end: datetime, zone: str, value: Callable[[datetime], float] = wave) -> list[Row]:
        rows = []
        instant = start + (-(start - datetime.min.replace(tzinfo=UTC)) % STEP)
        while instant < end:
            local = instant.astimezone(COPENHAGEN).replace(tzinfo=None)
            rows.append(
                {
                    "Minutes5UTC": instant.replace(tzinfo=None).isoformat(),
                    "Minutes5DK": local.isoformat(),
                    "PriceArea": zone,
                    "CO2Emission": value(instant),
                }
            )
            instant += STEP
        return rows

    def _history(self, start: datetime, end: datetime, zone: str) -> list[Row]:
        present = self.now - DELAY
        if self.fault is Fault.SKEWED_CLOCK:
            present += timedelta(minutes=10)
        if self.fault is Fault.STALE:
            present -= timedelta(hours=3)
        return self._spoilt(self._rows(start, min(end, present - STEP + timedelta(seconds=1)), zone, self.world))

    def _prognosis(self, start: datetime, end: datetime, zone: str) -> list[Row]:
        if self.fault is Fault.FORECAST_FROM_PAST:
            start -= timedelta(hours=2)
        reach = timedelta(hours=3) if self.fault is Fault.SHORT_FORECAST else REACH
        return self._spoilt(self._rows(start, min(end, self.now + reach), zone))

    def _spoilt(self, rows: list[Row]) -> list[Row]:
        if self.fault is Fault.COARSER:
            return [row for row in rows if row["Minutes5UTC"].endswith(":00:00")]
        if self.fault is Fault.DISORDER:
            return [*rows[1::2], *rows]
        since = (self.now - LATELY).replace(tzinfo=None).isoformat()
        return [self._spoilt_row(row, lately=row["Minutes5UTC"] >= since) for row in rows]

    def _spoilt_row(self, row: Row, *, lately: bool) -> Row:
        value, minute = row["CO2Emission"], row["Minutes5UTC"][14:16]
        changes: Row
        match self.fault:
            case Fault.OTHER_ZONE:
                changes = {"PriceArea": "NO2"}
            case Fault.TEXT_NUMBERS:
                changes = {"CO2Emission": str(value)}
            case Fault.ZEROS if lately:
                changes = {"CO2Emission": 0.0}
            case Fault.NULLS if lately and minute == "30":
                changes = {"CO2Emission": None}
            case Fault.MISSING_VALUE if lately:
                return {name: row[name] for name in row if name != "CO2Emission"}
            case Fault.ABSURD if lately:
                changes = {"CO2Emission": -5.0 if minute == "15" else 43.66 * value}
            case Fault.REVISED if lately:
                changes = {"CO2Emission": value + 37}
            case _:
                changes = {}
        return row | changes

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity(self.name, "DK1", IntensityKind.AVERAGE, Basis.DIRECT)
        document = {
            "total": 24,
            "dataset": HISTORY,
            "records": self._rows(NOW - timedelta(hours=2), NOW, "DK1"),
        }
        return [
            FuzzTarget("energi_data history", lambda d: parse(d, identity), document),
            FuzzTarget(
                "energi_data prognosis",
                lambda d: parse(d, identity, PROGNOSIS),
                document | {"dataset": PROGNOSIS},
            ),
        ]
