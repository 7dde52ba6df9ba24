"""The actor in numpy."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from schedulers.policies.actor_critic_network import CHECKPOINT, CLASSES, Actor, read_actor
from schedulers.policies.actor_critic_state import MONOTONE, OTHERS

HIDDEN = 6


def drawn(seed: int) -> Actor:
    """Return an actor with any weights that are allowed."""
    rng = np.random.default_rng(seed)
    return Actor(
        other_first=rng.normal(size=(OTHERS, HIDDEN)),
        dirty_first=rng.exponential(size=(MONOTONE, HIDDEN)),
        bias_first=rng.normal(size=HIDDEN),
        first_second=rng.exponential(size=(HIDDEN, HIDDEN)),
        other_second=rng.normal(size=(OTHERS, HIDDEN)),
        bias_second=rng.normal(size=HIDDEN),
        second_last=rng.exponential(size=HIDDEN),
        other_last=rng.normal(size=OTHERS),
        dirty_last=rng.exponential(size=MONOTONE),
        bias_last=rng.normal(size=1),
        thresholds=np.sort(rng.normal(size=CLASSES - 1)),
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.lists(st.floats(0, 2), min_size=MONOTONE, max_size=MONOTONE))
def test_whatever_was_learnt_a_dirtier_hour_never_trains_more(seed: int, steps: list[float]) -> None:
    actor, rng = drawn(seed), np.random.default_rng(seed + 1)
    dirtiness, others = rng.normal(size=(4, MONOTONE)), rng.normal(size=(4, OTHERS))
    before, after = actor.at_least(dirtiness, others), actor.at_least(dirtiness + steps, others)
    assert (after <= before + 1e-12).all()
    assert (actor.expected_share(dirtiness + steps, others) <= actor.expected_share(dirtiness, others) + 1e-12).all()


def test_the_chances_of_at_least_so_many_slots_make_the_expected_share() -> None:
    actor = drawn(1)
    nothing = (np.zeros((1, MONOTONE)), np.zeros((1, OTHERS)))
    at_least = actor.at_least(*nothing)[0]
    assert (np.diff(at_least) <= 0).all()
    chances = -np.diff([1.0, *at_least, 0.0])
    assert chances.sum() == pytest.approx(1)
    assert actor.expected_share(*nothing)[0] == pytest.approx(chances @ np.arange(CLASSES) / (CLASSES - 1))


@pytest.mark.parametrize("name", ["dirty_first", "first_second", "second_last", "dirty_last"])
def test_weights_that_would_train_more_in_dirtier_hours_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must not be negative"):
        replace(drawn(1), **{name: -getattr(drawn(1), name)})


def test_thresholds_out_of_order_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="must not decrease"):
        replace(drawn(1), thresholds=drawn(1).thresholds[::-1])
    with pytest.raises(ValueError, match="other_last must be finite and of shape"):
        replace(drawn(1), other_last=np.full(OTHERS, np.nan))
    with pytest.raises(ValueError, match=r"bias_last .* got shape \(2,\)"):
        replace(drawn(1), bias_last=np.zeros(2))


def test_the_checkpoint_holds_what_the_actor_needs_and_no_more() -> None:
    actor = read_actor(CHECKPOINT)
    assert {field.name for field in fields(actor) if field.init} == set(fields_of(CHECKPOINT))


def fields_of(path: Path) -> list[str]:
    from safetensors.numpy import load

    return list(load(path.read_bytes()))


def test_a_file_without_a_tensor_says_which(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    path.write_bytes(save({"thresholds": np.zeros(CLASSES - 1)}))
    with pytest.raises(ValueError, match="holds no other_first, dirty_first"):
        read_actor(path)
