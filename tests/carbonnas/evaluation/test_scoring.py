from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import nn

from carbon_sources.errors import PluginError
from carbonnas.architecture import Architecture
from carbonnas.evaluation.evaluator import EvaluationFailedError, EvaluationRequest
from carbonnas.evaluation.scoring import ProxyEvaluator
from carbonnas.plugins import EVALUATORS, SEARCH_SPACES
from carbonnas.proxies.fusion import DEFAULT, expand
from carbonnas.proxies.proxy import ProxyBatch, ZeroCostProxy
from carbonnas.proxies.registry import PROXIES
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import TaskKind, TaskShape
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

pytestmark = pytest.mark.torch

GOOD = SmallConv().parse("w8,conv,conv,k3,d1,residual,max,relu")
SMALL_CELL_SPACE = NASBench201(channels=4, cells=1)
CELL = SMALL_CELL_SPACE.parse("|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
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
    assert set(metrics) == {"params", *expand(DEFAULT), "synflow"}
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
    alone = evaluate(ProxyEvaluator(SmallConv(), 0, proxies=("jacov",)))
    assert alone["jacov"] == evaluate(ProxyEvaluator(SmallConv(), 0))["jacov"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES.names())
def test_each_proxy_scores_alone_what_it_scores_with_all_others(name: str) -> None:
    alone = evaluate(ProxyEvaluator(SMALL_CELL_SPACE, 0, proxies=(name,), batch=8, task=(1, 8, 8, 10)), CELL)
    assert alone[name] == scores_of_all()[name]


@functools.cache
def scores_of_all() -> Mapping[str, float]:
    everything = tuple(reversed(PROXIES.names()))
    return evaluate(ProxyEvaluator(SMALL_CELL_SPACE, 0, proxies=everything, batch=8, task=(1, 8, 8, 10)), CELL)


def test_the_parts_of_an_ensemble_are_scored() -> None:
    metrics = evaluate(ProxyEvaluator(SmallConv(), 0, proxies=("az_nas",), batch=4))
    assert list(metrics) == ["params", "macs", "az_expressivity", "az_progressivity", "az_trainability"]


def test_a_proxy_of_a_third_party_gets_a_network_of_its_own() -> None:
    class Overwriting(ZeroCostProxy):
        """Changes what it was given."""

        def score(self, network: nn.Module, batch: ProxyBatch, generator: torch.Generator) -> float:
            total = sum(float(parameter.detach().sum()) for parameter in network.parameters())
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.zero_()
            return total + float(torch.rand((), generator=generator)) + float(batch.inputs.sum())

    evaluator = ProxyEvaluator(SmallConv(), 0, proxies=("l2_norm",))
    before = evaluate(evaluator)
    evaluator._proxies = {"third": Overwriting(), **evaluator._proxies, "again": Overwriting()}  # noqa: SLF001
    after = evaluate(evaluator)
    assert {name: after[name] for name in before} == before
    assert after["third"] != after["again"]  # each has a generator of its own


def test_texts_are_scored_as_images_of_characters() -> None:
    names = ("jacov", "epe_nas", "grad_norm", "az_nas", "meco")
    space, rng = SEARCH_SPACES.create("transformer", {}, {}), np.random.default_rng(0)
    architecture = space.sample(rng)
    request = EvaluationRequest(architecture, TrialKind.SCORE, PROXY, 1)
    text = ProxyEvaluator(space, 0, proxies=names, batch=2, task=(20, 1, 16, 20), kind=TaskKind.TEXT)
    metrics = text.evaluate(request, UnattendedSession()).metrics
    assert all(math.isfinite(score) for score in metrics.values())
    assert metrics["grad_norm"] > 0
    with pytest.raises(ValueError, match="for images"):
        ProxyEvaluator(SmallConv(), 0, task=(20, 1, 16, 20), kind=TaskKind.TEXT)


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
    evaluator = ProxyEvaluator(SmallConv(), 0, proxies=("synflow", "naswot", "grad_norm"))
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
        PluginError, match=r"unknown plug-in 'magic' of carbonnas[.]proxies; there are: az_expressivity, "
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
