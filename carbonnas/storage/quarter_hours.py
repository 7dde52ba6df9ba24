"""Sums of the ledger by quarter hour, for budgets over many searches.

Most entries lie within one quarter hour; the database sums those. What is longer is split here, in proportion to time. The sums of a search
that has ended are kept, so that a daemon that has run for months does not read the ledger of all these months when it starts.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, case, func, select, type_coerce
from sqlalchemy.dialects.sqlite import insert as upsert

from carbon_sources.interval import quarter_shares
from carbonnas.record import SearchState
from carbonnas.storage.ledger import COUNTS, KWH, PRICED, WITH_PRICES
from carbonnas.storage.tables import ENDED_SUMS, INTENSITIES, LEDGER, SEARCHES

_FULL_MINUTE = ":00.000000Z"

QuarterGrams = dict[datetime, tuple[float, float]]
"""Grams by begin of the quarter hour, UTC: those that have a price, and the rest counted with a bound."""

QuarterSums = dict[datetime, tuple[float, float]]
"""By begin of the quarter hour, UTC: grams that have a price, and the energy of the rest in kWh, times its power usage effectiveness."""


def quarter_sums(connection: Connection) -> tuple[dict[str, QuarterSums], dict[str, QuarterSums]]:
    """Return the sums of all searches with entries, and of these the sums that should be kept now."""
    kept: dict[str, QuarterSums] = defaultdict(dict)
    row = ENDED_SUMS.c
    for search_id, quarter, priced_g, unpriced_kwh in connection.execute(
        select(row.search_id, type_coerce(row.quarter, String), row.priced_g, row.unpriced_kwh)
    ):
        kept[search_id][datetime.fromisoformat(quarter)] = priced_g, unpriced_kwh
    found, fresh = dict(kept), {}
    for search_id, state in connection.execute(select(SEARCHES.c.id, SEARCHES.c.state)).all():
        if search_id in kept:
            continue
        sums = _summed(connection, search_id)
        if sums:
            found[search_id] = sums
            if state != SearchState.RUNNING.value:
                fresh[search_id] = sums
    return found, fresh


def keep_sums(connection: Connection, fresh: dict[str, QuarterSums]) -> None:
    """Keep the sums of searches that have ended."""
    rows = [
        {"search_id": search_id, "quarter": quarter, "priced_g": priced_g, "unpriced_kwh": unpriced_kwh}
        for search_id, sums in fresh.items()
        for quarter, (priced_g, unpriced_kwh) in sums.items()
    ]
    connection.execute(upsert(ENDED_SUMS).on_conflict_do_nothing(), rows)


def _summed(connection: Connection, search_id: str) -> QuarterSums:
    sums: dict[datetime, list[float]] = defaultdict(lambda: [0.0, 0.0])
    parts = (case((PRICED, KWH * INTENSITIES.c.g_per_kwh), else_=0.0), case((PRICED, 0.0), else_=KWH))
    start, end = type_coerce(LEDGER.c.start, String), type_coerce(LEDGER.c.end, String)
    begins, within = _quarter_of(start), end <= _reach_of(start)
    summed = _counting(search_id, begins, *map(func.sum, parts)).where(within).group_by(begins)
    for quarter, priced_g, unpriced_kwh in connection.execute(summed):
        sums[datetime.fromisoformat(quarter)] = [priced_g, unpriced_kwh]
    for first, last, priced_g, unpriced_kwh in connection.execute(
        _counting(search_id, start, end, *parts).where(~within)
    ):
        for quarter, share in quarter_shares(datetime.fromisoformat(first), datetime.fromisoformat(last)):
            found = sums[quarter]
            found[0] += priced_g * share
            found[1] += unpriced_kwh * share
    return {quarter: (priced_g, unpriced_kwh) for quarter, (priced_g, unpriced_kwh) in sums.items()}


def _counting(search_id: str, *columns: Any) -> Select[Any]:
    """Return the query for columns of a search's entries that count."""
    return select(*columns).select_from(WITH_PRICES).where(COUNTS, LEDGER.c.search_id == search_id)


def _quarter_of(instant: ColumnElement[str]) -> ColumnElement[str]:
    """Return the begin of the quarter hour of an instant, both as the text that the store keeps."""
    minute = func.substr(instant, 15, 2, type_=String)
    begins = case((minute < "15", "00"), (minute < "30", "15"), (minute < "45", "30"), else_="45")
    return func.substr(instant, 1, 14, type_=String) + begins + _FULL_MINUTE


def _reach_of(instant: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text that is not after the end of an instant's quarter hour, and after all other instants of it.

    Only the end of a full hour is after it: `11:00` is the end of what this says as `10:60`.
    """
    minute = func.substr(instant, 15, 2, type_=String)
    ends = case((minute < "15", "15"), (minute < "30", "30"), (minute < "45", "45"), else_="60")
    return func.substr(instant, 1, 14, type_=String) + ends + _FULL_MINUTE
