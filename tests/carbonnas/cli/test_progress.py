"""Progress: a panel on a terminal, few lines elsewhere."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbon_sources.monitor import Observation
from carbonnas.accounting import RunningTotals
from carbonnas.cli.progress import progress_display
from carbonnas.execution.executor import EpochReport
from carbonnas.record import SearchState
from carbonnas.status import SearchStatus
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.budget import BudgetState, EmissionBudget
from schedulers.decision import Decision, Reason, ReasonCode

NOON = datetime(2021, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAMPLE = IntensitySample(
    Interval(NOON, NOON + HOUR), 250.0, "[red]Z", IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "s"
)
TRIAL = Trial(
    7,
    0,
    TrialKind.TRAIN,
    Fidelity(FidelityName.SEARCH, 12),
    (1,),
    "[bold]key",
    1,
    NOON,
    state=TrialState.RUNNING,
    metrics={"val_accuracy": 0.9},
)
DIRTY = Decision(0, 2, Reason(ReasonCode.DIRTY, "250 g/kWh are [too] dirty"), NOON + HOUR)
STATUS = SearchStatus(
    now=NOON,
    state=SearchState.RUNNING,
    stop_reason=None,
    observation=Observation(NOON, SAMPLE, IntensitySeries((SAMPLE,)), None, None, NOON + HOUR),
    decision=DIRTY,
    news=None,
    counts={(TrialKind.SCORE, TrialState.COMPLETED): 3, (TrialKind.TRAIN, TrialState.FAILED): 1},
    running=(TRIAL,),
    epochs={7: EpochReport(7, 4, 12, {})},
    planned={TrialKind.SCORE: 10, TrialKind.TRAIN: 5},
    totals=RunningTotals(3.6e6, 250.0, 0.0),
    budgets=(BudgetState(EmissionBudget(1000.0), 250.0, 0.0),),
    best=None,
    wanted_slots=2,
    next_at=NOON + HOUR,
)


def shown(*statuses: SearchStatus, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, highlight=False)
    with progress_display(console) as display:
        for status in statuses:
            display.update(status)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())


def lines(*statuses: SearchStatus) -> list[str]:
    return shown(*statuses).splitlines()


def test_a_decision_is_one_line_with_its_reason() -> None:
    assert lines(STATUS) == ["2021-01-01 12:00  0 training, 2 scoring: 250 g/kWh are [too] dirty"]


def test_the_same_course_at_another_intensity_is_no_news() -> None:
    later = [
        replace(STATUS, now=NOON + h * HOUR, decision=replace(DIRTY, reason=Reason(ReasonCode.DIRTY, f"{h} is dirty")))
        for h in range(1, 9)
    ]
    assert len(lines(STATUS, *later)) == 1


@pytest.mark.parametrize(
    "decision",
    [
        replace(DIRTY, train_slots=1),
        replace(DIRTY, score_slots=1),
        replace(DIRTY, reason=Reason(ReasonCode.MAX_WAIT, "waited")),
    ],
    ids=["train", "score", "reason"],
)
def test_another_course_or_another_reason_is_a_line(decision: Decision) -> None:
    assert len(lines(STATUS, replace(STATUS, decision=decision), replace(STATUS, decision=decision))) == 2


def test_a_training_that_ends_is_a_line_and_those_of_an_earlier_process_are_none() -> None:
    counts = {**STATUS.counts, (TrialKind.TRAIN, TrialState.COMPLETED): 2}
    after = replace(STATUS, counts=counts, best=replace(TRIAL, state=TrialState.COMPLETED))
    assert lines(STATUS, after, after)[1:] == [
        "2021-01-01 12:00  3 scored, 2 trained; 1.00 kWh, 250 g CO2eq; trial 7: [bold]key (val_accuracy 90.00 %)"
    ]


def test_why_nothing_is_proposed_any_more_is_one_line() -> None:
    after = replace(STATUS, exhausted="Nothing was [found].")
    assert lines(STATUS, after, after)[1:] == ["2021-01-01 12:00  plan: Nothing was [found]."]


def test_what_the_plan_looks_for_is_one_line_for_each_round() -> None:
    rounds = [
        f"Looks for [networks] in round {n} of 4: {made} proposals made." for n, made in ((1, 32), (1, 64), (2, 9))
    ]
    first, further, second = (replace(STATUS, looking=said) for said in rounds)
    assert lines(STATUS, first, further, STATUS, further, second)[1:] == [
        f"2021-01-01 12:00  plan: {said}" for said in (rounds[0], rounds[2])
    ]


def test_a_panel_says_what_the_plan_looks_for() -> None:
    assert "Looks for [networks]." in shown(replace(STATUS, looking="Looks for [networks]."), terminal=True)


def test_a_budget_that_nears_its_end_is_one_line() -> None:
    near = replace(STATUS, budgets=(replace(STATUS.budgets[0], spent_g=810.0),))
    assert lines(STATUS, near, near)[1:] == ["2021-01-01 12:00  budget: 810 g of 1.00 kg per search (81.0 %)"]


def test_unpriced_energy_is_said() -> None:
    before = replace(STATUS, counts={})
    assert "500 Wh not priced yet" in lines(before, replace(STATUS, totals=RunningTotals(3.6e6, 1.0, 1.8e6)))[1]


def test_nothing_decided_yet_is_no_line() -> None:
    assert lines(replace(STATUS, decision=None)) == []


def test_a_terminal_shows_everything_at_once() -> None:
    panel = shown(STATUS, terminal=True)
    for part in (
        "2021-01-01 12:00 UTC",
        "250 g/kWh in [red]Z, measured",
        "0 training, 2 scoring: 250 g/kWh are [too] dirty",
        "3 of 10",
        "1 of 5",
        "train 7 (epoch 4 of 12)",
        "1.00 kWh, 250 g CO2eq",
        "250 g of 1.00 kg per search (25.0 %)",
        "nothing trained yet",
    ):
        assert part in panel


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (replace(STATUS, running=(), decision=None), "resting"),
        (replace(STATUS, running=(), decision=None), "deciding"),
        (
            replace(STATUS, observation=Observation(NOON, None, IntensitySeries(()), None, "[no] answer", NOON + HOUR)),
            "intensity unknown: [no] answer",
        ),
        (
            replace(STATUS, observation=Observation(NOON, None, IntensitySeries(()), None, None, NOON + HOUR)),
            "intensity unknown: no data for this time",
        ),
        (replace(STATUS, epochs={}), "train 7"),
        (replace(STATUS, best=TRIAL), "trial 7: [bold]key (val_accuracy 90.00 %)"),
        (replace(STATUS, counts={(TrialKind.SCORE, TrialState.COMPLETED): 12}), "12 of 12"),
    ],
)
def test_a_terminal_says_what_is_not_known(status: SearchStatus, part: str) -> None:
    assert part in shown(status, terminal=True)


def test_the_panel_leaves_one_copy_behind() -> None:
    panel = shown(STATUS, STATUS, replace(STATUS, best=TRIAL), terminal=True)
    assert panel.count("trial 7: [bold]key") == 1
