"""What a worker does when nobody kills it."""

from __future__ import annotations

import threading
from multiprocessing import Pipe
from pathlib import Path

from carbon_sources.clock import SystemClock, monotonic_s
from carbonnas.execution.protocol import Anchor, Broken, Ready, Setup
from carbonnas.execution.workbench import Workbench
from carbonnas.execution.worker import work
from carbonnas.testing.evaluators import BrokenWorkbench, CountingWorkbench
from carbonnas.testing.probes import SteadyProbes


def answer_of_a_worker_that_ends(folder: Path, workbench: Workbench) -> object:
    """Run a worker in this process, close its pipe once it has answered the set-up, and return the answer."""
    setup = Setup("w", workbench, SteadyProbes(closed=folder / "closed"), folder, Anchor.of(SystemClock()), 30.0)
    ours, theirs = Pipe(duplex=True)
    worker = threading.Thread(target=work, args=(theirs, monotonic_s()))
    worker.start()
    ours.send(setup)
    answer = ours.recv()
    ours.close()
    worker.join()
    theirs.close()
    return answer


def test_a_worker_closes_its_probe_and_its_thread_when_its_pipe_is_closed(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    assert answer_of_a_worker_that_ends(tmp_path, CountingWorkbench(0.0)) == Ready()
    assert (tmp_path / "closed").exists()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=120)
    assert set(threading.enumerate()) <= before


def test_a_worker_that_can_t_make_its_evaluators_closes_its_probe(tmp_path: Path) -> None:
    (tmp_path / "stone").touch()
    answer = answer_of_a_worker_that_ends(tmp_path, BrokenWorkbench(tmp_path / "stone"))
    assert isinstance(answer, Broken)
    assert (tmp_path / "closed").exists()
