"""Reading what EIA answers: pages of generation by fuel and hour.

Interface: https://www.eia.gov/opendata/documentation.php, route `electricity/rto/fuel-type-data`. Megawatt-hours per hour, UTC, and `period`
is the END of the hour. Numbers come as text, may be null, and are negative while storage charges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from carbon_sources.answers.mix_hours import Generation
from carbon_sources.answers.reading import as_list, as_number, as_object, as_text, excerpt
from carbon_sources.errors import SourceAnswerError
from carbon_sources.interval import HOUR
from carbon_sources.mix import Fuel

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

_MOST_PAGES = 200
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


def parse_page(document: object, respondent: str) -> Page:
    """Return the rows of an answer.

    Raises:
        SourceAnswerError: If it is an error, has another shape, or speaks of another respondent, unit or frequency.
    """
    answer = as_object(document, "EIA's answer")
    if "error" in answer:
        raise SourceAnswerError(f"EIA answered with an error: {excerpt(answer['error'])!r}")
    response = as_object(answer.get("response"), "EIA's 'response'")
    frequency = response.get("frequency", "hourly")
    if frequency != "hourly":
        raise SourceAnswerError(f"EIA answered with the frequency {excerpt(frequency)!r} instead of hourly")
    rows = [_row(row, respondent) for row in as_list(response.get("data"), "EIA's 'data'")]
    total = as_number(response.get("total"), "EIA's 'total'", text_too=True)
    if total is None or not 0 <= total < MOST_ROWS * _MOST_PAGES:
        raise SourceAnswerError(f"EIA's 'total' should be a number of rows but is {excerpt(response.get('total'))!r}")
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


def _row(value: object, respondent: str) -> Row:
    row = as_object(value, "a row of EIA's answer")
    answered = as_text(row.get("respondent"), "EIA's 'respondent'")
    if answered != respondent:
        raise SourceAnswerError(f"EIA answered for {excerpt(answered)!r} instead of {respondent}")
    unit = as_text(row.get("value-units"), "EIA's 'value-units'")
    if unit != "megawatthours":
        raise SourceAnswerError(f"EIA answered in {excerpt(unit)!r} instead of megawatthours")
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
        raise SourceAnswerError(f"EIA's 'period' should be an hour but is {excerpt(period)!r}")
    return hour


def _warnings(answer: Mapping[str, object], response: Mapping[str, object]) -> Iterator[str]:
    for part in (answer, response):
        for name in ("warning", "warnings"):
            if part.get(name):
                yield f"the provider warns: {excerpt(part[name])!r}"
