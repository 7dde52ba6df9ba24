"""Every proxy on networks of every space."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from carbonnas.evaluation.evaluator import EvaluationFailedError, EvaluationRequest
from carbonnas.evaluation.scoring import ProxyEvaluator
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.proxies.registry import PROXIES
from carbonnas.search_spaces.macro import Macro
from carbonnas.search_spaces.mobile import Mobile
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.nasnet import NASNet
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.search_spaces.space import SearchSpace, TaskKind
from carbonnas.search_spaces.transformer import Transformer
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, TrialKind

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SPACES: Mapping[str, SearchSpace] = {
    "macro": Macro(stages=(3, 2), channels=2, head=8),
    "mobile": Mobile(stages=2, width=0.5, depths=(1, 2), kernels=(3, 5), expansions=(1, 2)),
    "nasbench201": NASBench201(channels=4, cells=1),
    "nasnet": NASNet(nodes=2, channels=4, cells=3),
    "small_conv": SmallConv(),
    "transformer": Transformer(patches=(2, 4, 8), depths=(2, 6), widths=(24, 48), heads=(2, 3)),
}
TASKS = {TaskKind.IMAGES: (3, 12, 12, 5), TaskKind.TEXT: (9, 1, 12, 9)}
REFUSALS = {("transformer", "linear_regions"): "images of 3 x 3, and the network takes its own size only"}
"""Where a score would mean nothing, and what is told of that."""


def scores(space: SearchSpace, kind: TaskKind, proxies: tuple[str, ...], seed: int) -> Mapping[str, float]:
    """Return the scores of a random network."""
    evaluator = ProxyEvaluator(space, seed, proxies=proxies, batch=4, task=TASKS[kind], kind=kind)
    architecture = space.sample(np.random.default_rng(seed))
    request = EvaluationRequest(architecture, TrialKind.SCORE, PROXY, seed)
    return evaluator.evaluate(request, UnattendedSession()).metrics


def test_the_table_of_spaces_is_whole() -> None:
    assert set(SPACES) == set(SEARCH_SPACES.names())


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, space in SPACES.items() for kind in TaskKind if kind in space.kinds]
)
def test_every_proxy_gives_a_finite_score_or_says_why_it_can_not(name: str, kind: TaskKind) -> None:
    usable = tuple(proxy for proxy in PROXIES.names() if (name, proxy) not in REFUSALS)
    for seed in range(2):
        found = scores(SPACES[name], kind, usable, seed)
        assert set(found) == {*usable, "params", "macs"}
        assert all(math.isfinite(score) for score in found.values())
    for proxy in set(PROXIES.names()) - set(usable):
        with pytest.raises(EvaluationFailedError, match=REFUSALS[name, proxy]):
            scores(SPACES[name], kind, (proxy,), 0)
