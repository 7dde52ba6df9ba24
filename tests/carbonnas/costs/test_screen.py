"""What is known before any work, and what it drops."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from carbonnas.architecture import Architecture
from carbonnas.costs.blocks import blocks_of
from carbonnas.costs.known import KnownCosts, UnknownCostError
from carbonnas.costs.network import built, one_input
from carbonnas.costs.plan import CostPlan, parse_task
from carbonnas.costs.screen import Screen
from carbonnas.costs.table import LatencyTable
from carbonnas.errors import ConfigError
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target
from carbonnas.proxies.size import count_parameters
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskKind, TaskShape

TASK = TaskShape(1, 8, 8, 10)
PHONE, SERVER = "latency_ms.phone", "latency_ms.server"
FAST, SLOW, ABSENT = (0, 0, 0, 1, 0, 0), (0, 0, 0, 3, 0, 0), (3, 3, 3, 3, 3, 3)


def known(metric: str, table: Path) -> KnownCosts:
    return KnownCosts(NASBench201(), CostPlan(frozenset({metric}), tables={metric: table}), None)


def test_tasks_are_read_as_they_are_written() -> None:
    assert parse_task("3x32x16x10") == TaskShape(3, 32, 16, 10, TaskKind.IMAGES)
    for text in ("", "3x32x32", "3x32x32x0", "3 x 32 x 32 x 10", "axbxcxd"):
        with pytest.raises(ValueError, match="expected channels"):
            parse_task(text)


def test_a_plan_knows_what_is_cheap_first_and_measures_what_no_table_tells() -> None:
    wanted = frozenset({"macs", "params", "latency_ms", "inference_j", "val_accuracy", "training_g"})
    assert CostPlan(wanted).known == ("params", "macs")
    assert CostPlan(wanted).measured == ("inference_j", "latency_ms")
    with_table = CostPlan(wanted, tables={"latency_ms": Path("t.json")})
    assert with_table.known == ("params", "macs", "latency_ms")
    assert with_table.measured == ("inference_j",)


def test_latencies_of_architectures_are_looked_up_by_network(cells: Path) -> None:
    costs = known(PHONE, cells)
    assert costs.value(FAST, PHONE) == 1.0
    # Nothing reaches the output through the first edge: the same network.
    assert costs.value((2, *FAST[1:]), PHONE) == 1.0
    with pytest.raises(UnknownCostError, match=f"{PHONE} is unknown: the architecture is missing"):
        costs.value(ABSENT, PHONE)


def test_what_is_slower_than_the_limit_or_unknown_is_dropped(cells: Path) -> None:
    screen = Screen(known(PHONE, cells), [Limit(PHONE, at_most=2.0)])
    assert [screen.broken(cell) for cell in (FAST, SLOW, ABSENT)] == [None, *["latency_ms.phone at most 2"] * 2]


def test_a_limit_on_what_only_a_training_tells_drops_nothing(cells: Path) -> None:
    assert Screen(known(PHONE, cells), [Limit("val_accuracy", at_least=0.9)]).broken(SLOW) is None


def test_what_does_for_one_device_stays(cells: Path) -> None:
    costs = KnownCosts(NASBench201(), CostPlan(frozenset({PHONE, SERVER}), tables={PHONE: cells, SERVER: cells}), None)
    phone, server = Target("phone", PHONE, 1.0), Target("server", SERVER, 2.0)
    middle = (0, 0, 0, 2, 0, 0)
    both = Screen(costs, (), (phone, server))
    assert [both.broken(cell) for cell in (FAST, middle, SLOW)] == [None, None, "the latency limit of any target"]
    free = Screen(costs, (), (phone, Target("server", SERVER)))
    assert free.broken(SLOW) is None


class Picky(SearchSpace):
    """Three networks, of which one can't be built, and one takes no image of the task's size."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("net", ("good", "unbuilt", "too large")),)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        if architecture[0] == 1:
            raise ValueError("no such thing\nand more")
        return nn.Conv2d(task.channels, 2, 3 if architecture[0] == 0 else task.height + 1)


@pytest.mark.parametrize("metric", ["macs", "peak_memory", "latency_ms"])
def test_a_network_that_can_not_be_built_or_run_has_no_cost_and_is_dropped(metric: str, tmp_path: Path) -> None:
    path = tmp_path / "blocks.json"
    good = blocks_of(built(Picky(), (0,), TASK), one_input(TASK))
    path.write_text(LatencyTable("here", {block.key: 1.0 for block in good}).to_json(), encoding="utf-8")
    costs = KnownCosts(Picky(), CostPlan(frozenset({metric}), tables={"latency_ms": path}), TASK)
    assert costs.value((0,), metric) > 0
    with pytest.raises(UnknownCostError, match=r"is unknown: the network can't be built: no such thing$"):
        costs.value((1,), metric)
    with pytest.raises(UnknownCostError, match=r"is unknown: the network can't be run: .*[Kk]ernel size") as caught:
        costs.value((2,), metric)
    assert "\n" not in str(caught.value)
    screen = Screen(costs, [Limit(metric, at_least=0)])
    assert [screen.broken((net,)) is None for net in range(3)] == [True, False, False]


def test_a_table_of_blocks_needs_to_know_what_networks_are_for(tmp_path: Path) -> None:
    path = tmp_path / "blocks.json"
    path.write_text(LatencyTable("here", {"relu": 1.0}).to_json(), encoding="utf-8")
    with pytest.raises(ConfigError, match="task: a table of blocks needs it"):
        known("latency_ms", path)


@pytest.mark.torch
def test_counts_are_those_of_the_network() -> None:
    space = SmallConv()
    architecture = (1, 1, 1, 1, 0, 1, 0, 0)
    costs = KnownCosts(space, CostPlan(frozenset({"params", "macs", "peak_memory"})), TASK)
    params = count_parameters(built(space, architecture, TASK))
    assert costs.value(architecture, "params") == params
    assert costs.value(architecture, "peak_memory") > 4 * params
    assert costs.value(architecture, "macs") > 0
    screen = Screen(costs, [Limit("params", at_most=params)])
    assert screen.broken(architecture) is None
    assert Screen(costs, [Limit("params", at_most=params - 1)]).broken(architecture) is not None


def test_counts_without_a_task_are_unknown() -> None:
    costs = KnownCosts(SmallConv(), CostPlan(frozenset({"params"})), None)
    assert not costs.tells("params")
    with pytest.raises(UnknownCostError, match=r"set task in \[costs\]"):
        costs.value((0,) * 8, "params")


@pytest.mark.torch
def test_blocks_of_a_table_are_summed(tmp_path: Path) -> None:
    space, architecture = SmallConv(), (0,) * 8
    keys = [block.key for block in blocks_of(built(space, architecture, TASK), one_input(TASK))]
    path = tmp_path / "blocks.json"
    path.write_text(LatencyTable("here", dict.fromkeys(keys, 0.25)).to_json(), encoding="utf-8")
    costs = KnownCosts(space, CostPlan(frozenset({"latency_ms"}), tables={"latency_ms": path}), TASK)
    assert costs.value(architecture, "latency_ms") == 0.25 * len(keys)
    with pytest.raises(UnknownCostError, match=r"in the table of here the block .* is missing"):
        costs.value((1,) * 8, "latency_ms")
