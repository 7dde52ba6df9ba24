"""What plans count for the hours of a forecast once it is known what the present hour turned out to be."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter

from carbon_sources.intensity import Forecast, IntensitySample

_begin = attrgetter("interval.start")

_FADES_IN = timedelta(hours=96)
"""After how long an error of a forecast counts for a third. What was missed, such as wind, mostly stays: on recorded grids a fading within a
day or less could cost as much in savings as it won elsewhere, and one over four days never cost more than half a per cent of them."""


def counted_for(sample: IntensitySample, forecast: Forecast | None) -> float:
    """Return what plans count for a sample in g/kWh: the average if it is one of the forecast's own, else its value."""
    if forecast is None or not forecast.averages:
        return sample.g_per_kwh
    samples = forecast.series.samples
    place = bisect.bisect_left(samples, sample.interval.start, key=_begin)
    return forecast.averages[place] if place < len(samples) and samples[place] == sample else sample.g_per_kwh


def after_present(
    values: Sequence[float], samples: Sequence[IntensitySample], forecast: Forecast, present: IntensitySample | None
) -> tuple[float, ...]:
    """Return the values of a forecast, corrected by how far it missed the present.

    A forecast errs by much the same in neighbouring hours. To compare the measured present with the uncorrected hours to come would
    mistake the error for a difference: after a forecast that was too low the present would look dirty, after one that was too high clean,
    and plans would wait for, or flee from, hours that are no better. So the error of the present is carried over, and fades with time.

    Args:
        values: What is counted for each of `samples` in g/kWh: what is expected, or a quantile.
        samples: Some samples of the forecast.
        forecast: The forecast, issued before the present was known.
        present: The sample that covers the present; if it is what the forecast expects, or lies outside it, nothing changes.

    Returns:
        As many values in g/kWh, at least zero where `values` are. What lies before the present is left as it is.

    Raises:
        ValueError: If there are not as many values as samples.
    """
    if len(values) != len(samples):
        raise ValueError(f"{len(samples)} samples can't have {len(values)} values")
    expected = None if present is None else forecast.series.at(present.interval.start)
    if present is None or expected is None:
        return tuple(values)
    missed = counted_for(present, forecast) - counted_for(expected, forecast)
    since = expected.interval.start
    return tuple(
        value if sample.interval.start < since else _moved(value, missed * _left(sample.interval.start - since))
        for value, sample in zip(values, samples, strict=True)
    )


def _left(after: timedelta) -> float:
    """Return the share of an error that is left some time later."""
    return math.exp(-(after / _FADES_IN))


def _moved(value: float, by: float) -> float:
    return max(min(value, 0.0), value + by)
