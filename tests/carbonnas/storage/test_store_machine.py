"""Whatever happens in whichever order: what was committed is there once, and what was not is not there at all."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from carbonnas.emissions import EmissionEntry, totals
from carbonnas.errors import StorageError
from carbonnas.search_state import SearchProgress, Step
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.storage.daemon_store import DaemonStore
from carbonnas.storage.search_index import SearchIndex
from carbonnas.storage.store import Store
from carbonnas.trials import Trial, TrialKind, TrialState
from tests.carbonnas.storage.made import at, decision, entry, hours, intensity, new_search, submission, trial


@dataclass
class Kept:
    """What the store has to hold of one search."""

    progress: SearchProgress
    submission: StoredSubmission | None
    trials: dict[int, Trial] = field(default_factory=dict)
    entries: dict[str, EmissionEntry] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)
    decisions: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    def take(self, progress: SearchProgress, step: Step) -> None:
        self.progress = progress
        self.trials |= step.trials
        self.decisions += len(step.decisions)
        self.marks |= step.usage_marks
        for made in step.entries:
            self.entries.pop(made.supersedes or "", None)
            self.entries[made.entry_id] = made
            self.entered.add(made.entry_id)


class Crash(BaseException):
    """The process is gone."""


class LastEntries(list[EmissionEntry]):
    """Entries in whose midst the machine stops: keeps the files as they are on the disk at that moment."""

    def __init__(self, entries: list[EmissionEntry], files: Path, rescued: Path) -> None:
        super().__init__(entries)
        self._files = files
        self._rescued = rescued

    def __iter__(self) -> Iterator[EmissionEntry]:
        yield from super().__iter__()
        shutil.copytree(self._files, self._rescued, ignore=shutil.ignore_patterns("*-shm"))
        raise Crash


numbers = st.integers(0, 5)
steps = st.fixed_dictionaries(
    {
        "trials": st.dictionaries(numbers, st.sampled_from([TrialState.QUEUED, TrialState.COMPLETED]), max_size=3),
        "entries": st.lists(st.tuples(numbers, st.booleans()), max_size=3),
        "corrected": st.booleans(),
        "decisions": st.integers(0, 1),
        "marks": st.dictionaries(st.sampled_from("vw"), st.integers(0, 9), max_size=2),
    }
)
searches = st.integers(0, 2)


class StoreMachine(RuleBasedStateMachine):
    """A store, a second reader, and a dictionary that says what they have to hold."""

    empty: Path

    @initialize()
    def begin(self) -> None:
        self.root = tempfile.TemporaryDirectory()
        self.folders = (Path(self.root.name) / str(number) for number in itertools.count())
        self.folder = next(self.folders)
        self.folder.mkdir()
        shutil.copy(self.empty, self.folder / "carbonnas.db")
        self.model: dict[str, Kept] = {}
        self.ids = itertools.count()
        self.open()

    def open(self) -> None:
        path = self.folder / "carbonnas.db"
        self.store, self.reader = Store(path), Store(path)
        self.daemon, self.index = DaemonStore(path), SearchIndex(path)

    def close(self) -> None:
        for opened in (self.store, self.reader, self.daemon, self.index):
            opened.close()

    def step(self, search_id: str, drawn: dict[str, object]) -> tuple[SearchProgress, Step]:
        kept, (_, progress) = self.model[search_id], new_search(search_id)
        made = Step(usage_marks=dict(drawn["marks"]), decisions=[decision(0)] * drawn["decisions"])  # type: ignore[call-overload, operator] # as drawn
        for number, state in drawn["trials"].items():  # type: ignore[attr-defined] # as drawn
            made.trials[number] = trial(number, TrialKind.TRAIN if number % 2 else TrialKind.SCORE, state)
        for hour, priced in drawn["entries"]:  # type: ignore[attr-defined] # as drawn
            price = intensity(hour) if priced else None
            made.entries.append(entry(f"e{next(self.ids)}", hours(hour, hour + 1), price))
        if drawn["corrected"] and kept.entries:
            former = next(iter(kept.entries.values()))
            within = former.priced.sample.interval
            made.entries.append(entry(f"{former.entry_id}+0", within, intensity(9, 50.0), supersedes=former.entry_id))
        return replace(progress, clock_at=at(next(self.ids))), made

    @precondition(lambda self: len(self.model) < 3)
    @rule(submitted=st.booleans())
    def enter(self, *, submitted: bool) -> None:
        search_id = f"s{len(self.model)}"
        header, progress = new_search(search_id)
        if submitted:
            self.daemon.submit(header, progress, submission(search_id))
        else:
            self.store.create(header, progress)
        self.model[search_id] = Kept(progress, submission(search_id) if submitted else None)

    @rule(place=searches, paused=st.booleans(), priority=st.integers(-100, 100))
    def command(self, place: int, *, paused: bool, priority: int) -> None:
        kept = self.model.get(f"s{place}")
        if kept is not None and kept.submission is not None:
            self.daemon.set_paused(f"s{place}", paused=paused)
            self.daemon.set_priority(f"s{place}", priority)
            kept.submission = replace(kept.submission, paused=paused, priority=priority)

    @precondition(lambda self: self.model)
    @rule(place=searches, drawn=steps)
    def commit(self, place: int, drawn: dict[str, object]) -> None:
        search_id = f"s{place % len(self.model)}"
        progress, step = self.step(search_id, drawn)
        with self.reader.snapshot():
            before = self.reader.trials(search_id)
            self.store.commit(search_id, progress, step)
            assert self.reader.trials(search_id) == before
            assert self.reader.progress(search_id) == self.model[search_id].progress
        self.model[search_id].take(progress, step)

    @precondition(lambda self: any(kept.entered for kept in self.model.values()))
    @rule(place=searches, drawn=steps)
    def commit_what_is_there_already(self, place: int, drawn: dict[str, object]) -> None:
        search_id = f"s{place % len(self.model)}"
        progress, step = self.step(search_id, drawn)
        twice = next(entry_id for kept in self.model.values() for entry_id in sorted(kept.entered))
        step.entries.append(entry(twice, hours(0, 1)))
        with pytest.raises(StorageError, match="UNIQUE"):
            self.store.commit(search_id, progress, step)

    @rule(place=searches, drawn=steps)
    def crash(self, place: int, drawn: dict[str, object]) -> None:
        rescued = next(self.folders)
        if self.model:
            search_id = f"s{place % len(self.model)}"
            progress, step = self.step(search_id, drawn)
            step.entries = LastEntries(step.entries, self.folder, rescued)
            with suppress(Crash):
                self.store.commit(search_id, progress, step)
        else:
            shutil.copytree(self.folder, rescued, ignore=shutil.ignore_patterns("*-shm"))
        self.close()
        self.folder = rescued
        self.open()

    @invariant()
    def all_is_there_once(self) -> None:
        assert self.reader.ids() == list(self.model)
        assert self.daemon.submissions() == [kept.submission for kept in self.model.values() if kept.submission]
        for search_id, kept in self.model.items():
            assert self.reader.progress(search_id) == kept.progress
            assert self.reader.trials(search_id) == [kept.trials[number] for number in sorted(kept.trials)]
            found = self.reader.entries(search_id)
            assert sorted(made.entry_id for made in found) == sorted(kept.entries)
            assert all(made == kept.entries[made.entry_id] for made in found)
            assert len(self.reader.decisions(search_id)) == kept.decisions
            assert self.reader.usage_marks(search_id) == kept.marks
        for summary in self.index.summaries():
            sums = totals(self.model[summary.search_id].entries.values())
            assert summary.totals.energy_j == pytest.approx(sums.energy_j)
            assert summary.totals.emissions_g == pytest.approx(sums.emissions_g)

    def teardown(self) -> None:
        self.close()
        self.root.cleanup()


def test_nothing_is_lost_doubled_or_half_written_whatever_happens(empty_store: Path) -> None:
    machine = type("EmptyAtFirst", (StoreMachine,), {"empty": empty_store})
    run_state_machine_as_test(machine, settings=settings(max_examples=10, stateful_step_count=15, deadline=None))
