from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from carbonnas.report.formatting import duration, grams, kwh, mass_unit, metric, percent, spent, spent_share
from carbonnas.report.testing import START


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (0.0, "0 g"),
        (0.01234, "12.3 mg"),
        (1.0, "1.00 g"),
        (999.4, "999 g"),
        (12345.0, "12.3 kg"),
        (2.5e6, "2.50 t"),
        (1e-9, "1.00e-06 mg"),
    ],
)
def test_grams_have_three_digits_and_a_fitting_unit(value: float | None, text: str) -> None:
    assert grams(value) == text


def test_energy_has_a_fitting_unit() -> None:
    assert [kwh(v) for v in (0.0, 1.2e-5, 0.0123, 4.56, 7890.0)] == [
        "0 kWh",
        "12.0 mWh",
        "12.3 Wh",
        "4.56 kWh",
        "7.89 MWh",
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("val_accuracy", 0.91234, "91.23 %"),
        ("params", 123456.0, "123,456"),
        ("synflow", 37.31523, "37.32"),
        ("loss", math.nan, "not a number"),
        ("loss", math.inf, "infinite"),
    ],
)
def test_metrics_read_as_people_write_them(name: str, value: float, text: str) -> None:
    assert metric(name, value) == text


def test_an_unknown_share_is_not_zero() -> None:
    assert (percent(None), percent(0.0), percent(0.512)) == ("unknown", "0.0 %", "51.2 %")


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (65, "1 min 5 s"), (3660, "1 h 1 min"), (90000, "1 d 1 h")])
def test_durations_have_two_units(seconds: int, text: str) -> None:
    assert duration(Interval(START, START + timedelta(seconds=seconds))) == text


def test_charts_take_the_unit_of_their_largest_value() -> None:
    assert [mass_unit(g) for g in (0.0, 0.5, 20.0, 3000.0)] == [(1.0, "g"), (1e-3, "mg"), (1.0, "g"), (1e3, "kg")]


@pytest.mark.parametrize(
    ("value_g", "limit_g", "text", "share"),
    [
        (999.87, 1000.0, "999 g", "99.9 %"),  # rounded to three digits it would be 1,000 g
        (999.87, 999.9, "999 g", "99.9 %"),
        (1000.0, 1000.0, "1.00 kg", "100.0 %"),
        (1000.4, 1000.0, "1.00 kg", "100.0 %"),
        (49.96, 50.0, "49.9 g", "99.9 %"),  # 99.92 %
        (49.94, 50.0, "49.9 g", "99.9 %"),
        (0.009999, 0.01, "9.99 mg", "99.9 %"),
        (123.46, 1000.0, "123 g", "12.3 %"),
        (999.87, 5000.0, "1,000 g", "20.0 %"),  # far from the limit
        (0.0, 50.0, "0 g", "0.0 %"),
    ],
)
def test_what_is_spent_is_never_rounded_up_to_a_limit_that_it_has_not_reached(
    value_g: float, limit_g: float, text: str, share: str
) -> None:
    assert (spent(value_g, limit_g), spent_share(value_g, limit_g)) == (text, share)


@given(st.floats(1e-3, 999.0), st.floats(1e-3, 999.0))
def test_what_is_spent_reads_below_the_limit_exactly_as_long_as_it_is(value_g: float, limit_g: float) -> None:
    shown_g = _read(spent(value_g, limit_g))
    assert shown_g < limit_g or value_g >= limit_g or shown_g <= value_g
    assert (_read(spent_share(value_g, limit_g, 0)) < 100) == (value_g < limit_g)


def _read(text: str) -> float:
    number, unit = text.replace(",", "").split()
    return float(number) * {"mg": 1e-3, "g": 1.0, "kg": 1e3, "%": 1.0}[unit]
