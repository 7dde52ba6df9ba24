"""Grams until an instant: what the charts of a report add up."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import IDLE, EnergySample
from carbonnas.report.figure_data import cumulative_g
from carbonnas.report.testing import START

SECONDS = 10_000
spans = st.builds(
    lambda start, length: (start, start + length), st.integers(0, SECONDS), st.sampled_from([1, 7, 600, SECONDS])
)


def line(span: tuple[int, int], kwh: int) -> EmissionEntry:
    begins, ends = (START + timedelta(seconds=second) for second in span)
    within = Interval(begins, ends)
    price = IntensitySample(within, 100.0, "Z", IntensityKind.AVERAGE, Basis.DIRECT, Provenance.MEASURED, "s")
    return EmissionEntry(f"{span}", IDLE, PricedEnergy(EnergySample(within, 3.6e6 * kwh, 0.0, 0.0), price))


@given(st.lists(st.tuples(spans, st.integers(0, 3)), max_size=9), st.lists(st.integers(-9, 3 * SECONDS), max_size=9))
def test_each_line_counts_for_the_part_of_its_time_that_is_over(
    drawn: list[tuple[tuple[int, int], int]], seconds: list[int]
) -> None:
    at_s = np.array([START.timestamp() + second for second in seconds])
    found = cumulative_g([line(span, kwh) for span, kwh in drawn], at_s)
    assert len(found) == len(seconds)
    for second, grams in zip(seconds, found, strict=True):
        parts = (kwh * 100.0 * min(1.0, max(0.0, (second - a) / (b - a))) for (a, b), kwh in drawn)
        assert grams == pytest.approx(sum(parts), abs=1e-4)
