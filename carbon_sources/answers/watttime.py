"""Reading what WattTime answers: points of a signal, their unit and model, and why a request was refused."""

from __future__ import annotations

import enum
from collections.abc import Mapping
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
from carbon_sources.intensity import IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.units import G_PER_KWH_PER_LB_PER_MWH

POUNDS_PER_MWH = "lbs_co2_per_mwh"
"""The only unit that is read: pounds of CO2 per megawatt-hour."""

_USUAL_PERIOD_S = 300.0
_LONGEST_PERIOD_S = 3600.0


class Signal(enum.Enum):
    """What is asked for."""

    CO2_MOER = "co2_moer"
    """Marginal operating emissions rate: what one more megawatt-hour causes."""
    CO2_AOER = "co2_aoer"
    """Average operating emissions rate: emissions of all generation divided by all generation."""

    @property
    def kind(self) -> IntensityKind:
        """Average or marginal."""
        return IntensityKind.MARGINAL if self is Signal.CO2_MOER else IntensityKind.AVERAGE


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, to be compared with what the answer says it is.

    Attributes:
        identity: What the samples have in common; its zone is the provider's region.
        signal: The signal.
        model: Date of the model that was asked for; `None` for the provider's newest.
    """

    identity: Identity
    signal: Signal
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast with the instant at which it was made.

    Attributes:
        parsed: The expected values.
        generated_at: When the provider made it, by its own clock.
    """

    parsed: Parsed
    generated_at: datetime


def parse_points(document: object, question: Question) -> Parsed:
    """Return the values of `historical` in g/kWh; each names its model as `method`.

    All count as estimates, as in recorded traces of this provider: a marginal intensity can't be metered, it is modelled.

    Raises:
        SourceAnswerError: If the answer has another shape than documented, speaks of another region or signal, comes from
            another model than the one that was asked for, or is in a unit that is not known.
    """
    envelope = as_object(document, "the answer of WattTime")
    rows = as_list(envelope.get("data"), "'data' of WattTime")
    if not rows and "meta" not in envelope:
        return Parsed()
    meta = as_object(envelope.get("meta"), "'meta' of WattTime")
    _check(meta, question)
    collector = SampleCollector(question.identity)
    _note_warnings(meta, collector)
    length, method = _length(meta, collector), _method(meta, question)
    seen: set[Interval] = set()
    for value in rows:
        row = as_object(value, "a point of WattTime")
        interval = as_interval(as_instant(row.get("point_time"), "'point_time' of WattTime"), length)
        if interval in seen:
            collector.odd("points came more than once")
        seen.add(interval)
        collector.add(interval, _g_per_kwh(row, collector), Provenance.ESTIMATED, method=method)
    return collector.parsed()


def parse_forecast(document: object, question: Question) -> Outlook:
    """Return the values of `forecast` in g/kWh and when they were made; raises as `parse_points`, and without that instant."""
    meta = as_object(as_object(document, "the forecast of WattTime").get("meta"), "'meta' of WattTime")
    generated_at = as_instant(meta.get("generated_at"), "'generated_at' of WattTime")
    return Outlook(parse_points(document, question), generated_at)


def parse_token(document: object) -> str:
    """Return the token of a login; no message shows what came instead, because it might be one.

    Raises:
        SourceAnswerError: If there is none that can be sent in a header.
    """
    token = document.get("token") if isinstance(document, Mapping) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceAnswerError("WattTime answered the login without a token that can be used")
    return token


def refuses_plan(body: bytes) -> bool:
    """Say whether a refusal is about the plan; an expired token is answered with a page of a proxy, not with JSON."""
    text = body.decode("utf-8", "replace").strip().lower()
    return text.startswith("{") and any(
        words in text for words in ("invalid scope", "sufficient access", "not have access")
    )


def names_no_region(body: bytes) -> bool:
    """Say whether a 400 is about the region."""
    return b"region" in body.lower()


def _check(meta: Mapping[str, object], question: Question) -> None:
    region = as_text(meta.get("region"), "'region' of WattTime")
    if region != question.identity.zone:
        raise SourceAnswerError(
            f"WattTime answered for region {excerpt(region)}, not for {question.identity.zone}, which was asked for"
        )
    signal = meta.get("signal_type", question.signal.value)
    if signal != question.signal.value:
        raise SourceAnswerError(f"WattTime answered with signal {excerpt(signal)}, not with {question.signal.value}")
    units = as_text(meta.get("units"), "'units' of WattTime")
    if units != POUNDS_PER_MWH:
        raise SourceAnswerError(
            f"WattTime answered in {excerpt(units)}, not in {POUNDS_PER_MWH}: no number can be taken from that"
        )


def _length(meta: Mapping[str, object], collector: SampleCollector) -> timedelta:
    period_s = as_number(
        meta.get("data_point_period_seconds", _USUAL_PERIOD_S), "'data_point_period_seconds' of WattTime"
    )
    if period_s is None or not 0 < period_s <= _LONGEST_PERIOD_S:
        raise SourceAnswerError(
            f"WattTime answered with points of {period_s} s; up to {_LONGEST_PERIOD_S:g} s are read"
        )
    if period_s != _USUAL_PERIOD_S:
        collector.odd(f"points hold for {period_s:g} s, not for the usual {_USUAL_PERIOD_S:g} s")
    return timedelta(seconds=period_s)


def _method(meta: Mapping[str, object], question: Question) -> str:
    model = meta.get("model")
    date = None if model is None else as_object(model, "'model' of WattTime").get("date")
    if question.model is not None and date != question.model:
        raise SourceAnswerError(
            f"WattTime answered with model {excerpt(date)}, not with {question.model}, which was asked for; its values can't be compared"
        )
    return "" if date is None else f"model {excerpt(date)}"


def _g_per_kwh(row: Mapping[str, object], collector: SampleCollector) -> float | None:
    pounds_per_mwh = as_number(row.get("value"), "'value' of WattTime")
    if pounds_per_mwh is None:
        collector.odd("points without a value are gaps")
        return None
    if pounds_per_mwh == 0:
        collector.odd(
            "zeros are what WattTime sent for ten hours during its outage of April 2026: do not take them for clean power"
        )
    if row.get("imputed_data_used") is True:
        collector.odd("values were imputed by the provider, because its data were missing")
    return pounds_per_mwh * G_PER_KWH_PER_LB_PER_MWH


def _note_warnings(meta: Mapping[str, object], collector: SampleCollector) -> None:
    warnings = meta.get("warnings")
    for value in [] if warnings is None else as_list(warnings, "'warnings' of WattTime"):
        warning = as_object(value, "a warning of WattTime")
        collector.odd(f"the provider warns: {excerpt(warning.get('type'))}: {excerpt(warning.get('message'))}")
