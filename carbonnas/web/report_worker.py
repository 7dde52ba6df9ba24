"""The process that makes a report: an order as JSON on standard input, the report as UTF-8 on standard output, and then it ends.

The report of a long search takes seconds of work and hundreds of megabytes, neither of which a daemon has to spare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from carbonnas.execution.child import carry_out
from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store

_POLITE = 5
"""Work of searches goes first (nice(2))."""


def made(order: dict[str, Any]) -> bytes:
    """Return the report of an order: `store`, `search` and `format`."""
    store = Store(Path(order["store"]))
    try:
        record = load_record(store, order["search"])
    finally:
        store.close()
    # A lone surrogate stands for a byte that was no text; UTF-8 can't tell it.
    return render(record, ReportFormat(order["format"])).encode(errors="replace")


if __name__ == "__main__":
    carry_out(made, _POLITE)
