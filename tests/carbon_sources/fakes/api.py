"""What every fake provider is: a server with a world of its own, a contract that it insists on, and faults that it can play."""

from __future__ import annotations

import functools
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpLimits
from carbon_sources.intensity import IntensitySample
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource
from carbon_sources.testing_server import Asked, Reply
from tests.carbon_sources.fakes.faults import TRANSPORT, Fault, spoil

NOW = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)


def client() -> HttpClient:
    """Return a client that asks twice and never waits."""
    limits = HttpLimits(attempts=2, pause_s=0.0, rest_s=0.0)
    return HttpClient(rng=random.Random(0), wait=lambda _: None, limits=limits)  # noqa: S311 -- spreads retries


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """A parser, as a function of the document alone, and a healthy document: parsed JSON, or bytes where the provider sends XML."""

    name: str
    parse: Callable[[Any], object]
    document: object


class FakeApi(ABC):
    """One provider's server. Subclasses answer as the real one does at the instant `now`, about a grid of their own.

    A request that breaks the provider's contract (a header or parameter that is missing, wrong or superfluous) gets the
    provider's own error and is noted in `violations`, which tests expect to stay empty.

    Attributes:
        name: The plug-in's name.
        own_faults: Faults of this provider's own that `answer` can play, besides those that every server has.
        harmless: Those of them that belong to the contract, so that the client reads through them without a word.
        now: The present of the server.
        fault: The fault to play, if any.
        violations: What was wrong with the requests so far.
    """

    name: str
    own_faults: frozenset[Fault] = frozenset()
    harmless: frozenset[Fault] = frozenset()

    def __init__(self) -> None:
        self.now = NOW
        self.fault: Fault | None = None
        self.violations: list[str] = []

    @property
    def faults(self) -> list[Fault]:
        """All faults that this provider can be befallen by, in the order of their numbers."""
        return [fault for fault in Fault if fault in TRANSPORT or fault in self.own_faults]

    def reply(self, asked: Asked) -> Reply:
        """Answer a request, with the fault if there is one."""
        healthy = self.answer(asked)
        return spoil(self.fault, healthy) if self.fault is not None and self.fault in TRANSPORT else healthy

    def refuse(self, violation: str, reply: Reply) -> Reply:
        """Note that a request broke the contract, and answer with the provider's own error."""
        self.violations.append(violation)
        return reply

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """Answer a request, playing the fault if it is one of the provider's own."""

    @abstractmethod
    def source(self, http: HttpClient, url: str) -> CarbonSource:
        """Return the client under test, asking the server at `url`."""

    @abstractmethod
    def expected(self, interval: Interval) -> float:
        """Return what the client has to report for an interval, in g/kWh, by this fake's world and its own arithmetic.

        The client's conversions (pounds, mixes, tons per MWh) are to be calculated here anew, not imported.
        """

    @abstractmethod
    def fuzz_targets(self) -> list[FuzzTarget]:
        """Return every parser of the client with a healthy document for it."""

    def is_true(self, sample: IntensitySample) -> bool:
        """Say whether a sample tells what this world is like."""
        return math.isclose(sample.g_per_kwh, self.expected(sample.interval), rel_tol=1e-6, abs_tol=0.51)


@functools.lru_cache(maxsize=50_000)
def wave(instant: datetime, mean: float = 300.0, swing: float = 100.0) -> float:
    """Return a value that swings once a day around `mean`; whole, and never the same in two neighbouring hours."""
    hours = (instant - datetime(2026, 1, 1, tzinfo=UTC)) / timedelta(hours=1)
    return round(mean + swing * math.sin(2 * math.pi * hours / 24 + 0.4) + 10 * math.sin(hours * 1.7))
