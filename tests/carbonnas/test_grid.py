"""The grid of a configuration: its source, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from carbon_sources.archive import MemoryArchive
from carbon_sources.clock import SimulatedClock, SystemClock
from carbon_sources.testing_server import FakeProvider, fake_provider
from carbonnas.grid import make_source
from carbonnas.plugins import PluginChoice
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid, half_hour_of

HOUR = timedelta(hours=1)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    api = FakeNationalGrid()
    api.now = SystemClock().now()
    with fake_provider(api.reply) as server:
        yield server


def test_what_a_search_in_another_time_fetches_is_stamped_with_the_time_of_the_machine(provider: FakeProvider) -> None:
    then = half_hour_of(SystemClock().now()) - timedelta(days=30)
    choice = PluginChoice("national_grid", {"base_url": provider.url})
    archive = MemoryArchive()
    for _ in range(2):
        source = make_source(choice, SimulatedClock(then), archive)
        assert len(source.history(then - 3 * HOUR, then)) == 6
        # Fetched thirty days after it came, it can't change any more, so the second source asks nobody.
        assert len(provider.asked) == 1


def test_nothing_is_kept_of_a_source_on_this_machine() -> None:
    source = make_source(PluginChoice("constant", {"g_per_kwh": 5.0}), SystemClock(), MemoryArchive())
    assert type(source).__name__ == "ConstantSource"
