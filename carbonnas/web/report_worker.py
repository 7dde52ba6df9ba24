"""The process that makes a report: an order as JSON on standard input, the report as UTF-8 on standard output, and then it ends.

The report of a long search takes seconds of work and hundreds of megabytes, neither of which a daemon has to spare.
"""

from __future__ import annotations

import sys
from pathlib import Path

from carbonnas.execution.child import taken_order
from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store

_POLITE = 5
"""Work of searches goes first (nice(2))."""


def main() -> None:
    """Carry out an order: `store`, `search` and `format`."""
    order = taken_order(_POLITE)
    store = Store(Path(order["store"]))
    try:
        record = load_record(store, order["search"])
    finally:
        store.close()
    # A lone surrogate stands for a byte that was no text; UTF-8 can't tell it.
    sys.stdout.buffer.write(render(record, ReportFormat(order["format"])).encode(errors="replace"))


if __name__ == "__main__":
    main()
