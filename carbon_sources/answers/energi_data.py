"""Reading what Energinet's Energi Data Service answers: rows of five minutes, in UTC and g/kWh."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
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
)
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Provenance

HISTORY = "CO2Emis"
PROGNOSIS = "CO2EmisProg"

_STEP = timedelta(minutes=5)
_FEWEST_TO_JUDGE = 3


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
