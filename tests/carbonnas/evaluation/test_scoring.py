from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from carbon_sources.errors import PluginError
from carbonnas.architecture import Architecture
from carbonnas.evaluation.evaluator import EvaluationFailedError, EvaluationRequest
from carbonnas.evaluation.scoring import ProxyEvaluator
from carbonnas.plugins import EVALUATORS
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import TaskShape
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

pytestmark = pytest.mark.torch

GOOD = SmallConv().parse("w8,conv,conv,k3,d1,residual,max,relu")
BAD = SmallConv().parse("w4,identity,identity,k1,d1,plain,max,relu")


class Broken(SmallConv):
    """A space of one network that a test made."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        self._make = make

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        return self._make()


def evaluate(evaluator: ProxyEvaluator, architecture: Architecture = GOOD, seed: int = 7) -> Mapping[str, float]:
    session = UnattendedSession()
    metrics = evaluator.evaluate(EvaluationRequest(architecture, TrialKind.SCORE, PROXY, seed), session).metrics
    assert session.reports == []  # scoring has no epochs
    return metrics


def test_each_proxy_reports_its_raw_score() -> None:
    metrics = evaluate(ProxyEvaluator(SmallConv(), 0))
    assert list(metrics) == ["params", "macs", "synflow", "naswot", "grad_norm"]
    assert metrics["params"] == 3_346
    assert all(math.isfinite(score) for score in metrics.values())


def test_size_is_always_reported() -> None:
    assert list(evaluate(ProxyEvaluator(SmallConv(), 0, proxies=("synflow", "params")))) == [
        "params",
        "macs",
        "synflow",
    ]


def test_scores_do_not_depend_on_what_was_scored_before() -> None:
    forwards, backwards = ProxyEvaluator(SmallConv(), 0), ProxyEvaluator(SmallConv(), 0)
    first = [evaluate(forwards, architecture) for architecture in (GOOD, BAD, GOOD)]
    second = [evaluate(backwards, architecture) for architecture in (BAD, GOOD)]
    assert first == [second[1], second[0], second[1]]


def test_scores_do_not_depend_on_the_other_proxies() -> None:
    alone = evaluate(ProxyEvaluator(SmallConv(), 0, proxies=("grad_norm",)))
    assert alone["grad_norm"] == evaluate(ProxyEvaluator(SmallConv(), 0))["grad_norm"]


def test_the_seed_of_the_request_decides_the_initial_weights() -> None:
    evaluator = ProxyEvaluator(SmallConv(), 0)
    assert evaluate(evaluator, seed=1)["synflow"] != evaluate(evaluator, seed=2)["synflow"]


def test_the_seed_of_the_search_decides_the_batch() -> None:
    one, other = (evaluate(ProxyEvaluator(SmallConv(), seed)) for seed in (0, 1))
    assert one["synflow"] == other["synflow"]
    assert one["naswot"] != other["naswot"]


def test_the_global_generator_is_left_as_it_was() -> None:
    before = torch.random.get_rng_state()
    evaluate(ProxyEvaluator(SmallConv(), 0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_good_network_outscores_a_bad_one() -> None:
    evaluator = ProxyEvaluator(SmallConv(), 0)
    good, bad = evaluate(evaluator, GOOD), evaluate(evaluator, BAD)
    assert all(good[name] > bad[name] for name in good)


def test_the_task_decides_the_shape_of_the_images() -> None:
    metrics = evaluate(ProxyEvaluator(SmallConv(), 0, task=(3, 12, 10, 4)))
    # Two more input channels of 3 x 3 weights into 8, and 6 classes of 16 weights and a bias less.
    assert metrics["params"] == 3_346 + 2 * 9 * 8 - 6 * 17


def test_a_batch_can_be_drawn_from_a_data_set() -> None:
    drawn, gaussian = ProxyEvaluator(SmallConv(), 0, dataset="noisy_digits"), ProxyEvaluator(SmallConv(), 0)
    assert evaluate(drawn)["params"] == evaluate(gaussian)["params"]
    assert evaluate(drawn)["naswot"] != evaluate(gaussian)["naswot"]


def test_the_plug_in_reads_its_options() -> None:
    services = {"space": SmallConv(), "seed": 0}
    made = EVALUATORS.create("proxies", {"proxies": ["naswot"], "batch": 8, "task": [1, 8, 8, 10]}, services)
    metrics = made.evaluate(EvaluationRequest(GOOD, TrialKind.SCORE, PROXY, 7), UnattendedSession()).metrics
    assert metrics == evaluate(ProxyEvaluator(SmallConv(), 0, proxies=("naswot",), batch=8))


def test_training_is_refused() -> None:
    request = EvaluationRequest(GOOD, TrialKind.TRAIN, Fidelity(FidelityName.SEARCH, 1), 7)
    with pytest.raises(EvaluationFailedError, match="proxies only score"):
        ProxyEvaluator(SmallConv(), 0).evaluate(request, UnattendedSession())


def test_an_unknown_proxy_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        PluginError, match=r"unknown plug-in 'magic' of carbonnas[.]proxies; there are: grad_norm, macs"
    ):
        ProxyEvaluator(SmallConv(), 0, proxies=("magic",))


@pytest.mark.parametrize(("batch", "complaint"), [(1, "at least 2 images, got 1"), (10_000_000, "can't be drawn from")])
def test_an_impossible_batch_is_refused(batch: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ProxyEvaluator(SmallConv(), 0, dataset="noisy_digits", batch=batch)


def test_a_network_that_can_not_run_is_a_failed_evaluation() -> None:
    space = Broken(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3, 10)))
    with pytest.raises(EvaluationFailedError, match="proxy 'macs' can't score the network"):
        evaluate(ProxyEvaluator(space, 0))


def test_a_score_that_is_no_number_is_a_failed_evaluation() -> None:
    def poisoned() -> nn.Module:
        layer = nn.Linear(64, 10)
        nn.init.constant_(layer.weight, math.nan)
        return nn.Sequential(nn.Flatten(), layer)

    with pytest.raises(EvaluationFailedError, match="proxy 'grad_norm' gave nan"):
        evaluate(ProxyEvaluator(Broken(poisoned), 0, proxies=("grad_norm",)))
