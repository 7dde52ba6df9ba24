"""Grids are looked at for as long as a search may want to know of them, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from carbon_sources.clock import SimulatedClock
from carbonnas.config import SearchConfig
from carbonnas.config_file import load_config
from carbonnas.daemon.grids import Grids
from carbonnas.daemon.service import Daemon
from carbonnas.daemon.surroundings import Surroundings
from carbonnas.errors import ConfigError
from carbonnas.grid import GridSettings
from carbonnas.plugins import PluginChoice
from carbonnas.storage.memory import MemoryStore
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.searches import STARTS_AT, write_simulated_search

MINUTE = timedelta(minutes=1)
GRACE = 60 * MINUTE


@pytest.fixture
def config(tmp_path: Path) -> SearchConfig:
    config, _ = load_config(write_simulated_search(tmp_path))
    return config


@pytest.fixture
def grids() -> Grids:
    return Grids(SimulatedClock(STARTS_AT), MemoryStore().archive, simulated=True)


def names(grids: Grids) -> list[str]:
    assert [view.name for view in grids.views(STARTS_AT)] == list(grids.monitors)
    return list(grids.monitors)


def test_a_grid_is_forgotten_an_hour_after_the_last_search_on_it_has_ended(config: SearchConfig, grids: Grids) -> None:
    for search_id in ("one", "two"):
        grids.join(config, search_id)
    grids.end("one")
    grids.forget_unused(STARTS_AT + GRACE)
    grids.end("two")
    for now in (STARTS_AT + 2 * GRACE, STARTS_AT + 3 * GRACE - MINUTE):
        grids.forget_unused(now)
        assert names(grids) == ["trace"]
        assert grids.views(now)[0].searches == ()
    grids.forget_unused(STARTS_AT + 3 * GRACE)
    assert names(grids) == []


def test_a_search_that_waits_to_be_opened_again_keeps_its_grid(config: SearchConfig, grids: Grids) -> None:
    grids.join(config, "one")
    grids.leave("one")
    for hours in range(48):
        grids.forget_unused(STARTS_AT + hours * GRACE)
    assert grids.views(STARTS_AT)[0].searches == ("one",)


def test_a_search_that_comes_within_the_hour_finds_what_is_known(config: SearchConfig, grids: Grids) -> None:
    grids.join(config, "one")
    (known,) = grids.monitors.values()
    grids.end("one")
    grids.forget_unused(STARTS_AT)
    grids.forget_unused(STARTS_AT + GRACE - MINUTE)
    grids.join(config, "two")
    for now in (STARTS_AT + GRACE, STARTS_AT + 9 * GRACE):
        grids.forget_unused(now)
    assert list(grids.monitors.values()) == [known]


def test_a_clock_that_is_set_back_makes_nobody_look_longer(config: SearchConfig, grids: Grids) -> None:
    grids.join(config, "one")
    grids.end("one")
    grids.forget_unused(STARTS_AT + 9 * GRACE)
    grids.forget_unused(STARTS_AT)
    grids.forget_unused(STARTS_AT + GRACE)
    assert names(grids) == []


def test_the_grid_that_the_daemon_watches_stays_until_it_watches_another(config: SearchConfig, grids: Grids) -> None:
    own = GridSettings.of(config)
    grids.watch(own)
    grids.forget_unused(STARTS_AT)
    grids.forget_unused(STARTS_AT + 9 * GRACE)
    assert names(grids) == ["trace"]
    grids.watch(replace(own, carbon_source=PluginChoice("constant", {"g_per_kwh": 100.0, "zone": "X"})))
    grids.forget_unused(STARTS_AT + 9 * GRACE)
    grids.forget_unused(STARTS_AT + 10 * GRACE)
    assert names(grids) == ["constant X"]
    grids.watch(None)
    grids.forget_unused(STARTS_AT + 10 * GRACE)
    grids.forget_unused(STARTS_AT + 11 * GRACE)
    assert names(grids) == []


def test_a_grid_that_cannot_be_made_leaves_the_one_that_is_watched(config: SearchConfig, grids: Grids) -> None:
    own = GridSettings.of(config)
    grids.watch(own)
    with pytest.raises(ConfigError):
        grids.watch(replace(own, carbon_source=PluginChoice("trace", {"path": "nowhere.csv"})))
    grids.forget_unused(STARTS_AT)
    grids.forget_unused(STARTS_AT + 9 * GRACE)
    assert names(grids) == ["trace"]


@pytest.mark.slow
def test_the_daemon_polls_the_grid_of_a_search_and_stops_an_hour_after_its_end(tmp_path: Path) -> None:
    made, told = SimulatedDaemon(tmp_path / "daemon"), list[str]()
    made.daemon.close()
    around = Surroundings(
        tmp_path / "other",
        made.clock,
        made.check,
        lambda name, _poll: told.append(f"{name} is polled"),
        lambda name: told.append(f"{name} is polled no more"),
        simulated=True,
    )
    made.daemon = Daemon(made.config, around)
    made.daemon.open()
    for again in range(2):
        view = made.run(until=made.clock.now() + 10 * MINUTE)
        assert view.grids == ()
        search_id = made.submit(write_simulated_search(tmp_path / f"search-{again}", rounds=1))
        view = made.run(until=made.clock.now() + MINUTE)
        assert [grid.searches for grid in view.grids] == [(search_id,)]
        view = made.run()
        assert [grid.name for grid in view.grids] == ["trace"]
        view = made.run(until=view.now + 3 * GRACE)
        assert view.grids == ()
    assert told == ["trace is polled", "trace is polled no more"] * 2
    made.daemon.close()
