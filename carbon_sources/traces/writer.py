"""Writing a recording that the trace source replays as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from carbon_sources.intensity import IntensitySample
from carbon_sources.traces.file import guarded

COLUMNS = ("start", "end", "g_per_kwh", "zone", "kind", "basis", "provenance", "source", "method")


def trace_csv(samples: Iterable[IntensitySample]) -> bytes:
    """Return samples of one zone, kind and basis as a CSV file, a row each; gaps have no row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180; either character alone is then quoted inside a cell
    writer.writerow(COLUMNS)
    writer.writerows(_row(sample) for sample in samples)
    return text.getvalue().encode()


def _row(sample: IntensitySample) -> tuple[str, ...]:
    return (
        _instant(sample.interval.start),
        _instant(sample.interval.end),
        repr(sample.g_per_kwh),
        guarded(sample.zone),
        sample.kind.value,
        sample.basis.value,
        sample.provenance.value,
        guarded(sample.source),
        guarded(sample.method),
    )


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
