"""Great Britain's intensity from the National Energy System Operator (NESO), free and without a key.

Interface: https://carbon-intensity.github.io/api-definitions/ (data CC BY 4.0; its terms know a rate limit without a number, and
one request every few minutes is polite). Half hours in UTC, g/kWh, average, emissions of combustion only. `forecast` is
overwritten every half hour and old ones are not kept; `actual` is null until about half an hour after the period and may be
revised for a day.

The 17 regions have no `actual` at all: everything about a region, its past included, is the provider's newest forecast and stays an
estimate for ever.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.answers.national_grid import HALF_HOUR, HalfHours, Place, parse_national, parse_region
from carbon_sources.answers.reading import Identity, Parsed, Remarks
from carbon_sources.answers.timeliness import LARGEST_SKEW, newest_remarks
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import clock_text, pieces, require_span, require_utc
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=13)
"""One day below the provider's limit of 14 days, because it counts the half hours at both ends."""

_NAME = "national_grid"
_LOOK_BACK = timedelta(hours=24)
_FORECAST_REACH = timedelta(hours=48)

Postcode = Annotated[str, Field(pattern=r"^(?i:[A-Z]{1,2}[0-9][0-9A-Z]?)$")]


def range_path(start: datetime, end: datetime) -> str:
    """Return the path that asks for the half hours from `start` to `end`, at most 14 days."""
    return f"/intensity/{_stamp(start)}/{_stamp(end)}"


def forecast_path(now: datetime) -> str:
    """Return the path that asks for the 48 hours from `now`; fewer may come back."""
    return f"/intensity/{_stamp(now)}/fw48h"


def range_paths(start: datetime, end: datetime) -> list[str]:
    """Return the paths that together ask for `start .. end`."""
    return [range_path(piece.start, piece.end) for piece in pieces(start, end, LONGEST_RANGE)]


