from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from carbonnas.evaluation.evaluator import Evaluation, EvaluationRequest, Evaluator, Session
from carbonnas.execution.attempt import Verdict, evaluate_safely
from carbonnas.execution.executor import OutcomeKind
from carbonnas.testing.executors import job
from carbonnas.trials import TrialKind


@dataclass(frozen=True, slots=True)
class Giving(Evaluator):
    metrics: Mapping[str, float]

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        del request, session
        return Evaluation(self.metrics)


class NoSession:
    checkpoint: Path | None = None

    def suspend_requested(self) -> bool:
        return False

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        raise AssertionError("nothing is to be reported")


def verdict(metrics: Mapping[str, float]) -> Verdict:
    return evaluate_safely({TrialKind.TRAIN: Giving(metrics)}, job(1).request, NoSession())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_not_finite_is_a_failure_that_names_it(value: float) -> None:
    found = verdict({"accuracy": 0.5, "loss": value})
    assert found == Verdict(OutcomeKind.FAILED, failure=f"the metric 'loss' is {value}, not a finite number")


def test_every_metric_that_is_not_finite_is_named() -> None:
    failure = verdict({"loss": math.nan, "accuracy": 0.5, "score": math.inf}).failure
    assert failure == "the metric 'loss' is nan, not a finite number; the metric 'score' is inf, not a finite number"


def test_finite_metrics_are_the_result() -> None:
    found = verdict({"accuracy": 0.5, "loss": -1e308})
    assert found == Verdict(OutcomeKind.COMPLETED, Evaluation({"accuracy": 0.5, "loss": -1e308}))


def test_a_kind_without_an_evaluator_is_a_failure() -> None:
    found = evaluate_safely({}, job(1).request, NoSession())
    assert found == Verdict(OutcomeKind.FAILED, failure="the workbench has no evaluator for trials of kind train")
