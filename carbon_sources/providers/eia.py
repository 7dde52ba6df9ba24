"""Hourly generation by fuel of a balancing authority in the United States, from the Energy Information Administration, priced here.

Interface: https://www.eia.gov/opendata/documentation.php, route `electricity/rto/fuel-type-data` (free with a key; about 9,000
requests an hour). Megawatt-hours per hour, UTC, and `period` is the END of the hour. Numbers come as text, may be null, and are
negative while storage charges. Values arrive 1 to 24 hours late, fuel by fuel, and are revised for days without a mark. There is no
forecast. The intensity is an average of the generation inside the area; imports are ignored. See `carbon_sources.mix` for
the factors and `carbon_sources.answers.mix_hours` for which hours are priced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.answers.mix_hours import HOUR, REFERENCE, Generation, MixPricer, ceil_hour, floor_hour, newest_of
from carbon_sources.answers.reading import Identity, Remarks, as_list, as_number, as_object, as_text
from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient, HttpRequest
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import require_span, require_utc
from carbon_sources.mix import Fuel, factors
from carbon_sources.secrets import Secret, Secrets
from carbon_sources.source import CarbonSource

FUELS: Mapping[str, Fuel] = {
    "BAT": Fuel.STORAGE,
    "COL": Fuel.HARD_COAL,
    "GEO": Fuel.GEOTHERMAL,
    "NG": Fuel.GAS,
    "NUC": Fuel.NUCLEAR,
    "OES": Fuel.STORAGE,
    "OIL": Fuel.OIL,
    "OTH": Fuel.OTHER,
    "PS": Fuel.STORAGE,
    "SNB": Fuel.SOLAR,
    "SUN": Fuel.SOLAR,
    "UES": Fuel.STORAGE,
    "UNK": Fuel.OTHER,
    "WAT": Fuel.HYDRO,
    "WNB": Fuel.WIND_ONSHORE,
    "WND": Fuel.WIND_ONSHORE,
}
"""Coal is not told apart by kind and is priced as hard coal."""

MAY_BE_NEGATIVE = frozenset({"OTH", "SNB", "UNK", "WAT", "WNB"})
"""Fuels with which some authorities report pumping and charging."""

MOST_ROWS = 5000
"""Most rows of one answer."""

LONGEST_RANGE = timedelta(days=30)
"""About 10,000 rows, so two or three pages."""

_LOOK_BACK = timedelta(days=3)
_SKEW = timedelta(minutes=15)
_MOST_PAGES = 200
_SHORTEST_KEY = 4
_PERIOD = re.compile(r"\d{4}-\d\d-\d\dT\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One fuel in one hour.

    Attributes:
        hour: Begin of the hour, UTC.
        code: EIA's code of the fuel.
        mwh: Energy in MWh, or `None` where there is no value.
    """

    hour: datetime
    code: str
    mwh: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    Attributes:
        rows: Its rows, in any order.
        total: Rows of all pages together.
        remarks: What was odd, in sentences for a person.
    """

    rows: tuple[Row, ...]
    total: int
    remarks: tuple[str, ...] = ()


def page_request(
    base_url: str, respondent: str, *, key: Secret, start: datetime, end: datetime, offset: int
) -> HttpRequest:
    """Return the request for the hours `start .. end` (full hours, UTC), from the row number `offset` on."""
    query = {
        "frequency": "hourly",
        "data[0]": "value",
        "facets[respondent][]": respondent,
        # Both ends count, and an hour is named by its end.
        "start": _stamp(start + HOUR),
        "end": _stamp(end),
        "sort[0][column]": "period",
        "sort[0][direction]": "asc",
        "offset": str(offset),
        "length": str(MOST_ROWS),
    }
    url = f"{base_url}/v2/electricity/rto/fuel-type-data/data/"
    return HttpRequest(url, tuple(query.items()), {"X-Api-Key": key.reveal()})


def parse_page(document: object, respondent: str) -> Page:
    """Return the rows of an answer.

    Raises:
        SourceAnswerError: If it is an error, has another shape, or speaks of another respondent, unit or frequency.
    """
    answer = as_object(document, "EIA's answer")
    if "error" in answer:
        raise SourceAnswerError(f"EIA answered with an error: {_excerpt(answer['error'])}")
    response = as_object(answer.get("response"), "EIA's 'response'")
    frequency = response.get("frequency", "hourly")
    if frequency != "hourly":
        raise SourceAnswerError(f"EIA answered with the frequency {_excerpt(frequency)} instead of hourly")
    rows = [_row(row, respondent) for row in as_list(response.get("data"), "EIA's 'data'")]
    total = as_number(response.get("total"), "EIA's 'total'", text_too=True)
    if total is None or not 0 <= total < MOST_ROWS * _MOST_PAGES:
        raise SourceAnswerError(f"EIA's 'total' should be a number of rows but is {_excerpt(response.get('total'))}")
    return Page(tuple(rows), int(total), tuple(_warnings(answer, response)))


def gather(pages: list[Page]) -> tuple[Generation, tuple[str, ...]]:
    """Return what the pages of one question hold, and the remarks on them."""
    generation = Generation()
    for page in pages:
        for row in page.rows:
            generation.add(row.hour, row.code, row.mwh)
            if row.mwh is None:
                generation.remarks["values are null or missing"] += 1
    return generation, tuple(dict.fromkeys(remark for page in pages for remark in page.remarks))


class EiaSource(CarbonSource):
    """Intensity of a balancing authority, calculated from its generation by fuel.

    Args:
        http: Client to ask with.
        secrets: Where the key is.
        zone: EIA's code of the respondent, such as CISO, ERCO, PJM, MISO, NYIS, ISNE or SWPP.
        basis: Whether the factors count the life cycle or combustion only.
        api_key_env: Environment variable that holds the key.
        base_url: Address of the interface.

    Raises:
        SourceAccessError: If there is no key.
    """

    kind = IntensityKind.AVERAGE
    names = frozenset({"eia"})
    revised_for = timedelta(days=7)
    usual_delay = timedelta(hours=24)

    def __init__(
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")],
        basis: Basis = Basis.LIFECYCLE,
        api_key_env: str = "EIA_API_KEY",
        base_url: str = "https://api.eia.gov",
    ) -> None:
        self.zone = zone
        self.basis = basis
        self._http = http
        self._key = secrets.get(api_key_env)
        self._base_url = base_url.rstrip("/")
        self._pricer = MixPricer(
            Identity("eia", zone, self.kind, basis), factors(basis), FUELS, may_be_negative=MAY_BE_NEGATIVE
        )
        self._remarks = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest hour that could be priced; with this provider it usually ended hours ago."""
        require_utc(now, "now")
        start, end = floor_hour(now - _LOOK_BACK), ceil_hour(now + HOUR)
        generation, remarks = self._ask(start, end)
        priced = self._pricer.price(generation, start, end)
        sample, late = newest_of(priced, generation, now, delay=self.usual_delay, skew=_SKEW)
        self._remarks.note("latest", (*priced.remarks, *self._said(remarks), *self._said(late)))
        return sample

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        if start == end:
            return IntensitySeries(())
        generation, remarks = self._ask(floor_hour(start), ceil_hour(end))
        priced = self._pricer.price(generation, start, end)
        self._remarks.note("history", (*priced.remarks, *self._said(remarks)))
        return priced.series

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _said(self, remarks: tuple[str, ...]) -> Iterator[str]:
        return (f"eia: {remark}" for remark in remarks)

    def _ask(self, start: datetime, end: datetime) -> tuple[Generation, tuple[str, ...]]:
        """Return the generation of the hours `start .. end` and of the week before."""
        pages: list[Page] = []
        begin = start - REFERENCE
        while begin < end:
            until = min(end, begin + LONGEST_RANGE)
            pages += self._pages(begin, until)
            begin = until
        generation, remarks = gather(pages)
        if generation.newest is None:
            nothing = (
                f"no rows at all for {self.zone}: either an outage, or no respondent has this name; "
                "compare the option 'zone' with EIA's list of respondents"
            )
            return generation, (*remarks, nothing)
        return generation, remarks

    def _pages(self, start: datetime, end: datetime) -> Iterator[Page]:
        offset, total = 0, 1
        while offset < total:
            page = self._page(start, end, offset)
            offset, total = offset + len(page.rows), page.total
            if not page.rows and offset < total:
                yield replace(page, remarks=(*page.remarks, f"only {offset} of {total} rows came"))
                return
            yield page

    def _page(self, start: datetime, end: datetime, offset: int) -> Page:
        answer = self._http.get(
            page_request(self._base_url, self.zone, key=self._key, start=start, end=end, offset=offset)
        )
        # An answer may repeat the key, and messages quote answers.
        key = self._key.reveal().encode()
        body = answer.body.replace(key, b"***") if len(key) >= _SHORTEST_KEY else answer.body
        return parse_page(replace(answer, body=body).json(), self.zone)


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H")


