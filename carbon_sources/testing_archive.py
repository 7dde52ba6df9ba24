"""The laws that every archive obeys, as tests to inherit.

A test file subclasses `IntensityArchiveConformance` and supplies one fixture named `archive`. Needs pytest, which is not installed
with the package.
"""
# ruff: noqa: S101 -- these are tests

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.archive import IntensityArchive, Subject
from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import HOUR, Interval

START = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECT = Subject(frozenset({"one", "two"}), "Z", IntensityKind.AVERAGE, Basis.DIRECT)


def hour(number: int, g_per_kwh: float = 100.0) -> IntensitySample:
    """Return a measured value of the `number`-th hour after `START`, by the source `one`."""
    return IntensitySample(
        interval=Interval(START + number * HOUR, START + (number + 1) * HOUR),
        g_per_kwh=g_per_kwh,
        zone="Z",
        kind=IntensityKind.AVERAGE,
        basis=Basis.DIRECT,
        provenance=Provenance.MEASURED,
        source="one",
    )


def hours(first: int, last: int) -> Interval:
    """Return the time from one hour after `START` to another."""
    return Interval(START + first * HOUR, START + last * HOUR)


def forecast(issued: int, *values: float) -> Forecast:
    """Return a forecast of the hours after the hour of its issue."""
    expected = (replace(hour(issued + i, v), provenance=Provenance.ESTIMATED) for i, v in enumerate(values))
    return Forecast(START + issued * HOUR, IntensitySeries(tuple(expected)))


OTHERS = (
    replace(hour(0), zone="Y"),
    replace(hour(0), kind=IntensityKind.MARGINAL),
    replace(hour(0), basis=Basis.LIFECYCLE),
    replace(hour(0), source="three"),
)
"""Values that are not of `SUBJECT`."""


VERSIONS = (
    replace(hour(0), provenance=Provenance.ESTIMATED),
    replace(hour(0), method="m"),
    replace(hour(0), source="two"),
)
"""Values of the first hour that differ from `hour(0)` in other things than the number."""


