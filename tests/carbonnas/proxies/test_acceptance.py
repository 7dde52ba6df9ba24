"""The proxies together, on cells whose accuracy is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from carbonnas.proxies.fusion import DEFAULT, ENSEMBLES, expand, fuse
from carbonnas.proxies.proxy import ProxyBatch, SharedProxy, Subject
from carbonnas.proxies.registry import PROXIES
from carbonnas.search_spaces.nasbench201 import NASBench201
from carbonnas.search_spaces.space import TaskShape

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

SPACE = NASBench201(channels=4, cells=1)
TASK = TaskShape(3, 16, 16, 10)
NAMES = ("params", "synflow", "naswot", "grad_norm")
MADE = {name: PROXIES.create(name, {}, {}) for name in NAMES}


def scores(text: str, seed: int) -> Mapping[str, float]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(32, 3, 16, 16, generator=generator)
    batch = ProxyBatch(inputs, torch.randint(10, (32,), generator=generator))
    return {name: proxy.score(network(text, seed), batch, generator) for name, proxy in MADE.items()}


def network(text: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return SPACE.build(SPACE.parse(text), TASK)


def test_every_proxy_is_registered() -> None:
    named = """
        params macs l2_norm grad_norm plain snip grasp fisher jacov epe_nas synflow logsynflow naswot zen ntk linear_regions zico meco
        swap grad_sign dss az_expressivity az_progressivity az_trainability
    """
    assert PROXIES.names() == sorted(named.split())


def test_the_parts_of_each_ensemble_and_of_the_default_are_registered() -> None:
    assert set(expand([*ENSEMBLES, *DEFAULT])) <= set(PROXIES.names())


def test_a_disconnected_network_scores_lowest_and_finite() -> None:
    dead = scores("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|", 0)
    alive = scores("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", 0)
    assert {name: dead[name] for name in NAMES[1:]} == pytest.approx(
        {"synflow": -708.396, "naswot": 0.0, "grad_norm": 0.0}, abs=1e-3
    )
    assert all(dead[name] < alive[name] for name in NAMES[1:])


@pytest.mark.slow
def test_no_score_of_a_disconnected_network_is_infinite_or_above_that_of_a_connected_one() -> None:
    lowest = "synflow logsynflow naswot swap grad_norm snip fisher jacov epe_nas zico ntk grad_sign az_trainability dss"
    dead, alive = (
        all_scores("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|"),
        all_scores("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"),
    )
    assert all(math.isfinite(score) for score in (*dead.values(), *alive.values()))
    assert [name for name in lowest.split() if dead[name] >= alive[name]] == []


def all_scores(text: str) -> Mapping[str, float]:
    generator = torch.Generator().manual_seed(0)
    batch = ProxyBatch(torch.randn(8, 3, 16, 16, generator=generator), torch.arange(8) % 3)
    subject = Subject(lambda: network(text, 0), batch, 0)
    proxies = {name: PROXIES.create(name, {}, {}) for name in PROXIES.names()}
    return {name: proxy.read(subject) for name, proxy in proxies.items() if isinstance(proxy, SharedProxy)}


def test_scores_of_shrunken_networks_rank_the_accuracies_of_trained_full_ones(nas_table: Path) -> None:
    table = pd.read_csv(nas_table).iloc[::260]
    raw = [scores(text, seed) for seed, text in enumerate(table["arch_str"])]
    accuracy = pd.Series(table["cifar10_test_200ep"].to_numpy())
    rho = pd.DataFrame(raw).corrwith(accuracy, method="spearman")
    fused = pd.Series(fuse(raw, NAMES)).corr(accuracy, method="spearman")
    assert rho["params"] > 0.6
    assert rho["synflow"] > 0.6
    assert rho["naswot"] > 0.5
    assert rho["grad_norm"] > 0.4
    assert fused > max(0.7, rho.mean())
