"""Traces that are refused, each with the place and the remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from carbon_sources.errors import TraceError, UnknownZoneError
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.providers.trace import TraceSource
from carbon_sources.traces.formats import IntensityUnit

OWN = "start,end,g_per_kwh\n"
FIRST = "2021-01-01T00:00Z,2021-01-01T01:00Z,100\n"
PLAIN = "time,intensity\n2021-01-01T00:00Z,1\n2021-01-01T01:00Z,2\n"
ISSUES = "issue_utc,lead_h,target_utc,forecast\n"
SDK = "Location,Time,Rating,Duration\n"

BAD = {
    "empty": ("", "is empty"),
    "only spaces": (" \n", "is empty"),
    "header only": (OWN, "no rows"),
    "no time": ("a,b\n1,2\n", "no column for the time"),
    "no intensity": ("time,coal\n2021-01-01T00:00Z,2\n", "known to be an intensity among 'time', 'coal'"),
    "too few fields": (OWN + FIRST + "2021-01-01T01:00Z,5\n", ":3: has 2 fields"),
    "quote left open": ('time,intensity\n"2021-01-01T00:00Z,5\n', "is not CSV"),
    "negative": (OWN + FIRST.replace("100", "-3"), ":2: value -3 is below zero"),
    "text for a number": (OWN + FIRST.replace("100", "many"), ":2: value 'many' is not a finite number"),
    "infinite": (OWN + FIRST.replace("100", "inf"), "not a finite number"),
    "too large": (OWN + FIRST.replace("100", "1e999"), "not a finite number"),
    "underscores": (OWN + FIRST.replace("100", "1_0"), "not a finite number"),
    "naive": (OWN + FIRST.replace("00Z", "00"), ":2: time '2021-01-01T00:00' has no UTC offset"),
    "no time of day": (OWN + FIRST.replace("2021-01-01T01:00Z", "noon"), "'noon' is not ISO 8601"),
    "year 0": (OWN + FIRST.replace("2021-01-01T00:00Z", "0001-01-01T00:00+05:00"), "not ISO 8601"),
    "ends before start": (OWN + "2021-01-01T01:00Z,2021-01-01T01:00Z,5\n", "before or when it starts"),
    "overlap": (
        OWN + FIRST.replace("T01:00Z", "T02:00Z") + "2021-01-01T01:00Z,2021-01-01T03:00Z,5\n",
        ":2: lasts until",
    ),
    "repeated": (OWN + FIRST + FIRST, ":3: repeats the time 2021-01-01 00:00:00.00:00 of row 2"),
    "unsorted": (OWN + "2021-01-01T01:00Z,2021-01-01T02:00Z,5\n" + FIRST, ":3: goes back in time"),
    "all empty": (OWN + FIRST.replace("100", ""), "no value in any row"),
    "single row": ("time,intensity\n2021-01-01T00:00Z,5\n", ":2: is the only row"),
    "odd kind": (OWN.replace("\n", ",kind\n") + FIRST.replace("\n", ",mean\n"), "column 'kind' must be 'average' or"),
    "odd provenance": (OWN.replace("\n", ",provenance\n") + FIRST.replace("\n", ",felt\n"), ":2: provenance 'felt'"),
    "odd flag": ("datetime_utc,ci_lca,estimated\n2021-01-01 00:00,5,maybe\n", ":2: 'estimated' must be True or False"),
    "zone missing": (OWN.replace("\n", ",zone\n") + FIRST.replace("\n", ",\n"), ":2: names no zone"),
    "odd duration": (SDK + "x,2021-01-01T00:00Z,5,long\n", "duration 'long'"),
    "no JSON": ("[1,", "is not JSON"),
    "JSON numbers": ("[1, 2]", "list of records"),
    "JSON without data": ('{"x": []}', "list of records"),
    "JSON record": ('[{"time": "x", "intensity": 5}]', r":1 \(record\): time 'x'"),
    "lead": (ISSUES + "2021-01-01,5,2021-01-01 00:00,5\n", ":2: speaks of .* not 5 h after its issue"),
    "late issue": (
        "issue_utc,target_utc,forecast\n2021-01-02,2021-01-01,5\n2021-01-02,2021-01-02,5\n",
        "before its issue",
    ),
    "issues mixed": (
        ISSUES + "".join(f"2021-01-0{d},{h},2021-01-0{d} 0{h}:00,5\n" for d in (2, 1) for h in (0, 1)),
        ":4: belongs to the issue of .* out of order",
    ),
    "targets mixed": (
        ISSUES + "".join(f"2021-01-01,{h},2021-01-01 0{h}:00,5\n" for h in (0, 1, 0)),
        ":4: goes back to",
    ),
    "lone targets": (ISSUES + "2021-01-01,0,2021-01-01 00:00,5\n", "no issue of two rows"),
    "block cut short": ("UTC time,forecasted\n2021-01-01 00:00,5\n", "blocks of 96 hours, but has 1"),
    "actuals differ": (
        (
            "issue_utc,target_utc,forecast,actual\n2021-01-01,2021-01-01 00:00,5,1\n2021-01-01,2021-01-01 01:00,5,1\n"
            "2021-01-01 01:00,2021-01-01 01:00,5,2\n"
        ),
        ":4: repeats the time",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_doubtful_trace_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    text, reason = BAD[case]
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    options = {"kind": IntensityKind.AVERAGE, "basis": Basis.LIFECYCLE} if text.startswith(SDK) else {}
    with pytest.raises(TraceError, match=reason) as caught:
        TraceSource(path=path, **options)  # type: ignore[arg-type] # options of several types in one table
    assert "bad.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"column": "wind"}, "no column 'wind'; there are 'time', 'intensity'"),
        ({"time_zone": "Mars/Base"}, "no IANA time zone"),
        ({"time_zone": "../etc"}, "no IANA time zone"),
    ],
)
def test_an_option_that_does_not_fit_the_file_is_refused(
    tmp_path: Path, options: dict[str, object], reason: str
) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(PLAIN, encoding="utf-8")
    with pytest.raises(TraceError, match=reason):
        TraceSource(path=path, **options)  # type: ignore[arg-type] # options of several types in one table


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kind": IntensityKind.MARGINAL}, "holds average values .* can't be read as marginal"),
        ({"column": "ci_direct", "basis": Basis.LIFECYCLE}, "holds direct values"),
        ({"time_zone": "Europe/Berlin"}, "written in UTC"),
    ],
)
def test_an_option_never_relabels_what_the_file_says(tmp_path: Path, options: dict[str, object], reason: str) -> None:
    path = tmp_path / "em.csv"
    path.write_text(
        "datetime_utc,zone,ci_direct,ci_lca\n2021-01-01 00:00,DE,1,2\n2021-01-01 01:00,DE,3,4\n", encoding="utf-8"
    )
    with pytest.raises(TraceError, match=reason):
        TraceSource(path=path, **options)  # type: ignore[arg-type] # options of several types in one table


def test_a_value_that_is_too_large_for_its_unit_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(PLAIN.replace(",2", ",1e306"), encoding="utf-8")
    with pytest.raises(TraceError, match=r"plain\.csv:3: value 1e306 is too large for its unit"):
        TraceSource(path=path, unit=IntensityUnit.KG_PER_KWH)


def test_a_zone_that_the_file_does_not_name_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "em.csv"
    path.write_text("datetime_utc,zone,ci_lca\n2021-01-01 00:00,DE,2\n2021-01-01 00:00,FR,1\n", encoding="utf-8")
    with pytest.raises(UnknownZoneError, match=r"em\.csv: has no zone 'SE'; there are 'DE', 'FR'"):
        TraceSource(path=path, zone="SE")


def test_a_local_time_that_the_clock_skips_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "local.csv"
    path.write_text("time,intensity\n2021-03-28 01:30,1\n2021-03-28 02:30,2\n", encoding="utf-8")
    with pytest.raises(TraceError, match=r":3: .* does not exist in Europe/Berlin"):
        TraceSource(path=path, time_zone="Europe/Berlin")


def test_a_missing_file_lists_what_is_bundled(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no such file; bundled are bundled:DK_2019"):
        TraceSource(path=tmp_path / "absent.csv")
    with pytest.raises(TraceError, match="'Atlantis' is bundled; there are: DK_2019"):
        TraceSource(path=Path("bundled:Atlantis"))


def test_a_folder_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="this is a folder"):
        TraceSource(path=tmp_path)


def test_a_file_below_a_file_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(TraceError, match="can't be read"):
        TraceSource(path=tmp_path / "file" / "trace.csv")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"time,intensity\n", "not a complete gzip file"),
        (gzip.compress(PLAIN.encode())[:-9], "not a complete gzip file"),
        (gzip.compress(PLAIN.encode())[:12] + b"\xff" * 40, "not a complete gzip file"),
        (gzip.compress("time,intensität\n".encode("latin-1")), "not UTF-8 .* iconv"),
    ],
    ids=["plain", "cut", "damaged", "latin-1"],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=reason):
        TraceSource(path=path)
