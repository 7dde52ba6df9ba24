"""Budgets of the daemon over midnights, changes of the clock's offset, revised values, and clocks that are set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carbon_sources.clock import SystemClock
from carbon_sources.interval import Interval
from carbonnas.daemon.control import DaemonView
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


def test_a_wall_clock_that_is_set_moves_no_energy_into_another_day() -> None:
    # The clock that the daemon lives by never runs backwards, and follows when the wall clock is set forward.
    shown = [datetime(2021, 3, 1, 23, 30, tzinfo=UTC)]
    passed = [0.0]
    clock = SystemClock(lambda: shown[0], lambda: passed[0])
    begin = clock.now()
    shown[0] -= HOUR
    passed[0] += 60
    back = clock.now()
    assert back - begin == timedelta(seconds=60)
    shown[0] += 3 * HOUR
    passed[0] += 60
    assert clock.now() == shown[0]
