"""Australia's regions from Open Electricity (formerly OpenNEM): energy and emissions, from which the intensity follows.

Interface: https://docs.openelectricity.org.au (data CC BY 4.0 from AEMO; a free key with a daily limit of requests). Regions of
the National Electricity Market (network NEM, +10:00) and the Wholesale Electricity Market in the west (WEM, +08:00), both without
summer time. Five minutes or hours, energy in MWh and emissions in t CO2 equivalent per fuel group: average of what was generated
in the region, imports ignored, direct emissions.

Values come some 5 to 20 minutes after the interval, emissions later than energy, and are revised for days. There is no forecast of
the intensity.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Literal

from carbon_sources.answers.open_electricity import Answered, Asked, has_failed, parse
from carbon_sources.answers.reading import Identity, Remarks
from carbon_sources.answers.timeliness import newest_remarks
from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpRequest
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import full_hour, pieces, require_span, require_utc
from carbon_sources.secrets import Secrets
from carbon_sources.source import CarbonSource

LONGEST_RANGE = {"5m": timedelta(days=7), "1h": timedelta(days=31)}
"""One day below the provider's limits of 8 and 32 days, because starts are rounded down."""

_LOOK_BACK = timedelta(hours=24)
_STALE = timedelta(hours=2, minutes=30)
_SKEW = timedelta(minutes=2)
_LONGEST_SKEW = timedelta(hours=2)


def build_request(
    base_url: str, asked: Asked, start: datetime, end: datetime, *, headers: dict[str, str]
) -> HttpRequest:
    """Return the request for energy and emissions of a region from the hour of `start` to `end`, at most `LONGEST_RANGE`.

    Dates are sent in the network's local time without an offset.
    """
    local = timezone(asked.offset)
    whole = end.replace(microsecond=0)
    until = whole if whole == end else whole + timedelta(seconds=1)
    since = start.astimezone(local).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    return HttpRequest(
        f"{base_url}/data/network/{asked.network}",
        (
            ("metrics", "energy"),
            ("metrics", "emissions"),
            ("interval", asked.interval),
            ("date_start", since.isoformat(timespec="seconds")),
            ("date_end", until.astimezone(local).replace(tzinfo=None).isoformat(timespec="seconds")),
            ("network_region", asked.identity.zone),
            ("primary_grouping", "network_region"),
            ("secondary_grouping", "fueltech_group"),
        ),
        headers,
    )


class OpenElectricitySource(CarbonSource):
    """Intensity of the electricity generated in one Australian region.

    Intervals that have not ended are left out, because the provider sums up only what it knows of them. Those that ended within
    the half hour before an answer may still lack plants and are marked as estimated.

    Args:
        http: Client to ask with.
        secrets: Where the key is looked up.
        zone: Region.
        interval: Length of the intervals to ask for.
        token_env: Name of the environment variable that holds the key.
        base_url: Address of the interface with its version.

    Raises:
        SourceAccessError: If the environment variable holds no key.
    """

    kind = IntensityKind.AVERAGE
    basis = Basis.DIRECT
    names = frozenset({"open_electricity"})
    revised_for = timedelta(days=7)
    usual_delay = timedelta(hours=1)

    def __init__(
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: Literal["NSW1", "QLD1", "SA1", "TAS1", "VIC1", "WEM"],
        interval: Literal["5m", "1h"] = "1h",
        token_env: str = "OPENELECTRICITY_API_KEY",  # noqa: S107 -- a name
        base_url: str = "https://api.openelectricity.org.au/v4",
    ) -> None:
        self._http = http
        self._token = secrets.get(token_env)
        self.zone = zone
        self._asked = Asked(Identity("open_electricity", zone, self.kind, self.basis), interval)
        self._base_url = base_url.rstrip("/")
        self._remarks = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        require_utc(now, "now")
        answered = self._ask(now - _LOOK_BACK, now)
        begun = [sample for sample in answered.parsed.samples if sample.interval.start <= now]
        newest = begun[-1] if begun else None
        odd = (*newest_remarks(newest, now, _STALE), *_skewed(answered, now))
        self._remarks.note("latest", (*answered.parsed.remarks, *self._asked.identity.say(*odd)))
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        samples: list[IntensitySample] = []
        remarks: list[str] = []
        first = full_hour(start) if start < end else end
        for piece in pieces(first, end, LONGEST_RANGE[self._asked.interval]):
            parsed = self._ask(piece.start, piece.end).parsed
            samples += parsed.samples
            remarks += parsed.remarks
        self._remarks.note("history", remarks)
        return IntensitySeries.newest_wins(samples).between(start, end)

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _ask(self, start: datetime, end: datetime) -> Answered:
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        answer = self._http.get(build_request(self._base_url, self._asked, start, end, headers=headers))
        document = answer.json()
        if has_failed(document):
            raise SourceAnswerError(f"open_electricity answered that it failed: {answer.excerpt}")
        return parse(document, self._asked)


def _skewed(answered: Answered, now: datetime) -> list[str]:
    """Return a remark if the answer is dated around `now` but not at it; one far later means that `now` lies in the past."""
    ahead = answered.created_at - now
    if _SKEW < ahead < _LONGEST_SKEW:
        return [f"its clock is {ahead / timedelta(minutes=1):.0f} min ahead of this one; check the clocks"]
    if -ahead > _SKEW:
        return [f"the answer was made {-ahead / timedelta(minutes=1):.0f} min ago; it is old or a clock is wrong"]
    return []
