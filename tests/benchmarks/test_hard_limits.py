"""Random searches keep their limits, and one that does not is found out."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.hard_limits import broken, judged, table
from benchmarks.hard_limits_laws import Deadline, deadline_of, has_outlasted, judge
from benchmarks.hard_limits_search import Case, Ran, Training, draw, run, schedulers_drawn, unlimited
from carbonnas.plugins import SCHEDULERS, PluginChoice
from carbonnas.record import DecisionRecord, StopReason
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.decision import Decision, Reason, ReasonCode

FEW, MORE = range(12), range(1000, 1200)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what is logged of each fault off the tests' records."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def cases(*, binding: bool) -> Iterator[Case]:
    return (case for case in map(draw, range(100)) if case.binding is binding)


def test_no_random_search_breaks_a_limit() -> None:
    found = [judged(seed) for seed in FEW]
    assert broken(found) == {}
    whole = table(found)["all"]
    assert min(whole["faults"], whole["full"], whole["feasible"]) > 0, "there was something to keep"


@pytest.mark.slow
def test_no_more_random_searches_break_a_limit() -> None:
    assert broken([judged(seed) for seed in MORE]) == {}


def test_every_scheduler_takes_part() -> None:
    assert schedulers_drawn() == set(SCHEDULERS.names())


def test_the_same_seed_gives_the_same_search() -> None:
    assert judged(3) == judged(3)


def test_a_search_that_ignores_its_budgets_is_found_out() -> None:
    ignored = [judge(case, run(unlimited(case))) for case, _ in zip(cases(binding=True), range(6), strict=False)]
    sentences = " ".join(sentence for verdict in ignored for sentence in verdict.breaches)
    assert "in a full window" in sentences
    assert "metering intervals too much" in sentences
    assert max(verdict.overshoot for verdict in ignored) > 1


def test_a_search_that_ignores_its_deadline_is_found_out() -> None:
    case = next(case for case in cases(binding=False) if deadline_of(case) is Deadline.FEASIBLE)
    never = PluginChoice("threshold", {"g_per_kwh": 0.0})
    safety = case.config.safety.model_copy(update={"max_wait": case.horizon})
    waits = replace(case, config=case.config.model_copy(update={"scheduler": never, "safety": safety}))
    verdict = judge(waits, run(unlimited(waits)))
    assert verdict.missed
    assert "was missed" in verdict.breaches[0]


def pressed(lengths_s: tuple[float, ...], *reasons: ReasonCode) -> tuple[Case, Ran]:
    """Return a search with trainings that take so long, of which the first has finished when the decisions follow, an hour apart."""
    case = draw(0)
    search = case.config.search.model_copy(update={"training_time": None})
    safety = case.config.safety.model_copy(update={"deadline_margin": 0.1})
    fidelity = Fidelity(FidelityName.SEARCH, 12)
    trainings = tuple(Training(number, fidelity, length_s) for number, length_s in enumerate(lengths_s))
    case = replace(
        case,
        config=case.config.model_copy(update={"search": search, "safety": safety}),
        blind_trainings=trainings,
    )
    done = Trial(0, 0, TrialKind.TRAIN, fidelity, (0,), "0", 0, case.start, TrialState.COMPLETED, ended_at=case.start)
    times = (case.start + number * timedelta(hours=1) for number in range(len(reasons)))
    decisions = [
        DecisionRecord(at, None, Decision(1, 0, Reason(reason, "so"), at + timedelta(hours=1)))
        for at, reason in zip(times, reasons, strict=False)
    ]
    return case, Ran(trials=[done], decisions=decisions)


@pytest.mark.parametrize(("each_s", "outlasted"), [(188.0, False), (189.0, True)])
def test_two_trainings_outlast_two_standard_deviations_and_the_margin(each_s: float, *, outlasted: bool) -> None:
    # One took 100 s: 2 * 100 + 2 * 30 * sqrt(2 + 4 / 1) = 347 s at most, and 0.1 * (100 + 200) = 30 s are kept free: 2 * 188.5 s.
    assert has_outlasted(*pressed((100.0, each_s, each_s), ReasonCode.BLIND, ReasonCode.DEADLINE)) is outlasted


def test_a_search_that_waits_in_the_end_has_no_excuse() -> None:
    assert not has_outlasted(*pressed((100.0, 900.0), ReasonCode.DEADLINE, ReasonCode.BLIND))


def test_a_search_that_knew_of_no_length_has_no_excuse() -> None:
    case, ran = pressed((100.0, 900.0), ReasonCode.DEADLINE)
    ran.trials.clear()
    assert not has_outlasted(case, ran)


def test_a_miss_is_counted_apart_and_breaks_no_limit_where_trainings_outlasted_the_reckoning() -> None:
    case = next(case for case in cases(binding=False) if deadline_of(case) is Deadline.FEASIBLE)
    ran = run(case)
    ran.stop_reason = StopReason.DEADLINE
    assert len(judge(case, ran).breaches) == 1
    first, *rest = sorted(
        (trial for trial in ran.trials if trial.kind is TrialKind.TRAIN and trial.state is TrialState.COMPLETED),
        key=lambda trial: trial.ended_at or case.start,
    )
    since = first.ended_at or case.start
    ran.decisions = [DecisionRecord(since, None, Decision(1, 0, Reason(ReasonCode.DEADLINE, "so"), since))]
    later = {trial.number for trial in rest}
    longer = tuple(
        replace(each, seconds=1000 * each.seconds) if each.number in later else each for each in case.blind_trainings
    )
    verdict = judge(replace(case, blind_trainings=longer), ran)
    assert verdict.missed
    assert verdict.outlasted
    assert verdict.breaches == ()


def test_a_search_that_understates_what_it_spent_is_found_out() -> None:
    runs = ((case, run(case)) for case in cases(binding=True))
    case, ran = next((case, ran) for case, ran in runs if ran.budgets[0].spent_g > ran.budgets[0].unpriced_g)
    assert judge(case, ran).breaches == ()
    ran.budgets = (replace(ran.budgets[0], spent_g=0.0), *ran.budgets[1:])
    assert [sentence for sentence in judge(case, ran).breaches if "0 g were said" in sentence]


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_the_figures(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.hard_limits", "--processes", "1", "--json", str(figures)]
    command += ["--only", "1", "--only", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "worst overshoot" in done.stdout
    document = json.loads(figures.read_text())
    assert document["figures"]["all"]["searches"] == 2
    assert document["broken"] == {}


def test_a_pause_is_no_end() -> None:
    case = draw(0)
    short = replace(case, horizon=timedelta(0))
    assert run(short).stop_reason is None
