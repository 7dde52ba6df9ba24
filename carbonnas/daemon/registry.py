"""Searches on their way into the daemon: as they are submitted, and as an earlier process left them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from carbonnas.budgeting import BudgetBook, Budgets, Grams
from carbonnas.config import SearchConfig
from carbonnas.config_file import config_from_choices
from carbonnas.daemon.checking import ORIGIN, Checked
from carbonnas.daemon.config import DaemonConfig
from carbonnas.daemon.control import Submission
from carbonnas.daemon.seat import Machine, Seat
from carbonnas.errors import ConfigError
from carbonnas.execution.executor import Executor
from carbonnas.plugins import PluginChoice
from carbonnas.record import SearchState
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.wiring import SharedNode, Substitutes, choose_search, draft_search

_DRAFT = ""
"""Stands for the id of a search that is only drafted; no search has it."""


class Registry:
    """Enters searches into the store and makes seats for them.

    Args:
        config: The daemon's configuration, which searches have to go with.
        machine: What searches have in common.
        store: The daemon's part of the store.
    """

    def __init__(self, config: DaemonConfig, machine: Machine, store: DaemonStore) -> None:
        self._config = config
        self._machine = machine
        self._store = store

    def enter(self, submission: Submission, checked: Checked, now: datetime) -> Seat | str:
        """Enter a search and return its seat, or the id of the one with the same configuration that has not ended.

        Raises:
            ConfigError: If it does not go with the daemon, or plug-ins refuse their options.
        """
        config = config_from_choices(checked.text, checked.choices, ORIGIN)
        self._require_fitting(config, checked)
        store = self._machine.store
        search_id = choose_search(config, store, anew=submission.anew)
        known = search_id in store.ids()
        if known and store.progress(search_id).state is not SearchState.RUNNING:
            search_id, known = choose_search(config, store, anew=True), False
        stored = StoredSubmission(
            search_id, now, submission.folder, checked.choices, submission.priority, tuple(submission.labels)
        )
        if known and any(each.search_id == search_id for each in self._store.submissions()):
            return search_id
        if known:
            self._store.adopt(stored)
            self._take_over({search_id: stored.labels})
            return Seat(self._machine, stored, store.header(search_id), config)
        substitutes = self._draft(config)
        header, progress = draft_search(
            config,
            checked.text,
            store,
            search_id=search_id,
            state_folder=self._machine.state_folder,
            substitutes=substitutes,
        )
        self._machine.grids.leave(_DRAFT)
        self._store.submit(header, progress, stored)
        return Seat(self._machine, stored, header, config)

    def restored(self) -> Iterator[Seat]:
        """Yield the seats of the searches that an earlier process left; one that can't be read any more says so.

        Common budgets are told what each search has emitted so far, those that have ended included.
        """
        machine = self._machine
        labels = {each.search_id: each.labels for each in self._store.submissions(open_only=False)}
        open_ids = {each.search_id for each in self._store.submissions()}
        self._take_over(labels)
        for search_id in labels.keys() - open_ids:
            machine.budgets.end(search_id)
        for stored in self._store.submissions():
            header = machine.store.header(stored.search_id)
            try:
                config: SearchConfig | ConfigError = config_from_choices(header.config, stored.choices, ORIGIN)
            except ConfigError as error:
                config = error
            yield Seat(machine, stored, header, config)

    def _take_over(self, labels: Mapping[str, tuple[str, ...]]) -> None:
        """Tell the common budgets what searches have emitted that are not open, each with its labels."""
        grams = self._store.grams_by_quarter(self._config.accounting.bound_g_per_kwh)
        for search_id in labels.keys() & grams.keys():
            quarters = {start: Grams(priced, unpriced) for start, (priced, unpriced) in grams[search_id].items()}
            self._machine.budgets.take_over(search_id, labels[search_id], quarters)

    def _require_fitting(self, config: SearchConfig, checked: Checked) -> None:
        problems = []
        if config.clock.use != self._config.clock.use:
            problems.append(
                f"clock.use: the daemon lives by the clock {self._config.clock.use!r}, not {config.clock.use!r};"
                " leave [clock] out, or use `carbonnas run` in another state folder"
            )
        chosen = PluginChoice(**checked.choices["energy"])
        if chosen != PluginChoice("codecarbon") and config.energy != self._config.energy:
            problems.append(
                f"energy: the daemon meters the machine for all searches, with {self._config.energy.use!r}; leave [energy] out"
            )
        if problems:
            raise ConfigError(ORIGIN, tuple(problems))

    def _draft(self, config: SearchConfig) -> Substitutes:
        """Return the parts with which a new search is drafted: nothing of them is used, but that they can be made."""
        machine = self._machine

        def own(book: BudgetBook) -> Budgets:
            return book

        def same(executor: Executor) -> Executor:
            return executor

        node = SharedNode(machine.slots, machine.node.share(_DRAFT), own, same)
        return Substitutes(clock=machine.clock, node=node, monitor=machine.grids.join(config, _DRAFT))
