"""A recording is replayed as it was."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.providers.trace import TraceSource
from carbon_sources.traces.file import FORMULA, guarded, unguarded
from carbon_sources.traces.writer import trace_csv

START = datetime(2026, 3, 1, tzinfo=UTC)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    ["=1+1", "'=1+1", "''", "@x", "-2", "\t", "a,b", 'say "no"', "[red]x[/red]", "</script>", "\x1b[31m", "a\r\nb"]
)
ROW = st.tuples(
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=3)),
    st.floats(0, 1e9),
    st.sampled_from(Provenance),
    TEXT.filter(bool) | HOSTILE,
    TEXT | HOSTILE,
)


@st.composite
def recordings(draw: st.DrawFn) -> IntensitySeries:
    zone, kind, basis = (
        draw(TEXT.filter(bool) | HOSTILE),
        draw(st.sampled_from(IntensityKind)),
        draw(st.sampled_from(Basis)),
    )
    samples, at = [], START
    for pause, length, value, provenance, source, method in draw(st.lists(ROW, min_size=1, max_size=6)):
        interval = Interval(at + pause, at + pause + length)
        samples.append(IntensitySample(interval, value, zone, kind, basis, provenance, source, method))
        at = interval.end
    return IntensitySeries(tuple(samples))


@settings(deadline=None)
@given(series=recordings())
def test_the_trace_source_replays_a_recording_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, series: IntensitySeries
) -> None:
    path = tmp_path_factory.getbasetemp() / "recording.csv"
    path.write_bytes(trace_csv(series))
    source, first = TraceSource(path=path), series.samples[0]
    assert source.series == series
    assert (source.zone, source.kind, source.basis) == (first.zone, first.kind, first.basis)
    assert sum(gap.seconds for gap in source.gaps) == pytest.approx(
        (series.samples[-1].interval.end - first.interval.start).total_seconds()
        - sum(sample.interval.seconds for sample in series)
    )


@given(series=recordings())
def test_no_cell_of_a_recording_is_run_by_a_spreadsheet(series: IntensitySeries) -> None:
    for row in csv.reader(io.StringIO(trace_csv(series).decode(), newline="")):
        assert not any(cell.startswith(FORMULA[:-1]) for cell in row)


@given(text=TEXT | HOSTILE)
def test_a_guarded_text_is_the_same_text(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_a_file_without_a_source_is_the_source_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("start,end,g_per_kwh\n2026-03-01T00:00Z,2026-03-01T01:00Z,5\n", encoding="utf-8")
    (sample,) = TraceSource(path=path).series
    assert (sample.source, sample.method) == ("mine.csv", "")


def test_other_layouts_may_have_a_column_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text(
        "datetime_utc,carbon_intensity,source\n2026-03-01T00:00Z,5,wind\n2026-03-01T01:00Z,6,sun\n", encoding="utf-8"
    )
    assert {sample.source for sample in TraceSource(path=path).series} == {"other.csv"}
