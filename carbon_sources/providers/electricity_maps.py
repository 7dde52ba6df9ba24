"""Average intensity of some 350 zones from Electricity Maps, with a token.

Interface: https://portal.electricitymaps.com/docs/api (`v4`; `v3` still answers). Intervals of an hour (15 or 5 minutes where the
plan has them) named by their start in UTC, g/kWh of CO2 equivalent; life-cycle emissions unless direct ones are asked for; what
the zone consumes, imports included (`flowTraced`), unless its own production is asked for. The newest hours are estimated
by the provider, measured after an hour or more and final after days. Only the newest forecast is served.

The free plan is for non-commercial use. Read most strictly it has one zone, one request in five minutes and the last 24 hours,
neither `past-range` nor a forecast. This client asks no more than that needs: a span of the last 24 hours costs one request, which
answers the question for the newest value, too, and what the plan refused is not asked for again within six hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from carbon_sources.answers.electricity_maps import (
    Dated,
    Granularity,
    Question,
    Refusal,
    names_no_zone,
    parse_forecast,
    parse_latest,
    parse_rows,
    reason_of,
    says_no_data,
)
from carbon_sources.answers.reading import Identity, Parsed, Remarks
from carbon_sources.answers.timeliness import clock_remarks, forecast_at, newest_remarks
from carbon_sources.errors import SourceAccessError, SourceAnswerError, UnknownZoneError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpAnswer, HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval, clock_text, full_hour, pieces, require_span, require_utc
from carbon_sources.secrets import Secret, Secrets
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=10)
"""The longest span that `past-range` answers at once."""

DAY = timedelta(hours=24)
"""The span that `history` answers, up to the present of the provider."""

_STALE = timedelta(hours=2)
_REFUSAL_HOLDS = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)


def request_params(
    question: Question, *, version: str, disable_estimations: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the query that all requests have; `disableCallerLookup` keeps the provider from guessing a zone by our address."""
    params = [
        ("zone", question.identity.zone),
        ("disableCallerLookup", "true"),
        ("emissionFactorType", question.identity.basis.value),
        ("temporalGranularity", question.granularity.value),
    ]
    if version != "v3":
        params.append(("flowTraced", str(question.flow_traced).lower()))
    if disable_estimations:
        params.append(("disableEstimations", "true"))
    return tuple(params)


def range_pieces(start: datetime, end: datetime) -> list[Interval]:
    """Return the spans of at most `LONGEST_RANGE` that hold every row overlapping `start .. end`; rows are picked by their start."""
    begin = full_hour(start)
    last = end if end == _to_minute(end) else _to_minute(end) + _MINUTE
    return list(pieces(begin, last, LONGEST_RANGE))


