"""The Web API of the Green Software Foundation's Carbon Aware SDK: a service of one's own in front of other providers.

Interface: https://github.com/Green-Software-Foundation/carbon-aware-sdk (version 1.8; self-hosted, without authentication by default; the
licence and the limits are those of the provider that stands behind it). Ratings in g/kWh over intervals whose start is given; times are UTC.

The service passes on WattTime (marginal), Electricity Maps (average) or a file, and does not say which: `kind` and `basis` have to be
stated. Nor does it say whether a value is measured or estimated, so every value counts as an estimate. It may use another provider for
forecasts than for the past; set both alike, for a forecast of marginal intensity is none of average intensity.

A parameter that the service does not know is ignored, and without a time that it knows it answers with the latest value. Whatever lies
outside of what was asked for is therefore left out, with a remark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.answers.carbon_aware_sdk import (
    Emissions,
    IssuedForecast,
    parse_emissions,
    parse_forecast,
    read_problem,
)
from carbon_sources.answers.reading import Identity, Remarks
from carbon_sources.answers.timeliness import LARGEST_SKEW, SKEW, newest_remarks
from carbon_sources.errors import SourceAccessError, SourceAnswerError, UnknownZoneError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpAnswer, HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import Interval, clock_text, pieces, require_span, require_utc
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=29)
"""One day below the 30 days that the providers behind it allow, which leaves room for `LONGEST_STEP`."""

LONGEST_STEP = timedelta(hours=1)
"""The longest intervals that there are behind it; one that began so much earlier may still overlap what is asked for."""

_NAME = "carbon_aware_sdk"
_LOOK_BACK = timedelta(hours=24)
_SHORTEST_REACH = timedelta(hours=23)
_OLDEST_FORECAST = timedelta(hours=3)
_NO_CONTENT, _BAD_REQUEST, _NOT_FOUND, _NOT_IMPLEMENTED = 204, 400, 404, 501
_REFUSALS = frozenset({401, 402, 403})
_READS = frozenset({_NO_CONTENT, _BAD_REQUEST, _NOT_FOUND, _NOT_IMPLEMENTED}) | _REFUSALS


def emissions_request(base_url: str, location: str, asked: Interval) -> HttpRequest:
    """Return the question for the emissions of a location; both ends count."""
    times = (("time", _stamp(asked.start)), ("toTime", _stamp(asked.end)))
    return HttpRequest(f"{base_url}/emissions/bylocation", (("location", location), *times))


def forecast_request(base_url: str, location: str) -> HttpRequest:
    """Return the question for the newest forecast of a location, all of it: a window beyond its ends would be refused."""
    return HttpRequest(f"{base_url}/emissions/forecasts/current", (("location", location),))


def range_pieces(start: datetime, end: datetime) -> list[Interval]:
    """Return the ranges to ask for so that together they hold all that overlaps `start .. end`."""
    return [Interval(piece.start - LONGEST_STEP, piece.end) for piece in pieces(start, end, LONGEST_RANGE)]


class CarbonAwareSDKSource(CarbonSource):
    """Intensity of a location, from a Carbon Aware SDK Web API; every value counts as an estimate.

    Args:
        http: Client to ask with.
        base_url: Address of the service, such as `http://localhost:8080`.
        location: Name of the location as the service knows it, such as `westus`; `GET /locations` lists them.
        kind: Average (Electricity Maps) or marginal (WattTime): what stands behind the service, which does not say it.
        basis: Life cycle or direct, likewise.
    """

    names = frozenset({_NAME})
    revised_for = timedelta(days=2)
    """As the provider behind it does; Electricity Maps replaces its estimates within this time."""
    usual_delay = timedelta(hours=1)
    """That of the slowest provider behind it, Electricity Maps; WattTime needs five minutes."""

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        location: Annotated[str, Field(min_length=1)],
        kind: IntensityKind,
        basis: Basis,
    ) -> None:
        self.zone, self.kind, self.basis = location, kind, basis
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._identity = Identity(_NAME, location, kind, basis)
        self._remarks = Remarks()
        self._grid = _Usual("the service answers for the grid")
        self._step = _Usual("the service answers with intervals of")

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest of the last 24 hours that has begun, as an estimate."""
        require_utc(now, "now")
        answer = self._ask(Interval(now - _LOOK_BACK, now))
        begun = [sample for sample in answer.parsed.samples if sample.interval.start <= now]
        newest = begun[-1] if begun else None
        odd = newest_remarks(newest, now, self.usual_delay)
        self._remarks.note("latest", (*self._oddities(answer), *self._identity.say(*odd)))
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return what the service knows of `start .. end`, as estimates."""
        require_span(start, end)
        answers = [self._ask(asked) for asked in range_pieces(start, end)]
        remarks = [remark for answer in answers for remark in self._oddities(answer)]
        samples = [sample for answer in answers for sample in answer.parsed.samples]
        series = IntensitySeries.newest_wins(samples).between(start, end)
        if answers and not len(series):
            remarks += self._identity.say(f"no values came for {clock_text(start)} .. {clock_text(end)}")
        self._remarks.note("history", remarks)
        return series

    def forecast(self, now: datetime) -> Forecast | None:
        """Return the newest forecast; `None` where the service has none, or none from the time of `now`.

        A forecast that the service issued up to `LARGEST_SKEW` after `now` counts as issued `now`: the two clocks differ.
        """
        require_utc(now, "now")
        answer = self._http.get(forecast_request(self._base_url, self.zone), reads=_READS)
        if answer.status == _NOT_IMPLEMENTED:
            told = read_problem(answer.body)
            self._remarks.note(
                "forecast", self._identity.say(f"the provider behind the service has no forecasts{told}")
            )
            return None
        issued = parse_forecast(self._document(answer), self._identity)
        if issued is None:
            self._remarks.note("forecast", self._identity.say(f"the service has no forecast at {clock_text(now)}"))
            return None
        issued_at = min(issued.issued_at, now)
        ahead = tuple(sample for sample in issued.expected.parsed.samples if sample.interval.end > issued_at)
        oddities = (*issued.expected.parsed.remarks, *self._identity.say(*self._grid.compare(issued.expected.grids)))
        self._remarks.note("forecast", (*oddities, *self._identity.say(*_doubts(issued, ahead, now))))
        if not ahead or issued.issued_at - now > LARGEST_SKEW:
            return None
        return Forecast(issued_at, IntensitySeries(ahead))

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _ask(self, asked: Interval) -> Emissions:
        answer = self._http.get(emissions_request(self._base_url, self.zone, asked), reads=_READS)
        return parse_emissions(self._document(answer), self._identity, asked)

    def _document(self, answer: HttpAnswer) -> object:
        """Return what was answered; nothing (204) is an empty list.

        Raises:
            UnknownZoneError: If the service does not know the location.
            SourceAccessError: If the provider behind the service refuses it.
            SourceAnswerError: If the service answered with another error, or not with JSON.
        """
        if answer.status == _NO_CONTENT:
            return []
        if answer.status not in _READS:
            return answer.json()
        shown, told = answer.request.shown, read_problem(answer.body)
        if answer.status in _REFUSALS:
            raise SourceAccessError(
                f"{shown} answered {answer.status}{told}. Check the credentials and the plan of the provider behind the service."
            )
        if answer.status == _BAD_REQUEST and told.names_location:
            raise UnknownZoneError(f"{shown} does not accept the location {self.zone!r}{told}")
        raise SourceAnswerError(f"{shown} answered {answer.status}{told}")

    def _oddities(self, answer: Emissions) -> tuple[str, ...]:
        changes = (*self._grid.compare(answer.grids), *self._step.compare(answer.steps))
        return (*answer.parsed.remarks, *self._identity.say(*changes))


class _Usual:
    """What an answer named first, and how later ones differ from it."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._first: str | None = None

    def compare(self, seen: Sequence[str]) -> tuple[str, ...]:
        """Return a remark if anything but the usual was seen, which is what was seen first."""
        if self._first is None and seen:
            self._first = seen[0]
        others = [name for name in seen if name != self._first]
        if not others:
            return ()
        return (f"{self._sentence} {', '.join(others[:5])}, but usually {self._first}",)


