"""A search lets go of all that it holds, whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonnas.budgeting import BudgetBook
from carbonnas.config_file import load_config
from carbonnas.energy.constant_power import ConstantPowerMeter
from carbonnas.energy.node_meter import NodeMeter
from carbonnas.execution.polled_ahead import PolledAhead
from carbonnas.storage.memory import MemoryStore
from carbonnas.testing.searches import write_simulated_search
from carbonnas.wiring import SharedNode, Substitutes, open_search


class Stuck(PolledAhead):
    """Can't be closed."""

    def close(self) -> None:
        raise RuntimeError("the workers do not end")


def test_a_search_whose_workers_cannot_be_ended_is_metered_no_more(tmp_path: Path) -> None:
    config, text = load_config(write_simulated_search(tmp_path))
    node = NodeMeter(lambda: ConstantPowerMeter(2, train=300.0, score=100.0, idle=50.0))
    shared = SharedNode(2, node.share("s"), BudgetBook((), 700.0), Stuck)
    opened = open_search(
        config, text, MemoryStore(), search_id="s", state_folder=tmp_path, substitutes=Substitutes(node=shared)
    )
    opened.search.start(opened.clock.now())
    assert node.open == {"s"}
    with pytest.raises(RuntimeError, match="do not end"):
        opened.search.close()
    assert node.open == set()


def test_a_search_that_goes_on_runs_no_more_than_it_is_granted_and_the_rest_once_it_may(tmp_path: Path) -> None:
    config, text = load_config(write_simulated_search(tmp_path))
    store = MemoryStore()
    killed = open_search(config, text, store, search_id="s", state_folder=tmp_path)
    killed.search.start(killed.clock.now())
    before = {trial.number for trial in killed.search.tick(killed.clock.now()).running}
    assert len(before) == 2
    opened = open_search(config, text, store, search_id="s", state_folder=tmp_path)
    opened.search.grant(1)
    opened.search.start(opened.clock.now())
    assert opened.executor.free_slots == 1
    status = opened.search.tick(opened.clock.now())
    assert {trial.number for trial in status.running} < before
    opened.search.grant(2)
    assert {trial.number for trial in opened.search.tick(opened.clock.now()).running} == before
    opened.search.close()
