from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from carbonnas.architecture import Architecture
from carbonnas.errors import ConfigError, DatasetError
from carbonnas.evaluation.datasets import load_dataset
from carbonnas.evaluation.evaluator import (
    Evaluation,
    EvaluationFailedError,
    EvaluationRequest,
    SuspendedError,
)
from carbonnas.evaluation.training import TrainingEvaluator
from carbonnas.plugins import EVALUATORS
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import Builder, Choice, SearchSpace, TaskShape
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

SEARCH, FULL = Fidelity(FidelityName.SEARCH, 3), Fidelity(FidelityName.FULL, 3)
DROPOUT, NAN, OUT_OF_MEMORY, BUG = 1, 2, 3, 4


class Fault(nn.Module):
    """Does what goes wrong in training."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if self._kind == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 TiB.\nmore")
        if self._kind == "bug":
            raise RuntimeError("shapes do not fit")
        return inputs * float("nan")


class TinyNets(SearchSpace):
    """Networks with one convolution, two widths and a few ways to fail."""

    def __init__(self, factor: int = 1) -> None:
        self._factor = factor

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("width", ("2", "4")), Choice("extra", ("none", "dropout", "nan", "memory", "bug")))

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        self.validate(architecture)
        width = (2, 4)[architecture[0]] * self._factor
        extra = self.choices[1].options[architecture[1]]
        layer: nn.Module = nn.Identity() if extra == "none" else nn.Dropout(0.2) if extra == "dropout" else Fault(extra)
        cells = (task.height // 4) * (task.width // 4) * width
        return nn.Sequential(
            nn.Conv2d(task.channels, width, 3, padding=1, stride=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            layer,
            nn.Flatten(),
            nn.Linear(cells, task.classes),
        )


class WideNets(SearchSpace):
    """Networks that look at seven rows and columns at once."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("width", ("2", "4")),)

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        return nn.Sequential(nn.Conv2d(task.channels, 2, 7), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 10))


class FragileNets(TinyNets):
    """Networks that can do nothing once they are narrower."""

    def narrowed(self, share: float) -> Builder:
        return lambda architecture, task: nn.Linear(3, 10)


class Script:
    """A session that asks to suspend after given numbers of epochs and keeps what is reported."""

    def __init__(self, checkpoint: Path | None = None, suspend_after: int | None = None) -> None:
        self.checkpoint = checkpoint
        self.reports: list[tuple[int, int, dict[str, float]]] = []
        self._suspend_after = suspend_after

    def suspend_requested(self) -> bool:
        return len(self.reports) == self._suspend_after

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        self.reports.append((epoch, epochs, dict(metrics)))


@pytest.fixture(scope="module")
def evaluator() -> TrainingEvaluator:
    return TrainingEvaluator(TinyNets(), 0, final_dataset="digits")


def request(architecture: Architecture = (1, DROPOUT), fidelity: Fidelity = SEARCH, seed: int = 5) -> EvaluationRequest:
    return EvaluationRequest(architecture, TrialKind.TRAIN, fidelity, seed)


def uninterrupted(evaluator: TrainingEvaluator) -> Evaluation:
    return evaluator.evaluate(request(), Script())


def test_the_same_request_has_the_same_result_to_the_bit(evaluator: TrainingEvaluator) -> None:
    assert uninterrupted(evaluator) == uninterrupted(evaluator)


def test_another_seed_has_another_result(evaluator: TrainingEvaluator) -> None:
    other = evaluator.evaluate(request(seed=6), Script())
    assert other.metrics["train_loss"] != uninterrupted(evaluator).metrics["train_loss"]


def test_torchs_global_generator_is_put_back(evaluator: TrainingEvaluator) -> None:
    before = torch.get_rng_state()
    uninterrupted(evaluator)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_search_training_reports_the_validation_accuracy_and_no_test_accuracy(evaluator: TrainingEvaluator) -> None:
    evaluation = uninterrupted(evaluator)
    assert set(evaluation.metrics) == {"val_accuracy", "train_loss", "params"}
    # 4 x 237 noisy images were classified, and better than by chance.
    right = evaluation.metrics["val_accuracy"] * 948
    assert right == pytest.approx(round(right), abs=1e-9)
    assert evaluation.metrics["val_accuracy"] > 0.12
    assert evaluation.modelled_seconds is None


def test_parameters_are_counted(evaluator: TrainingEvaluator) -> None:
    # Convolution 1*4*9 + 4, batch norm 2 * 4, linear layer 2 * 2 * 4 * 10 + 10.
    assert uninterrupted(evaluator).metrics["params"] == 36 + 4 + 8 + 160 + 10


