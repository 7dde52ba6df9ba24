"""Eight weeks of polling a provider that fails at random, in simulated time with a real server and a real database."""

from __future__ import annotations

import gc
import random
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from carbon_sources.archive import Subject
from carbon_sources.cache import CachedSource
from carbon_sources.clock import SimulatedClock, monotonic_s
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpLimits
from carbon_sources.interval import Interval
from carbon_sources.monitor import IntensityMonitor, Polling
from carbon_sources.testing_server import fake_provider
from carbonnas.storage.store import Store
from tests.carbon_sources.fakes.electricity_maps import FakeElectricityMaps
from tests.carbon_sources.fakes.faults import Fault

pytestmark = pytest.mark.slow

WEEKS = 8
HOUR = timedelta(hours=1)
SLOW = {Fault.SLOW_DRIP}
"""Faults that take real time to notice; they are played in the test of each fault."""


def test_eight_weeks_of_random_faults_leave_every_interval_once_and_no_memory_behind(tmp_path: Path) -> None:
    fake, rng = FakeElectricityMaps(), random.Random(8)  # noqa: S311 -- repeatable
    faults = [fault for fault in fake.faults if fault not in SLOW]
    clock, start = SimulatedClock(fake.now), fake.now
    store = Store(tmp_path / "carbonnas.sqlite3")

    def monotonic() -> float:
        return monotonic_s() + (clock.now() - start).total_seconds()

    http = HttpClient(
        rng=rng,
        wait=lambda _: None,
        monotonic=monotonic,
        limits=HttpLimits(attempts=2, pause_s=0),
    )
    sizes: list[int] = []
    with fake_provider(fake.reply) as server:
        source = fake.source(http, server.url)
        cached = CachedSource(source, store.archive, clock)
        monitor = IntensityMonitor(cached, Polling(timedelta(minutes=15), 48 * HOUR, 24 * HOUR, source.revised_for))
        while clock.now() < start + timedelta(weeks=WEEKS):
            if rng.random() < 0.1:
                fake.fault = rng.choice(faults)
            elif rng.random() < 0.3:
                fake.fault = None
            monitor.observe(clock.now())
            monitor.health(clock.now())
            clock.advance(clock.now() + HOUR)
            fake.now = clock.now()
            if (clock.now() - start) % timedelta(weeks=1) < HOUR:
                server.asked.clear()
                gc.collect()
                sizes.append(psutil.Process().memory_info().rss)
        fake.fault = None
        seen = monitor.observe(clock.now())
    assert seen.problem is None
    kept = store.archive.series(Subject.of(source), Interval(start, clock.now() - 2 * HOUR))
    hours = {sample.interval.start for sample in kept}
    assert len(hours) == len(kept), "each interval is there once"
    assert [sample for sample in kept if not fake.is_true(sample)] == []
    assert len(kept) * HOUR >= timedelta(weeks=WEEKS) - 4 * HOUR, "what an outage hid was fetched after it"
    # The first weeks fill the lookback, the caches of the modules and the pools.
    assert max(sizes[3:]) - sizes[2] < 8_000_000, sizes
