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

import itertools
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from carbon_sources.answers.reading import (
    Identity,
    Parsed,
    Remarks,
    SampleCollector,
    as_instant,
    as_interval,
    as_list,
    as_number,
    as_object,
    as_text,
)
from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient, HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import require_span, require_utc
from carbon_sources.source import CarbonSource

HISTORY = "CO2Emis"
PROGNOSIS = "CO2EmisProg"

LONGEST_RANGE = timedelta(days=60)
"""The provider names no limit; two months are some 17,000 rows and 2 MB."""

PROMISED_REACH = timedelta(hours=9)
"""How far every prognosis reaches by the provider's description."""

_STEP = timedelta(minutes=5)
_LOOK_BACK = timedelta(hours=24)
_LOOK_AHEAD = timedelta(hours=48)
_SKEW = timedelta(minutes=15)
_STALE = timedelta(hours=1)
_FEWEST_TO_JUDGE = 3


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


def parse(document: object, identity: Identity, dataset: str = HISTORY) -> Parsed:
    """Return the values of an answer: measured ones of `CO2Emis`, estimated ones of `CO2EmisProg`.

    Raises:
        SourceAnswerError: If the answer has another shape, or is about another dataset or price area only.
    """
    answer = as_object(document, f"the answer of {identity.source}")
    named = as_text(answer.get("dataset", dataset), f"'dataset' of {identity.source}")
    if named.lower() != dataset.lower():
        raise SourceAnswerError(f"{identity.source} answered with dataset {named[:40]!r} instead of {dataset}")
    records = as_list(answer.get("records"), f"'records' of {identity.source}")
    collector = SampleCollector(identity)
    rows = _rows_of_zone([as_object(row, f"a row of {identity.source}") for row in records], collector)
    provenance = Provenance.MEASURED if dataset == HISTORY else Provenance.ESTIMATED
    starts = [_take(row, collector, provenance) for row in rows]
    _note_oddities(starts, collector)
    total = as_number(answer.get("total"), f"'total' of {identity.source}")
    if total is not None and total > len(records):
        collector.odd(f"only {len(records)} of {total:.0f} rows came; the rest is missing")
    return collector.parsed()


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
        parsed = self._ask(HISTORY, now - _LOOK_BACK, now + _SKEW)
        begun = [sample for sample in parsed.samples if sample.interval.start <= now]
        newest = begun[-1] if begun else None
        early = self._early(parsed, now)
        self._remarks.note("latest", (*parsed.remarks, *early, *self._late(newest, now)))
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        samples: dict[datetime, IntensitySample] = {}
        remarks: list[str] = []
        since = start
        while since < end:
            until = end if end - since <= LONGEST_RANGE else since + LONGEST_RANGE
            parsed = self._ask(HISTORY, since, until)
            samples |= {sample.interval.start: sample for sample in parsed.samples}
            remarks += parsed.remarks
            since = until
        self._remarks.note("history", remarks)
        return IntensitySeries(tuple(samples[first] for first in sorted(samples))).between(start, end)

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        if self._ask(HISTORY, now + _SKEW, now + _LOOK_BACK).samples:
            self._remarks.note("forecast", ())
            return None
        parsed = self._ask(PROGNOSIS, now, now + _LOOK_AHEAD)
        ahead = tuple(sample for sample in parsed.samples if sample.interval.end > now)
        self._remarks.note("forecast", (*parsed.remarks, *self._short(parsed, ahead, now)))
        return Forecast(now, IntensitySeries(ahead)) if ahead else None

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _ask(self, dataset: str, start: datetime, end: datetime) -> Parsed:
        request = build_request(self._base_url, dataset, self.zone, start, end)
        return parse(self._http.get(request).json(), self._identity, dataset)

    @staticmethod
    def _early(parsed: Parsed, now: datetime) -> list[str]:
        if not parsed.samples or parsed.samples[-1].interval.end <= now:
            return []
        end = parsed.samples[-1].interval.end
        return [f"energi_data: values measured until {end:%Y-%m-%d %H:%M} came before that time; check the clocks"]

    @staticmethod
    def _late(newest: IntensitySample | None, now: datetime) -> list[str]:
        if newest is None:
            return [f"energi_data: no value of the last {_LOOK_BACK / timedelta(hours=1):.0f} hours"]
        if now - newest.interval.end > _STALE:
            return [f"energi_data: the newest value is of {newest.interval.start:%Y-%m-%d %H:%M} UTC; it is stale"]
        return []

    @staticmethod
    def _short(parsed: Parsed, ahead: tuple[IntensitySample, ...], now: datetime) -> list[str]:
        remarks = []
        if past := len(parsed.samples) - len(ahead):
            remarks.append(f"energi_data: the prognosis begins in the past; {past} values were left out")
        if not ahead:
            remarks.append("energi_data: there is no prognosis at the moment")
        elif ahead[-1].interval.end < now + PROMISED_REACH:
            hours = (ahead[-1].interval.end - now) / timedelta(hours=1)
            remarks.append(f"energi_data: the prognosis reaches {hours:.1f} h ahead, less than the 9 h promised")
        return remarks


def _rows_of_zone(rows: list[Mapping[str, object]], collector: SampleCollector) -> list[Mapping[str, object]]:
    """Return the rows of the zone that was asked for; an answer about another one only is refused."""
    of = collector.identity
    zones = [as_text(row.get("PriceArea"), f"'PriceArea' of {of.source}") for row in rows]
    own = [row for row, zone in zip(rows, zones, strict=True) if zone == of.zone]
    if rows and not own:
        raise SourceAnswerError(f"{of.source} was asked for {of.zone} and answered with {zones[0][:40]!r}")
    for zone in sorted(set(zones) - {of.zone}):
        collector.odd(f"rows of {zone[:40]!r} came besides those of {of.zone}; they were left out")
    if not rows:
        collector.odd("the answer holds no rows for the time asked for")
    return own


def _take(row: Mapping[str, object], collector: SampleCollector, provenance: Provenance) -> datetime:
    of = collector.identity.source
    start = as_instant(row.get("Minutes5UTC"), f"'Minutes5UTC' of {of}", naive_is_utc=True)
    value = as_number(row.get("CO2Emission"), f"'CO2Emission' of {of}")
    if start.minute % 5 or start.second or start.microsecond:
        collector.odd("rows that begin between two periods of 5 minutes were left out")
    elif value is None:
        collector.odd("rows without a value came; they are gaps")
    else:
        collector.add(as_interval(start, _STEP), value, provenance)
    return start


def _note_oddities(starts: list[datetime], collector: SampleCollector) -> None:
    """Note rows that repeat, are out of the order asked for, or lie farther apart than documented."""
    unique = sorted(set(starts))
    if len(unique) < len(starts):
        collector.odd("rows came more than once")
    if starts != sorted(starts):
        collector.odd("rows came out of order")
    if len(unique) >= _FEWEST_TO_JUDGE:
        apart = min(after - before for before, after in itertools.pairwise(unique))
        if apart > _STEP:
            collector.odd(
                f"values came every {apart / timedelta(minutes=1):.0f} min instead of every 5; the rest are gaps"
            )
