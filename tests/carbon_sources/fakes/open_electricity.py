"""Open Electricity, played: energy and emissions of New South Wales by fuel group, constant within each hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from carbon_sources.answers.open_electricity import Asked as AskedFor
from carbon_sources.answers.open_electricity import parse
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.providers.open_electricity import OpenElectricitySource
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import NOW, FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, JSON_FAULTS, Fault

KEY = "oe_key_f00ba4c0ffee"
VARIABLE = "OE_TEST_KEY"
NEM = timezone(timedelta(hours=10))
WEM = timezone(timedelta(hours=8))
STEPS = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1)}
LIMITS = {"5m": timedelta(days=8), "1h": timedelta(days=32)}
DELAY = timedelta(minutes=5)
LATELY = timedelta(hours=5)
"""How far back faults of values reach."""
T_PER_MWH = {"coal": 0.9, "gas": 0.5, "wind": 0.0, "solar": 0.0, "battery_discharging": 0.0, "battery_charging": 0.0}
PARAMETERS = {
    "metrics",
    "interval",
    "date_start",
    "date_end",
    "network_region",
    "primary_grouping",
    "secondary_grouping",
}


def hour_of(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def power_mw(group: str, instant: datetime) -> float:
    """The mean power of a group in an hour."""
    hour = hour_of(instant)
    match group:
        case "coal":
            return 10.0 * wave(hour)
        case "gas":
            return 2.0 * wave(hour, mean=200.0, swing=50.0)
        case "wind":
            return 6000.0 - 10.0 * wave(hour)
        case "solar":
            return 1500.0
        case "battery_charging":
            return 700.0
        case _:
            return 500.0


def intensity(instant: datetime) -> float:
    """t/MWh times 1,000 over what generates; batteries neither generate nor emit."""
    generating = ("coal", "gas", "wind", "solar")
    emitted = power_mw("coal", instant) * 0.9 + power_mw("gas", instant) * 0.5
    return emitted / sum(power_mw(group, instant) for group in generating) * 1000


class FakeOpenElectricity(FakeApi):
    """The server."""

    name = "open_electricity"
    own_faults = JSON_FAULTS | {
        Fault.PLAN_NOT_COVERED,
        Fault.BAD_TOKEN,
        Fault.COARSER,
        Fault.OTHER_ZONE,
        Fault.SKEWED_CLOCK,
        Fault.OTHER_UNIT,
        Fault.UNKNOWN_CODE,
    }

    def __init__(self) -> None:
        super().__init__()
        self.region = "NSW1"
        self.interval = "1h"

    def expected(self, interval: Interval) -> float:
        return intensity(interval.start)

    def source(self, http: HttpClient, url: str) -> OpenElectricitySource:
        options: Any = {"zone": self.region, "interval": self.interval}
        return OpenElectricitySource(
            http, Secrets({VARIABLE: KEY}), token_env=VARIABLE, base_url=url + "/v4/", **options
        )

    def answer(self, asked: Asked) -> Reply:
        if refusal := self._refusal(asked):
            return refusal
        if self.fault is Fault.EMPTY_OBJECT:
            return Reply.json({})
        region = asked.query["network_region"][0]
        local = WEM if region == "WEM" else NEM
        start, end = (
            datetime.fromisoformat(asked.query[name][0]).replace(tzinfo=local).astimezone(UTC)
            for name in ("date_start", "date_end")
        )
        return Reply.json(self.document(start, end, local))

    def document(self, start: datetime, end: datetime, local: timezone = NEM) -> dict[str, Any]:
        """Return the answer to a question that keeps to the contract."""
        present = self.now + (timedelta(minutes=10) if self.fault is Fault.SKEWED_CLOCK else timedelta(0))
        end = min(end, present - DELAY - (timedelta(hours=4) if self.fault is Fault.STALE else timedelta(0)))
        blocks = [self._block(metric, start, end, local) for metric in ("energy", "emissions")]
        return {
            "version": "4.5.16",
            "created_at": present.astimezone(timezone(timedelta(hours=11))).isoformat(),
            "success": True,
            "error": None,
            "data": [] if self.fault is Fault.EMPTY_DATA else blocks,
            "total_records": 2 * len(T_PER_MWH),
        }

    def _refusal(self, asked: Asked) -> Reply | None:
        match self.fault:
            case Fault.PLAN_NOT_COVERED:
                return Reply.json({"detail": "Your plan does not cover this network"}, 403)
            case Fault.BAD_TOKEN:
                return Reply.json({"detail": f"Invalid API key {KEY}"}, 401)
            case Fault.HTML_REFUSAL:
                return FORBIDDEN_PAGE
        network = "WEM" if self.region == "WEM" else "NEM"
        if asked.header("Authorization") != f"Bearer {KEY}":
            status, detail = 401, "Not authenticated"
        elif asked.path != f"/v4/data/network/{network}":
            status, detail = 404, f"Not Found: {asked.path}"
        elif detail := self._wrong(asked.query):
            status = 400 if "range too large" in detail else 422
        else:
            return None
        body: object = [{"loc": ["query"], "msg": detail}] if status == 422 else detail
        return self.refuse(detail, Reply.json({"detail": body}, status))

    def _wrong(self, query: dict[str, list[str]]) -> str:
        if unknown := set(query) ^ PARAMETERS:
            return f"parameters missing or unknown: {sorted(unknown)}"
        if query["metrics"] != ["energy", "emissions"] or query["interval"] != [self.interval]:
            return "bad metrics or interval"
        groupings = query["primary_grouping"] + query["secondary_grouping"]
        if query["network_region"] != [self.region] or groupings != ["network_region", "fueltech_group"]:
            return "bad region or grouping"
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("date_start", "date_end"))
        if start.tzinfo or end.tzinfo:
            return "dates are naive, in the network's time"
        too_long = end - start > LIMITS[self.interval]
        return f"Date range too large for interval {self.interval}." if too_long else ""

    def _block(self, metric: str, start: datetime, end: datetime, local: timezone) -> dict[str, Any]:
        unit = {"energy": "MWh", "emissions": "t"}[metric]
        if self.fault is Fault.OTHER_UNIT and metric == "emissions":
            unit = "kt"
        return {
            "network_code": "WEM" if self.region == "WEM" else "NEM",
            "metric": metric,
            "unit": unit,
            "interval": "1d" if self.fault is Fault.COARSER else self.interval,
            "date_start": start.astimezone(local).isoformat(),
            "date_end": end.astimezone(local).isoformat(),
            "groupings": ["network_region", "fueltech_group"],
            "network_timezone_offset": "+08:00" if local is WEM else "+10:00",
            "results": [self._result(metric, group, start, end, local) for group in T_PER_MWH],
        }

    def _result(self, metric: str, group: str, start: datetime, end: datetime, local: timezone) -> dict[str, Any]:
        region = "VIC1" if self.fault is Fault.OTHER_ZONE else self.region
        named = "hydrogen" if self.fault is Fault.UNKNOWN_CODE and group == "gas" else group
        rows = [self._row(metric, group, instant, local) for instant in self._starts(start, end - STEPS[self.interval])]
        if self.fault is Fault.DISORDER:
            rows = [*rows[1::2], *rows]
        return {
            "name": f"{metric}_{region}|{named}",
            "columns": {"region": region, "fueltech_group": named},
            "data": rows,
        }

    def _starts(self, start: datetime, last: datetime) -> list[datetime]:
        step = STEPS[self.interval]
        return [start + i * step for i in range(max(0, (last - start) // step + 1))]

    def _row(self, metric: str, group: str, instant: datetime, local: timezone) -> list[Any]:
        energy = power_mw(group, instant) * (STEPS[self.interval] / timedelta(hours=1))
        value: Any = energy if metric == "energy" else energy * T_PER_MWH[group]
        lately = instant >= hour_of(self.now) - LATELY
        fault, emissions = self.fault, metric == "emissions"
        row = [instant.astimezone(local).isoformat(), value]
        if fault is Fault.TEXT_NUMBERS:
            row[1] = str(value)
        elif fault is Fault.ZEROS and lately and emissions:
            row[1] = 0.0
        elif fault is Fault.NULLS and lately and instant.hour % 2 and emissions and group == "coal":
            row[1] = None
        elif fault is Fault.MISSING_VALUE and lately and instant.hour % 2 and group == "coal":
            row.pop()
        elif fault is Fault.ABSURD and lately and group == "coal" and emissions:
            row[1] = -5.0 if instant.hour % 2 else 43.66 * value
        elif fault is Fault.REVISED and lately and group == "gas" and emissions:
            row[1] = value * 1.2
        return row

    def fuzz_targets(self) -> list[FuzzTarget]:
        identity = Identity(self.name, "NSW1", IntensityKind.AVERAGE, Basis.DIRECT)
        document = self.document(hour_of(NOW) - timedelta(hours=4), NOW)
        return [FuzzTarget("open_electricity", lambda d: parse(d, AskedFor(identity, "1h")), document)]
