"""Costs beside what an evaluator tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from carbonnas.architecture import Architecture
from carbonnas.costs.known import KnownCosts
from carbonnas.costs.plan import CostPlan
from carbonnas.costs.table import LatencyTable
from carbonnas.errors import ConfigError
from carbonnas.evaluation.costing import CostingEvaluator, with_costs
from carbonnas.evaluation.datasets import load_dataset, task_of
from carbonnas.evaluation.evaluator import Evaluation, EvaluationRequest, Evaluator, Session
from carbonnas.execution.attempt import evaluate_safely
from carbonnas.execution.executor import OutcomeKind
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

TASK = TaskShape(1, 8, 8, 10)
ARCHITECTURE = (0,) * 8
SCORING = EvaluationRequest(ARCHITECTURE, TrialKind.SCORE, PROXY, 0)
TRAINING = EvaluationRequest(ARCHITECTURE, TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 1), 0)


class Told(Evaluator):
    """Gives what it was told to."""

    def __init__(self, metrics: Mapping[str, float], task: TaskShape | None) -> None:
        self._metrics = metrics
        self._task = task

    @property
    def task(self) -> TaskShape | None:
        return self._task

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        return Evaluation(self._metrics, 2.0)


class Probe:
    """A meter that sees what it is told to."""

    def __init__(self, joules: float) -> None:
        self._joules = joules

    def start(self) -> None:
        """Begin."""

    def read(self) -> tuple[float, float]:
        return self._joules, 0.0

    def close(self) -> None:
        """End."""


def costed(inner: Evaluator, *wanted: str, **changed: Any) -> Evaluator:
    plan = CostPlan(frozenset(wanted), **changed)
    space = SmallConv()
    evaluators = with_costs({TrialKind.SCORE: inner, TrialKind.TRAIN: inner}, space, plan, None)
    return evaluators[TrialKind.TRAIN]


def test_an_evaluator_of_which_nothing_more_is_wanted_stays_as_it_is() -> None:
    inner = Told({"val_accuracy": 0.5}, TASK)
    assert costed(inner, "val_accuracy", "training_g") is inner


def test_counts_come_with_scorings_and_trainings_and_the_rest_is_kept() -> None:
    for request in (SCORING, TRAINING):
        found = costed(Told({"val_accuracy": 0.5}, TASK), "macs", "params").evaluate(request, UnattendedSession())
        assert set(found.metrics) == {"val_accuracy", "macs", "params"}
        assert (found.metrics["val_accuracy"], found.modelled_seconds, dict(found.lacks)) == (0.5, 2.0, {})


@pytest.mark.parametrize("task", [None, TASK], ids=["a table", "the same task"])
def test_what_the_evaluator_tells_of_these_networks_is_believed(task: TaskShape | None) -> None:
    evaluator = costed(Told({"params": 7.0}, task), "params", task=TASK)
    assert evaluator.evaluate(SCORING, UnattendedSession()).metrics == {"params": 7.0}


def test_what_it_tells_of_networks_for_another_task_is_not() -> None:
    other = TaskShape(3, 32, 32, 100)
    evaluator = costed(Told({"params": 7.0}, other), "params", task=TASK)
    assert evaluator.evaluate(SCORING, UnattendedSession()).metrics["params"] > 7.0


def test_a_latency_by_table_comes_before_any_training_and_its_lack_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    table = LatencyTable("a phone", architectures={SmallConv().key(ARCHITECTURE): 2.5})
    path.write_text(table.to_json(), encoding="utf-8")
    evaluator = costed(Told({}, TASK), "latency_ms.phone", tables={"latency_ms.phone": path})
    assert evaluator.evaluate(SCORING, UnattendedSession()).metrics == {"latency_ms.phone": 2.5}
    other = EvaluationRequest((1,) * 8, TrialKind.SCORE, PROXY, 0)
    found = evaluator.evaluate(other, UnattendedSession())
    assert found.metrics == {}
    assert found.lacks == {
        "latency_ms.phone": "latency_ms.phone is unknown: the architecture is missing in the table of a phone"
    }


def test_a_latency_is_measured_after_a_training_or_said_to_be_unstable() -> None:
    evaluator = costed(Told({}, TASK), "latency_ms")
    assert evaluator.evaluate(SCORING, UnattendedSession()).metrics == {}
    found = evaluator.evaluate(TRAINING, UnattendedSession())
    assert set(found.metrics) | set(found.lacks) == {"latency_ms"}
    assert all(value > 0 for value in found.metrics.values())


def test_energy_without_a_meter_that_sees_it_is_unknown_and_never_zero() -> None:
    found = costed(Told({}, TASK), "inference_j").evaluate(TRAINING, UnattendedSession())
    assert found.metrics == {}
    assert "does not see a process by itself" in found.lacks["inference_j"]


@pytest.mark.slow
def test_energy_is_what_the_meter_sees_over_the_inferences() -> None:
    space, plan = SmallConv(), CostPlan(frozenset({"inference_j"}))
    evaluator = CostingEvaluator(
        Told({}, TASK), space, plan, known=KnownCosts(space, plan, TASK), task=TASK, counter=lambda: Probe(0.0)
    )
    assert "saw nothing" in evaluator.evaluate(TRAINING, UnattendedSession()).lacks["inference_j"]


def test_measuring_for_nobody_knows_what_is_told() -> None:
    found = costed(Told({}, None), "latency_ms").evaluate(TRAINING, UnattendedSession())
    assert "set task in [costs]" in found.lacks["latency_ms"]


class Broken(SearchSpace):
    """A network that torch can't run."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("net", ("only",)),)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        return nn.Conv2d(task.channels + 1, 2, 3)


@pytest.mark.parametrize("metric", ["latency_ms", "inference_j", "macs"])
def test_an_error_of_torch_while_a_cost_is_measured_is_a_lack_and_the_training_counts(metric: str) -> None:
    space, plan = Broken(), CostPlan(frozenset({metric}))
    known = KnownCosts(space, plan, TASK)
    inner = Told({"val_accuracy": 0.5}, TASK)
    evaluator = CostingEvaluator(inner, space, plan, known=known, task=TASK, counter=lambda: Probe(1.0))
    request = EvaluationRequest((0,), TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 1), 0)
    verdict = evaluate_safely({TrialKind.TRAIN: evaluator}, request, UnattendedSession())
    assert verdict.kind is OutcomeKind.COMPLETED
    assert verdict.evaluation is not None
    assert verdict.evaluation.metrics == {"val_accuracy": 0.5}
    assert set(verdict.evaluation.lacks) == {metric}
    assert verdict.evaluation.lacks[metric].startswith(f"{metric} is unknown: ")
    assert "channel" in verdict.evaluation.lacks[metric]
    assert "\n" not in verdict.evaluation.lacks[metric]


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "cuda:x", "meta"])
def test_a_device_to_measure_on_that_is_not_there_is_refused_before_anything_is_paid(device: str) -> None:
    with pytest.raises(ConfigError, match=f"device: torch finds no '{device}' to measure on; choose cpu") as caught:
        costed(Told({}, TASK), "latency_ms", device=device)
    assert len(caught.value.problems) == 1


def test_a_device_on_which_nothing_is_measured_may_be_missing() -> None:
    assert costed(Told({}, TASK), "params", device="abacus").evaluate(SCORING, UnattendedSession()).metrics


@pytest.mark.parametrize("name", ["digits", "noisy_digits", "text"])
def test_the_task_of_a_data_set_is_that_of_its_images(name: str) -> None:
    assert task_of(name) == load_dataset(name).task
