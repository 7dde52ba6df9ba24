"""The yearly mean of a country, and the table that it comes from."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.errors import UnknownZoneError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.providers.country_average import CountryAverageSource, country_averages, find_country
from carbon_sources.testing import CarbonSourceConformance, SourceCase

T = datetime(2026, 1, 1, 10, 20, tzinfo=UTC)
DATA = files("carbon_sources") / "data"


class TestCountryAverage(CarbonSourceConformance):
    @pytest.fixture
    def case(self) -> SourceCase:
        source = CountryAverageSource(zone="DK")
        return SourceCase(source, T, T + timedelta(hours=9), CountryAverageSource(zone="DK"))


def test_every_hour_is_the_mean_of_a_year_and_marked_as_assumed() -> None:
    source = CountryAverageSource(zone="DK")
    series = source.history(T, T + timedelta(hours=1))
    assert [s.interval.start.hour for s in series] == [10, 11]
    assert all(s.interval.start.minute == 0 and s.interval.seconds == 3600 for s in series)
    assert {(s.g_per_kwh, s.zone, s.kind, s.basis, s.provenance, s.source, s.method) for s in series} == {
        (
            151.65,
            "DK",
            IntensityKind.AVERAGE,
            Basis.LIFECYCLE,
            Provenance.ASSUMED,
            "country_average",
            "mean of 2023, Denmark, Our World in Data",
        )
    }
    assert source.latest(T) == series.samples[0]
    assert source.remarks() == ()


def test_nothing_is_kept_for_offline_use_because_nothing_is_asked_online() -> None:
    assert CountryAverageSource.names == frozenset()
    assert CountryAverageSource(zone="DK").forecast(T) is None


@pytest.mark.parametrize("code", ["DE", "DEU", "de", " deu "])
def test_codes_of_two_and_three_letters_mean_the_same(code: str) -> None:
    assert find_country(code).country == "Germany"
    assert CountryAverageSource(zone=code).zone == code


@pytest.mark.parametrize(
    ("wanted", "close"),
    [
        ("Germany", "DE (Germany)"),
        ("Untied Kingdom", "GB (United Kingdom)"),
        ("UK", "GB (United Kingdom)"),
        ("DEN", "DE (Germany)"),
        ("", "codes have two or three letters"),
        ("DK1;", "DK (Denmark)"),
    ],
)
def test_an_unknown_country_names_those_that_may_be_meant(wanted: str, close: str) -> None:
    with pytest.raises(UnknownZoneError, match=re.escape(close)):
        CountryAverageSource(zone=wanted)


@given(st.text(max_size=12))
def test_any_other_text_is_an_unknown_zone(code: str) -> None:
    try:
        row = find_country(code)
    except UnknownZoneError:
        return
    assert code.strip().upper() in {row.alpha_2, row.alpha_3}


def test_no_mean_stands_where_the_table_has_none() -> None:
    with pytest.raises(UnknownZoneError, match="'CF'"):
        CountryAverageSource(zone="CF")


@pytest.mark.parametrize(
    ("code", "remark"),
    [("EH", "is of 2009, older than most"), ("MS", "divided by 0.01 TWh, rounded to 0.01")],
)
def test_a_mean_that_is_old_or_rough_is_said_to_be(code: str, remark: str) -> None:
    assert remark in " ".join(CountryAverageSource(zone=code).remarks())


def test_the_table_is_the_one_that_its_provenance_describes() -> None:
    text = (DATA / "country_averages.csv").read_text(encoding="utf-8")
    provenance = (DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    assert f"`{hashlib.sha256(text.encode()).hexdigest()}`" in provenance
    assert f"in {len(country_averages())} countries" in provenance


def test_the_table_can_be_believed() -> None:
    rows = country_averages()
    assert [row.alpha_3 for row in rows] == sorted({row.alpha_3 for row in rows})
    assert len({row.alpha_2 for row in rows}) == len(rows)
    assert all(re.fullmatch("[A-Z]{2}", row.alpha_2) and re.fullmatch("[A-Z]{3}", row.alpha_3) for row in rows)
    assert all(20 <= row.g_per_kwh < 1400 and row.generation_twh > 0 for row in rows)
    assert all(2009 <= row.year <= 2023 for row in rows)


def test_the_means_are_of_the_life_cycle() -> None:
    # Water power alone: the IPCC's median is 24 g/kWh over the life cycle; direct emissions would be zero.
    assert all(23 <= find_country(code).g_per_kwh <= 25 for code in ("PRY", "BTN", "ALB", "COD"))
