"""Whether a search fits its deadline and budgets: what is refused can't be done, and what is offered in its place can."""

from __future__ import annotations

import csv
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carbon_sources.clock import SimulatedClock
from carbon_sources.intensity import IntensitySeries
from carbon_sources.monitor import IntensityMonitor
from carbon_sources.providers.trace import TraceSource
from carbonnas.budgeting import BudgetBook
from carbonnas.config import BudgetSection, ClockSection, SearchConfig
from carbonnas.config_file import load_config
from carbonnas.driver import drive
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.workbench import Workbench
from carbonnas.feasibility_check import Doubt, doubt_about, expected_outlook
from carbonnas.grid import polling
from carbonnas.plugin_workbench import PluginWorkbench
from carbonnas.plugins import PluginChoice
from carbonnas.record import SearchRecord, StopReason
from carbonnas.storage.memory import MemoryStore
from carbonnas.storage.records import load_record
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
from carbonnas.trials import TrialKind
from carbonnas.wiring import Substitutes, open_search, search_id_for
from schedulers.budget import EmissionBudget, Window
from schedulers.outlook import Outlook

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class World:
    """A small search whose trainings all take the hour that its user expects, run on any grid."""

    def __init__(self, folder: Path) -> None:
        path = write_simulated_search(
            folder, rounds=2, search={"training_time": "1 h", "full_epochs": 24}, strategy={"use": "random"}
        )
        same_length(folder / "table.csv")
        self.config, _ = load_config(path)
        named = PluginWorkbench(self.config.space, self.config.scoring, self.config.training, 0)
        self.workbench = Shared(named)
        self.trace = folder / "grid.csv"

    def grid(self, values: Sequence[int]) -> TraceSource:
        """Return a grid with these hours from the start on, after eight days like the first of them and before many like the last."""
        hours = [values[0]] * 8 * 24 + [*values] + [values[-1]] * 8 * 24
        lines = ["start,end,g_per_kwh,zone,kind,basis,provenance"]
        for place, value in enumerate(hours):
            begins = STARTS_AT - 8 * DAY + place * HOUR
            spans = f"{begins:%Y-%m-%dT%H:%M:%SZ},{begins + HOUR:%Y-%m-%dT%H:%M:%SZ}"
            lines.append(f"{spans},{value},SUN,average,lifecycle,measured")
        self.trace.write_text("\n".join(lines))
        return TraceSource(path=self.trace)

    def changed(
        self, start: datetime, deadline: timedelta | None, budgets: Sequence[EmissionBudget] = ()
    ) -> SearchConfig:
        """Return the configuration with another start, deadline and budgets."""
        return self.config.model_copy(
            update={
                "search": self.config.search.model_copy(update={"deadline": deadline}),
                "clock": ClockSection(use="simulated", start=start),
                "budgets": tuple(section(budget) for budget in budgets),
            }
        )

    def run(self, config: SearchConfig, source: TraceSource, scheduler: str) -> SearchRecord:
        """Return what became of a search."""
        config = config.model_copy(update={"scheduler": PluginChoice(scheduler)})
        store, search_id = MemoryStore(), search_id_for(config, 1)
        monitor = IntensityMonitor(source, polling(config, source))
        substitutes = Substitutes(
            monitor=monitor, workbench=self.workbench, scheduler_services={"actual": source.series}
        )
        with tempfile.TemporaryDirectory() as folder:
            drive(
                open_search(config, "", store, search_id=search_id, state_folder=Path(folder), substitutes=substitutes),
                lambda _status: None,
                threading.Event(),
            )
        return load_record(store, search_id)


class Shared(Workbench):
    """Evaluators that are there already."""

    def __init__(self, named: PluginWorkbench) -> None:
        self._made = named.evaluators()

    def evaluators(self) -> Mapping[TrialKind, Evaluator]:
        return self._made


