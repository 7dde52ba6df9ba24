"""The process that draws: one order as JSON on standard input, the pictures as JSON on standard output, and then it ends.

Drawing takes a second of work and two hundred megabytes, neither of which a daemon has to spare: its steps would wait, and the memory
would never come back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carbonnas.errors import CarbonNASError
from carbonnas.execution.child import carry_out
from carbonnas.web.charts_look import WHOLE_ROW, Look, Scheme, Size, dressed
from carbonnas.web.charts_rows import GridRows

_POLITE = 10
"""Work of searches goes first (nice(2))."""


def drawn(order: Mapping[str, Any]) -> dict[str, str]:
    """Return the pictures of an order by name, SVG.

    Args:
        order: `scheme` and `size`, and either `store` and `search` for the figures of a search, or `known`, `expected` and `now` for a grid.

    Raises:
        CarbonNASError: If the search can't be read.
    """
    look = Look(Scheme(order["scheme"]), Size(order["size"]))
    specifications = _of_search(Path(order["store"]), order["search"]) if "search" in order else _of_grid(order)
    import vl_convert

    return {
        name: vl_convert.vegalite_to_svg(dressed(chart, look, whole_row=name in WHOLE_ROW))
        for name, chart in specifications.items()
    }


def _of_search(path: Path, search_id: str) -> dict[str, Any]:
    from carbonnas.report.figures import figures
    from carbonnas.storage.records import load_record
    from carbonnas.storage.store import Store

    store = Store(path)
    try:
        record = load_record(store, search_id)
    finally:
        store.close()
    return {figure.name: figure.chart.to_dict(validate=False) for figure in figures(record)}


def _of_grid(order: Mapping[str, Any]) -> dict[str, Any]:
    from carbonnas.web.charts_grid import grid_chart

    rows = GridRows(tuple(map(tuple, order["known"])), tuple(map(tuple, order["expected"])), order["now"])
    return {"grid": grid_chart(rows).to_dict(validate=False)}


def answer(order: Mapping[str, Any]) -> bytes:
    """Return the answer to an order as JSON: `pictures`, or the `problem` in one sentence."""
    try:
        told: dict[str, Any] = {"pictures": drawn(order)}
    except CarbonNASError as error:
        told = {"problem": str(error)}
    return json.dumps(told).encode()


if __name__ == "__main__":
    carry_out(answer, _POLITE)
