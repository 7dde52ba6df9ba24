"""A search on its way into its slots: what takes seconds and needs nothing of the thread that ticks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from carbon_sources.clock import Clock
from carbonnas.budgeting import Budgets
from carbonnas.config import SearchConfig
from carbonnas.daemon.grids import Grids
from carbonnas.energy.node_meter import NodeMeter, NodeShare
from carbonnas.execution.executor import Executor
from carbonnas.execution.polled_ahead import PolledAhead
from carbonnas.search import Search
from carbonnas.search_state import SearchHeader
from carbonnas.storage.search_store import SearchStore
from carbonnas.wiring import SharedNode, Substitutes, open_search


@dataclass(frozen=True, slots=True)
class Opened:
    """A search that is ready to be started, and its workers, which run already."""

    search: Search
    executor: PolledAhead


@dataclass(frozen=True, slots=True)
class Opening:
    """What a search is opened with.

    Attributes:
        config: Its configuration.
        header: What is fixed about it.
        clock: The daemon's clock.
        store: Where it is kept.
        state_folder: Folder of the store.
        grids: Looks at its grid.
        node: Meters the machine.
        share: Its share of the machine's meter.
        budgets: Its budgets, and those that it has in common with others.
        slots: Slots of the machine.
    """

    config: SearchConfig
    header: SearchHeader
    clock: Clock
    store: SearchStore
    state_folder: Path
    grids: Grids
    node: NodeMeter
    share: NodeShare
    budgets: Budgets
    slots: int

    def make(self) -> Opened:
        """Import its plug-ins, read it from the store, and start its workers; the calling thread has to outlive them.

        Raises what `open_search` raises, and what keeps the workers from starting.
        """
        search_id, polled = self.header.search_id, list[PolledAhead]()
        self.node.prepare()
        opened = open_search(
            self.config,
            self.header.config,
            self.store,
            search_id=search_id,
            state_folder=self.state_folder,
            substitutes=Substitutes(
                clock=self.clock,
                node=SharedNode(self.slots, self.share, self.budgets, partial(_polled_ahead, polled)),
                monitor=self.grids.join(self.config, search_id),
            ),
        )
        (executor,) = polled
        executor.warm()
        self.node.prepare()  # the one of before may have been needed meanwhile, and be closed again
        return Opened(opened.search, executor)


def _polled_ahead(made: list[PolledAhead], executor: Executor) -> Executor:
    made.append(PolledAhead(executor))
    return made[-1]
