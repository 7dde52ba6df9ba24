"""Budgets of the daemon over midnights, changes of the clock's offset, and clocks that are set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carbon_sources.clock import SystemClock
from carbon_sources.interval import Interval
from carbonnas.daemon.control import DaemonView
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.searches import write_simulated_search, write_trace

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
BLIND = {"use": "carbon_blind", "percentile": None}

pytestmark = pytest.mark.slow


def daily(limit: str, at_limit: str = "wait") -> str:
    return (
        f'\n[[budgets]]\nname = "day"\nwindow = "day"\nlimit = "{limit}"\nat_limit = "{at_limit}"\n'
        'timezone = "Europe/Berlin"\n'
    )


def a_search(folder: Path, start: datetime, *, rounds: int = 40) -> Path:
    path = write_simulated_search(folder / "search", rounds=rounds, scheduler=BLIND)
    write_trace(folder / "search" / "trace.csv", start=start - timedelta(days=8), hours=24 * 14)
    return path


def spent_by_window(folder: Path, start: datetime, *, days: float, limit: str) -> dict[Interval, list[float]]:
    daemon = SimulatedDaemon(folder / "daemon", more=daily(limit), start=start)
    daemon.submit(a_search(folder, start))
    spent: dict[Interval, list[float]] = {}

    def look(view: DaemonView) -> None:
        state = view.budgets[0].state
        assert state.window is not None
        spent.setdefault(state.window, []).append(state.spent_g)

    daemon.run(until=start + timedelta(days=days), on_view=look)
    daemon.daemon.close()
    return spent


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        (datetime(2021, 3, 27, 12, tzinfo=UTC), [24, 23, 24]),
        (datetime(2021, 10, 30, 12, tzinfo=UTC), [24, 25, 24]),
    ],
)
def test_a_day_lasts_as_long_as_the_wall_clock_of_its_time_zone_says(
    tmp_path: Path, start: datetime, hours: list[int]
) -> None:
    windows = sorted(spent_by_window(tmp_path, start, days=2.5, limit="2 kg"))
    assert [window.duration / HOUR for window in windows][: len(hours)] == hours
    assert {window.start.astimezone(BERLIN).hour for window in windows} == {0}


def test_work_waits_at_the_limit_and_goes_on_at_local_midnight(tmp_path: Path) -> None:
    start = datetime(2021, 3, 27, 12, tzinfo=UTC)
    spent = spent_by_window(tmp_path, start, days=2.5, limit="1500 g")
    first, changed = sorted(spent)[:2]
    # 50 W of rest over a day, at 300 g/kWh on average, is 360 g: what is drawn although all work waits.
    assert max(spent[first]) <= 1500 + 10.5 + 360
    assert 1000 < max(spent[changed]) <= 1500 + 10.5 + 360
    # The new day has its own grams from its first instant on.
    assert spent[changed][0] < 200


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_wall_clock_that_is_set_takes_no_budget_over_its_limit_and_loses_no_energy(
    tmp_path: Path, jump: timedelta
) -> None:
    shown, passed = datetime(2021, 1, 8, 22, 30, tzinfo=UTC), 0.0
    clock = SystemClock(lambda: shown, lambda: passed)
    daemon = SimulatedDaemon(tmp_path / "daemon", more=daily("400 g"), start=clock.now())
    daemon.submit(a_search(tmp_path, clock.now()))
    at_work: list[float] = []

    def look(view: DaemonView) -> None:
        if any(each.status and each.status.running for each in view.searches):
            at_work.append(view.budgets[0].state.spent_g)

    for minute in range(180):
        passed += 60
        shown += timedelta(minutes=1) + (jump if minute == 30 else timedelta(0))
        view = daemon.run(until=clock.now(), on_view=look)
    # The clock that a daemon lives by follows forward and never runs backwards, so no two readings overlap and none is lost.
    assert view.now == clock.now()
    assert max(at_work) <= 400 + 10.5 + 50
    (search,) = view.searches
    store = Store(store_path(daemon.state))
    measured = store.measured(search.header.search_id)
    store.close()
    joined = sorted((sample.interval.start, sample.interval.end) for sample in measured)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(joined))
    daemon.daemon.close()
