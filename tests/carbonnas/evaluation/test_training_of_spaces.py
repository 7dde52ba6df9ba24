"""Networks of every space learn, images and texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from carbonnas.evaluation.evaluator import EvaluationRequest, SuspendedError
from carbonnas.evaluation.training import TrainingEvaluator
from carbonnas.search_spaces.macro import Macro
from carbonnas.search_spaces.mobile import Mobile
from carbonnas.search_spaces.nasnet import NASNet
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.search_spaces.transformer import Transformer
from carbonnas.trials import Fidelity, FidelityName, TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.slow]

CELLS = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1)], "
    "normal_concat=range(2, 4), reduce=[('max_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=range(2, 4))"
)


class Uninterrupted:
    """A session that is left alone."""

    checkpoint: Path | None = None

    def suspend_requested(self) -> bool:
        return False

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        pass


class SuspendedOnce(Uninterrupted):
    """A session that suspends after the first epoch."""

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint = checkpoint
        self._epochs = 0

    def suspend_requested(self) -> bool:
        return self._epochs == 1

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        self._epochs = epoch


def request(space: SearchSpace, text: str, epochs: int, rung: FidelityName = FidelityName.SEARCH) -> EvaluationRequest:
    return EvaluationRequest(space.parse(text), TrialKind.TRAIN, Fidelity(rung, epochs), seed=5)


@pytest.mark.parametrize(
    ("space", "text", "epochs"),
    [
        pytest.param(Macro(stages=(1, 1), channels=8, head=32), "12", 3, id="macro"),
        pytest.param(Mobile(stages=2, width=0.5), "phi0,r1,d1,k3,e1,w1,se,d2,k3,e3,w1,plain", 3, id="mobile"),
        pytest.param(NASNet(nodes=2, channels=8, cells=3), CELLS, 3, id="nasnet"),
        pytest.param(
            Transformer(patches=(2,), depths=(2,), widths=(32,), heads=(4,), mlp_ratios=(2.0,)),
            "2,2,32,4,2,4,2",
            9,
            id="transformer",
        ),
    ],
)
def test_networks_learn_images(space: SearchSpace, text: str, epochs: int) -> None:
    evaluator = TrainingEvaluator(space, 0, dataset="digits", learning_rate=0.005)
    metrics = evaluator.evaluate(request(space, text, epochs), Uninterrupted()).metrics
    # Chance is 0.1, and with 360 images its standard deviation 0.016.
    assert metrics["val_accuracy"] > 0.25


@pytest.fixture
def verse(tmp_path: Path) -> Path:
    """A text that a network can learn to tell from a few characters back, and not from the last one alone."""
    path = tmp_path / "verse.txt"
    path.write_text("one two three four five six seven eight nine ten eleven twelve\n" * 120, encoding="utf-8")
    return path


def small_decoder() -> Transformer:
    return Transformer(patches=(1, 2), depths=(2,), widths=(32,), heads=(4,), mlp_ratios=(2.0,))


def test_networks_learn_language(verse: Path) -> None:
    space = small_decoder()
    evaluator = TrainingEvaluator(space, 0, dataset="text", data_path=verse, batch_size=8)
    metrics = evaluator.evaluate(request(space, "1,2,32,4,2,4,2", epochs=12), Uninterrupted()).metrics
    assert metrics.keys() == {"val_accuracy", "val_bits_per_character", "train_loss", "params"}
    assert metrics["val_accuracy"] > 0.8
    assert metrics["val_bits_per_character"] < 1


def test_learning_of_language_goes_on_after_a_suspension_as_if_there_had_been_none(verse: Path, tmp_path: Path) -> None:
    space = small_decoder()
    evaluator = TrainingEvaluator(space, 0, dataset="text", data_path=verse)
    work = request(space, "2,2,32,4,2,4,2", epochs=2, rung=FidelityName.FULL)
    with pytest.raises(SuspendedError):
        evaluator.evaluate(work, SuspendedOnce(tmp_path / "checkpoint"))
    session = Uninterrupted()
    session.checkpoint = tmp_path / "checkpoint"
    resumed = evaluator.evaluate(work, session).metrics
    assert resumed == evaluator.evaluate(work, Uninterrupted()).metrics
    assert resumed.keys() == {"test_accuracy", "test_bits_per_character", "train_loss", "params"}


def test_a_space_that_can_not_read_text_is_refused_before_anything_is_spent(verse: Path) -> None:
    with pytest.raises(ValueError, match="networks of Macro are for images, the data set is of text"):
        TrainingEvaluator(Macro(), 0, dataset="text", data_path=verse)
    with pytest.raises(ValueError, match="texts can't be shifted"):
        TrainingEvaluator(small_decoder(), 0, dataset="digits", final_dataset="text", data_path=verse, shift=1)
