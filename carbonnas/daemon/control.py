"""How the daemon is looked at and told what to do, by whatever serves people: the page, the API, the command line."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from carbon_sources.health import Health
from carbon_sources.monitor import Observation
from carbonnas.energy.meter import Measurement
from carbonnas.record import Override
from carbonnas.search_state import SearchHeader
from carbonnas.status import SearchStatus
from schedulers.budget import BudgetState

PRIORITIES = range(-100, 101)
LONGEST_CONFIG = 2**18
"""Characters."""
MOST_LABELS = 16
LONGEST_LABEL = 64
"""Characters."""
LONGEST_REASON = 500
"""Characters of the reason for an override."""
MOST_GRAMS = 1e12
"""Grams that one override can add."""


class Phase(enum.Enum):
    """What the daemon does with a search."""

    QUEUED = "queued"
    """It waits for a slot of the machine."""
    OPENING = "opening"
    """It has slots, and is made ready to use them: plug-ins are imported and workers started."""
    RUNNING = "running"
    """It has slots; whether it works or rests is its scheduler's decision."""
    PAUSED = "paused"
    """A person has paused it."""
    FAILING = "failing"
    """It can't run, and is tried again: `SearchView.problem` says why."""
    ENDED = "ended"
    """Completed, stopped or cancelled."""


class CommandError(Exception):
    """What was asked for can't be done to this search or budget; one sentence."""


class UnknownNameError(CommandError):
    """There is no search or budget of that name."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A search to be entered.

    Attributes:
        config: Its configuration, TOML.
        folder: Absolute path of the folder in which relative paths in the configuration start, on the daemon's machine.
        priority: -100..100; a higher one gets slots first.
        labels: Labels such as a team, for budgets that hold for a label; at most 16, each 1..64 characters.
        anew: Whether to begin another search although one with this configuration exists.
        anyway: Whether to begin although deadline and budgets leave no room for all trainings.

    Raises:
        CommandError: If something is out of range.
    """

    config: str
    folder: str
    priority: int = 0
    labels: tuple[str, ...] = ()
    anew: bool = False
    anyway: bool = False

    def __post_init__(self) -> None:
        if len(self.config) > LONGEST_CONFIG:
            raise CommandError(f"a configuration has at most {LONGEST_CONFIG} characters, this one {len(self.config)}")
        if not PurePath(self.folder).is_absolute() or "\0" in self.folder:
            raise CommandError(
                f"the folder in which relative paths start must be an absolute path, got {self.folder!r}"
            )
        if len(self.labels) > MOST_LABELS:
            raise CommandError(f"a search bears at most {MOST_LABELS} labels, got {len(self.labels)}")
        for label in self.labels:
            if not (0 < len(label) <= LONGEST_LABEL and label.isprintable()):
                raise CommandError(f"a label has 1 to {LONGEST_LABEL} printable characters, got {label[:80]!r}")
        require_priority(self.priority)


def require_priority(priority: int) -> None:
    """Raise `CommandError` unless it is a priority."""
    if priority not in PRIORITIES:
        raise CommandError(f"a priority lies between {PRIORITIES[0]} and {PRIORITIES[-1]}, got {priority}")


