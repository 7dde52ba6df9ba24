"""Reading what Electricity Maps answers: rows of intensities, their zone and basis, and why a request was refused."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.answers.reading import (
    Identity,
    Parsed,
    SampleCollector,
    as_instant,
    as_interval,
    as_list,
    as_number,
    as_object,
    as_text,
    excerpt,
)
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, Provenance
from carbon_sources.interval import Interval

_MEASURED = frozenset({"", "MEASURED"})
_METHODS = _MEASURED | {
    "TIME_SLICER_AVERAGE",
    "FORECASTS_HIERARCHY",
    "ESTIMATED_FORECASTS_HIERARCHY",
    "MODE_BREAKDOWN",
    "GENERAL_PURPOSE_ZONE_DEVELOPMENT",
    "PREDICTED",
}


class Granularity(enum.Enum):
    """How long a value holds."""

    HOURLY = "hourly"
    QUARTER_HOURLY = "15_minutes"
    FIVE_MINUTES = "5_minutes"

    @property
    def length(self) -> timedelta:
        """Length of one interval."""
        return _LENGTHS[self]


_LENGTHS = {
    Granularity.HOURLY: timedelta(hours=1),
    Granularity.QUARTER_HOURLY: timedelta(minutes=15),
    Granularity.FIVE_MINUTES: timedelta(minutes=5),
}


class Refusal(enum.Enum):
    """Why the provider answered 401; both reasons have the same status and differ only in their text."""

    PLAN = "the plan does not cover the request"
    TOKEN = "the token is not valid"  # noqa: S105 -- a description
    UNCLEAR = "no reason that is known"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, to be compared with what the answer says it is.

    Attributes:
        identity: What the samples have in common.
        flow_traced: Whether imports and exports are counted (consumption), or the zone's own generation only.
        granularity: How long a value is to hold.
    """

    identity: Identity
    flow_traced: bool
    granularity: Granularity


@dataclass(frozen=True, slots=True)
class Dated:
    """An answer with the instant at which the provider made it.

    Attributes:
        parsed: The values.
        updated_at: The newest `updatedAt` of the answer by the provider's clock; `None` where it names none.
    """

    parsed: Parsed
    updated_at: datetime | None


def parse_latest(document: object, question: Question) -> Dated:
    """Return the one value of `latest`; none where it is null or can't be true.

    Raises:
        SourceAnswerError: If the answer has another shape than documented, or speaks of another zone, basis or view of the
            imports than was asked for.
    """
    row = as_object(document, "the answer of Electricity Maps")
    _check_zone(row, question)
    return _read([row], row, question)


def parse_rows(document: object, question: Question) -> Dated:
    """Return the values of `history` or `past-range`, whose rows stand under `history` or `data`; raises as `parse_latest`."""
    envelope = as_object(document, "the answer of Electricity Maps")
    _check_zone(envelope, question)
    rows = envelope.get("history", envelope.get("data"))
    return _read(as_list(rows, "the rows of Electricity Maps"), envelope, question)


def parse_forecast(document: object, question: Question) -> Dated:
    """Return the expected values, all of them estimates, and when they were made.

    Raises:
        SourceAnswerError: As `parse_latest`, and if the answer does not say when it was made.
    """
    envelope = as_object(document, "the forecast of Electricity Maps")
    _check_zone(envelope, question)
    updated_at = as_instant(envelope.get("updatedAt"), "'updatedAt' of Electricity Maps' forecast")
    rows = as_list(envelope.get("forecast"), "the rows of Electricity Maps' forecast")
    # Rows carry value and time only; whatever they do say of themselves is still checked.
    return Dated(_read(rows, envelope, question, expected=True).parsed, updated_at)


def reason_of(body: bytes) -> Refusal:
    """Return why a request was answered with 401, by the text of the answer."""
    text = body.decode("utf-8", "replace").lower()
    if "request unauthorized" in text or "do not have access" in text:
        return Refusal.PLAN
    return Refusal.TOKEN if "auth-token" in text else Refusal.UNCLEAR


def says_no_data(body: bytes) -> bool:
    """Say whether a 404 means that there is no value, rather than that nothing is served at this address."""
    text = body.decode("utf-8", "replace").lower()
    return "no recent data" in text or "no data" in text or '"error"' in text


