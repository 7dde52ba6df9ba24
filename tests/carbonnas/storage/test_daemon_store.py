"""What the daemon keeps survives it, whole."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from carbonnas.errors import SearchNotFoundError, StorageError
from carbonnas.record import Override, SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Step
from carbonnas.storage.daemon_rows import DaemonRun
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.store import Store
from tests.carbonnas.storage.made import START, at, submission


@pytest.fixture
def daemon(path: Path, store: Store) -> Iterator[DaemonStore]:
    opened = DaemonStore(path, patience_s=300)
    yield opened
    opened.close()


def test_a_submission_and_its_search_are_there_together(
    path: Path, daemon: DaemonStore, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    daemon.submit(header, progress, submission("a-search"))
    daemon.close()
    again = DaemonStore(path)
    assert again.submissions() == [submission("a-search")]
    again.close()
    assert store.header("a-search") == header
    assert store.progress("a-search") == progress


def test_neither_is_there_if_one_fails(
    daemon: DaemonStore, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        daemon.submit(header, progress, submission("another"))
    assert (store.ids(), daemon.submissions(open_only=False)) == ([], [])


def test_a_search_that_was_run_before_can_be_handed_over_once(
    daemon: DaemonStore, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    daemon.adopt(submission("a-search"))
    assert daemon.submissions() == [submission("a-search")]
    with pytest.raises(StorageError, match=r"UNIQUE constraint failed: submissions\.search_id"):
        daemon.adopt(submission("a-search"))


def test_submissions_are_told_in_their_order_whatever_the_clock_says(
    daemon: DaemonStore, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id, hour in (("b", 2), ("c", 1), ("a", 3)):
        daemon.submit(replace(header, search_id=search_id), progress, submission(search_id, hour))
    stopped = replace(progress, state=SearchState.STOPPED, stop_reason=StopReason.CANCELLED, ended_at=START)
    store.commit("c", stopped, Step())
    assert [kept.search_id for kept in daemon.submissions()] == ["b", "a"]
    assert [kept.search_id for kept in daemon.submissions(open_only=False)] == ["b", "c", "a"]
    assert store.progress("c").stop_reason is StopReason.CANCELLED


def test_pausing_and_priority_of_one_search_are_kept(
    daemon: DaemonStore, header: SearchHeader, progress: SearchProgress
) -> None:
    for search_id in ("a", "b"):
        daemon.submit(replace(header, search_id=search_id), progress, submission(search_id))
    daemon.set_paused("a", paused=True)
    daemon.set_priority("b", -100)
    assert daemon.submissions() == [
        replace(submission("a"), paused=True),
        replace(submission("b"), priority=-100),
    ]
    daemon.set_paused("a", paused=False)
    assert daemon.submissions()[0] == submission("a")


def test_what_was_not_submitted_can_not_be_changed(
    daemon: DaemonStore, store: Store, header: SearchHeader, progress: SearchProgress
) -> None:
    store.create(header, progress)
    with pytest.raises(SearchNotFoundError, match="no search 'a-search' was submitted"):
        daemon.set_paused("a-search", paused=True)
    with pytest.raises(SearchNotFoundError, match="no search 'nope' was submitted"):
        daemon.set_priority("nope", 1)


def test_overrides_are_kept_for_ever(path: Path, daemon: DaemonStore) -> None:
    kept = [
        Override("daemon/day", at(1), 12.5, "A demo; <b>promised</b>.", START),
        Override("a-search/1", at(0), 1.0, "It ends today.", None),
    ]
    for override in kept:
        daemon.add_override(override)
    assert daemon.overrides() == kept
    with sqlite3.connect(path) as raw:
        for statement in ("UPDATE overrides SET grams = 0", "DELETE FROM overrides"):
            with pytest.raises(sqlite3.IntegrityError, match="overrides is append-only"):
                raw.execute(statement)
    raw.close()


def test_a_run_that_was_killed_is_told_from_one_that_ended(daemon: DaemonStore) -> None:
    killed = daemon.begin_run(START)
    daemon.heartbeat(killed, at(1))
    ended = daemon.begin_run(at(2))
    daemon.end_run(ended, at(3))
    assert daemon.runs(5) == [DaemonRun(ended, at(2), at(3), at(3)), DaemonRun(killed, START, at(1), None)]
    assert [run.number for run in daemon.runs(1)] == [ended]


def test_threads_share_it(daemon: DaemonStore, header: SearchHeader, progress: SearchProgress) -> None:
    def work(number: int) -> None:
        search_id = f"s{number}"
        daemon.submit(replace(header, search_id=search_id), progress, submission(search_id))
        daemon.set_priority(search_id, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept.priority for kept in daemon.submissions()) == list(range(8))
