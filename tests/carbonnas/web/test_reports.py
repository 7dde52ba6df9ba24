"""Reports: made by another process, one at a time, and kept once nothing changes any more."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import httpx
import pytest

from carbonnas.errors import SearchNotFoundError, StorageError
from carbonnas.report.render import ReportFormat
from carbonnas.web.app import create_app
from carbonnas.web.report_room import MOST_WAITING, BusyError, ReportRoom, make_in_process
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, make_report

CSV = ReportFormat.CSV


def test_another_process_makes_the_same_report(world: World) -> None:
    made = make_in_process(world.store, world.ended, ReportFormat.JSON)
    assert made == make_report(world.store, world.ended, ReportFormat.JSON)


def test_a_report_that_fails_says_so_and_the_log_says_why(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StorageError, match="the daemon's log says why"):
        make_in_process(world.store, "nothing", CSV)
    assert "there is no search 'nothing'" in caplog.text
    with pytest.raises(SearchNotFoundError):
        Shelf(world.store).report("nothing", CSV)


class Press:
    """Makes reports that say how many there were; waits until it is let."""

    def __init__(self) -> None:
        self.made = 0
        self.at_once = 0
        self.let = threading.Event()
        self._working = threading.Lock()

    def __call__(self, _path: Path, search_id: str, format: ReportFormat) -> bytes:  # noqa: A002 # as in the room
        free = self._working.acquire(blocking=False)
        self.at_once = max(self.at_once, 1 if free else 2)
        self.let.wait()
        self.made += 1
        self._working.release()
        return f"{search_id} {format.value} {self.made}".encode()


def test_the_report_of_a_search_that_has_ended_is_made_once() -> None:
    press = Press()
    press.let.set()
    room = ReportRoom(Path("store"), press)
    assert [room.report("a", CSV, ended=True) for _ in range(3)] == [b"a csv 1"] * 3
    assert room.report("a", ReportFormat.JSON, ended=True) == b"a json 2"
    assert [room.report("b", CSV, ended=False) for _ in range(2)] == [b"b csv 3", b"b csv 4"]


def test_one_is_made_at_a_time_few_wait_and_more_are_asked_to_come_again() -> None:
    press = Press()
    room = ReportRoom(Path("store"), press)
    told: queue.Queue[bytes | BusyError] = queue.Queue()

    def ask() -> None:
        try:
            told.put(room.report("a", CSV, ended=False))
        except BusyError as error:
            told.put(error)

    threads = [threading.Thread(target=ask) for _ in range(MOST_WAITING + 3)]
    for thread in threads:
        thread.start()
    refused = [told.get() for _ in range(3)]
    assert {str(error) for error in refused} == {"several reports are being made already; ask again in some seconds"}
    press.let.set()
    for thread in threads:
        thread.join()
    made = {told.get() for _ in range(MOST_WAITING)}
    assert made == {b"a csv 1", b"a csv 2", b"a csv 3", b"a csv 4"}
    assert press.at_once == 1
    assert room.report("a", CSV, ended=False) == b"a csv 5"


def test_a_reader_who_has_to_come_again_is_told_when(world: World) -> None:
    def busy(_path: Path, _search_id: str, _format: ReportFormat) -> bytes:
        raise BusyError("several reports are being made already")

    shelf = Shelf(world.store, busy)
    server = WebServer(create_app(SketchControl(daemon_view(world)), shelf, WebSettings()), "127.0.0.1", 0)
    try:
        address = f"http://127.0.0.1:{server.start()}/api/searches/{world.ended}/report"
        answer = httpx.get(address, trust_env=False, timeout=60)
    finally:
        server.stop()
        shelf.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"detail": "several reports are being made already"}
