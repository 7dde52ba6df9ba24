"""The Energy Information Administration of a made-up area, with ten fuels and a battery."""

from __future__ import annotations

import functools
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.answers.eia import FUELS, gather, parse_page
from carbon_sources.answers.mix_hours import MixPricer
from carbon_sources.answers.reading import Identity, Parsed
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.mix import factors
from carbon_sources.providers.eia import EiaSource
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, JSON_FAULTS, Fault

HOUR = timedelta(hours=1)
KEY = "a-key-of-forty-characters-0123456789abcd"

_FACTORS = {
    "COL": 820, "NG": 490, "NUC": 12, "OIL": 650, "OTH": 700, "SUN": 48, "WAT": 24, "WND": 11, "GEO": 38, "SNB": 48,
}  # fmt: skip
_MEANS = {"COL": 2000, "NG": 5000, "NUC": 2200, "OIL": 150, "OTH": 400, "WAT": 1500, "WND": 2500, "GEO": 600}
_PARAMETERS = {
    "frequency", "data[0]", "facets[respondent][]", "start", "end", "sort[0][column]", "sort[0][direction]", "offset",
    "length",
}  # fmt: skip
_LAST_DISTURBED = 5


class FakeEia(FakeApi):
    """Plays `electricity/rto/fuel-type-data`. Hours appear two hours after their end, the wind an hour later still.

    Attributes:
        page_rows: Most rows of one answer; the real one sends 5,000.
        lag: How long after its end an hour appears.
    """

    name = "eia"
    own_faults = JSON_FAULTS | {
        Fault.BAD_TOKEN,
        Fault.COARSER,
        Fault.OTHER_ZONE,
        Fault.TOKEN_EXPIRES,
        Fault.PAGE_DUPLICATES,
        Fault.OTHER_UNIT,
        Fault.UNKNOWN_CODE,
    }
    harmless = frozenset({Fault.TEXT_NUMBERS})
    """Faults that are this provider's habit: its numbers are always text, and under this one they are not."""

    def __init__(self, zone: str = "CISO") -> None:
        super().__init__()
        self.zone = zone
        self.page_rows = 1500
        self.lag = 2 * HOUR

    def answer(self, asked: Asked) -> Reply:
        if self.fault is Fault.HTML_REFUSAL:
            return FORBIDDEN_PAGE
        if asked.header("X-Api-Key") is None:
            return self.refuse("no key", _error(403, "API_KEY_MISSING", "No api_key was supplied."))
        if asked.header("X-Api-Key") != KEY:
            return self.refuse("wrong key", _error(403, "API_KEY_INVALID", "An invalid api_key was supplied."))
        violation = _violation(asked)
        if violation is not None:
            return self.refuse(violation, Reply.json({"error": violation, "code": 400}, 400))
        offset = int(asked.query["offset"][0])
        if self.fault is Fault.BAD_TOKEN or (self.fault is Fault.TOKEN_EXPIRES and offset > 0):
            return _error(403, "API_KEY_INVALID", f"The key {KEY} is invalid.")
        return Reply.json({} if self.fault is Fault.EMPTY_OBJECT else self.document(asked, offset))

    def document(self, asked: Asked, offset: int) -> dict[str, Any]:
        """Return the page that begins with the row number `offset`."""
        first, last = (
            datetime.strptime(asked.query[end][0], "%Y-%m-%dT%H").replace(tzinfo=UTC) for end in ("start", "end")
        )
        zone = asked.query["facets[respondent][]"][0]
        rows = self.rows(first - HOUR, last) if zone == self.zone and self.fault is not Fault.EMPTY_DATA else []
        length = min(int(asked.query["length"][0]), self.page_rows)
        total = len(rows)
        if self.fault is Fault.PAGE_DUPLICATES:
            length, total = 1000, total + 7 * (total // 1000)
            offset -= 7 * (offset // 1000)
        response = {
            "total": str(total),
            "dateFormat": 'YYYY-MM-DD"T"HH24',
            "frequency": "daily" if self.fault is Fault.COARSER else "hourly",
            "data": rows[offset : offset + length],
            "description": "Hourly net generation by balancing authority and energy source.",
        }
        return {"response": response, "request": {"command": asked.path, "params": {}}, "apiVersion": "2.1.12"}

    def rows(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return the rows of the hours `start .. end` that have appeared."""
        present = self.now - 30 * HOUR if self.fault is Fault.STALE else self.now
        rows = []
        hour = start
        while hour < end and hour + HOUR + self.lag <= present:
            for code, amount in self.published(hour).items():
                if code != "WND" or hour + 2 * HOUR + self.lag <= present:
                    rows.append(self._row(hour, code, amount))
            hour += HOUR
        if self.fault is Fault.DISORDER:
            rows += rows[3:40]
            random.Random(1).shuffle(rows)  # noqa: S311 -- a test
        return rows

    def published(self, hour: datetime) -> dict[str, float | None]:
        """Return what the server says of an hour, in MWh, with the fault."""
        amounts: dict[str, float | None] = dict(self.generation(hour))
        age = (self.now - hour - HOUR) // HOUR
        if not 0 < age <= _LAST_DISTURBED:
            return amounts
        match self.fault:
            case Fault.ZEROS:
                amounts = dict.fromkeys(amounts, 0.0)
            case Fault.NULLS:
                amounts["NG"] = amounts["NG"] if age == _LAST_DISTURBED - 2 else None
            case Fault.REVISED:
                amounts["COL"] = 2 * self.generation(hour)["COL"]
            case Fault.ABSURD:
                amounts |= {"NG": 43.66 * 5000} if age % 2 else {"NG": -5000.0}
            case Fault.UNKNOWN_CODE:
                other = self.generation(hour)["OTH"]
                amounts |= {"OTH": other - 40, "XYZ": 40.0}
        return amounts

    def generation(self, hour: datetime) -> dict[str, float]:
        """Return what this world generates in the hour that begins at `hour`, in MWh, by fuel."""
        return _world(hour)

    def expected(self, interval: Interval) -> float:
        positive = {code: mwh for code, mwh in self.generation(interval.start).items() if mwh > 0 and code in _FACTORS}
        return sum(mwh * _FACTORS[code] for code, mwh in positive.items()) / sum(positive.values())

    def source(self, http: HttpClient, url: str) -> EiaSource:
        return EiaSource(http, Secrets({"EIA_API_KEY": KEY}), zone=self.zone, base_url=url)

    def fuzz_targets(self) -> list[FuzzTarget]:
        end = self.now.replace(minute=0)
        # An hour and the same one on the day before are all that can be priced, and short enough to be read often.
        rows = self.rows(end - 28 * HOUR, end - 27 * HOUR) + self.rows(end - 4 * HOUR, end - 2 * HOUR)
        document = {"response": {"total": str(len(rows)), "frequency": "hourly", "data": rows}}
        pricer = MixPricer(
            Identity("eia", self.zone, IntensityKind.AVERAGE, Basis.LIFECYCLE), factors(Basis.LIFECYCLE), FUELS
        )

        def parse(document: Any) -> Parsed:
            generation, _ = gather([parse_page(document, self.zone)])
            return pricer.price(generation, end - 6 * HOUR, end)

        return [FuzzTarget("eia page", parse, document)]

    def _row(self, hour: datetime, code: str, amount: float | None) -> dict[str, Any]:
        text = None if amount is None else f"{amount:g}"
        row = {
            "period": f"{hour + HOUR:%Y-%m-%dT%H}",
            "respondent": "PJM" if self.fault is Fault.OTHER_ZONE else self.zone,
            "respondent-name": "A made-up area",
            "fueltype": code,
            "type-name": code.title(),
            "value": amount if self.fault is Fault.TEXT_NUMBERS else text,
            "value-units": "gigawatthours" if self.fault is Fault.OTHER_UNIT else "megawatthours",
        }
        if self.fault is Fault.MISSING_VALUE and code == "COL" and (self.now - hour) // HOUR == _LAST_DISTURBED:
            del row["value"]
        return row


@functools.cache
def _world(hour: datetime) -> dict[str, float]:
    amounts = {
        code: wave(hour + place * 5 * HOUR, mean, 0.3 * mean) for place, (code, mean) in enumerate(_MEANS.items())
    }
    light = max(0, 6 - abs(hour.hour - 20))
    amounts["SUN"] = light * 900.0 if light else -3.0
    amounts["SNB"] = light * 100.0 if light else -200.0
    amounts["BAT"] = -1000.0 if light else 800.0
    amounts["PS"] = -300.0 if light else 250.0
    return amounts


def _violation(asked: Asked) -> str | None:
    query = {name: values for name, values in asked.query.items() if len(values) == 1}
    if asked.path != "/v2/electricity/rto/fuel-type-data/data/":
        return f"unknown path {asked.path}"
    if set(query) != _PARAMETERS or len(asked.query) != len(query):
        return f"wrong parameters {sorted(asked.query)}"
    if not all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d", query[end][0]) for end in ("start", "end")):
        return "hours are written YYYY-MM-DDTHH"
    asks = (query["frequency"][0], query["data[0]"][0], query["sort[0][column]"][0], query["sort[0][direction]"][0])
    if asks != ("hourly", "value", "period", "asc"):
        return f"wrong values {asks}"
    return None if 0 < int(query["length"][0]) <= 5000 else "length above 5000"


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.json({"error": {"code": code, "message": message}}, status)
