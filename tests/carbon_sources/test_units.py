"""Quantities with units written out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from carbon_sources.units import (
    G_PER_KWH_PER_LB_PER_MWH,
    J_PER_KWH,
    Duration,
    Grams,
    Joules,
    Watts,
    parse_duration,
    parse_grams,
    parse_joules,
    parse_watts,
)


class Quantities(BaseModel):
    mass: Grams
    energy: Joules
    power: Watts
    time: Duration


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_grams, "500 g", 500.0),
        (parse_grams, "2kg", 2000.0),
        (parse_grams, " 1.5e-3 t ", 1500.0),
        (parse_grams, "250 mg", 0.25),
        (parse_joules, "3 kWh", 3 * 3_600_000.0),
        (parse_joules, "1 Wh", 3600.0),
        (parse_joules, "2 MJ", 2e6),
        (parse_watts, "65 W", 65.0),
        (parse_watts, ".5 kW", 500.0),
    ],
)
def test_a_quantity_is_read_in_the_units_of_the_program(
    parse: Callable[[object], float], text: str, expected: float
) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["500", 500, 500.0, None, "g", "5 lb", "-1 g", "1e400 g", "nan g", "inf g", "1 2 g", "1,5 g", "5 G", True, ""],
)
def test_what_would_have_to_be_guessed_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_grams(text)


@given(st.floats(0, 1e9, allow_subnormal=False))
def test_larger_units_are_exact_multiples(value: float) -> None:
    assert parse_grams(f"{value!r} kg") == value * 1e3
    assert parse_joules(f"{value!r} kWh") == value * J_PER_KWH
    assert parse_watts(f"{value!r} kW") == value * 1e3


def test_a_pound_per_megawatt_hour_is_exact() -> None:
    # 453.59237 g / 1000 kWh
    assert pytest.approx(453.59237 / 1000, rel=1e-15) == G_PER_KWH_PER_LB_PER_MWH


@given(st.integers(0, 10_000))
def test_units_of_time_agree(count: int) -> None:
    assert parse_duration(f"{count} h") == parse_duration(f"{count * 60} min") == timedelta(hours=count)
    assert parse_duration(f"{count} weeks") == parse_duration(f"{count * 7} days") == timedelta(weeks=count)


def test_a_duration_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a duration"):
        parse_duration("1e12 days")


def test_a_model_takes_quantities_and_durations() -> None:
    model = Quantities.model_validate({"mass": "2 kg", "energy": "1 kWh", "power": "5 W", "time": "15 min"})
    assert (model.mass, model.energy, model.power, model.time) == (2000.0, 3.6e6, 5.0, timedelta(minutes=15))
    again = model.model_copy(update={"time": timedelta(hours=1)})
    assert parse_duration("1 h") == again.time
    taken = Quantities.model_validate({"mass": "1 g", "energy": "1 J", "power": "1 W", "time": timedelta(1)})
    assert taken.time == timedelta(days=1)


def test_a_model_refuses_a_bare_number() -> None:
    with pytest.raises(ValidationError, match="with a unit"):
        Quantities.model_validate({"mass": 2, "energy": "1 kWh", "power": "5 W", "time": "15 min"})
