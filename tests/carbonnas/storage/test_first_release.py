"""A store that the first release wrote is upgraded, read, and gone on with.

`first_release.sql` is what that release left: one search that its deadline ended, and one that it was interrupted in.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonnas.config_file import load_config
from carbonnas.driver import drive
from carbonnas.emissions import totals
from carbonnas.record import SearchState, StopReason
from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.paths import store_path
from carbonnas.storage.records import load_record
from carbonnas.storage.search_index import SearchIndex
from carbonnas.storage.store import Store
from carbonnas.testing.searches import write_simulated_search
from carbonnas.trials import TrialKind, TrialState
from carbonnas.wiring import open_search
from tests.carbonnas.storage.made import submission

DUMP = Path(__file__).with_name("first_release.sql")
ENDED, RUNNING = "ended-fe3a8320", "running-de252afc"


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    """Return the configuration of the search that was interrupted."""
    return write_simulated_search(
        tmp_path / "config",
        seed=2,
        rounds=2,
        budgets=[{"limit": "5 kg", "window": "day"}],
        search={"name": "running"},
        scheduler={"use": "carbon_blind", "percentile": None},
    )


@pytest.fixture
def folder(tmp_path: Path, config_path: Path) -> Path:
    """Return the state folder that the first release left."""
    config, _ = load_config(config_path)
    folder = tmp_path / "state"
    folder.mkdir()
    # Both name folders of the machine that they were made on.
    text = DUMP.read_text(encoding="utf-8").replace("STATE-FOLDER", str(folder))
    connection = sqlite3.connect(store_path(folder))
    connection.executescript(text.replace("FINGERPRINT", config.fingerprint))
    connection.close()
    return folder


@pytest.fixture
def upgraded(folder: Path) -> Iterator[Store]:
    store = Store(store_path(folder))
    yield store
    store.close()


def test_all_that_it_holds_is_read(upgraded: Store) -> None:
    assert upgraded.ids() == [ENDED, RUNNING]
    record = load_record(upgraded, ENDED)
    assert (record.state, record.stop_reason) == (SearchState.STOPPED, StopReason.DEADLINE)
    states = [trial.state for trial in record.trials]
    assert (states.count(TrialState.COMPLETED), states.count(TrialState.CANCELLED)) == (6, 6)
    sums = totals(record.entries)
    # 40 min at 50 W, six scorings of a minute at 100 W, and two trainings at 300 W for the 37 min that were left.
    assert sums.energy_j == 40 * 60 * 50.0 + 6 * 60 * 100.0 + 2 * 37 * 60 * 300.0
    assert sums.unpriced_j == 0.0
    assert "its deadline had come" in render(record, ReportFormat.MARKDOWN)


def test_its_searches_are_listed_with_sums_that_it_did_not_keep(folder: Path, upgraded: Store) -> None:
    index = SearchIndex(store_path(folder))
    running, ended = index.summaries()
    index.close()
    for found in (running, ended):
        sums, trials = totals(upgraded.entries(found.search_id)), upgraded.trials(found.search_id)
        assert found.totals.energy_j == pytest.approx(sums.energy_j)
        assert found.totals.emissions_g == pytest.approx(sums.emissions_g)
        for kind in TrialKind:
            assert found.totals.count(kind, *TrialState) == sum(trial.kind is kind for trial in trials)
    assert upgraded.progress(RUNNING).totals is None


def test_the_search_that_it_was_interrupted_in_ends_as_it_would_have(
    folder: Path, upgraded: Store, config_path: Path
) -> None:
    config, text = load_config(config_path)
    before = upgraded.trials(RUNNING)
    opened = open_search(config, text, upgraded, search_id=RUNNING, state_folder=folder)
    assert drive(opened, lambda _status: None, threading.Event()) is SearchState.COMPLETED
    record = load_record(upgraded, RUNNING)
    assert record.trials[:8] == (*before[:5], *record.trials[5:7], before[7])
    # What the first release made of it, uninterrupted.
    scored = ("432113", "322324", "331443", "020103", "240232", "233142", "404332", "040401", "103344", "100244")
    trained = ("331443", "322324", "233142", "432113", "331443")
    for kind, expected in ((TrialKind.SCORE, scored), (TrialKind.TRAIN, trained)):
        assert [_text(trial.architecture) for trial in record.trials if trial.kind is kind] == list(expected)
    assert record.ended_at is not None
    assert record.ended_at.isoformat() == "2021-01-08T07:43:00+00:00"
    sums = totals(record.entries)
    assert sums.energy_j == pytest.approx(13_329_000.0)
    assert sums.emissions_g == pytest.approx(1581.0501483333333)


def _text(architecture: tuple[int, ...]) -> str:
    return "".join(map(str, architecture))


def test_it_can_be_handed_to_the_daemon(folder: Path, upgraded: Store) -> None:
    daemon = DaemonStore(store_path(folder))
    daemon.adopt(submission(RUNNING))
    assert daemon.submissions() == [submission(RUNNING)]
    assert set(daemon.grams_by_quarter(700.0)) == {ENDED, RUNNING}
    daemon.close()
