"""ENTSO-E's platform for a made-up zone: quarter hours, half hours and hours, curves of both kinds, and a pumped storage."""

from __future__ import annotations

import functools
import io
import itertools
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.answers.entsoe import Quarters
from carbon_sources.answers.mix_hours import MixPricer
from carbon_sources.answers.reading import Identity, Parsed
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import Interval
from carbon_sources.mix import factors
from carbon_sources.providers.entsoe import FUELS, EntsoeSource, parse
from carbon_sources.secrets import Secrets
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.api import FakeApi, FuzzTarget, wave
from tests.carbon_sources.fakes.faults import FORBIDDEN_PAGE, SERIES_FAULTS, Fault

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
TOKEN = "7d3c0de5-0000-4000-8000-feedfacecafe"  # noqa: S105 -- the fake's own
EIC = "10Y1001A1001A82H"
OTHER_EIC = "10YFR-RTE------C"

_FACTORS = {"B02": 1000, "B04": 490, "B05": 820, "B11": 24, "B14": 12, "B16": 48, "B19": 11, "B20": 700}
_MEANS = {"B02": 9000, "B04": 6000, "B05": 4000, "B11": 1800, "B14": 3000, "B19": 12000, "B20": 600}
_STEPS = {"B04": 1, "B05": 1, "B14": 4, "B11": 2}
"""Quarters in one step, for types that differ from the others' one."""

_ALL_LISTED = {"B19", "B16"}
_PARAMETERS = {"documentType", "processType", "in_Domain", "periodStart", "periodEnd"}
_LAST_DISTURBED = 5
_NAMESPACE = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"


