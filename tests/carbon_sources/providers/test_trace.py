"""Recorded traces in every layout that is understood."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.errors import TraceError
from carbon_sources.intensity import Basis, IntensityKind, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbon_sources.testing import CarbonSourceConformance, SourceCase
from carbon_sources.traces.file import bundled_names, trace_path
from carbon_sources.traces.formats import IntensityUnit

T = datetime(2021, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHARED = Path(__file__).parents[4] / "shared" / "data" / "carbon"

BUNDLED = TraceSource(path=Path("bundled:DK_2019"))

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str, name: str = "trace.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def values(source: TraceSource) -> list[float]:
    return [sample.g_per_kwh for sample in source.series]


class TestBundledTrace(CarbonSourceConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        start, now = datetime(2019, 7, 1, 12, 30, tzinfo=UTC), datetime(2019, 7, 4, 12, 30, tzinfo=UTC)
        lines = gzip.decompress(trace_path("bundled:DK_2019").read_bytes()).decode().splitlines()
        ended = tmp_path / "DK_2019.csv.gz"
        ended.write_bytes(
            gzip.compress("\n".join(x for x in lines if x[0] == "s" or x < f"{now:%Y-%m-%dT%H:%M}").encode())
        )
        return SourceCase(BUNDLED, start, now, TraceSource(path=ended))


def _forecast_file(path: Path, now: datetime, later: float) -> Path:
    lines = ["issue_utc,lead_h,target_utc,forecast,actual"]
    for day in range(4):
        issued_at = T + timedelta(days=day)
        for lead in range(48):
            target = issued_at + lead * HOUR
            actual = 100 + target.hour + (later if target > now else 0)
            expected = 90 + day + (later if issued_at > now else 0)
            lines.append(f"{issued_at:%Y-%m-%d},{lead},{target:%Y-%m-%d %H:%M:%S},{expected},{actual}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


class TestTraceWithForecasts(CarbonSourceConformance):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        now = T + timedelta(days=1, hours=7, minutes=10)
        return SourceCase(
            TraceSource(path=_forecast_file(tmp_path / "one.csv", now, 0), zone="X"),
            T,
            now,
            TraceSource(path=_forecast_file(tmp_path / "one.csv", now, 500), zone="X"),
        )


def test_the_bundled_trace_is_a_real_year_that_swings_within_the_day() -> None:
    assert bundled_names() == ["DK_2019"]
    source = BUNDLED
    assert (source.zone, source.kind, source.basis) == ("DK", IntensityKind.AVERAGE, Basis.LIFECYCLE)
    assert (len(source.series), source.gaps) == (8760, ())
    assert values(source)[:2] == [117.6, 103.6]
    days: dict[object, list[float]] = {}
    for sample in source.series:
        days.setdefault(sample.interval.start.date(), []).append(sample.g_per_kwh)
    ratios = [max(day) / min(day) for day in days.values()]
    assert sum(ratios) / len(ratios) == pytest.approx(2.33, abs=0.005)


LAYOUTS = {
    "Electricity Maps": (
        (
            "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
            "Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),Data estimated\n"
            "2021-01-01 00:00:00,Denmark,West,DK-DK1,50,100,1,False\n2021-01-01 01:00:00,Denmark,West,DK-DK1,60,110.5,1,True\n"
        ),
        "DK-DK1",
        Basis.LIFECYCLE,
    ),
    "Electricity Maps, older": (
        (
            "datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage\n"
            "2021-01-01 00:00:00,PL,50,100,1\n2021-01-01 01:00:00,PL,60,110.5,1\n"
        ),
        "PL",
        Basis.LIFECYCLE,
    ),
    "Electricity Maps with mix": (
        "datetime,carbon_intensity_avg,power_production_coal_avg\n2021-01-01 00:00:00,100,\n2021-01-01 01:00:00,110.5,3\n",
        "trace",
        Basis.LIFECYCLE,
    ),
    "CarbonCast": (
        ",UTC time,carbon_intensity,coal\n0,2021-01-01 00:00:00,100,1\n1,2021-01-01 01:00:00,110.5,1\n",
        "trace",
        Basis.LIFECYCLE,
    ),
    "own": (
        "start,end,g_per_kwh\n2021-01-01T00:00Z,2021-01-01T01:00Z,100\n2021-01-01T02:00+01:00,2021-01-01T02:00Z,110.5\n",
        "trace",
        Basis.LIFECYCLE,
    ),
    "NESO table": (
        (
            "from,to,forecast,actual,index\n2021-01-01 00:00:00+00:00,2021-01-01 01:00:00+00:00,90,100.0,low\n"
            "2021-01-01 01:00:00+00:00,2021-01-01 02:00:00+00:00,95,110.5,low\n"
        ),
        "GB",
        Basis.DIRECT,
    ),
    "unknown with offsets": (
        "\ufefftime,comment,Intensity (gCO2/kWh)\n2021-01-01T01:00+01:00,a,100\n\n2021-01-01T02:00+01:00,b,110.5\n",
        "trace",
        Basis.LIFECYCLE,
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_is_read_by_its_header(write: Write, layout: str) -> None:
    text, zone, basis = LAYOUTS[layout]
    source = TraceSource(path=write(text))
    assert values(source) == [100.0, 110.5]
    assert [s.interval for s in source.series] == [Interval(T, T + HOUR), Interval(T + HOUR, T + 2 * HOUR)]
    assert (source.zone, source.kind, source.basis) == (zone, IntensityKind.AVERAGE, basis)
    assert source.series.samples[0].provenance is Provenance.MEASURED
    assert source.series.samples[0].source == "trace.csv"


def test_what_the_publisher_estimated_stays_an_estimate(write: Write) -> None:
    source = TraceSource(path=write(LAYOUTS["Electricity Maps"][0]))
    assert source.series.samples[1].provenance is Provenance.ESTIMATED


@pytest.mark.parametrize(
    "options", [{"basis": Basis.DIRECT}, {"column": "Carbon intensity gCO2eq/kWh (DIRECT)"}], ids=str
)
def test_the_basis_follows_the_column(write: Write, options: dict[str, object]) -> None:
    source = TraceSource(path=write(LAYOUTS["Electricity Maps"][0]), **options)  # type: ignore[arg-type] # options of several types in one table
    assert values(source) == [50.0, 60.0]
    assert source.basis is Basis.DIRECT


@pytest.mark.parametrize("header", ["point_time,value", "timestamp,MOER"])
def test_watttime_is_marginal_and_in_pounds(write: Write, header: str) -> None:
    source = TraceSource(path=write(f"{header}\n2021-01-01T00:00Z,1000\n2021-01-01T00:05Z,0\n"))
    # 1000 lb/MWh = 453.59237 g/kWh; zero occurs where renewables are curtailed.
    assert values(source) == [pytest.approx(453.59237), 0.0]
    assert (source.kind, source.basis) == (IntensityKind.MARGINAL, Basis.DIRECT)
    assert source.series.samples[0].interval.duration == timedelta(minutes=5)


def test_a_unit_can_be_stated(write: Write) -> None:
    text = "time,moer_kg_per_kwh\n2021-01-01T00:00Z,0.25\n2021-01-01T01:00Z,0.5\n"
    with pytest.raises(TraceError, match="set unit="):
        TraceSource(path=write(text), column="moer_kg_per_kwh")
    source = TraceSource(
        path=write(text), column="moer_kg_per_kwh", unit=IntensityUnit.KG_PER_KWH, kind=IntensityKind.MARGINAL
    )
    assert values(source) == [250.0, 500.0]


def test_carbon_aware_sdk_records_have_a_duration_and_must_say_what_they_are(write: Write) -> None:
    records = [
        {"location": "eastus", "time": "2021-01-01T00:00:00+00:00", "rating": 100, "duration": "00:30:00"},
        {"location": "westus", "time": "2021-01-01T00:00:00+00:00", "rating": 7, "duration": "00:30:00"},
        {"location": "eastus", "time": "2021-01-01T01:00:00+00:00", "rating": 110, "duration": "60"},
    ]
    path = write(json.dumps(records), "records.json")
    with pytest.raises(TraceError, match=r"several zones.*'eastus', 'westus'"):
        TraceSource(path=path)
    with pytest.raises(TraceError, match="set kind="):
        TraceSource(path=path, zone="eastus")
    source = TraceSource(path=path, zone="eastus", kind=IntensityKind.MARGINAL, basis=Basis.DIRECT)
    assert values(source) == [100.0, 110.0]
    assert source.gaps == (Interval(T + HOUR / 2, T + HOUR),)
    assert source.kind is IntensityKind.MARGINAL


def test_a_dump_of_neso_leaves_nulls_and_zeros_as_gaps(write: Write) -> None:
    actual = [0, 100, None, 0, 120, None]
    rows = [
        {
            "from": (T + i * HOUR / 2).strftime("%Y-%m-%dT%H:%MZ"),
            "to": (T + (i + 1) * HOUR / 2).strftime("%Y-%m-%dT%H:%MZ"),
            "intensity": {"forecast": 150, "actual": value, "index": "low"},
        }
        for i, value in enumerate(actual)
    ]
    source = TraceSource(path=write(json.dumps({"data": rows}), "neso.json"))
    assert values(source) == [100.0, 120.0]
    assert source.gaps == (
        Interval(T, T + HOUR / 2),
        Interval(T + HOUR, T + 2 * HOUR),
        Interval(T + 2.5 * HOUR, T + 3 * HOUR),
    )


def test_empty_values_and_missing_rows_are_gaps(write: Write) -> None:
    lines = [f"2021-01-01T{hour:02}:00Z,{text}" for hour, text in [(0, "1"), (1, "NaN"), (2, "3"), (3, "4"), (6, "7")]]
    source = TraceSource(path=write("time,intensity\n" + "\n".join(lines)))
    assert values(source) == [1.0, 3.0, 4.0, 7.0]
    assert source.gaps == (Interval(T + HOUR, T + 2 * HOUR), Interval(T + 4 * HOUR, T + 6 * HOUR))
    assert source.history(T + HOUR, T + 2 * HOUR).samples == ()
    # The newest known value is the one before the gap; its interval tells the caller that it is over.
    stale = source.latest(T + 5 * HOUR)
    assert stale is not None
    assert not stale.interval.contains(T + 5 * HOUR)


def test_the_step_is_the_most_frequent_one_and_the_last_row_gets_it(write: Write) -> None:
    minutes = [0, 30, 60, 75, 105]
    lines = [f"{(T + timedelta(minutes=m)).isoformat()},{m}" for m in minutes]
    source = TraceSource(path=write("time,intensity\n" + "\n".join(lines)))
    assert [s.interval.seconds / 60 for s in source.series] == [30, 30, 15, 30, 30]


def test_nothing_is_known_before_the_first_row(write: Write) -> None:
    source = TraceSource(path=write(LAYOUTS["own"][0]))
    assert source.latest(T - HOUR) is None
    assert source.forecast(T) is None


@given(st.integers(-3, 8770), st.integers(0, 50))
def test_nothing_that_starts_later_is_ever_told(hour: int, length: int) -> None:
    now = datetime(2018, 12, 31, 23, tzinfo=UTC) + (hour + 0.5) * HOUR
    sample = BUNDLED.latest(now)
    assert sample is None or sample.interval.start <= now
    assert all(s.interval.start < now for s in BUNDLED.history(now - length * HOUR, now))


def test_local_times_need_their_zone(write: Write) -> None:
    text = "Time,Carbon Intensity\n2021-01-01 01:00:00,100\n2021-01-01 02:00:00,110.5\n"
    with pytest.raises(TraceError, match=r"trace\.csv:2: .*2021-01-01 01:00:00Z.*time_zone="):
        TraceSource(path=write(text))
    source = TraceSource(path=write(text), time_zone="Europe/Berlin")
    assert source.series.samples[0].interval.start == T
    assert TraceSource(path=write(text), time_zone="UTC").series.samples[0].interval.start == T + HOUR


def test_the_hour_that_the_clock_repeats_is_told_apart_by_its_order(write: Write) -> None:
    # On 2021-10-31 clocks in Berlin went from 03:00 back to 02:00, which is 01:00 UTC.
    local = ["01:00", "02:00", "02:00", "03:00"]
    text = "time,intensity\n" + "\n".join(f"2021-10-31 {t},{i}" for i, t in enumerate(local))
    source = TraceSource(path=write(text), time_zone="Europe/Berlin")
    first = datetime(2021, 10, 30, 23, tzinfo=UTC)
    assert [s.interval.start for s in source.series] == [first + i * HOUR for i in range(4)]


def test_columns_of_the_own_format_are_obeyed(write: Write) -> None:
    text = (
        "start,end,g_per_kwh,zone,kind,basis,provenance\n"
        "2021-01-01T00:00Z,2021-01-01T01:00Z,1,A,marginal,direct,estimated\n"
        "2021-01-01T00:00Z,2021-01-01T01:00Z,2,B,average,lifecycle,measured\n"
    )
    source = TraceSource(path=write(text), zone="A")
    assert (source.zone, source.kind, source.basis) == ("A", IntensityKind.MARGINAL, Basis.DIRECT)
    assert source.series.samples[0].provenance is Provenance.ESTIMATED
    assert values(TraceSource(path=write(text), zone="B")) == [2.0]


def test_a_compressed_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("trace.csv.gz", "trace.dat"):
        (tmp_path / name).write_bytes(gzip.compress(LAYOUTS["own"][0].encode()))
        assert values(TraceSource(path=tmp_path / name)) == [100.0, 110.5]


def test_a_forecast_is_the_newest_that_had_been_issued(tmp_path: Path) -> None:
    source = TraceSource(path=_forecast_file(tmp_path / "f.csv", T, 0))
    assert source.forecast(T - HOUR) is None
    just_before = source.forecast(T + timedelta(hours=23, minutes=59))
    at = source.forecast(T + timedelta(hours=24))
    assert just_before is not None
    assert at is not None
    assert (just_before.issued_at, at.issued_at) == (T, T + timedelta(days=1))
    # Both speak of the same hour and differ: 90 plus the day of issue.
    target = T + timedelta(hours=30)
    expected = [forecast.series.at(target) for forecast in (just_before, at)]
    assert [s.g_per_kwh for s in expected if s is not None] == [90.0, 91.0]
    assert len(source.series) == 4 * 24 + 24


def test_blocks_of_96_hours_are_issues(write: Write) -> None:
    hours = [T + timedelta(days=day, hours=lead) for day in range(2) for lead in range(96)]
    rows = "\n".join(f"{i},{t:%Y-%m-%d %H:%M:%S},{t.hour + 1},{100 + i // 96}" for i, t in enumerate(hours))
    header = ",UTC time,actual_carbon_intensity_lifecycle,forecasted_carbon_intensity_lifecycle\n"
    source = TraceSource(path=write(header + rows))
    forecast = source.forecast(T + timedelta(hours=30))
    assert forecast is not None
    assert forecast.issued_at == T + timedelta(days=1)
    assert {s.g_per_kwh for s in forecast.series} == {101.0}
    assert len(source.series) == 96 + 24
    assert source.basis is Basis.LIFECYCLE


def test_archived_forecasts_can_come_from_a_second_file(write: Write) -> None:
    hours = [T + timedelta(hours=lead) for lead in range(96)]
    text = "Datetime (UTC),Carbon Intensity Forecast\n" + "\n".join(
        f"{t:%Y-%m-%d %H:%M:%S},{'' if i == 2 else 5}" for i, t in enumerate(hours)
    )
    forecasts = write(text, "forecast.csv")
    actual = write(LAYOUTS["Electricity Maps"][0])
    source = TraceSource(path=actual, basis=Basis.DIRECT, forecasts=forecasts)
    forecast = source.forecast(T)
    assert forecast is not None
    assert len(forecast.series) == 95
    assert {s.zone for s in forecast.series} == {"DK-DK1"}
    with pytest.raises(TraceError, match="can't be read as lifecycle"):
        TraceSource(path=actual, forecasts=forecasts)
    alone = TraceSource(path=forecasts)
    assert (alone.latest(T), len(alone.history(T, T + HOUR)), alone.gaps) == (None, 0, ())


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared development data are not beside this checkout")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.csv.gz")) if SHARED.is_dir() else [], ids=lambda path: path.name)
def test_published_traces_load(path: Path) -> None:
    source = TraceSource(path=path)
    assert len(source.series) > 4000
    gaps = {"GB_2023_neso_national.csv.gz": 4, "US-CAL-CISO_2020_2022_lifecycle_with_mix.csv.gz": 1}
    assert len(source.gaps) == gaps.get(path.name, 0)
    assert all(sample.g_per_kwh > 0 for sample in source.series)
