"""Every provider with every fault that can befall it, over real sockets: nothing crashes, hangs, lies or gets lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from carbon_sources.archive import MemoryArchive, Subject
from carbon_sources.cache import CachedSource
from carbon_sources.clock import SimulatedClock, monotonic_s
from carbon_sources.health import Health
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpAnswer, HttpLimits, HttpRequest
from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import Interval
from carbon_sources.monitor import IntensityMonitor, Observation, Polling
from carbon_sources.source import CarbonSource
from carbon_sources.testing_server import fake_provider
from tests.carbon_sources.fakes.api import FakeApi
from tests.carbon_sources.fakes.faults import HARMLESS, Fault
from tests.carbon_sources.fakes.registry import FAKES

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
HASTY = HttpLimits(connect_s=1.0, read_s=0.6, total_s=6.0, attempts=2, backoff_s=0.01, pause_s=0.0)
PATIENT = HttpLimits(connect_s=30.0, read_s=30.0, total_s=120.0, attempts=2, backoff_s=0.01, pause_s=0.0)
"""Where nothing is slow on purpose, a busy machine must not look like a fault."""
QUESTIONS = 12
"""More than any client needs for one look: every piece of the history, the newest value, the forecast, a login."""

CASES = [pytest.param(fake, fault, id=f"{fake.name}-{fault.value}") for fake in FAKES for fault in fake().faults]


class Client(HttpClient):
    """Gives a provider up soon only while it drips, so that nothing else that is late looks like a fault."""

    def __init__(self, fake: FakeApi, monotonic: Callable[[], float]) -> None:
        self._fake = fake
        rng = random.Random(0)  # noqa: S311 -- jitter
        super().__init__(rng=rng, wait=lambda _: None, monotonic=monotonic, limits=PATIENT)
        self._hasty = HttpClient(rng=rng, wait=lambda _: None, monotonic=monotonic, limits=HASTY)

    def get(self, request: HttpRequest, *, reads: Collection[int] = ()) -> HttpAnswer:
        if self._fake.fault is Fault.SLOW_DRIP:
            return self._hasty.get(request, reads=reads)
        return super().get(request, reads=reads)


@dataclass
class Desk:
    """A monitor that looks at a fake provider, hour by hour."""

    fake: FakeApi
    source: CarbonSource
    clock: SimulatedClock
    archive: MemoryArchive
    monitor: IntensityMonitor

    def look(self, hours: float) -> tuple[Observation, Health]:
        """Let time pass and look, which must not take longer than the timeouts allow."""
        self.clock.advance(self.clock.now() + hours * HOUR)
        self.fake.now = self.clock.now()
        began = monotonic_s()
        seen = self.monitor.observe(self.clock.now(), self.clock.now() - 30 * HOUR)
        assert monotonic_s() - began < QUESTIONS * PATIENT.total_s
        return seen, self.monitor.health(self.clock.now())

    def kept(self) -> list[IntensitySample]:
        now = self.clock.now()
        return list(self.archive.series(Subject.of(self.source), Interval(now - timedelta(days=60), now + 9 * HOUR)))


@contextmanager
def desk(fake: FakeApi) -> Iterator[Desk]:
    with fake_provider(fake.reply) as server:
        began, archive, clock = fake.now, MemoryArchive(), SimulatedClock(fake.now)

        def monotonic() -> float:
            return monotonic_s() + (clock.now() - began).total_seconds()

        source = fake.source(Client(fake, monotonic), server.url)
        cached = CachedSource(source, archive, clock)
        polling = Polling(timedelta(minutes=5), 24 * HOUR, 24 * HOUR, max(source.revised_for, 48 * HOUR))
        yield Desk(fake, source, clock, archive, IntensityMonitor(cached, polling))


@pytest.mark.parametrize(("fake_class", "fault"), CASES)
def test_a_fault_is_told_and_nothing_false_is_kept_and_nothing_is_lost(fake_class: type[FakeApi], fault: Fault) -> None:
    fake = fake_class()
    with desk(fake) as at:
        seen, _ = at.look(0)
        assert seen.problem is None
        before = at.kept()
        assert before, "there is something that could be lost"
        fake.fault = fault
        said: list[str] = []
        for _ in range(3):
            _, health = at.look(1.1)
            said.extend(health.sentences)
        fake.fault = None
        for hours in (1.1, 0.6, 30, 1.1):
            seen, health = at.look(hours)
        assert seen.problem is None
        assert health.failures == 0
        after = at.kept()
        assert [s for s in after if not fake.is_true(s)] == []
        assert {s.interval for s in before} <= {s.interval for s in after}
        assert fake.violations == []
        assert fault in HARMLESS | fake.harmless or [text for text in said if "estimate and may be" not in text]


@pytest.mark.parametrize("fake_class", FAKES, ids=lambda fake: fake.name)
def test_a_healthy_provider_is_followed_without_a_word_of_trouble(fake_class: type[FakeApi]) -> None:
    fake = fake_class()
    with desk(fake) as at:
        for _ in range(30):
            seen, health = at.look(1)
            assert seen.problem is None
            assert health.failures == 0
        kept = [sample for sample in at.kept() if sample.interval.end <= at.clock.now() - at.source.usual_delay - HOUR]
        assert all(fake.is_true(sample) for sample in kept)
        span = kept[-1].interval.end - kept[0].interval.start
        assert span >= 40 * HOUR
        assert sum((s.interval.duration for s in kept), timedelta(0)) == span, "there is no gap"
        assert fake.violations == []
