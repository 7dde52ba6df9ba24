"""How the allocator learns."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from schedulers.policies.actor_critic_network import CLASSES, Actor
from schedulers.policies.actor_critic_state import COMING_H, MONOTONE, OTHERS, Array, Situations, observe
from schedulers.policies.actor_critic_training import ActorNetwork, Training, train
from schedulers.policies.actor_critic_world import Grid, Reward, World

pytestmark = pytest.mark.torch

HOURS = 400
VALUES = np.where(np.arange(HOURS) % 8 < 4, 100.0, 300.0)
EXPECTED = np.lib.stride_tricks.sliding_window_view(np.concatenate((VALUES, VALUES[:COMING_H])), COMING_H + 1)
GRID = Grid.of(VALUES, EXPECTED, np.ones(HOURS, dtype=np.bool_))
"""Four clean hours, four dirty ones, and so on; everybody knows."""


def learnt(updates: int, seed: int = 0) -> Actor:
    torch.set_num_threads(1)
    world = World(GRID, 64, np.random.default_rng(seed), Reward())
    return train(world, training=Training(updates=updates, hours=8, rate=2e-2), seed=seed)


def share(actor: Actor, hour: int) -> float:
    one: Array = np.ones(1)
    now = Situations(
        present=VALUES[[hour]],
        mean=200 * one,
        deviation=100 * one,
        cleaner=np.where(VALUES[[hour]] > 200, 0.5, 0.0),
        expected=EXPECTED[[hour]],
        hours_left=48 * one,
        load=0.4 * one,
        share_done=0.5 * one,
        slots=4 * one,
    )
    return float(actor.expected_share(*observe(now))[0])


def test_numpy_decides_as_torch_learnt() -> None:
    torch.manual_seed(3)
    network = ActorNetwork()
    dirtiness, others = torch.randn(5, MONOTONE), torch.randn(5, OTHERS)
    chances = network(dirtiness, others).exp().detach().numpy()
    expected = chances @ np.arange(CLASSES) / (CLASSES - 1)
    found = network.learnt().expected_share(dirtiness.numpy(), others.numpy())
    assert found == pytest.approx(expected, abs=1e-5)


def test_it_learns_to_train_in_clean_hours() -> None:
    actor = learnt(40)
    assert share(actor, 200) > share(actor, 204) + 0.5  # 200 % 8 = 0 is clean, 204 % 8 = 4 is dirty


def test_the_same_seed_learns_the_same_and_leaves_other_randomness_alone() -> None:
    state = torch.get_rng_state()
    one, other, third = learnt(3), learnt(3), learnt(3, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all((getattr(one, field.name) == getattr(other, field.name)).all() for field in fields(Actor))
    assert (one.bias_first != third.bias_first).any()


def test_each_update_is_told() -> None:
    told: list[int] = []
    world = World(GRID, 8, np.random.default_rng(0), Reward())
    train(world, training=Training(updates=3, hours=2), seed=0, after=lambda update, _: told.append(update))
    assert told == [0, 1, 2]
