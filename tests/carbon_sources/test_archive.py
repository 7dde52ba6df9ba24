"""The archive in memory."""

from __future__ import annotations

import pytest

from carbon_sources.archive import IntensityArchive, MemoryArchive, Subject
from carbon_sources.providers.constant import ConstantSource
from carbon_sources.testing_archive import OTHERS, SUBJECT, IntensityArchiveConformance, hour


class TestMemoryArchive(IntensityArchiveConformance):
    @pytest.fixture
    def archive(self) -> IntensityArchive:
        return MemoryArchive()


def test_a_subject_covers_its_own_samples_alone() -> None:
    assert SUBJECT.covers(hour(0))
    assert not any(SUBJECT.covers(other) for other in OTHERS)


def test_a_source_without_names_is_no_subject_of_any_sample() -> None:
    source = ConstantSource(g_per_kwh=100)
    subject = Subject.of(source)
    assert not any(subject.covers(sample) for sample in source.history(hour(0).interval.start, hour(0).interval.end))
