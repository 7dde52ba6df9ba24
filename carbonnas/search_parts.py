"""What a search is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from carbonnas.accounting import Accountant
from carbonnas.checkpoint_folder import CheckpointFolder
from carbonnas.execution.executor import Executor
from carbonnas.planning import Planner
from carbonnas.search_state import SearchHeader
from carbonnas.storage.search_store import SearchStore
from carbonnas.trials import Fidelity
from schedulers.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The parts that a search is made of.

    Attributes:
        header: What is fixed about the search.
        store: Where it is kept.
        planner: Lays out its trials.
        scheduler: Decides when to do what.
        accountant: Measures, prices and keeps the budgets.
        executor: Runs its work.
        checkpoints: Where its trainings keep what they have reached.
        trial_timeout: Longest real time of a trial in a slot.
        training_s: Slot seconds that the user expects of a training, by fidelity, until some have finished.
        metering: Longest time between two readings in the clock of the search; `None` if no event can be missed.
        virtual: Whether nothing real is drawn: then nothing is lost if readings wait for work, or until a budget could run out.
        node_slots: Slots of the machine, all of which may hold work that counts on the same budget; at least `header.slots`.
    """

    header: SearchHeader
    store: SearchStore
    planner: Planner
    scheduler: Scheduler
    accountant: Accountant
    executor: Executor
    checkpoints: CheckpointFolder
    trial_timeout: timedelta
    training_s: Mapping[Fidelity, float]
    metering: timedelta | None
    virtual: bool
    node_slots: int
