from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape


class Towers(SearchSpace):
    """One to three floors of some kind and a roof; a tower of wood bears no roof of lead."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (
            Choice("floors", ("1", "2", "3")),
            Choice("second", ("wood", "stone"), lambda chosen: chosen["floors"] != "1"),
            Choice("third", ("wood", "stone"), lambda chosen: chosen["floors"] == "3"),
            Choice("roof", ("straw", "lead")),
        )

    def valid(self, architecture: Architecture) -> bool:
        chosen = self.chosen(architecture)
        active = dict(zip(chosen, self.active(architecture), strict=True))
        wooden = any(active[floor] and chosen[floor] == "wood" for floor in ("second", "third"))
        return not (wooden and chosen["roof"] == "lead")

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("towers are no networks")


class Constrained(SearchSpace):
    """Two choices of three options and a constraint to be named."""

    def __init__(self, allowed: Callable[[Architecture], bool]) -> None:
        self._allowed = allowed

    @property
    def choices(self) -> tuple[Choice, ...]:
        return Choice("one", ("a", "b", "c")), Choice("other", ("a", "b", "c"))

    def valid(self, architecture: Architecture) -> bool:
        return self._allowed(architecture)

    def build(self, architecture: Architecture, task: TaskShape) -> NoReturn:
        raise NotImplementedError("this is no network")


def test_an_inactive_choice_has_its_first_option_in_the_canonical_form() -> None:
    towers = Towers()
    assert towers.canonical((0, 1, 1, 1)) == (0, 0, 0, 1)
    assert towers.canonical((1, 1, 1, 1)) == (1, 1, 0, 1)
    assert towers.key((0, 1, 0, 1)) == towers.key((0, 0, 1, 1)) == "1,wood,wood,lead"
    assert towers.active((1, 1, 1, 1)) == (True, True, False, True)


def test_a_condition_sees_inactive_choices_with_their_first_option() -> None:
    class Nested(Towers):
        @property
        def choices(self) -> tuple[Choice, ...]:
            return (
                Choice("door", ("no", "yes")),
                Choice("lock", ("no", "yes"), lambda chosen: chosen["door"] == "yes"),
                Choice("keys", ("1", "2"), lambda chosen: chosen["lock"] == "yes"),
            )

    assert Nested().canonical((0, 1, 1)) == (0, 0, 0)
    assert Nested().active((1, 1, 0)) == (True, True, True)


def test_inactive_choices_have_no_features() -> None:
    # Floors, second, third, roof; the tower has one floor.
    assert Towers().features((0, 1, 1, 1)).tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_constraint_holds_for_all_that_is_drawn() -> None:
    towers, rng = Towers(), np.random.default_rng(0)
    drawn = [towers.sample(rng) for _ in range(300)]
    assert all(towers.valid(tower) for tower in drawn)
    # Two of one floor; of two floors three: two of stone, one of wood; of three floors five: stone both ways, three others.
    assert len({towers.key(tower) for tower in drawn}) == 2 + 3 + 5
    assert towers.size == 3 * 2 * 2 * 2


def test_what_breaks_the_constraint_is_refused_by_name() -> None:
    with pytest.raises(ArchitectureError, match="2,wood,wood,lead breaks the constraint of Towers"):
        Towers().validate((1, 0, 0, 1))
    with pytest.raises(ArchitectureError, match="constraint"):
        Towers().parse("3,stone,wood,lead")


def test_what_a_mutation_makes_active_is_drawn() -> None:
    towers, rng = Towers(), np.random.default_rng(0)
    mutants = Counter(towers.mutate((0, 0, 0, 0), rng) for _ in range(400))
    # From one floor to two or three, in whatever material, or another roof.
    assert set(mutants) == {(1, s, 0, 0) for s in (0, 1)} | {(2, s, t, 0) for s in (0, 1) for t in (0, 1)} | {
        (0, 0, 0, 1)
    }


def test_an_architecture_without_a_valid_mutant_gives_way_to_a_sample() -> None:
    islands = Constrained(lambda architecture: architecture in {(0, 0), (2, 2)})
    rng = np.random.default_rng(0)
    assert {islands.mutate((0, 0), rng) for _ in range(20)} == {(0, 0), (2, 2)}
    assert islands.neighbours((0, 0)) == ()


def test_parents_without_a_valid_child_give_the_first_of_them() -> None:
    diagonal = Constrained(lambda architecture: architecture[0] == architecture[1] == 1)
    assert diagonal.crossover((1, 1), (1, 1), np.random.default_rng(0)) == (1, 1)
    nothing = Constrained(lambda _: False)
    assert nothing.crossover((0, 1), (1, 0), np.random.default_rng(0)) == (0, 1)


def test_children_have_about_as_much_of_either_parent() -> None:
    free, rng = Constrained(lambda _: True), np.random.default_rng(0)
    children = Counter(free.crossover((0, 0), (1, 1), rng) for _ in range(400))
    # 100 of each are expected, with a standard deviation of 8.7.
    assert set(children) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert min(children.values()) > 60


def test_a_constraint_that_nothing_meets_is_an_error() -> None:
    with pytest.raises(ArchitectureError, match="none of 10000 draws meets the constraint of Constrained"):
        Constrained(lambda _: False).sample(np.random.default_rng(0))


def test_neighbours_are_what_one_choice_changes() -> None:
    # Two floors of stone under straw: one floor, three (the third of wood), a second of wood, a roof of lead.
    assert Towers().neighbours((1, 1, 1, 0)) == ((0, 0, 0, 0), (2, 1, 0, 0), (1, 0, 0, 0), (1, 1, 0, 1))


def test_long_texts_are_quoted_in_part() -> None:
    with pytest.raises(ArchitectureError) as refused:
        Towers().parse("x" * 10_000)
    assert len(str(refused.value)) < 200
