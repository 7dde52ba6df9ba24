"""The scores of architectures as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from carbonnas.cli.score.plan import ScorePlan
from carbonnas.cli.score.scoring import Scored
from carbonnas.proxies.fusion import ENSEMBLES, fuse
from carbonnas.report.formatting import NOTHING

_SHOWN = 20
"""Architectures in the table."""


def score_json(plan: ScorePlan, scored: Sequence[Scored]) -> dict[str, Any]:
    """Return the document of `carbonnas score --json`.

    An ensemble that was asked for stands among the proxies with its fused ranks; like `fusion` they are those among the architectures
    of this document. An architecture that could not be scored has no fusion, and `failure` says why.
    """
    return {"architectures": [row for row, _ in _rows(plan, scored)]}


def score_table(plan: ScorePlan, scored: Sequence[Scored]) -> Table:
    """Return the best architectures, those that failed last, with the proxies that were asked for."""
    rows = sorted(_rows(plan, scored), key=lambda pair: (pair[1].failure is not None, -(pair[0]["fusion"] or 0.0)))
    table = Table("architecture", *(escape(name) for name in plan.asked), "fusion", "s", "J", box=None)
    for row, one in rows[:_SHOWN]:
        values = [row["proxies"].get(name) for name in plan.asked]
        cells = [NOTHING if value is None else f"{value:.5g}" for value in (*values, row["fusion"])]
        table.add_row(escape(one.architecture), *cells, f"{one.seconds:.2f}", f"{one.energy_j:.2f}")
    if len(rows) > _SHOWN:
        table.caption = f"the best {_SHOWN} of {len(rows)}; --json prints all"
    return table


def _rows(plan: ScorePlan, scored: Sequence[Scored]) -> list[tuple[dict[str, Any], Scored]]:
    whole = [one for one in scored if one.failure is None]
    population = [one.metrics for one in whole]
    fused = dict(zip(map(id, whole), fuse(population, plan.fused), strict=True))
    ensembles = {
        name: dict(zip(map(id, whole), fuse(population, (name,)), strict=True))
        for name in plan.asked
        if name in ENSEMBLES
    }
    rows = []
    for one in scored:
        together = {name: ranks[id(one)] for name, ranks in ensembles.items() if id(one) in ranks}
        row: dict[str, Any] = {
            "architecture": one.architecture,
            "proxies": {**one.metrics, **together},
            "fusion": fused.get(id(one)),
            "seconds": round(one.seconds, 6),
            "energy_j": round(one.energy_j, 6),
        }
        rows.append((row if one.failure is None else {**row, "failure": one.failure}, one))
    return rows
