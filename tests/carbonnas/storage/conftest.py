"""An empty store, and a search to enter into it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbonnas.energy.meter import Measurement
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.plan import OpenRound, PlanPosition
from carbonnas.record import SearchState
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.store import Store
from schedulers.budget import AtLimit, EmissionBudget, Window

START = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "carbonnas.db"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with nothing in it: to copy one takes a tenth of the time that it takes to make one."""
    path = tmp_path_factory.mktemp("empty") / "carbonnas.db"
    Store(path).close()
    return path


@pytest.fixture
def store(path: Path, empty_store: Path) -> Iterator[Store]:
    path.parent.mkdir()
    shutil.copy(empty_store, path)
    opened = Store(path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, DaemonStore]]:
    """Return one store for many examples, each of which has a search of its own."""
    path = tmp_path_factory.mktemp("shared") / "carbonnas.db"
    store, daemon = Store(path), DaemonStore(path)
    yield store, daemon
    store.close()
    daemon.close()


@pytest.fixture
def header() -> SearchHeader:
    return SearchHeader(
        search_id="a-search",
        name="A search",
        fingerprint="f",
        config="[search]",
        seed=2**63 - 1,
        slots=2,
        objectives=(Objective.parse("maximize val_accuracy"), Objective.parse("minimize params")),
        budgets=(EmissionBudget(500.0, Window.DAY, AtLimit.WAIT, 0.9, "Europe/Berlin"), EmissionBudget(1e6)),
        bound_g_per_kwh=1050.0,
        started_at=START,
        deadline=START.replace(year=2022),
        clock="Simulated.",
        limits=(Limit("params", at_most=1e6), Limit("val_accuracy", 0.5, 1.0)),
        targets=(Target("phone", "latency_ms.phone", 20.0), Target("server", "latency_ms.server")),
    )


@pytest.fixture
def progress() -> SearchProgress:
    return SearchProgress(
        state=SearchState.RUNNING,
        stop_reason=None,
        ended_at=None,
        clock_at=START,
        position=PlanPosition(
            3,
            1,
            2,
            final_planned=True,
            pruned={"params at most 1e+06": 4},
            open_round=OpenRound(7, ((1, 2), (3, 4)), {"params at most 1e+06": ((0, 0), (5, 6))}),
            exhausted="Nothing was found.",
        ),
        strategy_state=b"\x00\xff",
        executor_state=None,
        measurement=Measurement("m", "How.", {"cpu": "x"}, "Caveat."),
    )
