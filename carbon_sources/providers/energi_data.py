"""Denmark's intensity from Energinet's Energi Data Service, free and without a key.

Interface: https://www.energidataservice.dk/guides/api-guides (open data, attribution to Energinet; asks for few requests and
answers bursts with 429). Datasets `CO2Emis` and `CO2EmisProg` for the price areas DK1 and DK2: five minutes in UTC, g/kWh, the
average of what is consumed, imports included, direct emissions; heat from combined plants is split off with an efficiency of
125 %. Energinet has described the values of both areas as the same, national one.

`CO2Emis` is calculated from production, consumption and exchange some 5 to 15 minutes later. The provider marks no value as
preliminary and announces no revision, so its values count as measured. `CO2EmisProg` reaches 9 hours ahead at least and the end
of the next day at most. It is overwritten through the day without an issue time, and old versions are not kept.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Literal

from carbon_sources.answers.energi_data import HISTORY, PROGNOSIS, parse
from carbon_sources.answers.reading import Identity, Parsed, Remarks
from carbon_sources.answers.timeliness import LARGEST_SKEW, newest_remarks
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries
from carbon_sources.interval import clock_text, pieces, require_span, require_utc
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=60)
"""The provider names no limit; two months are some 17,000 rows and 2 MB."""

PROMISED_REACH = timedelta(hours=9)
"""How far every prognosis reaches by the provider's description."""

_LOOK_BACK = timedelta(hours=24)
_LOOK_AHEAD = timedelta(hours=48)
_STALE = timedelta(hours=1)


def build_request(base_url: str, dataset: str, zone: str, start: datetime, end: datetime) -> HttpRequest:
    """Return the request for all rows of a price area that begin in `start .. end`, and the one that `start` lies in."""
    first = start.replace(minute=start.minute - start.minute % 5, second=0, microsecond=0, tzinfo=None)
    last = end.replace(second=0, microsecond=0, tzinfo=None)
    if last < end.replace(tzinfo=None):
        last += timedelta(minutes=1)
    return HttpRequest(
        f"{base_url}/dataset/{dataset}",
        (
            ("start", first.isoformat(timespec="minutes")),
            ("end", last.isoformat(timespec="minutes")),
            ("timezone", "UTC"),
            ("filter", json.dumps({"PriceArea": [zone]})),
            ("columns", "Minutes5UTC,PriceArea,CO2Emission"),
            ("sort", "Minutes5UTC asc"),
            ("limit", "0"),
        ),
    )


class EnergiDataSource(CarbonSource):
    """Intensity of the electricity consumed in Denmark.

    The provider does not say when a prognosis was made; it counts as issued at the moment of asking. As old ones are not kept,
    `forecast` answers `None` for a time after which values have already been measured.

    Args:
        http: Client to ask with.
        zone: Price area: DK1 is west, DK2 east of the Great Belt.
        base_url: Address of the interface.
    """

    kind = IntensityKind.AVERAGE
    basis = Basis.DIRECT
    names = frozenset({"energi_data"})
    revised_for = timedelta(days=1)
    usual_delay = timedelta(minutes=20)

    def __init__(
        self,
        http: HttpClient,
        *,
        zone: Literal["DK1", "DK2"],
        base_url: str = "https://api.energidataservice.dk",
    ) -> None:
        self._http = http
        self.zone = zone
        self._base_url = base_url.rstrip("/")
        self._identity = Identity("energi_data", zone, self.kind, self.basis)
        self._remarks = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        require_utc(now, "now")
        parsed = self._ask(HISTORY, now - _LOOK_BACK, now + LARGEST_SKEW)
        begun = [sample for sample in parsed.samples if sample.interval.start <= now]
        newest = begun[-1] if begun else None
        odd = (*_early(parsed, now), *newest_remarks(newest, now, _STALE))
        self._remarks.note("latest", (*parsed.remarks, *self._identity.say(*odd)))
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        samples: list[IntensitySample] = []
        remarks: list[str] = []
        for piece in pieces(start, end, LONGEST_RANGE):
            parsed = self._ask(HISTORY, piece.start, piece.end)
            samples += parsed.samples
            remarks += parsed.remarks
        self._remarks.note("history", remarks)
        return IntensitySeries.newest_wins(samples).between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        if self._ask(HISTORY, now + LARGEST_SKEW, now + _LOOK_BACK).samples:
            self._remarks.note("forecast", ())
            return None
        parsed = self._ask(PROGNOSIS, now, now + _LOOK_AHEAD)
        ahead = tuple(sample for sample in parsed.samples if sample.interval.end > now)
        self._remarks.note("forecast", (*parsed.remarks, *self._identity.say(*_short(parsed, ahead, now))))
        return Forecast(now, IntensitySeries(ahead)) if ahead else None

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _ask(self, dataset: str, start: datetime, end: datetime) -> Parsed:
        request = build_request(self._base_url, dataset, self.zone, start, end)
        return parse(self._http.get(request).json(), self._identity, dataset)


def _early(parsed: Parsed, now: datetime) -> list[str]:
    if not parsed.samples or parsed.samples[-1].interval.end <= now:
        return []
    return [
        f"values measured until {clock_text(parsed.samples[-1].interval.end)} came before that time; check the clocks"
    ]


def _short(parsed: Parsed, ahead: tuple[IntensitySample, ...], now: datetime) -> list[str]:
    remarks = []
    if past := len(parsed.samples) - len(ahead):
        remarks.append(f"the prognosis begins in the past; {past} values were left out")
    if not ahead:
        remarks.append("there is no prognosis at the moment")
    elif ahead[-1].interval.end < now + PROMISED_REACH:
        hours = (ahead[-1].interval.end - now) / timedelta(hours=1)
        remarks.append(f"the prognosis reaches {hours:.1f} h ahead, less than the 9 h promised")
    return remarks
