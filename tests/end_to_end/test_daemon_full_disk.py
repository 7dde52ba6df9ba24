"""On a full disk nothing runs, which is said; once there is room it goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carbonnas.driver import run_search
from carbonnas.errors import StorageError
from carbonnas.status import SearchStatus
from carbonnas.testing.daemons import SimulatedDaemon
from carbonnas.testing.disks import SmallDisk, small_disk
from carbonnas.testing.exactly_once import records, violations, work
from carbonnas.testing.searches import STARTS_AT, write_simulated_search

HOUR = timedelta(hours=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as made:
        if not made.mounted:
            pytest.skip("needs the right to mount a file system")
        yield made


def test_a_full_disk_lets_all_work_rest_until_there_is_room(disk: SmallDisk, tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, scheduler={"use": "carbon_blind", "percentile": None})
    daemon = SimulatedDaemon(disk.folder)
    daemon.submit(path)
    before = daemon.run(until=STARTS_AT + HOUR)
    assert before.searches[0].status is not None
    assert before.searches[0].status.running != ()
    kept = records(daemon.state)[0].entries
    assert kept
    disk.fill()
    full = daemon.run(until=STARTS_AT + 10 * HOUR)
    assert "there is hardly any room on the disk" in (full.trouble or "")
    assert not full.ready
    assert records(daemon.state)[0].entries == kept
    disk.free()
    after = daemon.run()
    assert after.trouble is None
    (record,) = records(daemon.state)
    daemon.daemon.close()
    assert violations([record]) == []
    assert work(record) == work(run_search(path.read_text(encoding="utf-8"), tmp_path / "alone", folder=path.parent))


def test_a_search_of_its_own_stops_before_a_disk_is_full_and_loses_nothing(disk: SmallDisk, tmp_path: Path) -> None:
    path = write_simulated_search(tmp_path, scheduler={"use": "carbon_blind", "percentile": None})
    text, steps = path.read_text(encoding="utf-8"), list[SearchStatus]()

    def note(status: SearchStatus) -> None:
        steps.append(status)
        if len(steps) == 20:
            # Enough for a step, and not for what networks are kept in.
            disk.fill(but=8 * 2**20)

    with pytest.raises(StorageError, match=r"^there is hardly any room on the disk of .*: make some and run again"):
        run_search(text, disk.folder, folder=path.parent, on_status=note)
    assert len(steps) == 20
    disk.free()
    record = run_search(text, disk.folder, folder=path.parent)
    assert violations([record]) == []
    assert work(record) == work(run_search(text, tmp_path / "alone", folder=path.parent))
