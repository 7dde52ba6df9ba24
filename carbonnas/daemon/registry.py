"""Searches on their way into the daemon: as they are submitted, and as an earlier process left them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from carbonnas.budgeting import BudgetBook, Grams
from carbonnas.config import SearchConfig
from carbonnas.config_file import config_from_choices
from carbonnas.daemon.checking import ORIGIN, Checked
from carbonnas.daemon.config import DaemonConfig
from carbonnas.daemon.control import CommandError, Submission
from carbonnas.daemon.seat import Machine, Seat
from carbonnas.errors import ConfigError
from carbonnas.execution.executor import Executor
from carbonnas.grid import GridSettings
from carbonnas.plugins import PluginChoice
from carbonnas.record import SearchState
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.wiring import SharedNode, Substitutes, choose_search, draft_search

_DRAFT = ""
"""Stands for the id of a search that is only drafted; no search has it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission that can be entered without taking any time.

    Attributes:
        submission: What was handed in.
        checked: Its configuration, checked.
        config: The same, read.
        header: What would be fixed about a new search, but for its id.
        progress: What would change about it.
        emitted: What searches with this configuration have emitted that the daemon has not run so far, by id and quarter hour.
    """

    submission: Submission
    checked: Checked
    config: SearchConfig
    header: SearchHeader
    progress: SearchProgress
    emitted: Mapping[str, Mapping[datetime, Grams]]


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

    def draft(self, submission: Submission, checked: Checked) -> Draft:
        """Do what takes time about a submission, such as to import its plug-ins; called from the thread of whoever submits it.

        Raises:
            ConfigError: If it does not go with the daemon, or plug-ins refuse their options.
        """
        config = config_from_choices(checked.text, checked.choices, ORIGIN)
        self._require_fitting(config, checked)
        machine, store = self._machine, self._machine.store
        node = SharedNode(machine.slots, machine.node.share(_DRAFT), BudgetBook((), 0.0), _itself)
        header, progress = draft_search(
            config,
            checked.text,
            store,
            search_id=_DRAFT,
            state_folder=machine.state_folder,
            substitutes=Substitutes(
                clock=machine.clock, node=node, monitor=machine.grids.glance(GridSettings.of(config))
            ),
        )
        submitted = {each.search_id for each in self._store.submissions(open_only=False)}
        others = [each for each in store.by_fingerprint(config.fingerprint) if each not in submitted]
        emitted = self._emitted() if others else {}
        return Draft(submission, checked, config, header, progress, {each: emitted.get(each, {}) for each in others})

    def enter(self, draft: Draft, now: datetime) -> Seat | str:
        """Enter a search and return its seat, or the id of the one with the same configuration that has not ended.

        Raises:
            ConfigError: If its grid can't be looked at any more.
            CommandError: If another process has just entered it.
        """
        submission, config, store = draft.submission, draft.config, self._machine.store
        search_id = choose_search(config, store, anew=submission.anew)
        known = search_id in store.ids()
        if known and store.progress(search_id).state is not SearchState.RUNNING:
            search_id, known = choose_search(config, store, anew=True), False
        stored = StoredSubmission(
            search_id, now, submission.folder, draft.checked.choices, submission.priority, tuple(submission.labels)
        )
        if not known:
            return Seat(self._machine, stored, self._add(draft, stored), config)
        if any(each.search_id == search_id for each in self._store.submissions()):
            return search_id
        if search_id not in draft.emitted:
            raise CommandError(f"the search {search_id} was begun by another process just now; submit it again")
        self._store.adopt(stored)
        self._machine.budgets.take_over(search_id, stored.labels, draft.emitted[search_id])
        return Seat(self._machine, stored, store.header(search_id), config)

    def restored(self) -> Iterator[Seat]:
        """Yield the seats of the searches that an earlier process left; one that can't be read any more says so.

        Common budgets are told what each search has emitted so far, those that have ended included.
        """
        machine = self._machine
        labels = {each.search_id: each.labels for each in self._store.submissions(open_only=False)}
        open_ids = {each.search_id for each in self._store.submissions()}
        emitted = self._emitted()
        for search_id in labels.keys() & emitted.keys():
            machine.budgets.take_over(search_id, labels[search_id], emitted[search_id])
        for search_id in labels.keys() - open_ids:
            machine.budgets.end(search_id)
        for stored in self._store.submissions():
            header = machine.store.header(stored.search_id)
            try:
                config: SearchConfig | ConfigError = config_from_choices(header.config, stored.choices, ORIGIN)
            except ConfigError as error:
                config = error
            yield Seat(machine, stored, header, config)

    def _emitted(self) -> dict[str, dict[datetime, Grams]]:
        """Return what every search has emitted by quarter hour, as far as it is in the ledger."""
        grams = self._store.grams_by_quarter(self._config.accounting.bound_g_per_kwh)
        return {
            search_id: {start: Grams(priced, unpriced) for start, (priced, unpriced) in quarters.items()}
            for search_id, quarters in grams.items()
        }

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

    def _add(self, draft: Draft, stored: StoredSubmission) -> SearchHeader:
        """Enter a new search into the store; its grid is looked at while it waits to be opened."""
        grids, header = self._machine.grids, replace(draft.header, search_id=stored.search_id)
        with ExitStack() as undo:
            undo.callback(grids.end, stored.search_id)
            grids.join(draft.config, stored.search_id)
            self._store.submit(header, draft.progress, stored)
            undo.pop_all()
        grids.leave(stored.search_id)
        return header


def _itself(executor: Executor) -> Executor:
    return executor
