"""One attempt at one evaluation: whatever the evaluator does becomes a verdict."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from carbonnas.evaluation.evaluator import (
    Evaluation,
    EvaluationFailedError,
    EvaluationRequest,
    Evaluator,
    Session,
    SuspendedError,
)
from carbonnas.execution.executor import Job, OutcomeKind
from carbonnas.trials import TrialKind

logger = logging.getLogger(__name__)

_LONGEST_SENTENCE = 500
_LONGEST_DETAILS = 20_000
"""Characters of a failure and of a traceback that are passed on: an error's text may hold a whole tensor."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an evaluation ended.

    Attributes:
        kind: Completed, failed or suspended.
        evaluation: The result, if completed; its metrics are plain floats.
        failure: One sentence, if failed.
        details: The traceback, if the failure was not one that the evaluator foresees.
    """

    kind: OutcomeKind
    evaluation: Evaluation | None = None
    failure: str | None = None
    details: str | None = None


def evaluate_safely(evaluators: Mapping[TrialKind, Evaluator], request: EvaluationRequest, session: Session) -> Verdict:
    """Evaluate the request with the evaluator of its kind.

    An exception of any type is a failed evaluation, and so is a metric that is not a finite number or whose name is no text. What is
    returned holds plain values only, which can be sent to every process and written to every file.
    """
    if request.kind not in evaluators:
        failure = f"the workbench has no evaluator for trials of kind {request.kind.value}"
        return Verdict(OutcomeKind.FAILED, failure=failure)
    try:
        evaluation = evaluators[request.kind].evaluate(request, session)
        seconds = evaluation.modelled_seconds
        lacks = {_plain_name(name): _clean(str(why))[:_LONGEST_SENTENCE] for name, why in evaluation.lacks.items()}
        curve = {_plain_name(name): [float(value) for value in values] for name, values in evaluation.curve.items()}
        evaluation = Evaluation(plain(evaluation.metrics), None if seconds is None else float(seconds), lacks, curve)
    except SuspendedError:
        return Verdict(OutcomeKind.SUSPENDED)
    except EvaluationFailedError as error:
        return Verdict(OutcomeKind.FAILED, failure=_text(error) or "the evaluator gave no reason")
    except Exception as error:  # noqa: BLE001 - a bug of a plug-in fails its trial; the traceback goes to the log
        failure, details = describe(error)
        return Verdict(OutcomeKind.FAILED, failure=failure, details=details)
    failure = "; ".join(
        f"the metric {name!r} is {value}, not a finite number"
        for name, value in evaluation.metrics.items()
        if not math.isfinite(value)
    )
    if failure:
        return Verdict(OutcomeKind.FAILED, failure=failure[:_LONGEST_SENTENCE])
    return Verdict(OutcomeKind.COMPLETED, evaluation)


def log_failure(job: Job, verdict: Verdict) -> None:
    """Log the traceback of a failure that the evaluator did not foresee; of any other verdict there is nothing to log."""
    if verdict.details is not None:
        logger.error("trial %d, attempt %d failed\n%s", job.trial, job.attempt, verdict.details)


def describe(error: Exception) -> tuple[str, str]:
    """Return an exception as one sentence and as its traceback, both of bounded length and without lone surrogates."""
    text, name = _text(error), type(error).__name__
    sentence = _clean(f"{name}: {text}" if text else name)[:_LONGEST_SENTENCE]
    return sentence, _clean("".join(traceback.format_exception(error))[-_LONGEST_DETAILS:])


def plain(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics as plain floats, which every process can unpickle.

    Raises:
        EvaluationFailedError: If a name is no text, or none that can be written as UTF-8.
    """
    return {_plain_name(name): float(value) for name, value in metrics.items()}


def _plain_name(name: str) -> str:
    try:
        return str.encode(name).decode()
    except (TypeError, UnicodeEncodeError) as error:
        raise EvaluationFailedError(
            f"the name {name!r} of a metric can't be written down: use text without lone surrogates"
        ) from error


def _text(error: Exception) -> str:
    try:
        return _clean(str(error)[:_LONGEST_SENTENCE])[:_LONGEST_SENTENCE]
    except Exception as second:  # noqa: BLE001 - the error is known by its type; only its text is broken too
        return f"its text can't be made, which raises {type(second).__name__}"


def _clean(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
