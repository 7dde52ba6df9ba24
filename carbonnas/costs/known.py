"""What is known of a network before any work is spent on it: counts, and latencies by tables."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from carbonnas.architecture import Architecture
from carbonnas.costs.names import COUNTED, MACS, PARAMS
from carbonnas.costs.plan import CostPlan
from carbonnas.costs.table import LatencyTable, read_table
from carbonnas.errors import ConfigError
from carbonnas.search_spaces.space import SearchSpace, TaskShape

if TYPE_CHECKING:
    from torch import nn

_REMEMBERED: Final = 1 << 14
"""Networks whose costs are kept: strategies propose the same ones again and again."""
_SHOWN: Final = 300
"""Characters of an error that a sentence shows."""


class UnknownCostError(Exception):
    """A cost can't be told; the message says why."""


class KnownCosts:
    """Looks costs up or counts them; torch is imported only where something has to be counted or walked through.

    Args:
        space: Makes the networks.
        plan: What is wanted, and the tables.
        task: What the networks are built for; `None` if nobody knows.

    Raises:
        ConfigError: If a table can't be read.
    """

    def __init__(self, space: SearchSpace, plan: CostPlan, task: TaskShape | None) -> None:
        self._space = space
        self._task = task
        self._tables: Mapping[str, LatencyTable] = {metric: read_table(path) for metric, path in plan.tables.items()}
        self.metrics = plan.known
        if task is None and any(table.blocks for table in self._tables.values()):
            raise ConfigError(
                "[costs]",
                ("task: a table of blocks needs it, since the data set does not tell; write such as '3x32x32x10'",),
            )
        self._values: OrderedDict[Architecture, dict[str, float | str]] = OrderedDict()
        self._last: tuple[Architecture, nn.Module] | None = None

    def tells(self, metric: str) -> bool:
        """Say whether it may know a metric at all."""
        return metric in self._tables or (metric in COUNTED and self._task is not None)

    def builds(self, metric: str) -> bool:
        """Say whether a metric needs the network built, which can take a second or more; others are looked up."""
        return metric not in self._tables or not self._tables[metric].architectures

    def prepare(self) -> None:
        """Import what counting needs, torch included, which takes seconds, while nobody waits for it."""
        if set(self.metrics) & COUNTED or any(table.blocks for table in self._tables.values()):
            importlib.import_module("carbonnas.costs.counting")
            importlib.import_module("carbonnas.costs.blocks")

    def value(self, architecture: Architecture, metric: str) -> float:
        """Return a cost of a network.

        Raises:
            UnknownCostError: If it can't be told: a block is not in the table, the network can't be built or run, or nobody said what networks are
                built for.
        """
        canonical = self._space.canonical(architecture)
        values = self._values.setdefault(canonical, {})
        self._values.move_to_end(canonical)
        if len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)
        if metric not in values:
            try:
                values[metric] = self._found(canonical, metric)
            except UnknownCostError as error:
                values[metric] = str(error)
        value = values[metric]
        if isinstance(value, str):
            raise UnknownCostError(value)
        return value

    def _found(self, architecture: Architecture, metric: str) -> float:
        table = self._tables.get(metric)
        try:
            if table is not None and table.architectures:
                return table.of(self._space.key(architecture))
            if table is not None:
                return table.sum_of(self._keys(architecture))
        except KeyError as error:
            raise UnknownCostError(f"{metric} is unknown: {error.args[0]}") from error
        return self._counted(architecture, metric)

    def _counted(self, architecture: Architecture, metric: str) -> float:
        from carbonnas.costs.counting import count_macs, peak_memory
        from carbonnas.costs.network import one_input, spread_input
        from carbonnas.proxies.size import count_parameters

        network, task = self._network(architecture, metric)
        if metric == PARAMS:
            return float(count_parameters(network))
        with _failures_told(metric, "run"):
            return count_macs(network, spread_input(task)) if metric == MACS else peak_memory(network, one_input(task))

    def _keys(self, architecture: Architecture) -> list[str]:
        from carbonnas.costs.blocks import blocks_of
        from carbonnas.costs.network import one_input

        network, task = self._network(architecture, "the latency")
        with _failures_told("the latency", "run"):
            return [block.key for block in blocks_of(network, one_input(task))]

    def _network(self, architecture: Architecture, what: str) -> tuple[nn.Module, TaskShape]:
        from carbonnas.costs.network import built

        if self._task is None:
            raise UnknownCostError(
                f"{what} is unknown: nothing says what networks are built for; set task in [costs], such as '3x32x32x10'"
            )
        if self._last is None or self._last[0] != architecture:
            with _failures_told(what, "built"):
                self._last = architecture, built(self._space, architecture, self._task)
        return self._last[1], self._task


@contextmanager
def _failures_told(what: str, done: str) -> Iterator[None]:
    """Tell of a network that can't be built for the task, or takes nothing of its size, as of an unknown cost."""
    from carbonnas.costs.network import UNFIT

    try:
        yield
    except UNFIT as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:_SHOWN]
        raise UnknownCostError(f"{what} is unknown: the network can't be {done}: {why}") from error
