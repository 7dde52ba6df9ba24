"""What spaces derive from choices, conditions and constraints, for any of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import NoReturn

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from carbonnas.architecture import Architecture, stable_hash
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape


class Arbitrary(SearchSpace):
    """Choices as given; about one network in `rarity` is invalid."""

    def __init__(self, choices: tuple[Choice, ...], rarity: int) -> None:
        self._choices = choices
        self._rarity = rarity

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self._choices

    def valid(self, architecture: Architecture) -> bool:
        return stable_hash(*self.canonical(architecture)) % self._rarity != 0

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("there is no network")

    def everything(self) -> list[Architecture]:
        ranges = (range(len(choice.options)) for choice in self._choices)
        return [architecture for architecture in itertools.product(*ranges) if self.valid(architecture)]


def condition(earlier: str, wanted: frozenset[str]) -> Callable[[Mapping[str, str]], bool]:
    return lambda chosen: chosen[earlier] in wanted


@st.composite
def spaces(draw: st.DrawFn) -> Arbitrary:
    choices: list[Choice] = []
    for place in range(draw(st.integers(1, 4))):
        options = tuple("abcd"[: draw(st.integers(1, 4))])
        active_if = None
        sometimes = draw(st.booleans())
        if choices and sometimes:
            earlier = draw(st.sampled_from(choices))
            active_if = condition(earlier.name, frozenset(draw(st.sets(st.sampled_from(earlier.options)))))
        choices.append(Choice(f"choice{place}", options, active_if))
    return Arbitrary(tuple(choices), draw(st.integers(2, 6)))


@given(spaces(), st.integers(0, 2**32))
def test_whatever_is_drawn_is_valid(space: Arbitrary, seed: int) -> None:
    assume(space.everything())
    rng = np.random.default_rng(seed)
    first, second = space.sample(rng), space.sample(rng)
    for architecture in (first, second, space.mutate(first, rng), space.crossover(first, second, rng)):
        space.validate(architecture)
        space.validate(space.canonical(architecture))
        assert space.parse(space.format(architecture)) == architecture


@given(spaces())
def test_two_ways_to_choose_are_one_network_exactly_if_they_agree_where_it_matters(space: Arbitrary) -> None:
    everything = space.everything()
    assume(everything)
    for architecture in everything:
        canonical = space.canonical(architecture)
        assert space.canonical(canonical) == canonical
        places = zip(architecture, canonical, space.active(architecture), strict=True)
        assert all(a == b if matters else b == 0 for a, b, matters in places)
    networks = {space.canonical(architecture) for architecture in everything}
    assert len({space.key(architecture) for architecture in everything}) == len(networks)
    assert len({space.features(architecture).tobytes() for architecture in everything}) == len(networks)


@given(spaces(), st.integers(0, 2**32))
def test_neighbours_are_all_valid_networks_that_differ_in_one_choice_that_matters(space: Arbitrary, seed: int) -> None:
    everything = space.everything()
    assume(everything)
    start = space.canonical(space.sample(np.random.default_rng(seed)))
    active = space.active(start)
    expected = {
        space.canonical(other)
        for other in everything
        if [place for place, (a, b) in enumerate(zip(start, other, strict=True)) if a != b]
        in ([i] for i in range(len(start)) if active[i])
    }
    neighbours = space.neighbours(start)
    assert set(neighbours) == expected - {start}
    assert len(neighbours) == len(set(neighbours))


@given(spaces(), st.integers(0, 2**32))
def test_a_mutant_differs_in_one_choice_of_those_that_matter_before_and_after(space: Arbitrary, seed: int) -> None:
    assume(space.everything())
    rng = np.random.default_rng(seed)
    parent = space.sample(rng)
    assume(space.neighbours(parent))
    mutant = space.mutate(parent, rng)
    both = zip(parent, mutant, space.active(parent), space.active(mutant), strict=True)
    assert sum(a != b for a, b, before, after in both if before and after) == 1