class ElectricityMapsSource(CarbonSource):
    """Average intensity of one zone.

    Only the newest forecast is to be had, so `forecast` answers `None` for a time before it was made.

    Args:
        http: Client to ask with.
        secrets: Where the token is.
        zone: The provider's key of the zone, such as `DE` or `US-CAL-CISO`.
        version: Version of the interface.
        basis: Which emissions are counted.
        flow_traced: Whether imports and exports are counted; `false`, with `v4` only, gives the zone's own production.
        granularity: How long a value holds; a plan may give longer ones.
        horizon_hours: How far the forecast reaches, in hours; a plan may give less.
        disable_estimations: Leave out what the provider estimated, which the newest hours are.
        token_env: Environment variable with the token.
        base_url: Address of the interface, without the version.

    Raises:
        SourceAccessError: If the token is missing.
        ValueError: If `flow_traced` is false with `v3`, which can't say so.
    """

    names = frozenset({"electricity_maps"})
    kind = IntensityKind.AVERAGE
    revised_for = timedelta(days=3)
    usual_delay = timedelta(hours=1)

    def __init__(  # noqa: PLR0913 -- options of the configuration
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: Annotated[str, Field(min_length=1)],
        version: Literal["v4", "v3"] = "v4",
        basis: Basis = Basis.LIFECYCLE,
        flow_traced: bool = True,
        granularity: Granularity = Granularity.HOURLY,
        horizon_hours: Literal[6, 24, 48, 72] = 72,
        disable_estimations: bool = False,
        token_env: str = "ELECTRICITY_MAPS_TOKEN",  # noqa: S107 -- the name of a variable
        base_url: str = "https://api.electricitymaps.com",
    ) -> None:
        if version == "v3" and not flow_traced:
            raise ValueError("flow_traced can't be false with version v3: use v4")
        self.zone, self.basis = zone, basis
        if not flow_traced:
            # Kept apart from what the zone consumes, wherever samples are kept by their source's name.
            self.names = frozenset({"electricity_maps_production"})
        self._http = http
        self._question = Question(Identity(min(self.names), zone, self.kind, basis), flow_traced, granularity)
        self._params = request_params(self._question, version=version, disable_estimations=disable_estimations)
        self._root = f"{base_url.rstrip('/')}/{version}/carbon-intensity"
        self._horizon = timedelta(hours=horizon_hours)
        self._token_env = token_env
        self._token: Secret = secrets.get(token_env)
        self._remarks = Remarks()
        self._refused: dict[str, datetime] = {}
        self._told: datetime | None = None
        self._recent: tuple[datetime, Dated] | None = None

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest interval that has begun, usually an estimate.

        What a `history` that ended at `now` was answered with counts as asked now, so that both cost one request.
        """
        require_utc(now, "now")
        self._told = now
        recent, self._recent = self._recent, None
        if recent is not None and recent[0] == now and (sample := recent[1].parsed.series.at(now)) is not None:
            self._remarks.note("latest", self._on_clock(recent[1], now))
            return sample
        answer = self._ask("latest", now)
        if answer is None:
            raise SourceAccessError(f"the plan of the token in {self._token_env} does not cover zone {self.zone}")
        dated = self._without_data(answer) or parse_latest(answer.json(), self._question)
        remarks = [*dated.parsed.remarks, *self._on_clock(dated, now)]
        begun = dated.parsed
        if begun.samples and begun.samples[0].interval.start > now:
            begun = self._past(now - DAY, now)
            remarks += [
                *self._question.identity.say(f"the newest value is of the future of {clock_text(now)}"),
                *begun.remarks,
            ]
        newest = begun.samples[-1] if begun.samples else None
        remarks += self._question.identity.say(*newest_remarks(newest, now, _STALE))
        self._remarks.note("latest", remarks)
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        if start == end:
            return IntensitySeries(())
        parsed = self._past(start, end)
        remarks = list(parsed.remarks)
        if not parsed.samples:
            remarks += self._question.identity.say(
                f"no values are known from {start:%Y-%m-%d %H:%M} to {clock_text(end)}"
            )
        self._remarks.note("history", remarks)
        return parsed.series

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        self._told = now
        answer = self._ask("forecast", now, ("horizonHours", f"{self._horizon / timedelta(hours=1):.0f}"))
        if answer is None:
            self._remarks.note("forecast", self._question.identity.say("the plan does not cover forecasts"))
            return None
        dated = self._without_data(answer) or parse_forecast(answer.json(), self._question)
        if dated.updated_at is None:
            self._remarks.note("forecast", dated.parsed.remarks)
            return None
        forecast, odd = forecast_at(dated.parsed, dated.updated_at, now, horizon=self._horizon, stale=_STALE)
        self._remarks.note("forecast", (*dated.parsed.remarks, *self._question.identity.say(*odd)))
        return forecast

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _past(self, start: datetime, end: datetime) -> Parsed:
        """Return what overlaps the span, from the last 24 hours if they hold it, else from what the plan has."""
        recent = None
        if end - start <= DAY and (self._told is None or start >= self._told - DAY):
            recent = self._last_day(end)
            if recent.samples and recent.samples[0].interval.start <= start:
                return _cut(recent, start, end)
        parts = self._parts(start, end)
        if parts is not None:
            return _cut(_joined(parts), start, end)
        recent = recent or self._last_day(end)
        refusal = self._question.identity.say(
            "the plan does not cover past-range; only the last 24 hours can be known, by `history`"
        )
        return _cut(Parsed(recent.samples, (*recent.remarks, *refusal)), start, end)

    def _last_day(self, end: datetime) -> Parsed:
        answer = self._ask("history", end)
        if answer is None:
            return Parsed((), self._question.identity.say("the plan does not cover history"))
        dated = self._without_data(answer) or parse_rows(answer.json(), self._question)
        self._recent = (end, dated)
        return dated.parsed

    def _parts(self, start: datetime, end: datetime) -> list[Parsed] | None:
        parts = []
        for piece in range_pieces(start, end):
            answer = self._ask("past-range", end, ("start", _stamp(piece.start)), ("end", _stamp(piece.end)))
            if answer is None:
                return None
            parts.append((self._without_data(answer) or parse_rows(answer.json(), self._question)).parsed)
        return parts

    def _ask(self, verb: str, told: datetime, *params: tuple[str, str]) -> HttpAnswer | None:
        """Return an answer with 200 or 404; `None` where the plan does not cover the request.

        Raises:
            SourceAccessError: If the token is refused.
            UnknownZoneError: If the zone does not exist.
        """
        if verb in self._refused and abs(told - self._refused[verb]) < _REFUSAL_HOLDS:
            return None
        headers = {"auth-token": self._token.reveal()}
        answer = self._http.get(
            HttpRequest(f"{self._root}/{verb}", (*self._params, *params), headers), reads={401, 404}
        )
        if answer.status != 401:
            self._refused.pop(verb, None)
            if answer.status == 404 and names_no_zone(answer.body):
                raise UnknownZoneError(
                    f"Electricity Maps knows no zone {self.zone}: its zones are listed at {self._zones}"
                )
            return answer
        match reason_of(answer.body):
            case Refusal.PLAN:
                self._refused[verb] = told
                return None
            case Refusal.TOKEN:
                raise SourceAccessError(
                    f"Electricity Maps does not accept the token in {self._token_env}: it is not valid"
                )
            case Refusal.UNCLEAR:
                raise SourceAccessError(
                    f"Electricity Maps refused {verb} with 401 and no known reason ({answer.excerpt}): check the token in "
                    f"{self._token_env} and its plan; it does the same when requests come too fast"
                )

    @property
    def _zones(self) -> str:
        return self._root.removesuffix("carbon-intensity") + "zones"

    def _without_data(self, answer: HttpAnswer) -> Dated | None:
        """Return an empty answer where the provider said by 404 that it has no data, and `None` where it gave some."""
        if answer.status != 404:
            return None
        if not says_no_data(answer.body):
            raise SourceAnswerError(f"{answer.request.shown} answered 404: check the address ({answer.excerpt})")
        return Dated(Parsed(remarks=self._question.identity.say("no data, by the provider's own word")), None)

    def _on_clock(self, dated: Dated, now: datetime) -> tuple[str, ...]:
        return () if dated.updated_at is None else self._question.identity.say(*clock_remarks(dated.updated_at, now))


def _joined(parts: Iterable[Parsed]) -> Parsed:
    known = list(parts)
    samples = IntensitySeries.newest_wins([sample for part in known for sample in part.samples]).samples
    return Parsed(samples, tuple(dict.fromkeys(remark for part in known for remark in part.remarks)))


def _cut(parsed: Parsed, start: datetime, end: datetime) -> Parsed:
    return Parsed(parsed.series.between(start, end).samples, parsed.remarks)


def _to_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
