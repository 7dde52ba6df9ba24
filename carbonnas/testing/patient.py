"""Work that only takes its time: an evaluator without torch whose result shows whether it went on from where it was left.

It is a plug-in of a distribution that `install` writes, as a third party's would be, so that the real daemon and its real workers can use it.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Annotated

from pydantic import Field

from carbonnas.architecture import stable_hash
from carbonnas.evaluation.evaluator import Evaluation, EvaluationRequest, Evaluator, Session, SuspendedError
from carbonnas.files import replace_file
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.trials import FidelityName, TrialKind

_BITS = 63
_NAME = "carbonnas_testing_patient"


class PatientEvaluator(Evaluator):
    """Waits for as long as it is told and makes its results out of a hash of each epoch and of the one before.

    A training that lost an epoch, repeated one, or went on from the checkpoint of another would come to another result.

    Args:
        space: Reads the architectures.
        seed: Seed of the search; not used, since each request brings its own.
        score_s: Real seconds of a scoring.
        epoch_s: Real seconds of an epoch.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,  # noqa: ARG002 # every evaluator is offered it
        *,
        score_s: Annotated[float, Field(ge=0)] = 0.0,
        epoch_s: Annotated[float, Field(ge=0)] = 0.0,
    ) -> None:
        self._space = space
        self._score_s = score_s
        self._epoch_s = epoch_s
        self._pause = threading.Event()

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        key = self._space.key(request.architecture)
        size = {"params": float(1 + stable_hash("params", key) % 10_000), "macs": float(stable_hash("macs", key) % 997)}
        if request.kind is TrialKind.SCORE:
            self._pause.wait(self._score_s)
            return Evaluation(size)
        epochs, checkpoint = request.fidelity.epochs, session.checkpoint
        first, state = _left(checkpoint, key, request.seed)
        for epoch in range(first, epochs):
            if checkpoint is not None and session.suspend_requested():
                raise SuspendedError(f"suspended after epoch {epoch} of {epochs}")
            self._pause.wait(self._epoch_s)
            state = stable_hash(state, epoch)
            if checkpoint is not None:
                replace_file(checkpoint, json.dumps({"of": key, "epoch": epoch + 1, "state": state}).encode())
            session.report(epoch + 1, epochs, {"val_accuracy": state / 2**_BITS})
        full = request.fidelity.name is FidelityName.FULL
        return Evaluation({"test_accuracy" if full else "val_accuracy": state / 2**_BITS, **size})


def _left(checkpoint: Path | None, key: str, seed: int) -> tuple[int, int]:
    """Return the epochs that are done, and what they came to."""
    if checkpoint is None or not checkpoint.exists():
        return 0, stable_hash(key, seed)
    kept = json.loads(checkpoint.read_bytes())
    if kept["of"] != key:
        raise ValueError(f"the checkpoint {checkpoint.name} is one of {kept['of']}, not of {key}")
    return int(kept["epoch"]), int(kept["state"])


def install(site: Path) -> Path:
    """Write the distribution of the evaluator `patient` into a folder, which has to be on the path of whoever uses it, and return the folder."""
    info = site / f"{_NAME}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {_NAME}\nVersion: 1.0\n", encoding="utf-8")
    points = f"[carbonnas.evaluators]\npatient = {PatientEvaluator.__module__}:{PatientEvaluator.__name__}\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    return site
