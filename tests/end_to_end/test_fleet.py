"""A search for a fleet of devices, with limits: what is too slow everywhere is never worked on."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbon_sources.units import J_PER_KWH
from carbonnas.config_file import load_config
from carbonnas.costs.table import LatencyTable
from carbonnas.driver import run_search
from carbonnas.record import SearchRecord, SearchState
from carbonnas.report.document import build_document
from carbonnas.report.headline import headline
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.status import SearchStatus
from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import write_simulated_search, write_trace
from carbonnas.trials import TrialKind, TrialState

FLEET = """
[[limits]]
metric = "params"
at_most = 2500
[[targets]]
name = "phone"
table = "phone.json"
at_most_ms = 3.0
[[targets]]
name = "server"
table = "server.json"
at_most_ms = 2.0
"""


def convolutions(cell: tuple[int, ...]) -> int:
    """Count the convolutions of 3 x 3, of which each takes a millisecond on a phone."""
    return cell.count(3)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    space = NASBench201()
    cells = {space.key(cell): space.canonical(cell) for cell in itertools.product(range(5), repeat=6)}
    for name, each_ms in (("phone", 1.0), ("server", 0.5)):
        known = {key: 0.5 + each_ms * convolutions(cell) for key, cell in cells.items()}
        table = LatencyTable(name, architectures=known)
        (tmp_path / f"{name}.json").write_text(table.to_json(), encoding="utf-8")
    path = write_simulated_search(tmp_path, rounds=4)
    path.write_text(path.read_text(encoding="utf-8") + FLEET, encoding="utf-8")
    return path


def run(path: Path, state: Path) -> SearchRecord:
    return run_search(path.read_text(encoding="utf-8"), state, folder=path.parent)


def test_a_fleet_is_searched_for_within_its_limits(fleet: Path, tmp_path: Path) -> None:
    record = run(fleet, tmp_path / "state")
    assert record.state is SearchState.COMPLETED
    space = NASBench201()
    assert record.trials
    for trial in record.trials:
        ones = convolutions(space.canonical(trial.architecture))
        assert 0.5 + ones <= 3.0 or 0.5 + 0.5 * ones <= 2.0
        if trial.state is TrialState.COMPLETED:
            assert trial.metrics["latency_ms.phone"] == 0.5 + ones
        if trial.kind is TrialKind.TRAIN and trial.state is TrialState.COMPLETED:
            assert trial.metrics["params"] <= 2500
    document = build_document(record)
    assert [target.name for target in document.targets] == ["phone", "server"]
    assert all(line.objectives["latency_ms.phone"] <= 3.0 for line in document.targets[0].front)
    assert [line.limit for line in document.limits] == ["params at most 2,500", "the latency limit of any target"]
    assert document.limits[1].pruned > 0


def test_the_same_search_drops_the_same_proposals(fleet: Path, tmp_path: Path) -> None:
    first, second = (run(fleet, tmp_path / state) for state in ("one", "two"))
    assert first.pruned == second.pruned
    assert [trial.key for trial in first.trials] == [trial.key for trial in second.trials]


def stopped_after(text: str, state: Path, folder: Path, steps: int) -> list[SearchRecord]:
    """Run a search by one process after the other, each of which stops after some steps; return what was known after each."""
    known: list[SearchRecord] = []
    while not known or known[-1].state is SearchState.RUNNING:
        stop, seen = threading.Event(), itertools.count(1)

        def look(_: object, stop: threading.Event = stop, seen: Iterator[int] = seen) -> None:
            if next(seen) == steps:
                stop.set()

        known.append(run_search(text, state, folder=folder, stop=stop, on_status=look))
    return known


def test_a_table_that_can_not_be_read_is_told_before_anything_begins(fleet: Path, tmp_path: Path) -> None:
    (tmp_path / "phone.json").write_text("{}", encoding="utf-8")
    answer = carbonnas("run", str(fleet), "--state", str(tmp_path / "state"))
    assert answer.status == 2
    assert "phone.json" in answer.err
    assert "is no latency table" in answer.err


def test_show_tells_of_each_device(fleet: Path, tmp_path: Path) -> None:
    config, _ = load_config(fleet)
    assert config.devices[0].at_most_ms == 3.0
    run(fleet, tmp_path / "state")
    shown = carbonnas("show", "--state", str(tmp_path / "state"))
    assert "phone: At most 3 ms." in shown.out
    document = carbonnas("show", "--json", "--state", str(tmp_path / "state")).json
    assert [target["name"] for target in document["targets"]] == ["phone", "server"]
    assert document["limits"][1]["pruned"] > 0


def test_what_a_training_emitted_can_be_an_objective_and_is_what_the_ledger_says(tmp_path: Path) -> None:
    aims = ["maximize val_accuracy", "minimize training_g", "minimize training_j"]
    path = write_simulated_search(tmp_path, rounds=3, search={"objectives": aims})
    record = run(path, tmp_path / "state")
    assert record.state is SearchState.COMPLETED
    document = build_document(record)
    trained = [t for t in document.trials if t.kind is TrialKind.TRAIN and t.state is TrialState.COMPLETED]
    assert trained
    for trial in trained:
        assert trial.failure is None
        assert trial.metrics["training_g"] == pytest.approx(trial.emissions_g)
        assert trial.metrics["training_j"] == pytest.approx(trial.energy_kwh * J_PER_KWH)
    assert document.pareto
    assert all(set(line.objectives) == {"val_accuracy", "training_g", "training_j"} for line in document.pareto)


def test_without_a_price_a_training_has_no_emissions_and_is_not_on_the_front(tmp_path: Path) -> None:
    aims = ["maximize val_accuracy", "minimize training_g"]
    path = write_simulated_search(
        tmp_path, rounds=2, search={"objectives": aims}, scheduler={"use": "carbon_blind", "percentile": None}
    )
    write_trace(tmp_path / "trace.csv", start=datetime(2010, 1, 1, tzinfo=UTC), hours=48)  # ended long ago
    record = run(path, tmp_path / "state")
    document = build_document(record)
    trained = [t for t in document.trials if t.kind is TrialKind.TRAIN and t.state is TrialState.COMPLETED]
    assert trained
    assert all("training_g" not in trial.metrics for trial in trained)
    assert all("has no price yet" in (trial.failure or "") for trial in trained if trial.fidelity == "search")
    assert document.pareto == ()
    assert document.best is not None


def in_vain(fleet: Path) -> str:
    return re.sub(r"at_most_ms = .*", "at_most_ms = 0.1", fleet.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_search_that_is_stopped_while_it_looks_goes_on_where_it_was(fleet: Path, tmp_path: Path) -> None:
    whole = run_search(in_vain(fleet), tmp_path / "whole", folder=fleet.parent)
    pieces = stopped_after(in_vain(fleet), tmp_path / "pieces", fleet.parent, 12)
    assert 1 < len(pieces) < 5
    assert (pieces[-1].exhausted, pieces[-1].pruned) == (whole.exhausted, whole.pruned)
    assert sum(pieces[0].pruned.values()) < sum(whole.pruned.values())


def test_limits_that_nothing_keeps_end_the_plan_with_the_reason_which_is_told_everywhere(
    fleet: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state, statuses, text = tmp_path / "state", list[SearchStatus](), in_vain(fleet)
    record = run_search(text, state, folder=fleet.parent, on_status=statuses.append)
    assert (record.state, record.trials) == (SearchState.COMPLETED, ())
    why = "Nothing was found to propose from round 1 of 4 on: of 1,000 proposals in a row "
    assert record.exhausted is not None
    assert record.exhausted.startswith(why)
    assert 'break "the latency limit of any target"' in record.exhausted
    # What is looked for is told, and the search is stepped again at once.
    looking = [status for status in statuses if status.looking is not None]
    assert len(looking) >= 1000 // 32
    assert all(status.next_at == status.now for status in looking)
    assert "Looks for networks to propose in round 1 of 4" in (looking[0].looking or "")
    assert statuses[-1].exhausted == record.exhausted
    assert [line.message for line in caplog.records if line.message.startswith(why)] == [record.exhausted]
    shown = carbonnas("show", "--state", str(state))
    assert why in " ".join(shown.out.split())
    document = build_document(record)
    assert document.search.exhausted == record.exhausted
    assert record.exhausted in headline(document).warnings


def test_a_search_that_was_interrupted_drops_the_same_proposals(fleet: Path, tmp_path: Path) -> None:
    whole = run(fleet, tmp_path / "whole")
    pieces = stopped_after(fleet.read_text(encoding="utf-8"), tmp_path / "pieces", fleet.parent, 24)
    assert len(pieces) > 1
    assert pieces[-1].pruned == whole.pruned
    assert [trial.key for trial in pieces[-1].trials] == [trial.key for trial in whole.trials]