def section(budget: EmissionBudget) -> BudgetSection:
    return BudgetSection.model_validate(
        {"limit": f"{budget.limit_g} g", "window": budget.window, "at_limit": budget.at_limit}
    )


def same_length(table: Path) -> None:
    """Let each training of a table take an hour."""
    with table.open(newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("train_s_12ep_cifar10")
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([header, *([*row[:place], "3600", *row[place + 1 :]] for row in rows)])


def judged(config: SearchConfig, start: datetime, series: IntensitySeries) -> Doubt | None:
    return doubt_about(config, start, lambda until: Outlook.of_series(series, start, until))


def kept_all(record: SearchRecord) -> bool:
    """Say whether the plan was done in time and no window of a budget was overspent."""
    end = record.ended_at or record.started_at
    for budget in (state.budget for state in record.budgets):
        book = BudgetBook((budget,), 0.0)
        book.add(record.entries)
        now: datetime | None = record.started_at
        while now is not None and now <= end:
            (state,) = book.states(now, 0.0)
            if state.spent_g > budget.limit_g:
                return False
            now = None if state.window is None else state.window.end
    return record.stop_reason is StopReason.PLAN_DONE


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("feasible"))


Budgets = Sequence[Mapping[str, object]]
DAILY: Mapping[str, object] = {"limit": "150 g", "window": "day"}
NO_IDLE = {"idle": "0 W"}
"""Waiting costs nothing."""


def doubted(
    folder: Path, budgets: Budgets = (), energy: Mapping[str, object] | None = None, **search: object
) -> Doubt | None:
    """Return what speaks against a search of two rounds of two trainings of an hour, and one of 20/12 of it, within 20 h on two slots."""
    keys = {"training_time": "1 h", "deadline": "20 h", **search}
    path = write_simulated_search(folder, rounds=2, budgets=budgets, search=keys, energy=energy or {})
    config, _ = load_config(path)
    clock = SimulatedClock(STARTS_AT)
    return doubt_about(config, STARTS_AT, partial(expected_outlook, config, clock, MemoryStore().archive))


@pytest.mark.parametrize(
    ("budgets", "energy", "search", "sentence"),
    [
        ((), {}, {"training_time": None}, "training_time in [search] would tell how long one takes"),
        (
            [{"limit": "9 kg"}],
            {"use": "codecarbon", "train": None, "score": None, "idle": None},
            {},
            "whether the budgets are enough is not known before the first training has ended",
        ),
        (
            [{"limit": "100 g"}],
            {},
            {"deadline": None},
            "whether that fits the budget of 100 g can't be said by what is known",
        ),
        ([DAILY], {}, {"deadline": "200 h"}, "beyond what is known the last day is expected to go on"),
    ],
)
def test_what_is_not_known_beforehand_refuses_nothing(
    tmp_path: Path, budgets: Budgets, energy: dict[str, object], search: dict[str, object], sentence: str
) -> None:
    doubt = doubted(tmp_path, budgets, energy, **search)
    assert doubt is not None
    assert not doubt.refused
    assert sentence in doubt.sentence


@pytest.mark.parametrize(
    ("budgets", "energy", "search"),
    [
        ((), {}, {}),
        ((), {}, {"deadline": None, "training_time": None}),
        ([{"limit": "9 kg"}], {}, {}),
        ([DAILY], {}, {"deadline": None}),
        ([DAILY], NO_IDLE, {"deadline": "92 h"}),
    ],
)
def test_nothing_speaks_against_what_fits_or_has_no_limit(
    tmp_path: Path, budgets: Budgets, energy: dict[str, object], search: dict[str, object]
) -> None:
    assert doubted(tmp_path, budgets, energy, **search) is None


def test_the_same_daily_budget_fits_in_four_days_and_not_in_one(tmp_path: Path) -> None:
    doubt = doubted(tmp_path, [DAILY], NO_IDLE)
    assert doubt is not None
    assert doubt.refused
    assert "the budget of 150 g per day" in doubt.sentence


