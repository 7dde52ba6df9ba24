"""Many simulations, in one process or several; what comes out does not depend on how many."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from carbon_sources.errors import CarbonSourceError
from carbonnas.errors import CarbonNASError, ExecutionError
from carbonnas.execution.parent_death import die_with_parent
from carbonnas.report.simulation_model import SimulatedRun
from carbonnas.simulation.forecasts import Lesson
from carbonnas.simulation.setting import Competitor, Setting
from carbonnas.simulation.simulator import Simulator
from schedulers.errors import SchedulingError

T = TypeVar("T")

_here: list[Simulator] = []
"""The simulator of a worker process, made once."""


class Progress(Protocol):
    """Is told how far a tournament is."""

    def begin(self, what: str, total: int) -> Callable[[str], None]:
        """Return what is called after each of `total` pieces of work, with its name."""


class _Hands(Protocol):
    """Who does the work: this process, or others."""

    def each(self, calls: Mapping[str, Callable[[Simulator], T]], done: Callable[[str], None]) -> dict[str, T]:
        """Return what each of the named calls gives; `done` is told the name of each that has ended."""


@dataclass(frozen=True, slots=True)
class Tournament:
    """Who is simulated, and how often.

    Attributes:
        setting: What all have in common.
        competitors: The schedulers.
        seeds: The seeds of each.
        ends_at: The end of all simulations if it is known: forecasts until then are made once, before. Otherwise each process makes
            those that it needs.
    """

    setting: Setting
    competitors: tuple[Competitor, ...]
    seeds: tuple[int, ...]
    ends_at: datetime | None

    def play(self, processes: int, progress: Progress) -> list[tuple[Competitor, tuple[SimulatedRun, ...]]]:
        """Return the runs of each competitor, in the order of the seeds.

        Args:
            processes: How many processes share the work, at least 1.
            progress: Is told what is done.

        Raises:
            ExecutionError: If a search can't be run; the sentence says why.
        """
        jobs = {
            f"{competitor.name}, seed {seed}": (competitor, seed)
            for competitor in self.competitors
            for seed in self.seeds
        }
        with _hands(self.setting, min(processes, len(jobs))) as hands:
            lessons = self._learn(hands, progress)
            calls = {name: functools.partial(_run, job=job, lessons=lessons) for name, job in jobs.items()}
            runs = hands.each(calls, progress.begin("searches", len(jobs)))
        return [
            (competitor, tuple(runs[f"{competitor.name}, seed {seed}"] for seed in self.seeds))
            for competitor in self.competitors
        ]

    def _learn(self, hands: _Hands, progress: Progress) -> dict[int, Lesson]:
        if self.ends_at is None or not any(competitor.uses_forecast for competitor in self.competitors):
            return {}
        numbers = {f"lesson {number}": number for number in self.setting.lessons_until(self.ends_at)}
        calls = {name: functools.partial(_learn, number=number) for name, number in numbers.items()}
        told = progress.begin("lessons of the forecaster", len(calls))
        return {numbers[name]: lesson for name, lesson in hands.each(calls, told).items()}


def _learn(simulator: Simulator, number: int) -> Lesson:
    return simulator.forecasts.learn(number)


def _run(simulator: Simulator, job: tuple[Competitor, int], lessons: Mapping[int, Lesson]) -> SimulatedRun:
    for number, lesson in lessons.items():
        simulator.forecasts.add(number, lesson)
    return simulator.run(*job)


def _attempt(call: Callable[[Simulator], T], simulator: Simulator, name: str) -> T:
    """Return what a call gives; every refusal becomes one kind of error, which can be sent from process to process."""
    try:
        return call(simulator)
    except (CarbonNASError, CarbonSourceError, SchedulingError) as error:
        raise ExecutionError(f"{name}: {error}") from error


@contextmanager
def _hands(setting: Setting, processes: int) -> Iterator[_Hands]:
    if processes == 1:
        yield _Alone(Simulator(setting))
        return
    # Spawned processes import everything anew: nothing of this one's state gets into a result.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=(setting, os.getpid()))
    try:
        yield _Together(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Alone:
    """This process does everything."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def each(self, calls: Mapping[str, Callable[[Simulator], T]], done: Callable[[str], None]) -> dict[str, T]:
        results: dict[str, T] = {}
        for name, call in calls.items():
            results[name] = _attempt(call, self._simulator, name)
            done(name)
        return results


class _Together:
    """The processes of a pool share the work."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def each(self, calls: Mapping[str, Callable[[Simulator], T]], done: Callable[[str], None]) -> dict[str, T]:
        try:
            futures = {self._pool.submit(_work, call, name): name for name, call in calls.items()}
            for future in as_completed(futures):
                future.result()
                done(futures[future])
        except BrokenProcessPool as error:
            raise ExecutionError(
                "a process that simulates was killed or could not begin: if memory is short, use fewer --processes"
            ) from error
        return {name: future.result() for future, name in futures.items()}


def _prepare(setting: Setting, parent: int) -> None:
    die_with_parent(parent)
    # An interrupt from the terminal reaches all processes; the first one tells of it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _here.append(Simulator(setting))


def _work(call: Callable[[Simulator], T], name: str) -> T:
    return _attempt(call, _here[0], name)
