"""The light simulator in which the allocator is trained."""

from __future__ import annotations

import numpy as np
import pytest

from schedulers.policies.actor_critic_state import COMING_H
from schedulers.policies.actor_critic_world import WEEK_H, Grid, Reward, World, hypervolume

HOURS = 400
VALUES = np.array([100.0, 300.0] * (HOURS // 2))
"""Clean and dirty hours in turn, 200 g/kWh on average."""
FLAT = np.full((HOURS, COMING_H + 1), 200.0)
GRID = Grid.of(VALUES, FLAT, np.ones(HOURS, dtype=np.bool_))


def world(reward: Reward, seed: int = 0) -> World:
    return World(GRID, 50, np.random.default_rng(seed), reward)


def test_an_hour_is_compared_with_the_week_before_it_alone() -> None:
    changed = Grid.of(np.where(np.arange(HOURS) < 300, VALUES, 9e9), FLAT, np.ones(HOURS, dtype=np.bool_))
    for grid in (GRID, changed):
        assert grid.mean[WEEK_H:301] == pytest.approx(200)
        assert grid.deviation[WEEK_H:301] == pytest.approx(100)
        assert grid.cleaner[WEEK_H:300].tolist() == [0.0, 0.5] * 66


def test_no_search_looks_back_or_runs_into_hours_that_are_held_out() -> None:
    usable = np.ones(HOURS, dtype=np.bool_)
    usable[[100, 390]] = False
    starts = Grid.of(VALUES, FLAT, usable).starts
    # Hour 100 must lie more than a week back, and 96 hours must end before hour 390 is used.
    assert (starts.min(), starts.max()) == (100 + WEEK_H + 1, 390 - 96)


def test_joined_grids_keep_their_begins() -> None:
    both = Grid.joined((GRID, GRID))
    assert both.present.tolist() == [*VALUES, *VALUES]
    assert both.starts.tolist() == [*GRID.starts, *(GRID.starts + HOURS)]


def test_emissions_are_priced_against_the_past_week_and_by_the_share_of_the_work() -> None:
    searches = world(Reward(quality=0, missed=0))
    hour, work, slots = searches.hour.copy(), searches.work.copy(), searches.slots.copy()
    rewards, _ = searches.step(np.full(50, 10))
    dearer = np.where(VALUES[hour] > 200, 0.5, -0.5)
    assert rewards == pytest.approx(-dearer * np.minimum(slots, work) / work)


def test_quality_counts_the_more_the_earlier_it_is_found() -> None:
    searches = world(Reward(quality=2, missed=0))
    at_once = searches.situations()
    carbon = world(Reward(quality=0, missed=0)).step(np.full(50, 10))[0]
    paid, _ = searches.step(np.full(50, 10))
    done = np.minimum(at_once.slots / (at_once.load * at_once.slots * at_once.hours_left), 1)
    after = at_once.share_done + (1 - at_once.share_done) * done
    # No time has passed yet, so what the first hour finds counts for all of the time.
    assert paid - carbon == pytest.approx(2 * (hypervolume(after) - hypervolume(at_once.share_done)))


def test_the_first_tenth_of_a_search_finds_a_third_of_the_hypervolume() -> None:
    assert hypervolume(np.array([0.0, 0.1, 1.0])) == pytest.approx([0, np.log(3) / np.log(21), 1])


def test_work_that_misses_its_deadline_costs_its_share() -> None:
    searches = world(Reward(quality=0, missed=2))
    hours = searches.due - searches.hour
    lost = np.zeros(50)
    for passed in range(1, hours.min() + 1):
        rewards, ended = searches.step(np.zeros(50, dtype=np.int64))
        assert (ended == (hours == passed)).all()
        lost[ended] = rewards[ended]
    assert (lost[hours == hours.min()] == -2).all()


def test_a_search_whose_work_is_done_is_followed_by_another() -> None:
    searches = world(Reward())
    ended = np.zeros(50, dtype=np.bool_)
    for _ in range(96):
        ended |= searches.step(np.full(50, 10))[1]
    assert ended.all()
    assert (searches.left > 0).all()
    assert (searches.hour < searches.due).all()


def test_the_same_seed_draws_the_same_searches() -> None:
    assert (world(Reward(), 3).due == world(Reward(), 3).due).all()
    assert (world(Reward(), 3).due != world(Reward(), 4).due).any()
