"""Australia's regions from Open Electricity (formerly OpenNEM): energy and emissions, from which the intensity follows.

Interface: https://docs.openelectricity.org.au (data CC BY 4.0 from AEMO; a free key with a daily limit of requests). Regions of
the National Electricity Market (network NEM, +10:00) and the Wholesale Electricity Market in the west (WEM, +08:00), both without
summer time. Five minutes or hours, energy in MWh and emissions in t CO2 equivalent per fuel group: average of what was generated
in the region, imports ignored, direct emissions.

Values come some 5 to 20 minutes after the interval, emissions later than energy, and are revised for days. There is no forecast of
the intensity.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from carbon_sources.answers.open_electricity import LONGEST_RANGE, Answered, Asked, build_request, has_failed, parse
from carbon_sources.answers.reading import Identity, Remarks
from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import require_span, require_utc
from carbon_sources.secrets import Secrets
from carbon_sources.source import CarbonSource

_LOOK_BACK = timedelta(hours=24)
_STALE = timedelta(hours=2, minutes=30)
_SKEW = timedelta(minutes=2)
_LONGEST_SKEW = timedelta(hours=2)


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
        self._remarks.note("latest", (*answered.parsed.remarks, *_late(newest, now), *_skewed(answered, now)))
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        samples: dict[datetime, IntensitySample] = {}
        remarks: list[str] = []
        since = start.replace(minute=0, second=0, microsecond=0)
        while start < end and since < end:
            longest = LONGEST_RANGE[self._asked.interval]
            until = end if end - since <= longest else since + longest
            parsed = self._ask(since, until).parsed
            samples |= {sample.interval.start: sample for sample in parsed.samples}
            remarks += parsed.remarks
            since = until
        self._remarks.note("history", remarks)
        return IntensitySeries.newest_wins([samples[first] for first in sorted(samples)]).between(start, end)

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _ask(self, start: datetime, end: datetime) -> Answered:
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        answer = self._http.get(build_request(self._base_url, self._asked, start, end, headers=headers))
        document = answer.json()
        if has_failed(document):
            raise SourceAnswerError(f"open_electricity answered that it failed: {answer.excerpt}")
        return parse(document, self._asked)


def _late(newest: IntensitySample | None, now: datetime) -> list[str]:
    if newest is None:
        return [f"open_electricity: no value of the last {_LOOK_BACK / timedelta(hours=1):.0f} hours"]
    if now - newest.interval.end > _STALE:
        end = newest.interval.end
        return [f"open_electricity: the newest value ends at {end:%Y-%m-%d %H:%M} UTC; it is stale"]
    return []


def _skewed(answered: Answered, now: datetime) -> list[str]:
    """Return a remark if the answer is dated around `now` but not at it; one far later means that `now` lies in the past."""
    ahead = answered.created_at - now
    if _SKEW < ahead < _LONGEST_SKEW:
        return [
            f"open_electricity: its clock is {ahead / timedelta(minutes=1):.0f} min ahead of this one; check the clocks"
        ]
    if -ahead > _SKEW:
        return [
            f"open_electricity: the answer was made {-ahead / timedelta(minutes=1):.0f} min ago; it is old or a clock is wrong"
        ]
    return []