def _row(value: object, respondent: str) -> Row:
    row = as_object(value, "a row of EIA's answer")
    answered = as_text(row.get("respondent"), "EIA's 'respondent'")
    if answered != respondent:
        raise SourceAnswerError(f"EIA answered for {_excerpt(answered)} instead of {respondent}")
    unit = as_text(row.get("value-units"), "EIA's 'value-units'")
    if unit != "megawatthours":
        raise SourceAnswerError(f"EIA answered in {_excerpt(unit)} instead of megawatthours")
    code = as_text(row.get("fueltype"), "EIA's 'fueltype'")
    return Row(_hour(row.get("period")), code, _mwh(row.get("value")))


def _mwh(value: object) -> float | None:
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", value.strip(), re.ASCII | re.IGNORECASE):
        return None
    return as_number(value, "EIA's 'value'", text_too=True)


def _hour(value: object) -> datetime:
    """Return the begin of the hour that is named by its end."""
    period = as_text(value, "EIA's 'period'")
    try:
        # The expression first, because ISO 8601 allows much that EIA never writes.
        end = datetime.fromisoformat(period).replace(tzinfo=UTC) if _PERIOD.fullmatch(period) else None
        hour = end - HOUR if end else None
    except (ValueError, OverflowError):
        hour = None
    if hour is None:
        raise SourceAnswerError(f"EIA's 'period' should be an hour but is {_excerpt(period)}")
    return hour


def _warnings(answer: Mapping[str, object], response: Mapping[str, object]) -> Iterator[str]:
    for part in (answer, response):
        for name in ("warning", "warnings"):
            if part.get(name):
                yield f"the provider warns: {_excerpt(part[name])}"


def _excerpt(value: object) -> str:
    try:
        return repr("".join(c for c in str(value) if c.isprintable())[:160])
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python writes
        return f"a {type(value).__name__} too large to show"