class NationalGridSource(CarbonSource):
    """Intensity of Great Britain, or of one of its regions.

    The provider keeps no old forecasts, so `forecast` answers `None` for a time that has already passed.

    Args:
        http: Client to ask with.
        region: Number of a region, 1 (North Scotland) to 17 (Wales); the whole of Great Britain by default. Regions are forecast
            only: their `latest` and `history` are estimates for ever.
        postcode: First half of a postcode, such as `RG10`, in place of the number of its region.
        base_url: Address of the interface.

    Raises:
        ValueError: If both a region and a postcode are given, or one that can't exist.
    """

    kind = IntensityKind.AVERAGE
    basis = Basis.DIRECT
    names = frozenset({_NAME})
    revised_for = timedelta(days=2)
    """The provider revises for about a day; as much again, because it promises nothing."""
    usual_delay = timedelta(hours=1)
    """Values come less than half an hour after the period, with the next half-hourly run at the latest."""

    def __init__(
        self,
        http: HttpClient,
        *,
        region: Annotated[int, Field(ge=1, le=17)] | None = None,
        postcode: Postcode | None = None,
        base_url: str = "https://api.carbonintensity.org.uk",
    ) -> None:
        whole = region is None and postcode is None
        self._place = None if whole else Place(region, postcode.upper() if postcode else None)
        self.zone = self._place.zone if self._place else "GB"
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._identity = Identity(_NAME, self.zone, self.kind, self.basis)
        self._remarks = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the running half hour as measured, else as estimated by the provider, else the newest known one.

        A region has estimates only, so its newest estimate stands for the newest known one there.
        """
        require_utc(now, "now")
        halves = self._ask(range_path(now - _LOOK_BACK, now + HALF_HOUR))
        measured = [sample for sample in halves.measured.samples if sample.interval.start <= now]
        expected = [
            sample
            for sample in halves.expected.samples
            if sample.interval.start <= now and (self._place or sample.interval.contains(now))
        ]
        known = expected if self._place else measured
        newest = max(known, key=_newest_and_best, default=None)
        odd = (*newest_remarks(newest, now, self.usual_delay), *_early(halves.measured, now))
        told = (*halves.measured.remarks, *halves.expected.remarks)
        self._remarks.note("latest", (*told, *self._identity.say(*odd)))
        return max((*expected, *measured), key=_newest_and_best, default=None)

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return the half hours that overlap `start .. end`: as measured, or for a region as forecast last, marked as estimates."""
        require_span(start, end)
        answers = [self._known(self._ask(path)) for path in range_paths(start, end)]
        remarks = [remark for answer in answers for remark in answer.remarks]
        samples = [sample for answer in answers for sample in answer.samples]
        series = IntensitySeries.newest_wins(samples).between(start, end)
        if answers and not len(series):
            remarks += self._identity.say(f"no values came for {clock_text(start)} .. {clock_text(end)}")
        self._remarks.note("history", remarks)
        return series

    def forecast(self, now: datetime) -> Forecast | None:
        """Return what is expected of the 48 hours from `now`, often of fewer; issued `now`, since the provider states no time."""
        require_utc(now, "now")
        halves = self._ask(forecast_path(now))
        ahead = tuple(sample for sample in halves.expected.samples if sample.interval.end > now)
        passed = self._why_not_of_now(halves, now)
        odd = (*_outside(halves.expected, now), *passed, *_short(ahead, now))
        self._remarks.note("forecast", (*halves.expected.remarks, *self._identity.say(*odd)))
        return Forecast(now, IntensitySeries(ahead)) if ahead and not passed else None

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _known(self, halves: HalfHours) -> Parsed:
        return halves.expected if self._place else halves.measured

    def _ask(self, path: str) -> HalfHours:
        if self._place is None:
            return parse_national(self._get(path), self._identity)
        document = self._get(f"/regional{path}{self._place.path}")
        return HalfHours(measured=Parsed(), expected=parse_region(document, self._identity, self._place))

    def _get(self, path: str) -> object:
        return self._http.get(HttpRequest(self._base_url + path)).json()

    def _why_not_of_now(self, halves: HalfHours, now: datetime) -> tuple[str, ...]:
        """Return why the forecast is not of the instant `now`; empty if it is.

        The nation's answer shows it by values that are measured already. A region has none, so its present is asked for.
        """
        if self._place is None:
            if all(sample.interval.end <= now for sample in halves.measured.samples):
                return ()
            return (f"no forecast of {clock_text(now)} is left, because what followed was measured since",)
        running = parse_region(self._get(f"/regional{self._place.path}"), self._identity, self._place).samples
        if not running:
            return ("the forecast was not used, because the provider did not say what time it is there",)
        present = running[-1].interval
        if present.start > now + LARGEST_SKEW or present.end < now - LARGEST_SKEW:
            return (
                f"no forecast of {clock_text(now)} is there, because it is {clock_text(present.start)} at the provider",
            )
        return ()


def _newest_and_best(sample: IntensitySample) -> tuple[datetime, bool]:
    return sample.interval.start, sample.provenance is Provenance.MEASURED


def _early(measured: Parsed, now: datetime) -> tuple[str, ...]:
    if all(sample.interval.end <= now + LARGEST_SKEW for sample in measured.samples):
        return ()
    return (f"periods after {clock_text(now)} are measured already; is the clock of this machine slow?",)


def _outside(expected: Parsed, now: datetime) -> tuple[str, ...]:
    # The provider counts both ends in whole minutes, so the half hour that ends now may come along.
    passed = sum(sample.interval.end <= now - timedelta(minutes=1) for sample in expected.samples)
    return (f"the forecast begins in the past; {passed} half hours were left out",) if passed else ()


def _short(ahead: tuple[IntensitySample, ...], now: datetime) -> tuple[str, ...]:
    if not ahead:
        return (f"the provider has no forecast of the time after {clock_text(now)}",)
    reach = ahead[-1].interval.end - now
    if reach >= _FORECAST_REACH - HALF_HOUR:
        return ()
    return (f"the forecast reaches {reach / timedelta(hours=1):.1f} h of the 48 h that were asked for",)


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