def test_a_full_training_reports_the_accuracy_on_the_clean_test_part_and_none_on_the_validation_part(
    evaluator: TrainingEvaluator,
) -> None:
    evaluation = evaluator.evaluate(request((1, 0), FULL), Script())
    assert set(evaluation.metrics) == {"test_accuracy", "train_loss", "params"}
    right = evaluation.metrics["test_accuracy"] * 360
    assert right == pytest.approx(round(right), abs=1e-9)
    assert evaluation.metrics["test_accuracy"] > 0.4


def test_without_a_final_data_set_the_full_training_is_tested_on_that_of_the_search() -> None:
    evaluation = TrainingEvaluator(TinyNets(), 0).evaluate(request((0, 0), Fidelity(FidelityName.FULL, 1)), Script())
    right = evaluation.metrics["test_accuracy"] * 800
    assert right == pytest.approx(round(right), abs=1e-9)


def test_each_epoch_is_reported(evaluator: TrainingEvaluator) -> None:
    session = Script()
    evaluation = evaluator.evaluate(request(), session)
    assert [(epoch, epochs) for epoch, epochs, _ in session.reports] == [(1, 3), (2, 3), (3, 3)]
    assert session.reports[-1][2] == {"train_loss": evaluation.metrics["train_loss"]}


def test_the_learning_curve_tells_the_loss_of_each_epoch(evaluator: TrainingEvaluator) -> None:
    script = Script()
    evaluation = evaluator.evaluate(request(), script)
    losses = [metrics["train_loss"] for _, _, metrics in script.reports]
    assert evaluation.curve == {"train_loss": losses}
    assert losses[-1] == evaluation.metrics["train_loss"]


def test_the_learning_curve_tells_accuracies_where_that_is_wanted_but_never_those_of_the_test_part() -> None:
    evaluator = TrainingEvaluator(TinyNets(), 0, validate_each_epoch=True)
    searched = evaluator.evaluate(request(), Script())
    assert len(searched.curve["val_accuracy"]) == len(searched.curve["train_loss"]) == SEARCH.epochs
    assert searched.curve["val_accuracy"][-1] == searched.metrics["val_accuracy"]
    assert set(evaluator.evaluate(request(fidelity=FULL), Script()).curve) == {"train_loss"}


def test_the_learning_curve_of_a_suspended_training_is_whole(tmp_path: Path) -> None:
    evaluator = TrainingEvaluator(TinyNets(), 0, validate_each_epoch=True)
    whole = evaluator.evaluate(request(), Script())
    with pytest.raises(SuspendedError):
        evaluator.evaluate(request(), Script(tmp_path / "checkpoint", suspend_after=1))
    assert evaluator.evaluate(request(), Script(tmp_path / "checkpoint")).curve == whole.curve


def test_trainings_of_the_search_can_be_made_cheaper_and_the_final_one_stays_whole() -> None:
    whole, cheap = TrainingEvaluator(TinyNets(), 0), TrainingEvaluator(TinyNets(), 0, search_share=0.25)
    assert cheap.evaluate(request(), Script()) != whole.evaluate(request(), Script())
    full = request(fidelity=FULL)
    assert cheap.evaluate(full, Script()) == whole.evaluate(full, Script())


def test_networks_are_built_for_the_task_whatever_the_size_at_which_they_are_ranked() -> None:
    evaluator = TrainingEvaluator(TinyNets(), 0, search_resolution=4)
    assert evaluator.task == load_dataset("noisy_digits").task
    # The network that ranks has a weight for each pixel that is left, but it is not the one that is proposed.
    proposed = TrainingEvaluator(TinyNets(), 0)
    assert evaluator.evaluate(request(), Script()).metrics["params"] == uninterrupted(proposed).metrics["params"]


def test_trainings_of_the_search_can_be_of_narrower_networks_and_the_final_one_is_of_the_whole() -> None:
    whole, narrow = TrainingEvaluator(SmallConv(), 0), TrainingEvaluator(SmallConv(), 0, search_width=0.5)
    architecture = SmallConv().parse("w16,conv,conv,k3,d1,plain,max,relu")
    ranked, full = (request(architecture, Fidelity(name, 1)) for name in (FidelityName.SEARCH, FidelityName.FULL))
    of_whole, of_narrow = (each.evaluate(ranked, Script()) for each in (whole, narrow))
    assert of_narrow.metrics["train_loss"] != of_whole.metrics["train_loss"]
    # Whatever was trained to rank it, the network that is proposed has these.
    assert of_narrow.metrics["params"] == of_whole.metrics["params"]
    assert narrow.evaluate(full, Script()) == whole.evaluate(full, Script())