def names_no_zone(body: bytes) -> bool:
    """Say whether a 404 means that the zone does not exist."""
    text = body.decode("utf-8", "replace").lower()
    return "zone" in text and any(words in text for words in ("not exist", "unknown zone", "invalid zone"))


def _read(
    rows: Iterable[object], envelope: Mapping[str, object], question: Question, *, expected: bool = False
) -> Dated:
    collector = SampleCollector(question.identity)
    seen: set[Interval] = set()
    updates: list[datetime] = []
    for value in rows:
        row = as_object(value, "a row of Electricity Maps")
        if "zone" in row:
            _check_zone(row, question)
        _check_view(row, question, collector, told=not expected)
        interval = as_interval(
            as_instant(row.get("datetime"), "'datetime' of Electricity Maps"),
            _length(row, envelope, question, collector),
        )
        if interval in seen:
            collector.odd("rows came more than once")
        seen.add(interval)
        if row.get("updatedAt") is not None:
            updates.append(as_instant(row["updatedAt"], "'updatedAt' of Electricity Maps"))
        g_per_kwh = as_number(row.get("carbonIntensity"), "'carbonIntensity' of Electricity Maps")
        if g_per_kwh is None:
            collector.odd("rows without a value are gaps")
        provenance, method = (Provenance.ESTIMATED, "") if expected else _provenance(row, collector)
        collector.add(interval, g_per_kwh, provenance, method=_with_view(method, question))
    return Dated(collector.parsed(), max(updates, default=None))


def _check_zone(fields: Mapping[str, object], question: Question) -> None:
    """Without a zone that it knows the provider answers for the place that the request came from."""
    zone = as_text(fields.get("zone"), "'zone' of Electricity Maps")
    if zone != question.identity.zone:
        raise SourceAnswerError(
            f"Electricity Maps answered for zone {excerpt(zone)}, not for {question.identity.zone}, which was asked for"
        )


def _check_view(row: Mapping[str, object], question: Question, collector: SampleCollector, *, told: bool) -> None:
    """Refuse another basis or view of the imports; note where it is not told and is not the provider's default."""
    basis = question.identity.basis
    emissions = row.get("emissionFactorType")
    if emissions is not None and emissions != basis.value:
        raise SourceAnswerError(
            f"Electricity Maps answered with {excerpt(emissions)} emissions, not with {basis.value} ones, which were asked for"
        )
    if emissions is None and told and basis is not Basis.LIFECYCLE:
        collector.odd(f"rows do not say whether they count {basis.value} emissions, which were asked for")
    flow_traced = row.get("flowTraced")
    if flow_traced is not None and flow_traced is not question.flow_traced:
        raise SourceAnswerError(
            f"Electricity Maps answered with flowTraced {excerpt(flow_traced)}, not {question.flow_traced}, which was asked for"
        )
    if flow_traced is None and told and not question.flow_traced:
        collector.odd("rows do not say whether imports are left out, which was asked for")


_LENGTH_BY_NAME = {granularity.value: granularity.length for granularity in Granularity}


def _length(
    row: Mapping[str, object], envelope: Mapping[str, object], question: Question, collector: SampleCollector
) -> timedelta:
    asked = question.granularity
    told = row.get("temporalGranularity", envelope.get("temporalGranularity"))
    if told is None and asked is Granularity.HOURLY:
        return asked.length
    text = as_text(told, "'temporalGranularity' of Electricity Maps")
    if text not in _LENGTH_BY_NAME:
        raise SourceAnswerError(f"Electricity Maps answered with values that are {excerpt(text)}, not {asked.value}")
    if text != asked.value:
        collector.odd(f"values are {text}, not {asked.value} as asked for: the plan may not cover that granularity")
    return _LENGTH_BY_NAME[text]


def _provenance(row: Mapping[str, object], collector: SampleCollector) -> tuple[Provenance, str]:
    """Return how well a value is known: measured only where the provider says so and names no method of estimation."""
    named = row.get("estimationMethod")
    method = "" if named is None else excerpt(named)
    if method not in _METHODS:
        collector.odd(f"the estimation method {method} is not known here; its values count as estimates")
    if row.get("isEstimated") is False and method in _MEASURED:
        return Provenance.MEASURED, method
    return Provenance.ESTIMATED, method


def _with_view(method: str, question: Question) -> str:
    return method if question.flow_traced else "; ".join(filter(None, (method, "production only, imports ignored")))