class FakeEntsoe(FakeApi):
    """Plays document A75. Hours appear an hour after their end, hard coal an hour later still.

    Attributes:
        longest: Longest range that it answers.
    """

    name = "entsoe"
    own_faults = SERIES_FAULTS | {
        Fault.BAD_TOKEN,
        Fault.COARSER,
        Fault.OTHER_ZONE,
        Fault.CURVE_GAPS,
        Fault.ACKNOWLEDGED,
        Fault.ZIPPED,
        Fault.OTHER_UNIT,
        Fault.UNKNOWN_CODE,
    }
    harmless = frozenset({Fault.CURVE_GAPS, Fault.ZIPPED})
    """Faults that are within this provider's contract and have to be read through without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = timedelta(days=366)

    def answer(self, asked: Asked) -> Reply:
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal
        start, end = (_instant(asked.query[name][0]) for name in ("periodStart", "periodEnd"))
        if end - start > self.longest:
            text = "The amount of requested data exceeds allowed limit. Requested 2, allowed 1."
            return _xml(_acknowledged(text), 400)
        if self.fault is Fault.ACKNOWLEDGED:
            return _xml(_acknowledged("No matching data found for Data item."))
        return self._packed(self.document(start, end))

    def _refusal(self, asked: Asked) -> Reply | None:
        if self.fault is Fault.HTML_REFUSAL:
            return FORBIDDEN_PAGE
        if asked.header("SECURITY_TOKEN") != TOKEN:
            return self.refuse("no token or a wrong one", _xml(_acknowledged("Authentication failed."), 401))
        if self.fault is Fault.BAD_TOKEN:
            return _xml(_acknowledged(f"The token {TOKEN} is unknown."), 401)
        query = {name: values[0] for name, values in asked.query.items() if len(values) == 1}
        asks = (asked.path, query.get("documentType"), query.get("processType"), query.get("in_Domain"))
        if set(query) != _PARAMETERS or asks != ("/api", "A75", "A16", EIC):
            return self.refuse(f"wrong question {asks}", _xml(_acknowledged("The parameters are not valid."), 400))
        return None

    def document(self, start: datetime, end: datetime) -> str:
        """Return the document for `start .. end`, as far as values have appeared."""
        return self._document([] if self.fault is Fault.EMPTY_DATA else self._all_series(start, end))

    def _document(self, series: Iterable[str]) -> str:
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<GL_MarketDocument xmlns="{_NAMESPACE}">'
            "<mRID>1</mRID><revisionNumber>1</revisionNumber><type>A75</type>"
            f"<process.processType>A16</process.processType><createdDateTime>{self.now:%Y-%m-%dT%H:%M:%SZ}</createdDateTime>"
            f"{''.join(series)}</GL_MarketDocument>"
        )

    def generation(self, quarter: datetime) -> dict[str, float]:
        """Return what this world generates in the quarter that begins at `quarter`, in MW, by type."""
        return _world(quarter)

    def published(self, quarter: datetime) -> dict[str, float | None]:
        """Return what the server says of a quarter, in MW, with the fault; `None` is a point without a quantity."""
        amounts: dict[str, float | None] = dict(self.generation(quarter))
        age = (self.now - quarter - QUARTER) // HOUR
        if not 0 < age <= _LAST_DISTURBED:
            return amounts
        match self.fault:
            case Fault.ZEROS:
                amounts = dict.fromkeys(amounts, 0.0)
            case Fault.NULLS | Fault.MISSING_VALUE:
                amounts["B02"] = None if age == _LAST_DISTURBED - 1 else amounts["B02"]
            case Fault.REVISED:
                amounts["B02"] = 2 * self.generation(quarter)["B02"]
            case Fault.ABSURD:
                amounts |= {"B19": 43.66 * 12000} if age % 2 else {"B19": -5000.0}
            case Fault.UNKNOWN_CODE:
                amounts |= {"B20": self.generation(quarter)["B20"] - 50}
        if self.fault is Fault.UNKNOWN_CODE:
            amounts["B99"] = 50.0
        return amounts

    def expected(self, interval: Interval) -> float:
        emitted = generated = 0.0
        for place in range(4):
            for code, mw in self.generation(interval.start + place * QUARTER).items():
                emitted, generated = emitted + mw * _FACTORS[code], generated + mw
        return emitted / generated

    def source(self, http: HttpClient, url: str) -> EntsoeSource:
        return EntsoeSource(http, Secrets({"ENTSOE_TOKEN": TOKEN}), zone="DE_LU", base_url=url)

    def fuzz_targets(self) -> list[FuzzTarget]:
        end = self.now.replace(minute=0)
        pricer = MixPricer(
            Identity("entsoe", "DE_LU", IntensityKind.AVERAGE, Basis.LIFECYCLE), factors(Basis.LIFECYCLE), FUELS
        )

        def priced(body: Any) -> Parsed:
            quarters = Quarters()
            parse(body, EIC, quarters)
            return pricer.price(quarters.hours(), end - 6 * HOUR, end)

        # An hour and the same one on the day before are all that can be priced, and short enough to be read often.
        before, after = ([*self._all_series(end - back * HOUR, end - (back - 1) * HOUR)] for back in (28, 4))
        return [
            FuzzTarget("entsoe document", priced, self._document(before + after).encode()),
            FuzzTarget("entsoe acknowledgement", priced, _acknowledged("No matching data found.").encode()),
            FuzzTarget("entsoe archive", priced, zipped(*(self._document(part).encode() for part in (before, after)))),
        ]

    def _all_series(self, start: datetime, end: datetime) -> Iterator[str]:
        present = self.now - 6 * HOUR if self.fault is Fault.STALE else self.now
        known = (present - HOUR).replace(minute=0)
        codes = [*_MEANS, "B16", *(["B99"] if self.fault is Fault.UNKNOWN_CODE else [])]
        for code in codes:
            until = min(end, known - HOUR if code == "B05" else known)
            if start < until:
                yield self._series(code, [self._period(code, start, until)])
                if self.fault is Fault.DISORDER and code == "B04":
                    yield self._series(code, [self._period(code, start, until)])
        if start < min(end, known):
            pumping = _period_of(
                [700.0] * ((min(end, known) - start) // HOUR), start, min(end, known), resolution="PT60M", omits=True
            )
            yield self._series("B10", [pumping], domain="out")

    def _period(self, code: str, start: datetime, end: datetime) -> str:
        step = _STEPS.get(code, 1)
        values = [
            self.published(start + place * QUARTER).get(code, 0.0) for place in range(0, (end - start) // QUARTER, step)
        ]
        if self.fault is Fault.COARSER:
            return _period_of(values[:1], start, start + 24 * HOUR, resolution="P1D", omits=False)
        omits = code not in _ALL_LISTED or self.fault is Fault.CURVE_GAPS
        named = f"PT{step * 15}M"
        return _period_of(values, start, end, resolution=named, omits=omits, reverse=self.fault is Fault.DISORDER)

    def _series(self, code: str, periods: list[str], domain: str = "in") -> str:
        zone = OTHER_EIC if self.fault is Fault.OTHER_ZONE else EIC
        unit = "KWT" if self.fault is Fault.OTHER_UNIT else "MAW"
        omits = code not in _ALL_LISTED or self.fault is Fault.CURVE_GAPS
        return (
            "<TimeSeries><mRID>1</mRID><businessType>A01</businessType><objectAggregation>A08</objectAggregation>"
            f'<{domain}BiddingZone_Domain.mRID codingScheme="A01">{zone}</{domain}BiddingZone_Domain.mRID>'
            f"<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name>"
            f"<curveType>{'A03' if omits else 'A01'}</curveType>"
            f"<MktPSRType><psrType>{code}</psrType></MktPSRType>{''.join(periods)}</TimeSeries>"
        )

    def _packed(self, document: str) -> Reply:
        if self.fault is Fault.ZIPPED:
            return Reply(zipped(document.encode()), 200, {"Content-Type": "application/zip"})
        return _xml(document)


@functools.cache
def _world(quarter: datetime) -> dict[str, float]:
    quarters = {
        code: quarter - (quarter - datetime(2026, 1, 1, tzinfo=UTC)) % (_STEPS.get(code, 1) * QUARTER)
        for code in _MEANS
    }
    amounts = {
        code: wave(quarters[code] + place * 3 * HOUR, mean, 0.3 * mean)
        for place, (code, mean) in enumerate(_MEANS.items())
    }
    amounts["B14"] = 3000.0
    amounts["B16"] = max(0, 5 - abs(quarter.hour - 11)) * 1500.0
    return amounts


def zipped(*documents: bytes) -> bytes:
    """Return an archive of these documents."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number, document in enumerate(documents):
            file.writestr(f"{number}.xml", document)
    return archive.getvalue()


def _period_of(
    values: list[float | None], start: datetime, end: datetime, *, resolution: str, omits: bool, reverse: bool = False
) -> str:
    changed = [True, *(after != before or after is None for before, after in itertools.pairwise(values))]
    points = [
        f"<Point><position>{place + 1}</position>{'' if mw is None else f'<quantity>{mw:g}</quantity>'}</Point>"
        for place, mw in enumerate(values)
        if changed[place] or not omits
    ]
    if reverse:
        points = [*reversed(points), points[0]]
    inner = f"<timeInterval>{_ends(start, end)}</timeInterval><resolution>{resolution}</resolution>"
    return f"<Period>{inner}{''.join(points)}</Period>"


def _ends(start: datetime, end: datetime) -> str:
    return f"<start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end>"


def _acknowledged(text: str) -> str:
    return (
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>1</mRID><Reason><code>999</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    )


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)


def _xml(document: str, status: int = 200) -> Reply:
    return Reply(document.encode(), status, {"Content-Type": "application/xml"})
