"""Which rows of the ledger count, the entries that they are, and their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Select, String, case, func, select, type_coerce

from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import Interval
from carbon_sources.units import J_PER_KWH
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Owner
from carbonnas.storage.codec import intensity_from
from carbonnas.storage.tables import INTENSITIES, LEDGER

_later = LEDGER.alias("later")

COUNTS: ColumnElement[bool] = ~select(_later.c.id).where(_later.c.supersedes == LEDGER.c.entry_id).exists()
"""Whether no other entry supersedes this one."""

PRICED: ColumnElement[bool] = LEDGER.c.intensity_id.is_not(None)
WITH_PRICES = LEDGER.outerjoin(INTENSITIES, LEDGER.c.intensity_id == INTENSITIES.c.id)

JOULES: ColumnElement[float] = LEDGER.c.cpu_j + LEDGER.c.gpu_j + LEDGER.c.ram_j
KWH: ColumnElement[float] = type_coerce(JOULES / J_PER_KWH * LEDGER.c.pue, Float)
"""Energy of an entry in kWh, times its power usage effectiveness."""


def sums_of(search_ids: Sequence[str]) -> Select[Any]:
    """Return the query for energy, grams of priced energy, and unpriced energy of searches."""
    return (
        select(
            LEDGER.c.search_id,
            func.sum(JOULES).label("energy_j"),
            func.sum(case((PRICED, KWH * INTENSITIES.c.g_per_kwh), else_=0.0)).label("emissions_g"),
            func.sum(case((PRICED, 0.0), else_=JOULES)).label("unpriced_j"),
        )
        .select_from(WITH_PRICES)
        .where(LEDGER.c.search_id.in_(search_ids), COUNTS)
        .group_by(LEDGER.c.search_id)
    )


_ENTRIES = select(
    *(LEDGER.c[name] for name in ("entry_id", "account", "trial", "attempt")),
    *(type_coerce(LEDGER.c[name], String) for name in ("start", "end")),  # read by `_EntryReader`, which is faster
    *(LEDGER.c[name] for name in ("cpu_j", "gpu_j", "ram_j", "pue", "intensity_id", "supersedes")),
).order_by(LEDGER.c.start, LEDGER.c.id)


def read_entries(connection: Connection, *conditions: ColumnElement[bool]) -> list[EmissionEntry]:
    """Return the entries that count and fulfil all conditions, in order of time."""
    return _read(connection, _ENTRIES.where(COUNTS, *conditions), conditions)[0]


def read_ledger(
    connection: Connection, *conditions: ColumnElement[bool]
) -> tuple[list[EmissionEntry], dict[int, IntensitySample]]:
    """Return the entries that fulfil all conditions, whether they count or not, in order of start and of entry, and their prices.

    Returns:
        The entries, and every intensity that prices one of them by its number in the store.
    """
    return _read(connection, _ENTRIES.where(*conditions), conditions)


def _read(
    connection: Connection, query: Select[Any], conditions: Sequence[ColumnElement[bool]]
) -> tuple[list[EmissionEntry], dict[int, IntensitySample]]:
    found = connection.execute(query).all()
    # After the entries, so that no other process can enter one in between whose intensity is not read; and of all that fulfil the conditions,
    # since another process may correct an entry in between, which then counts no more.
    prices = _prices(connection, *conditions)
    reader = _EntryReader(prices)
    return [reader.entry(each) for each in found], prices


class _EntryReader:
    """Makes entries of rows; they share what they have in common: a long search has a million entries and some hundred intensities.

    Args:
        prices: Intensities by their ids.
    """

    def __init__(self, prices: Mapping[int, IntensitySample]) -> None:
        self._prices = prices
        self._owners: dict[tuple[str, int | None, int | None], Owner] = {}
        self._intervals: dict[tuple[str, str], Interval] = {}

    def entry(self, row: Sequence[Any]) -> EmissionEntry:
        """Return the entry of a row, whose columns are those of `_ENTRIES`."""
        entry_id, account, trial, attempt, start, end, cpu_j, gpu_j, ram_j, pue, intensity_id, supersedes = row
        owner = self._owners.get((account, trial, attempt))
        if owner is None:
            owner = self._owners[account, trial, attempt] = Owner(Account(account), trial, attempt)
        interval = self._intervals.get((start, end))
        if interval is None:
            interval = Interval(datetime.fromisoformat(start), datetime.fromisoformat(end))
            self._intervals[start, end] = interval
        price = None if intensity_id is None else self._prices[intensity_id]
        energy = EnergySample(interval, cpu_j, gpu_j, ram_j)
        return EmissionEntry(entry_id, owner, PricedEnergy(energy, price), pue, supersedes)


def _prices(connection: Connection, *conditions: ColumnElement[bool]) -> dict[int, IntensitySample]:
    """Return the intensities that entries refer to, by their ids."""
    used = select(LEDGER.c.intensity_id).where(*conditions)
    query = select(INTENSITIES).where(INTENSITIES.c.id.in_(used))
    return {row["id"]: intensity_from(dict(row)) for row in connection.execute(query).mappings()}