def test_a_meter_that_can_not_be_made_or_knows_no_powers_leaves_budgets_unchecked(tmp_path: Path) -> None:
    table = tmp_path / "energies.csv"
    table.write_text("architecture,kind,energy_j,seconds\n0-0-0-0-0-0,train,100,10\n", encoding="utf-8")
    keys = {"use": "recorded", "path": str(table), "train": None, "score": None}
    for energy in (keys, {**keys, "path": str(tmp_path / "missing.csv")}):
        doubt = doubted(tmp_path / "search", [{"limit": "1 g"}], energy)
        assert doubt is not None
        assert not doubt.refused
        early = doubted(tmp_path / "search", [{"limit": "1 g"}], energy, deadline="2 h")
        assert early is not None
        assert early.refused, "that the time is too short is known all the same"


def test_nothing_known_of_the_grid_refuses_nothing(tmp_path: Path) -> None:
    config, _ = load_config(
        write_simulated_search(
            tmp_path, rounds=2, budgets=[{"limit": "1 g"}], search={"training_time": "1 h", "deadline": "20 h"}
        )
    )
    doubt = doubt_about(config, STARTS_AT, lambda _until: Outlook((), ()))
    assert doubt is not None
    assert not doubt.refused
    assert doubt.sentence.endswith("can't be said by what is known of the grid")


def test_the_grid_is_only_asked_where_budgets_can_be_reckoned(tmp_path: Path) -> None:
    def never(until: datetime) -> Outlook:
        raise AssertionError(until)

    config, _ = load_config(write_simulated_search(tmp_path, search={"training_time": "1 h", "deadline": "1 h"}))
    doubt = doubt_about(config, STARTS_AT, never)
    assert doubt is not None
    assert doubt.refused


_grids = st.lists(st.integers(20, 900), min_size=12, max_size=60)
_budgets = st.lists(
    st.tuples(st.sampled_from((Window.SEARCH, Window.DAY, Window.WEEK)), st.integers(50, 900)), min_size=0, max_size=2
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(values=_grids, hours=st.integers(3, 40), at=st.integers(0, 23), budgets=_budgets)
def test_what_is_refused_no_scheduler_can_do(
    world: World, values: list[int], hours: int, at: int, budgets: list[tuple[Window, int]]
) -> None:
    source, start = world.grid(values), STARTS_AT + at * HOUR
    limits = [EmissionBudget(float(limit_g), window) for window, limit_g in budgets]
    config = world.changed(start, hours * HOUR, limits)
    doubt = judged(config, start, source.series)
    assume(doubt is not None and doubt.refused)
    for scheduler in ("oracle", "lookahead"):
        assert not kept_all(world.run(config, source, scheduler))


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(values=_grids, hours=st.integers(1, 3) | st.integers(5, 40), at=st.integers(0, 23), limit_g=st.integers(50, 900))
def test_the_clairvoyant_does_what_is_offered_in_place_of_what_is_refused(
    world: World, values: list[int], hours: int, at: int, limit_g: int
) -> None:
    """With a twentieth more of a budget: a training that is to pause goes on to the end of its epoch, whatever that costs."""
    source, start = world.grid([value for value in values for _ in range(3)]), STARTS_AT + at * HOUR
    budgets = [EmissionBudget(float(limit_g))] if hours >= 5 else []
    doubt = judged(world.changed(start, hours * HOUR, budgets), start, source.series)
    assume(doubt is not None and doubt.refused)
    assert doubt is not None
    assert doubt.found is not None
    if doubt.found.nearest_budgets is not None:
        more = [replace(budget, limit_g=1.05 * budget.limit_g) for budget in doubt.found.nearest_budgets]
        assert kept_all(world.run(world.changed(start, hours * HOUR, more), source, "oracle"))
    if doubt.found.nearest_deadline is not None:
        later = doubt.found.nearest_deadline - start
        assert kept_all(world.run(world.changed(start, later, budgets), source, "oracle"))