@dataclass(frozen=True, slots=True)
class SearchView:
    """One search that has not ended, at one instant.

    Attributes:
        header: What is fixed about it.
        phase: What the daemon does with it.
        priority: -100..100.
        labels: Its labels.
        submitted_at: When it was submitted, UTC.
        granted: Slots that it may use at the moment.
        status: How it stood after its last step; `None` before its first.
        problem: Why it can't run, in one sentence; `None` if it can.
    """

    header: SearchHeader
    phase: Phase
    priority: int
    labels: tuple[str, ...]
    submitted_at: datetime
    granted: int
    status: SearchStatus | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class EndedWindow:
    """A window of a budget that has ended, and in which more was emitted than allowed.

    Attributes:
        state: How it stands by now.
        at_end_g: What counted as spent when it ended, with what was in doubt then; `None` if the daemon did not see it end.
    """

    state: BudgetState
    at_end_g: float | None


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget at one instant.

    Attributes:
        name: Unique: `daemon/NAME`, or `SEARCH-ID/NUMBER` with numbers from 1.
        search_id: Whose it is; `None` for a budget over all searches of the daemon, or of a label.
        label: The label whose searches it holds for; `None` for all.
        state: How it stands.
        exhausted_at: When it will be exhausted if things go on as forecast, UTC; `None` if not within the forecast, or nobody knows.
        overrides: What operators have added to it inside the present window, oldest first.
        exceeded: Of a budget of the daemon, those of its newest ended windows in which more was emitted than allowed, the newest first.
    """

    name: str
    search_id: str | None
    label: str | None
    state: BudgetState
    exhausted_at: datetime | None
    overrides: tuple[Override, ...] = ()
    exceeded: tuple[EndedWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class GridView:
    """One carbon source that searches use, or that the daemon watches.

    Attributes:
        name: What its configuration calls it, with its zone where there is one; unique within the daemon.
        observation: What is known of the grid.
        health: How well the source serves.
        forecast_error: Mean absolute percentage error of what was forecast a day before for the last 24 h, 0.1 for 10 %; `None` while nothing
            can be compared.
        searches: Ids of the searches on it that have not ended.
    """

    name: str
    observation: Observation
    health: Health
    forecast_error: float | None
    searches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TickTimes:
    """Real seconds that the last ticks took: number of ticks since the start, and quantiles over the newest thousand at most."""

    count: int
    median_s: float
    p99_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class DaemonView:
    """The whole daemon after one tick; immutable, so that any thread may read it.

    Attributes:
        version: Grows with each tick that changed something that people see.
        now: Instant of the tick in the daemon's clock.
        started_at: When the daemon started.
        ready: Whether it has taken over what an earlier process left, and ticks on time.
        stopping: Whether it has been asked to stop.
        trouble: Why it is not ready, does not tick on time, or which searches seem to be stuck, in one sentence; `None` if all is well.
        clock: One sentence on a clock that is not the machine's.
        slots: Slots of the machine.
        searches: Searches that have not ended, in order of submission.
        budgets: All budgets: the daemon's, and those of the searches above.
        grids: Carbon sources in use.
        measurement: How energy is measured; `None` while nothing is.
        decisions: Number of decisions since the start by reason code.
        ticks: How long ticks take.
        stalled: When nothing ran last, because the machine slept or no daemon lived, and for how long; `None` if that is not known to have been.
    """

    version: int
    now: datetime
    started_at: datetime
    ready: bool
    stopping: bool
    trouble: str | None
    clock: str | None
    slots: int
    searches: tuple[SearchView, ...]
    budgets: tuple[BudgetView, ...]
    grids: tuple[GridView, ...]
    measurement: Measurement | None
    decisions: Mapping[str, int]
    ticks: TickTimes
    stalled: tuple[datetime, timedelta] | None = None

    def search(self, search_id: str) -> SearchView | None:
        """Return the search of that id; `None` if there is none that has not ended."""
        return next((each for each in self.searches if each.header.search_id == search_id), None)


class Control(ABC):
    """The daemon from outside; every method may be called from any thread.

    Commands return when what they ask for is in the store, and raise `CommandError` with one sentence if it can't be done,
    `UnknownNameError` if there is no such search or budget. What running work does about it shows in the views that follow.
    """

    @abstractmethod
    def view(self) -> DaemonView:
        """Return the newest view."""

    @abstractmethod
    def wait(self, version: int, timeout_s: float) -> DaemonView:
        """Return the newest view as soon as its version is above `version`, or after `timeout_s` real seconds as it is then."""

    @abstractmethod
    def submit(self, submission: Submission) -> str:
        """Enter a search and return its id.

        One with the same configuration that has not ended is returned as it is, unless `anew` is set.

        Raises:
            ConfigError: With every mistake in the configuration, or if deadline and budgets leave no room.
        """

    @abstractmethod
    def pause(self, search_id: str) -> None:
        """Let a search rest: what trains leaves at its next epoch."""

    @abstractmethod
    def resume(self, search_id: str) -> None:
        """Let a paused search go on."""

    @abstractmethod
    def cancel(self, search_id: str) -> None:
        """End a search; what it did is kept and reported."""

    @abstractmethod
    def set_priority(self, search_id: str, priority: int) -> None:
        """Set the priority of a search, -100..100."""

    @abstractmethod
    def override(self, budget: str, grams: float, reason: str) -> None:
        """Add grams, above zero, to a budget for its present window; the reason, 1..500 characters, stays in the report."""