def test_a_narrower_training_is_of_the_network_with_fewer_channels() -> None:
    once = Fidelity(FidelityName.SEARCH, 1)
    wide, narrow = (SmallConv().parse(f"{width},conv,conv,k3,d1,plain,max,relu") for width in ("w16", "w8"))
    halved = TrainingEvaluator(SmallConv(), 0, search_width=0.5).evaluate(request(wide, once), Script())
    whole = TrainingEvaluator(SmallConv(), 0).evaluate(request(narrow, once), Script())
    assert halved.curve == whole.curve
    assert halved.metrics["val_accuracy"] == whole.metrics["val_accuracy"]
    assert halved.metrics["params"] > whole.metrics["params"]


def test_a_checkpoint_of_another_width_is_foreign(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    architecture = SmallConv().parse("w4,conv,conv,k3,d1,plain,max,relu")
    asked = request(architecture, Fidelity(FidelityName.SEARCH, 2))
    # Half and six tenths of four channels are two: the networks are alike, and the work is not the same.
    with pytest.raises(SuspendedError):
        TrainingEvaluator(SmallConv(), 0, search_width=0.5).evaluate(asked, Script(tmp_path / "trial", 1))
    TrainingEvaluator(SmallConv(), 0, search_width=0.6).evaluate(asked, Script(tmp_path / "trial"))
    assert "belongs to other work" in caplog.text


def test_a_space_whose_networks_have_one_width_is_refused_before_anything_is_spent() -> None:
    with pytest.raises(ConfigError, match="search_width: networks of TinyNets can't be made narrower, got a width"):
        TrainingEvaluator(TinyNets(), 0, search_width=0.5)


@pytest.mark.parametrize("epochs_before", [0, 1, 2])
def test_a_suspended_training_goes_on_bit_by_bit_as_if_never_interrupted(
    evaluator: TrainingEvaluator, tmp_path: Path, epochs_before: int
) -> None:
    path = tmp_path / "trial"
    with pytest.raises(SuspendedError, match=f"after epoch {epochs_before} of 3"):
        evaluator.evaluate(request(), Script(path, suspend_after=epochs_before))
    session = Script(path)
    assert evaluator.evaluate(request(), session) == uninterrupted(evaluator)
    assert [epoch for epoch, _, _ in session.reports] == list(range(epochs_before + 1, 4))


def test_a_new_worker_can_go_on_where_another_stopped(evaluator: TrainingEvaluator, tmp_path: Path) -> None:
    path = tmp_path / "trial"
    with pytest.raises(SuspendedError):
        evaluator.evaluate(request(), Script(path, suspend_after=2))
    assert TrainingEvaluator(TinyNets(), 0).evaluate(request(), Script(path)) == uninterrupted(evaluator)


def test_work_that_can_not_be_resumed_is_not_suspended(evaluator: TrainingEvaluator) -> None:
    assert evaluator.evaluate(request(), Script(None, suspend_after=1)) == uninterrupted(evaluator)


def test_what_a_training_came_to_outlives_it_so_that_a_kill_before_the_commit_costs_no_epoch(
    evaluator: TrainingEvaluator, tmp_path: Path
) -> None:
    done = evaluator.evaluate(request(), Script(tmp_path / "trial"))
    again = Script(tmp_path / "trial", suspend_after=0)
    assert evaluator.evaluate(request(), again) == done == uninterrupted(evaluator)
    assert again.reports == []


def test_a_training_that_is_interrupted_before_its_first_epoch_has_kept_nothing(
    evaluator: TrainingEvaluator, tmp_path: Path
) -> None:
    with pytest.raises(SuspendedError, match="after epoch 0 of 3"):
        evaluator.evaluate(request(), Script(tmp_path / "trial", suspend_after=0))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_makes_the_training_start_anew(
    evaluator: TrainingEvaluator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "trial"
    path.write_bytes(b"\x00 nothing of ours")
    session = Script(path)
    with caplog.at_level(logging.WARNING):
        assert evaluator.evaluate(request(), session) == uninterrupted(evaluator)
    assert len(session.reports) == 3
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        request(seed=6),
        request((0, DROPOUT)),
        request(fidelity=Fidelity(FidelityName.SEARCH, 4)),
        request(fidelity=FULL),
    ],
    ids=["seed", "architecture", "epochs", "fidelity"],
)
def test_the_checkpoint_of_another_request_is_not_used(
    evaluator: TrainingEvaluator, tmp_path: Path, other: EvaluationRequest
) -> None:
    path = tmp_path / "trial"
    with pytest.raises(SuspendedError):
        evaluator.evaluate(other, Script(path, suspend_after=1))
    session = Script(path)
    assert evaluator.evaluate(request(), session) == uninterrupted(evaluator)
    assert len(session.reports) == 3


