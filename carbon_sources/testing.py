"""The laws that every carbon source obeys, as tests to inherit.

A provider's test file subclasses `CarbonSourceConformance` and supplies one fixture named `case`. Needs pytest, which is
not installed with the package.
"""
# ruff: noqa: S101 -- these are tests

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from carbon_sources.intensity import IntensitySample, Provenance
from carbon_sources.interval import require_utc
from carbon_sources.source import CarbonSource


@dataclass(frozen=True, slots=True)
class SourceCase:
    """A source with times at which it can be asked.

    Attributes:
        source: The source under test.
        start: Start of a stretch in which it knows the intensity, UTC.
        now: End of that stretch and the present, at least two samples after `start`.
        altered: A second source whose data differ only in what begins, or was issued, after `now`; the same source if it
            has no future.
    """

    source: CarbonSource
    start: datetime
    now: datetime
    altered: CarbonSource


class CarbonSourceConformance:
    """Subclass it in a test file, name the subclass `Test...`, and override `case`."""

    @pytest.fixture
    def case(self) -> SourceCase:
        """Return the source to test."""
        raise NotImplementedError("override the fixture 'case'")

    def test_the_case_has_something_to_check(self, case: SourceCase) -> None:
        """The stretch holds two samples at least, and the present has one."""
        assert len(case.source.history(case.start, case.now)) >= 2
        assert case.source.latest(case.now) is not None

    def test_latest_began_by_now(self, case: SourceCase) -> None:
        """The newest sample is never of the future, and belongs to the source's zone, kind and basis."""
        sample = case.source.latest(case.now)
        assert sample is not None
        assert sample.interval.start <= case.now
        self._check_identity(case, sample)

    def test_history_overlaps_what_was_asked_for_and_nothing_else(self, case: SourceCase) -> None:
        """No sample ends by the start or begins at the end or later."""
        for sample in case.source.history(case.start, case.now):
            assert sample.interval.end > case.start
            assert sample.interval.start < case.now
            self._check_identity(case, sample)

    def test_an_empty_span_has_no_history_of_its_own(self, case: SourceCase) -> None:
        """From an instant to itself nothing begins later than it."""
        assert all(s.interval.start < case.start for s in case.source.history(case.start, case.start))

    def test_history_does_not_depend_on_how_it_is_cut(self, case: SourceCase) -> None:
        """Two halves give together what the whole gives."""
        middle = case.start + (case.now - case.start) / 2
        halves = {
            sample.interval: sample
            for series in (case.source.history(case.start, middle), case.source.history(middle, case.now))
            for sample in series
        }
        assert tuple(halves.values()) == case.source.history(case.start, case.now).samples

    def test_latest_agrees_with_history(self, case: SourceCase) -> None:
        """What is measured now is what history tells of now."""
        sample = case.source.latest(case.now)
        assert sample is not None
        if sample.provenance is not Provenance.ESTIMATED:
            told = case.source.history(sample.interval.start, sample.interval.end)
            assert told.at(sample.interval.start) == sample

    def test_the_same_question_has_the_same_answer(self, case: SourceCase) -> None:
        """Asking changes nothing."""
        first = _answers(case.source, case)
        assert _answers(case.source, case) == first

    def test_the_future_changes_nothing(self, case: SourceCase) -> None:
        """A source with another future gives the same answers about the past and the present."""
        assert _answers(case.altered, case) == _answers(case.source, case)

    def test_a_forecast_was_issued_by_now_and_speaks_of_later(self, case: SourceCase) -> None:
        """Expected values lie after the issue and are marked as estimates."""
        forecast = case.source.forecast(case.now)
        if forecast is None:
            return
        assert forecast.issued_at <= case.now
        for sample in forecast.series:
            assert sample.interval.end > forecast.issued_at
            assert sample.provenance in {Provenance.ESTIMATED, Provenance.ASSUMED}
            self._check_identity(case, sample)

    def test_naive_instants_are_refused(self, case: SourceCase) -> None:
        """A time without an offset is never guessed."""
        naive = case.now.replace(tzinfo=None)
        with pytest.raises(ValueError, match="UTC"):
            case.source.latest(naive)
        with pytest.raises(ValueError, match="UTC"):
            case.source.history(naive - timedelta(hours=1), naive)

    @staticmethod
    def _check_identity(case: SourceCase, sample: IntensitySample) -> None:
        source = case.source
        assert (sample.zone, sample.kind, sample.basis) == (source.zone, source.kind, source.basis)
        require_utc(sample.interval.start, "start")


def _answers(source: CarbonSource, case: SourceCase) -> tuple[object, ...]:
    return source.latest(case.now), source.history(case.start, case.now), source.forecast(case.now)
