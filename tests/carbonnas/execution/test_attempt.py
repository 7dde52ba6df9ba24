from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from carbonnas.evaluation.evaluator import Evaluation, EvaluationFailedError, EvaluationRequest, Evaluator, Session
from carbonnas.execution.attempt import Verdict, evaluate_safely
from carbonnas.execution.executor import OutcomeKind
from carbonnas.testing.executors import job
from carbonnas.trials import TrialKind


class Odd(float):
    """A float that another process may not know."""


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise LookupError


@dataclass(frozen=True, slots=True)
class Raising(Evaluator):
    error: Exception

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        del request, session
        raise self.error


@dataclass(frozen=True, slots=True)
class Giving(Evaluator):
    metrics: Mapping[str, float]
    modelled_seconds: float | None = None

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        del request, session
        return Evaluation(self.metrics, self.modelled_seconds)


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


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ValueError("bad \udc80 name"), "ValueError: bad \\udc80 name"),
        (EvaluationFailedError("bad \udc80 name"), "bad \\udc80 name"),
        (UnspeakableError(), "UnspeakableError: its text can't be made, which raises LookupError"),
        (ValueError("\udc80" * 1000), "ValueError: " + ("\\udc80" * 84)[: 500 - len("ValueError: ")]),
    ],
)
def test_the_text_of_a_failure_can_be_written_as_utf_8_whatever_the_error_says(error: Exception, failure: str) -> None:
    found = evaluate_safely({TrialKind.TRAIN: Raising(error)}, job(1).request, NoSession())
    assert (found.kind, found.failure) == (OutcomeKind.FAILED, failure)
    assert (found.details or "").encode().decode() == (found.details or "")


def test_a_metric_whose_name_is_no_text_is_a_failure_that_shows_it() -> None:
    found = verdict({"accuracy": 0.5, "x\udc80": 1.0})
    assert found.kind is OutcomeKind.FAILED
    assert found.failure == "the name 'x\\udc80' of a metric can't be written down: use text without lone surrogates"
    assert verdict({3: 1.0}).kind is OutcomeKind.FAILED  # type: ignore[dict-item]


def test_numbers_of_odd_types_become_plain_ones() -> None:
    found = evaluate_safely({TrialKind.TRAIN: Giving({"a": Odd(1)}, Odd(3))}, job(1).request, NoSession()).evaluation
    assert found == Evaluation({"a": 1.0}, 3.0)
    assert (type(found.metrics["a"]), type(found.modelled_seconds)) == (float, float)


@dataclass(frozen=True, slots=True)
class Lacking(Evaluator):
    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        del request, session
        return Evaluation({"accuracy": 0.5}, lacks={"latency_ms": "too\ud800 restless " + "x" * 1000})


def test_why_a_metric_is_lacking_is_kept_at_bounded_length_and_can_be_written() -> None:
    found = evaluate_safely({TrialKind.TRAIN: Lacking()}, job(1).request, NoSession())
    assert found.evaluation is not None
    (why,) = found.evaluation.lacks.values()
    assert why.encode().decode().startswith("too\\ud800 restless")
    assert len(why) == 500