def _doubts(issued: IssuedForecast, ahead: Sequence[IntensitySample], now: datetime) -> Iterable[str]:
    """Yield what is odd about a forecast that was asked for at `now`, of which `ahead` is what lies after its issue."""
    skew = issued.issued_at - now
    if skew > LARGEST_SKEW:
        yield f"no forecast of {clock_text(now)} is there, the newest was issued {clock_text(issued.issued_at)}"
    elif skew > SKEW:
        yield f"the clock of the service is ahead, the forecast was issued {skew} after this machine's time"
    elif skew < -_OLDEST_FORECAST:
        yield f"the newest forecast is old, it was issued {clock_text(issued.issued_at)}"
    passed = sum(sample.interval.end <= min(issued.issued_at, now) for sample in issued.expected.parsed.samples)
    if passed:
        yield f"the forecast begins before its issue; {passed} values were left out"
    if not ahead:
        yield "the forecast holds no values"
        return
    last = ahead[-1].interval
    if last.end - issued.issued_at < _SHORTEST_REACH:
        yield f"the forecast reaches only {(last.end - issued.issued_at) / timedelta(hours=1):.1f} h ahead"
    if issued.ends_at is not None and issued.ends_at - last.end >= last.duration:
        yield f"the forecast ends {clock_text(last.end)}, but the service says {clock_text(issued.ends_at)}"


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
