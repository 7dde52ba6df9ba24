"""Pricing a mix, and which hours are priced."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.answers.mix_hours import REFERENCE, Generation, MixPricer, ceil_hour, floor_hour, newest_of
from carbon_sources.answers.reading import Identity, Parsed
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.interval import HOUR
from carbon_sources.mix import DIRECT, LIFECYCLE, FactorTable, Fuel, factors, mix_intensity

START = datetime(2026, 11, 1, tzinfo=UTC)
PRICED = START + REFERENCE
FUELS = {
    "NG": Fuel.GAS,
    "WND": Fuel.WIND_ONSHORE,
    "SUN": Fuel.SOLAR,
    "NUC": Fuel.NUCLEAR,
    "WAT": Fuel.HYDRO,
    "PS": Fuel.STORAGE,
}

amounts = st.floats(0, 1e300)
mixes = st.dictionaries(st.sampled_from(list(Fuel)), amounts)


def test_the_intensity_is_the_mean_of_the_factors_weighted_by_generation() -> None:
    mix = {Fuel.GAS: 300.0, Fuel.NUCLEAR: 100.0, Fuel.HARD_COAL: 100.0}
    assert mix_intensity(mix, LIFECYCLE) == pytest.approx((300 * 490 + 100 * 12 + 100 * 820) / 500)
    assert mix_intensity(mix, DIRECT) == pytest.approx((300 * 394 + 100 * 0 + 100 * 937) / 500)


def test_negative_values_and_storage_are_no_generation() -> None:
    mix = {Fuel.GAS: 300.0, Fuel.HYDRO: -900.0, Fuel.STORAGE: 500.0}
    assert mix_intensity(mix, LIFECYCLE) == 490.0


@pytest.mark.parametrize("mix", [{}, {Fuel.GAS: 0.0}, {Fuel.SOLAR: -3.0}, {Fuel.STORAGE: 5.0}], ids=str)
def test_without_generation_there_is_no_intensity(mix: dict[Fuel, float]) -> None:
    assert mix_intensity(mix, LIFECYCLE) is None


def test_a_mix_without_combustion_emits_nothing_directly() -> None:
    assert mix_intensity({Fuel.NUCLEAR: 5.0, Fuel.HYDRO: 5.0}, DIRECT) == 0.0


@given(mixes)
def test_no_mix_is_cleaner_or_dirtier_than_its_fuels(mix: dict[Fuel, float]) -> None:
    found = mix_intensity(mix, LIFECYCLE)
    used = [LIFECYCLE.g_per_kwh[fuel] for fuel, amount in mix.items() if amount > 0 and fuel is not Fuel.STORAGE]
    assert (found is None) == (not used)
    if found is not None:
        assert min(used) * (1 - 1e-12) <= found <= max(used) * (1 + 1e-12)


@given(mixes, st.floats(0.1, 10))
def test_the_unit_of_the_amounts_does_not_matter(mix: dict[Fuel, float], scale: float) -> None:
    mix = {fuel: amount for fuel, amount in mix.items() if amount == 0 or amount > 1e-250}
    found = mix_intensity(mix, LIFECYCLE)
    scaled = mix_intensity({fuel: amount * scale for fuel, amount in mix.items()}, LIFECYCLE)
    assert (found is None and scaled is None) or math.isclose(found or 0, scaled or 0, rel_tol=1e-9)


def test_each_basis_has_a_table_and_its_name_is_told() -> None:
    assert (factors(Basis.LIFECYCLE), factors(Basis.DIRECT)) == (LIFECYCLE, DIRECT)
    assert LIFECYCLE.method == "mix priced with IPCC AR5 life-cycle medians (version 1), imports ignored"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {Fuel.STORAGE: 1.0} | dict(LIFECYCLE.g_per_kwh),
        dict(LIFECYCLE.g_per_kwh) | {Fuel.GAS: -1.0},
        dict(LIFECYCLE.g_per_kwh) | {Fuel.GAS: math.nan},
    ],
)
def test_a_table_has_a_factor_for_every_fuel(wrong: dict[Fuel, float]) -> None:
    with pytest.raises(ValueError, match="the factors 'x' must"):
        FactorTable("x", 1, Basis.LIFECYCLE, wrong)


def steady(hours: int, **by_code: float | None) -> Generation:
    """The same mix in every hour of the week and of so many hours after it."""
    generation = Generation()
    for place in range(7 * 24 + hours):
        for code, amount in by_code.items():
            generation.add(START + place * HOUR, code, amount)
    return generation


def price(generation: Generation, hours: int = 1, basis: Basis = Basis.LIFECYCLE) -> Parsed:
    pricer = MixPricer(
        Identity("test", "Z", IntensityKind.AVERAGE, basis), factors(basis), FUELS, may_be_negative=frozenset({"WAT"})
    )
    return pricer.price(generation, PRICED, PRICED + hours * HOUR)


def with_hour(code: str, amount: float | None, **others: float) -> Generation:
    """A steady week of gas, wind and others, after which one fuel has another value in the first of two hours."""
    usual = {"NG": 300.0, "WND": 100.0} | others
    generation = steady(0, **usual)
    for place in range(2):
        for fuel, value in usual.items():
            if place == 1 or fuel != code:
                generation.add(PRICED + place * HOUR, fuel, value)
    generation.add(PRICED, code, amount)
    return generation


def test_an_hour_with_all_of_its_fuels_is_priced() -> None:
    parsed = price(steady(1, NG=300, WND=100))
    assert [sample.g_per_kwh for sample in parsed.samples] == [pytest.approx((300 * 490 + 100 * 11) / 400)]
    assert parsed.remarks == ()


@pytest.mark.parametrize(
    ("code", "amount", "remark"),
    [
        ("NG", None, "hours without fuels that they usually have (NG) were not priced"),
        ("NG", math.nan, "values that are no numbers"),
        ("NG", 0.0, "zeros stand where values are missing"),
        ("NG", -5.0, "such as -5 MW of NG"),
        ("NG", 4366.0, "such as 4366 MW of NG"),
        ("WND", 0.0, "zeros stand where values are missing"),
        ("NEW", 1e9, "such as 1e+09 MW of NEW"),
    ],
)
def test_an_hour_whose_mix_is_unknown_is_a_gap_and_said(code: str, amount: float | None, remark: str) -> None:
    parsed = price(with_hour(code, amount), hours=2)
    kept = [] if code == "NEW" else [1]
    assert [sample.interval.start for sample in parsed.samples][-1:] == [PRICED + HOUR]
    assert len(parsed.samples) == (2 if not kept else 1)
    assert remark in " / ".join(parsed.remarks)


def test_newest_hours_that_still_wait_for_a_fuel_are_gaps_without_a_word() -> None:
    generation = steady(1, NG=300, WND=100)
    generation.add(PRICED + HOUR, "WND", 100)
    parsed = price(generation, hours=3)
    assert len(parsed.samples) == 1
    assert parsed.remarks == ()


def test_hours_that_are_missing_between_others_are_said() -> None:
    generation = steady(1, NG=300)
    generation.add(PRICED + 2 * HOUR, "NG", 300)
    parsed = price(generation, hours=3)
    assert len(parsed.samples) == 2
    assert parsed.remarks == ("test: hours are missing altogether",)


def test_a_fuel_that_hardly_matters_may_be_missing() -> None:
    # 3 of 403 are 0.7 %.
    assert len(price(with_hour("NUC", None, NUC=3), hours=2).samples) == 2
    # 5 of 405 are 1.2 %.
    assert len(price(with_hour("NUC", None, NUC=5), hours=2).samples) == 1


def test_what_is_left_out_at_night_is_not_missed() -> None:
    generation = Generation()
    for place in range(8 * 24):
        hour = START + place * HOUR
        generation.add(hour, "NG", 300)
        if 8 <= hour.hour < 16:
            generation.add(hour, "SUN", 200)
    assert len(price(generation, hours=24).samples) == 24


def test_pumping_and_own_use_are_no_fault() -> None:
    assert price(with_hour("WAT", -400.0, WAT=50), hours=2).remarks == ()
    assert price(with_hour("NUC", -3.0, NUC=4), hours=2).remarks == ()
    parsed = price(with_hour("PS", -1e6, PS=1e6), hours=2)
    assert len(parsed.samples) == 2
    assert parsed.remarks == ()


def test_a_plant_that_really_stopped_costs_one_day() -> None:
    generation = steady(0, NG=300, NUC=100)
    for place in range(48):
        generation.add(PRICED + place * HOUR, "NG", 300)
        generation.add(PRICED + place * HOUR, "NUC", 0)
    assert [sample.interval.start for sample in price(generation, hours=48).samples] == [
        PRICED + place * HOUR for place in range(24, 48)
    ]


def test_without_a_week_before_nothing_is_priced() -> None:
    generation = Generation()
    generation.add(PRICED, "NG", 300)
    parsed = price(generation)
    assert parsed.samples == ()
    assert "of which the week before says nothing" in parsed.remarks[0]


def test_a_sum_that_can_not_be_true_is_not_priced() -> None:
    generation = steady(0, NG=300, WND=100)
    generation.add(PRICED, "NG", 3)
    generation.add(PRICED, "WND", 1)
    assert "can't be true beside the week before" in price(generation).remarks[0]


def test_an_unknown_code_is_priced_as_other_and_said() -> None:
    parsed = price(steady(1, NG=300, XYZ=100))
    assert parsed.samples[0].g_per_kwh == pytest.approx((300 * 490 + 100 * 700) / 400)
    assert "unknown fuel 'XYZ'" in parsed.remarks[0]


def test_zero_is_a_value_where_only_combustion_counts() -> None:
    parsed = price(steady(1, NUC=300), basis=Basis.DIRECT)
    assert [sample.g_per_kwh for sample in parsed.samples] == [0.0]


def test_values_that_contradict_each_other_are_unknown() -> None:
    generation = steady(2, NG=300, WND=100)
    generation.add(PRICED, "NG", 300)
    generation.add(PRICED, "WND", 90)
    parsed = price(generation, hours=2)
    assert [sample.interval.start for sample in parsed.samples] == [PRICED + HOUR]
    assert "test: rows came twice (2 times)" in parsed.remarks
    assert "test: rows came twice with different values, which were left out" in parsed.remarks


@settings(max_examples=30)
@given(st.lists(st.sampled_from([None, 0.0, -5.0, 90.0, 100.0, 5000.0]), min_size=20, max_size=20), st.integers(1, 19))
def test_an_hours_value_does_not_depend_on_what_else_is_asked_for(values: list[float | None], cut: int) -> None:
    generation = steady(0, NG=300, WND=100)
    for place, value in enumerate(values):
        generation.add(PRICED + place * HOUR, "NG", 300)
        generation.add(PRICED + place * HOUR, "WND", value)
    pricer = MixPricer(Identity("test", "Z", IntensityKind.AVERAGE, Basis.LIFECYCLE), LIFECYCLE, FUELS)
    middle, end = PRICED + cut * HOUR, PRICED + 20 * HOUR
    parts = pricer.price(generation, PRICED, middle).samples + pricer.price(generation, middle, end).samples
    assert parts == pricer.price(generation, PRICED, end).samples


def test_the_newest_value_is_judged_by_its_age() -> None:
    generation = steady(3, NG=300)
    priced = price(generation, hours=3)
    hours = timedelta(hours=2)
    skew = timedelta(minutes=15)

    def judged(now: datetime) -> tuple[datetime | None, tuple[str, ...]]:
        sample, remarks = newest_of(priced, generation, now, delay=hours, skew=skew)
        return (sample.interval.end if sample else None), remarks

    assert judged(PRICED + 6 * HOUR) == (PRICED + 3 * HOUR, ())
    assert "no new value" in judged(PRICED + 7 * HOUR)[1][0]
    # Ten minutes of difference between the clocks are no fault; half an hour is.
    assert judged(PRICED + 3 * HOUR - timedelta(minutes=10)) == (PRICED + 3 * HOUR, ())
    assert judged(PRICED + 2.5 * HOUR)[0] == PRICED + 2 * HOUR
    assert "not over yet" in judged(PRICED + 2.5 * HOUR)[1][0]
    assert "no hour could be priced" in newest_of(Parsed(), generation, PRICED + 4 * HOUR, delay=hours, skew=skew)[1][0]


def test_full_hours_never_leave_the_calendar() -> None:
    half = START + HOUR / 2
    assert (floor_hour(half), ceil_hour(half), ceil_hour(START)) == (START, START + HOUR, START)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert (floor_hour(first).year, ceil_hour(first).year, ceil_hour(last).year) == (2000, 2000, 9000)