def test_the_checkpoint_of_a_network_of_another_shape_is_not_used(evaluator: TrainingEvaluator, tmp_path: Path) -> None:
    path = tmp_path / "trial"
    with pytest.raises(SuspendedError):
        TrainingEvaluator(TinyNets(factor=2), 0).evaluate(request(), Script(path, suspend_after=1))
    assert evaluator.evaluate(request(), Script(path)) == uninterrupted(evaluator)


def test_a_loss_that_is_not_a_number_is_a_failure_and_is_not_kept(evaluator: TrainingEvaluator, tmp_path: Path) -> None:
    with pytest.raises(EvaluationFailedError, match="the training loss became nan in epoch 1"):
        evaluator.evaluate(request((0, NAN)), Script(tmp_path / "trial"))
    assert list(tmp_path.iterdir()) == []


def test_a_lack_of_memory_is_a_failure_told_in_one_line(evaluator: TrainingEvaluator) -> None:
    with pytest.raises(EvaluationFailedError) as caught:
        evaluator.evaluate(request((0, OUT_OF_MEMORY)), Script())
    told = "the training does not fit into memory: CUDA out of memory. Tried to allocate 2 TiB."
    assert str(caught.value) == told


def test_any_other_error_of_torch_is_not_taken_for_a_lack_of_memory(evaluator: TrainingEvaluator) -> None:
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        evaluator.evaluate(request((0, BUG)), Script())


def test_an_architecture_of_another_space_is_a_failure(evaluator: TrainingEvaluator) -> None:
    with pytest.raises(EvaluationFailedError, match="expected 2"):
        evaluator.evaluate(request((0, 0, 0)), Script())


@pytest.mark.parametrize(("space", "resolution"), [(WideNets(), 6), (SmallConv(), 4)], ids=["run", "built"])
def test_images_that_no_network_takes_are_refused_before_anything_is_trained(
    space: SearchSpace, resolution: int
) -> None:
    size = f"1 x {resolution} x {resolution}"
    with pytest.raises(
        ConfigError, match=f"none of 8 networks of {type(space).__name__} takes inputs of {size}"
    ) as caught:
        TrainingEvaluator(space, 0, search_resolution=resolution)
    assert len(caught.value.problems) == 1


def test_narrower_networks_that_can_not_run_are_refused_before_anything_is_trained() -> None:
    with pytest.raises(ConfigError, match="none of 8 networks of FragileNets takes inputs of 1 x 8 x 8"):
        TrainingEvaluator(FragileNets(), 0, search_width=0.5)


def test_to_try_networks_leaves_torchs_generator_as_it_was() -> None:
    torch.manual_seed(1)
    expected = float(torch.rand(()))
    torch.manual_seed(1)
    TrainingEvaluator(TinyNets(), 0)
    assert float(torch.rand(())) == expected


def test_a_scoring_is_refused(evaluator: TrainingEvaluator) -> None:
    with pytest.raises(EvaluationFailedError, match="training can't evaluate a score trial at proxy"):
        evaluator.evaluate(EvaluationRequest((0, 0), TrialKind.SCORE, PROXY, 0), Script())


def test_a_missing_final_data_set_is_found_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is missing"):
        TrainingEvaluator(TinyNets(), 0, final_dataset="fashion_mnist", data_path=tmp_path)


def test_a_device_that_is_not_there_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="torch finds no 'abacus' to train on; choose cpu or auto"):
        TrainingEvaluator(TinyNets(), 0, device="abacus")


@pytest.mark.parametrize("device", ["cuda:99", "hpu", "meta", "mkldnn"])
def test_a_device_that_has_but_a_name_is_a_mistake_of_the_configuration(device: str) -> None:
    with pytest.raises(ConfigError, match=f"torch finds no '{device}' to train on; choose cpu or auto"):
        TrainingEvaluator(TinyNets(), 0, device=device)


def test_options_out_of_range_are_refused_at_the_plug_in_door() -> None:
    options = {"dataset": "cifar", "learning_rate": 0, "batch_size": 2, "label_smoothing": 1, "shift": -1}
    with pytest.raises(ValidationError) as caught:
        EVALUATORS.create("training", options, {"space": TinyNets(), "seed": 0})
    assert {error["loc"][0] for error in caught.value.errors()} == set(options)


def test_the_evaluator_comes_through_the_plug_in_door() -> None:
    made = EVALUATORS.create("training", {"device": "auto"}, {"space": TinyNets(), "seed": 0})
    assert isinstance(made, TrainingEvaluator)
