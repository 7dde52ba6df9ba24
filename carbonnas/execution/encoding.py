"""Requests as JSON, for the files that an executor leaves to a later process."""

from __future__ import annotations

from typing import Any

from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.trials import Fidelity, FidelityName, TrialKind


def encode_request(request: EvaluationRequest) -> list[object]:
    """Return a request as plain values."""
    fidelity = request.fidelity
    return [list(request.architecture), request.kind.value, fidelity.name.value, fidelity.epochs, request.seed]


def decode_request(content: Any) -> EvaluationRequest:
    """Return the request that was encoded. Raises `ValueError` or `TypeError` if it is none."""
    architecture, kind, fidelity, epochs, seed = content
    return EvaluationRequest(tuple(architecture), TrialKind(kind), Fidelity(FidelityName(fidelity), epochs), seed)
