"""A search that looks for networks to propose, in a daemon with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonnas.costs.table import LatencyTable
from carbonnas.daemon.control import Phase, SearchView
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.store import Store
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.pages_words import why

pytestmark = pytest.mark.slow

LIMIT = '[[limits]]\nmetric = "latency_ms"\nat_most = 1.0\n'


def search_in_vain(folder: Path) -> Path:
    """Write a search of whose networks none keeps its limit: the table knows one of them, which is too slow."""
    path = write_simulated_search(folder, search={"name": "in vain"}, costs={"latency_table": "table.json"})
    space = NASBench201()
    table = LatencyTable("a phone", architectures={space.key((0, 0, 0, 1, 0, 0)): 9.0})
    (folder / "table.json").write_text(table.to_json(), encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8") + LIMIT, encoding="utf-8")
    return path


def test_a_search_that_looks_in_vain_is_stepped_at_once_and_others_go_on_meanwhile(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon", slots=4)
    in_vain = daemon.submit(search_in_vain(tmp_path / "vain"))
    other = daemon.submit(write_simulated_search(tmp_path / "other", search={"name": "other"}, rounds=3))
    looks, beside = 0, 0
    while daemon.daemon.view().searches or not looks:
        next_at = daemon.daemon.step()
        view = daemon.daemon.view()
        looking = [each for each in view.searches if each.status is not None and each.status.looking is not None]
        if any(each.header.search_id == in_vain for each in looking):
            assert next_at == view.now
            looks += 1
            beside += any(
                each.header.search_id == other and each.status and each.status.running for each in view.searches
            )
        daemon.daemon.rest(next_at)
    # A thousand proposals, 32 at a time.
    assert looks >= 1000 // 32
    assert beside > 0
    daemon.daemon.close()
    store = Store(store_path(daemon.state))
    ended, others = load_record(store, in_vain), load_record(store, other)
    store.close()
    assert ended.trials == ()
    assert ended.exhausted is not None
    trained = [t for t in others.trials if t.kind is TrialKind.TRAIN and t.state is TrialState.COMPLETED]
    assert len(trained) == 3 * 2 + 1


def test_a_search_that_is_paused_looks_no_further_and_goes_on_where_it_was(tmp_path: Path) -> None:
    daemon = SimulatedDaemon(tmp_path / "daemon")
    search_id = daemon.submit(search_in_vain(tmp_path / "vain"))
    while not (told := _told(daemon)):
        daemon.daemon.step()
    assert "Looks for networks to propose in round 1 of 6" in told
    daemon.daemon.pause(search_id)
    for _ in range(3):
        next_at = daemon.daemon.step()
    (view,) = daemon.daemon.view().searches
    assert view.phase is Phase.PAUSED
    assert next_at > daemon.daemon.view().now
    paused = _asks(daemon, search_id)
    assert 0 < paused < 1000
    daemon.daemon.step()
    assert _asks(daemon, search_id) == paused
    daemon.daemon.resume(search_id)
    while _asks(daemon, search_id) == paused:
        daemon.daemon.step()
    assert paused < _asks(daemon, search_id) <= paused + 32
    daemon.daemon.close()


def test_a_search_that_has_found_its_round_begins_it_at_once(tmp_path: Path) -> None:
    daemon, looked = SimulatedDaemon(tmp_path / "daemon", slots=2), 0
    more_than_a_step = {"score_per_round": 60, "lookahead_rounds": 0}
    daemon.submit(write_simulated_search(tmp_path / "search", rounds=2, search=more_than_a_step))
    while not daemon.daemon.view().searches or _told(daemon) or looked < 2:
        next_at = daemon.daemon.step()
        view = daemon.daemon.view()
        for each in view.searches:
            looked += each.status is not None and each.status.looking is not None
            begins = each.status is not None and each.granted > len(each.status.running)
            assert next_at == view.now or not begins
        daemon.daemon.rest(next_at)
    daemon.daemon.close()


def _told(daemon: SimulatedDaemon) -> str | None:
    views: tuple[SearchView, ...] = daemon.daemon.view().searches
    return next((why(view) for view in views if view.status is not None and view.status.looking), None)


def _asks(daemon: SimulatedDaemon, search_id: str) -> int:
    store = Store(store_path(daemon.state))
    round_ = store.progress(search_id).position.open_round
    store.close()
    return 0 if round_ is None else round_.asks