class IntensityArchiveConformance:
    """Subclass it in a test file, name the subclass `Test...`, and override `archive`."""

    @pytest.fixture
    def archive(self) -> IntensityArchive:
        """Return an empty archive."""
        raise NotImplementedError("override the fixture 'archive'")

    def test_an_empty_archive_knows_nothing(self, archive: IntensityArchive) -> None:
        """Unknown is a gap, not a number."""
        assert archive.series(SUBJECT, hours(0, 24)).samples == ()
        assert list(archive.forecasts(SUBJECT, hours(0, 24))) == []
        assert archive.newest_forecast(SUBJECT, START) is None

    def test_keeping_nothing_is_fine(self, archive: IntensityArchive) -> None:
        """A source may answer with nothing."""
        archive.keep((), START)
        archive.keep_forecast(Forecast(START, IntensitySeries(())), START)
        assert archive.newest_forecast(SUBJECT, START) is None

    def test_what_is_kept_comes_back_as_it_was(self, archive: IntensityArchive) -> None:
        """All fields, in order of time, by all sources of the subject; gaps stay gaps."""
        odd = replace(hour(1, 0.1 + 0.2), provenance=Provenance.ASSUMED, method="mix \u2265 2 \u20ac", source="two")
        minute = replace(hour(4), interval=Interval(START + 4 * HOUR, START + 4 * HOUR + timedelta(microseconds=1)))
        archive.keep((minute, odd, hour(0)), START)
        assert archive.series(SUBJECT, hours(0, 24)).samples == (hour(0), odd, minute)

    def test_other_subjects_stay_apart(self, archive: IntensityArchive) -> None:
        """Another zone, kind, basis or source is another subject."""
        archive.keep(OTHERS, START)
        for other in OTHERS:
            archive.keep_forecast(Forecast(START, IntensitySeries((other,))), START)
        assert archive.series(SUBJECT, hours(0, 24)).samples == ()
        assert list(archive.forecasts(SUBJECT, hours(0, 24))) == []
        assert archive.newest_forecast(SUBJECT, START) is None

    def test_samples_that_overlap_are_whole_and_those_that_touch_are_left_out(self, archive: IntensityArchive) -> None:
        """An interval begins with its start and ends before its end."""
        archive.keep([hour(number) for number in range(4)], START)
        assert archive.series(SUBJECT, hours(1, 2)).samples == (hour(1),)
        half = timedelta(minutes=30)
        within = Interval(START + HOUR - half, START + HOUR + half)
        assert archive.series(SUBJECT, within).samples == (hour(0), hour(1))

    def test_the_version_that_is_kept_last_counts(self, archive: IntensityArchive) -> None:
        """Also where a provider returns to a value that it had revised."""
        for fetch, value in enumerate((100.0, 90.0, 100.0)):
            archive.keep((hour(0, value),), START + fetch * HOUR)
            assert archive.series(SUBJECT, hours(0, 24)).samples == (hour(0, value),)

    @pytest.mark.parametrize("other", VERSIONS, ids=["provenance", "method", "source"])
    def test_a_version_may_differ_in_anything(self, archive: IntensityArchive, other: IntensitySample) -> None:
        """The same number, known in another way, replaces the one before."""
        for fetch, sample in enumerate((hour(0), other, hour(0), other)):
            archive.keep((sample,), START + fetch * HOUR)
        assert archive.series(SUBJECT, hours(0, 24)).samples == (other,)

    def test_keeping_the_same_again_changes_nothing(self, archive: IntensityArchive) -> None:
        """Providers are asked for the same time again and again."""
        for fetch in range(3):
            archive.keep([hour(number) for number in range(4)], START + fetch * HOUR)
        assert archive.series(SUBJECT, hours(0, 24)).samples == tuple(hour(number) for number in range(4))

    def test_another_length_of_intervals_replaces_the_one_before(self, archive: IntensityArchive) -> None:
        """What is left of the older length is no value of its own, however the question is cut."""
        long = replace(hour(0), interval=hours(0, 2))
        archive.keep((long,), START)
        archive.keep((hour(0, 90),), START + HOUR)
        assert archive.series(SUBJECT, hours(0, 2)).samples == (hour(0, 90),)
        assert archive.series(SUBJECT, hours(1, 2)).samples == ()

    def test_a_value_is_settled_once_it_was_kept_after_its_last_revision(self, archive: IntensityArchive) -> None:
        """Here revisions end two hours after the interval: those of hours 0, 1 and 2 three, four and five hours after the start."""
        samples = [hour(number) for number in range(3)]
        archive.keep(samples, START + 4.5 * HOUR)
        assert archive.settled(SUBJECT, hours(0, 24), 2 * HOUR) == [hours(0, 1), hours(1, 2)]
        assert archive.settled(SUBJECT, hours(1, 24), 2 * HOUR) == [hours(1, 2)]
        archive.keep(samples, START + 5.5 * HOUR)
        assert archive.settled(SUBJECT, hours(0, 24), 2 * HOUR) == [hours(0, 1), hours(1, 2), hours(2, 3)]

    def test_a_forecast_comes_back_as_it_was(self, archive: IntensityArchive) -> None:
        """With its quantiles, its methods and its gaps."""
        first, _, third = forecast(0, 100.5, 1, 1 / 3).series.samples
        whole = Forecast(
            START, IntensitySeries((first, replace(third, method="m"))), (0.05, 0.95), ((90.0, 110.0), (0.0, 0.1))
        )
        archive.keep_forecast(whole, START)
        assert archive.newest_forecast(SUBJECT, START) == whole

    def test_of_one_issue_the_first_forecast_counts(self, archive: IntensityArchive) -> None:
        """What was expected is not made better afterwards."""
        archive.keep_forecast(forecast(0, 100), START)
        archive.keep_forecast(forecast(0, 50), START + HOUR)
        assert archive.newest_forecast(SUBJECT, START) == forecast(0, 100)

    def test_the_newest_forecast_is_not_of_the_future(self, archive: IntensityArchive) -> None:
        """An issue at the very instant counts, a later one does not."""
        for issued in (3, 1, 2):
            archive.keep_forecast(forecast(issued, 100 + issued), START)
        assert archive.newest_forecast(SUBJECT, START) is None
        assert archive.newest_forecast(SUBJECT, START + 2 * HOUR) == forecast(2, 102)
        assert archive.newest_forecast(SUBJECT, START + 99 * HOUR) == forecast(3, 103)

    def test_forecasts_are_listed_in_the_order_of_their_issue(self, archive: IntensityArchive) -> None:
        """From the start of the interval to before its end."""
        for issued in (3, 0, 2, 1):
            archive.keep_forecast(forecast(issued, 100 + issued), START)
        assert list(archive.forecasts(SUBJECT, hours(1, 3))) == [forecast(1, 101), forecast(2, 102)]
