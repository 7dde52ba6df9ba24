"""Forecasts as compressed JSON: they are read whole, and a provider issues some fifty a day."""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from typing import Any

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.storage.codec import Row


def forecast_row(forecast: Forecast, fetched_at: datetime) -> dict[str, Any]:
    """Return the row of a forecast that expects something: it is filed under its first sample."""
    first, samples = forecast.series.samples[0], forecast.series.samples
    content = {
        "starts": [sample.interval.start.isoformat() for sample in samples],
        "ends": [sample.interval.end.isoformat() for sample in samples],
        "values": [sample.g_per_kwh for sample in samples],
        "provenance": [sample.provenance.value for sample in samples],
        "source": [sample.source for sample in samples],
        "method": [sample.method for sample in samples],
        "levels": forecast.levels,
        "quantiles": forecast.quantiles,
        "averages": forecast.averages,
    }
    return {
        "source": first.source,
        "zone": first.zone,
        "kind": first.kind.value,
        "basis": first.basis.value,
        "issued_at": forecast.issued_at,
        "fetched_at": fetched_at,
        "payload": zlib.compress(json.dumps(content, allow_nan=False).encode()),
    }


def forecast_from(row: Row) -> Forecast:
    """Return the forecast of a row.

    Raises:
        KeyError, TypeError, ValueError: If it makes no sense.
    """
    try:
        content: dict[str, Any] = json.loads(zlib.decompress(row["payload"]))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    columns = ("starts", "ends", "values", "provenance", "source", "method")
    samples = tuple(
        IntensitySample(
            interval=Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)),
            g_per_kwh=value,
            zone=row["zone"],
            kind=IntensityKind(row["kind"]),
            basis=Basis(row["basis"]),
            provenance=Provenance(provenance),
            source=source,
            method=method,
        )
        for start, end, value, provenance, source, method in zip(*(content[name] for name in columns), strict=True)
    )
    quantiles = tuple(tuple(values) for values in content["quantiles"])
    averages = tuple(content.get("averages", ()))  # older rows have none
    return Forecast(row["issued_at"], IntensitySeries(samples), tuple(content["levels"]), quantiles, averages)
