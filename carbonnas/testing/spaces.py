"""What every search space must keep: a suite to inherit from.

It needs pytest and hypothesis, which are no dependencies of the package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import SearchSpace, TaskKind, TaskShape

_SAMPLES = 60
_BUILT = 4


class SearchSpaceConformance(ABC):
    """Laws of `SearchSpace`, as pytest tests.

    Inherit in a test module under a name that starts with `Test` and implement `make_space`; override `tasks` if the space
    needs larger images. Tests that build networks bear the marker `torch`.

    Attributes:
        builds_what_is_unused: Whether networks have parameters that the output does not depend on, which the canonical
            form has fewest of, as some published benchmarks do.
    """

    builds_what_is_unused: ClassVar[bool] = False

    @abstractmethod
    def make_space(self) -> SearchSpace:
        """Return a space whose networks are small."""

    def tasks(self) -> tuple[TaskShape, ...]:
        """Return the shapes that networks are built for; by default three of images, and one of text if the space can do it."""
        images = TaskShape(1, 8, 8, 10), TaskShape(3, 32, 32, 7), TaskShape(2, 9, 14, 3)
        kinds = self.make_space().kinds
        return tuple(task for task in (*images, TaskShape.of_text(5, 11)) if task.kind in kinds)

    def test_choices_are_fixed_and_have_options(self) -> None:
        """Indices mean the same in every process, and names are unambiguous."""
        choices = self.make_space().choices
        _law(choices == self.make_space().choices, "two equal spaces have the same choices")
        _law(len({choice.name for choice in choices}) == len(choices) > 0, "choices have different names")
        _law(
            all(len(set(choice.options)) == len(choice.options) > 0 for choice in choices),
            "options of a choice are different",
        )

    def test_samples_are_valid_and_repeatable(self) -> None:
        """The generator decides which architectures are drawn."""
        space = self.make_space()
        samples = _samples(space)
        _law(samples == _samples(self.make_space()), "the same generator draws the same architectures")
        _law(len(set(samples)) > 1, "samples differ")
        for architecture in samples:
            space.validate(architecture)

    def test_a_mutation_changes_exactly_one_choice(self) -> None:
        """A mutation is valid, another one with another generator, and of what was active before changes one choice only."""
        space, rng = self.make_space(), np.random.default_rng(1)
        for architecture in _samples(space):
            mutant = space.mutate(architecture, rng)
            space.validate(mutant)
            changes = zip(architecture, mutant, space.active(architecture), space.active(mutant), strict=True)
            changed = sum(a != b for a, b, before, after in changes if before and after)
            _law(changed == 1, f"a mutation of {architecture} changes one choice, not {changed}")

    def test_a_child_has_every_option_from_a_parent(self) -> None:
        """Crossover is valid, and of a network with itself it is that network."""
        space, rng = self.make_space(), np.random.default_rng(1)
        samples = _samples(space)
        for first, second in pairwise(samples):
            child = space.crossover(first, second, rng)
            space.validate(child)
            _law(
                all(option in parents for option, parents in zip(child, zip(first, second, strict=True), strict=True)),
                f"{child} has each option from {first} or {second}",
            )
            _law(space.crossover(first, first, rng) == first, f"{first} has no other child with itself")

    def test_neighbours_are_other_networks_and_each_comes_once(self) -> None:
        """Neighbours are valid and canonical, and the same for all ways to write a network."""
        space = self.make_space()
        for architecture in _samples(space)[:10]:
            neighbours = space.neighbours(architecture)
            _law(bool(neighbours), f"{architecture} has neighbours")
            for neighbour in neighbours:
                space.validate(neighbour)
                _law(space.canonical(neighbour) == neighbour, f"neighbour {neighbour} is canonical")
            keys = [space.key(other) for other in (architecture, *neighbours)]
            _law(len(set(keys)) == len(keys), f"neighbours of {architecture} are different networks")
            _law(space.neighbours(space.canonical(architecture)) == neighbours, f"{architecture} has those of its key")

    def test_there_are_as_many_ways_to_choose_as_options_allow(self) -> None:
        """`size` is a whole number that no sample exceeds."""
        space = self.make_space()
        size = 1
        for choice in space.choices:
            size *= len(choice.options)
        _law(space.size == size, f"the size is the product of the options, {size}")

    def test_inactive_choices_do_not_matter(self) -> None:
        """Whatever stands at an inactive place, network, features and validity are the same."""
        space, rng = self.make_space(), np.random.default_rng(2)
        for architecture in _samples(space):
            places = zip(space.choices, architecture, space.active(architecture), strict=True)
            other = tuple(i if matters else int(rng.integers(len(c.options))) for c, i, matters in places)
            space.validate(other)
            _law(space.key(other) == space.key(architecture), f"{other} is the same network as {architecture}")
            _law(space.active(other) == space.active(architecture), f"{other} has the active choices of {architecture}")

    def test_text_is_read_back(self) -> None:
        """`parse` is the inverse of `format`, and refuses what is no architecture."""
        space = self.make_space()
        for architecture in _samples(space):
            _law(space.parse(space.format(architecture)) == architecture, f"{architecture} is read back")
        for text in ("", "nonsense", space.format(_samples(space)[0])[:-1]):
            with pytest.raises(ArchitectureError):
                space.parse(text)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(st.data())
    def test_hostile_text_is_refused_or_an_architecture(self, data: st.DataObject) -> None:
        """Any text, and any text with something else in its midst, is refused in one way, or stands for a valid architecture."""
        space = self.make_space()
        known = space.format(_samples(space)[0])
        begin = data.draw(st.integers(0, len(known)))
        end = data.draw(st.integers(begin, len(known)))
        inserted = data.draw(st.text(max_size=20) | st.sampled_from(("\0", "'", ",", "\u0661", "9" * 5000, "[" * 5000)))
        for text in (inserted, known[:begin] + inserted + known[end:]):
            try:
                architecture = space.parse(text)
            except ArchitectureError as error:
                _law(str(error).isprintable(), f"the refusal of {text!r} can be shown")
            else:
                space.validate(architecture)
                _law(space.parse(space.format(architecture)) == architecture, f"what {text!r} stands for is read back")

    def test_the_canonical_form_is_its_own_canonical_form(self) -> None:
        """Canonical architectures belong to the space and stay as they are."""
        space = self.make_space()
        for architecture in _samples(space):
            canonical = space.canonical(architecture)
            space.validate(canonical)
            _law(
                all(type(index) is int for index in canonical), f"the canonical form of {architecture} is of plain ints"
            )
            _law(space.canonical(canonical) == canonical, f"the canonical form of {architecture} is final")
            _law(self.make_space().canonical(architecture) == canonical, f"the one of {architecture} is stable")

    def test_keys_are_equal_exactly_if_canonical_forms_are(self) -> None:
        """The key stands for the network."""
        space = self.make_space()
        pairs = {(space.key(architecture), space.canonical(architecture)) for architecture in _samples(space)}
        _law(len({key for key, _ in pairs}) == len(pairs), "equal keys have equal canonical forms")
        _law(len({canonical for _, canonical in pairs}) == len(pairs), "equal canonical forms have equal keys")

    def test_features_are_equal_exactly_if_networks_are(self) -> None:
        """Features are finite, equally many, and tell networks apart."""
        space = self.make_space()
        vectors = {space.key(a): space.features(a) for a in _samples(space)}
        for architecture in _samples(space):
            same = np.array_equal(space.features(space.canonical(architecture)), vectors[space.key(architecture)])
            _law(same, f"all ways to write {architecture} have the same features")
        _law(len({vector.shape for vector in vectors.values()}) == 1, "features are equally many")
        _law(all(np.isfinite(vector).all() for vector in vectors.values()), "features are finite")
        _law(len({vector.tobytes() for vector in vectors.values()}) == len(vectors), "networks differ in features")

    def test_foreign_architectures_are_refused(self) -> None:
        """Too short, too long, and an option that does not exist."""
        space = self.make_space()
        valid = _samples(space)[0]
        for wrong in (valid[1:], (*valid, 0), (-1, *valid[1:]), (len(space.choices[0].options), *valid[1:])):
            with pytest.raises(ArchitectureError):
                space.validate(wrong)
            with pytest.raises(ArchitectureError):
                space.build(wrong, self.tasks()[0])

    @pytest.mark.torch
    def test_networks_give_logits_and_learn(self) -> None:
        """Every network turns inputs into logits and lets a gradient reach at least its last layer."""
        import torch

        space = self.make_space()
        extremes = (tuple(0 for _ in space.choices), tuple(len(choice.options) - 1 for choice in space.choices))
        for task in self.tasks():
            inputs = torch.randn(2, task.channels, task.height, task.width, generator=torch.Generator().manual_seed(0))
            shape = (2, task.classes) if task.kind is TaskKind.IMAGES else (2, task.classes, task.width)
            for architecture in (*filter(space.valid, extremes), *_samples(space)[:_BUILT]):
                network = space.build(architecture, task)
                logits = network(inputs)
                _law(tuple(logits.shape) == shape, f"{architecture} gives logits, not {tuple(logits.shape)}")
                logits.square().sum().backward()
                gradients = [p.grad for p in network.parameters() if p.grad is not None]
                _law(bool(gradients), f"a gradient reaches a parameter of {architecture}")
                _law(all(bool(g.isfinite().all()) for g in gradients), f"gradients of {architecture} are finite")

    @pytest.mark.torch
    def test_equal_networks_have_equally_many_parameters(self) -> None:
        """What has one key is of one size."""
        import torch

        space, task = self.make_space(), self.tasks()[0]
        with torch.device("meta"):
            for architecture in _samples(space)[:6]:
                networks = space.build(architecture, task), space.build(space.canonical(architecture), task)
                one, other = (sum(p.numel() for p in network.parameters()) for network in networks)
                unused = one > other and self.builds_what_is_unused
                _law(one == other or unused, f"{architecture} has {one} parameters, its canonical form {other}")

    @pytest.mark.torch
    def test_the_generator_decides_the_initial_weights(self) -> None:
        """A network of the same seed is the same network."""
        import torch

        space, task = self.make_space(), self.tasks()[0]
        architecture = _samples(space)[0]
        states = []
        for _ in range(2):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(3)
                states.append(space.build(architecture, task).state_dict())
        _law(states[0].keys() == states[1].keys(), "the same seed makes the same network")
        _law(all(torch.equal(states[0][name], states[1][name]) for name in states[0]), "with the same weights")

    @pytest.mark.torch
    def test_narrower_networks_do_the_same_with_fewer_parameters(self) -> None:
        """What has half of the channels takes and gives the same; a space that can't make its networks narrower says so."""
        import torch

        space = self.make_space()
        try:
            narrow = space.narrowed(0.5)
        except ValueError as error:
            _law("narrower" in str(error), f"the refusal says what can't be done, not {str(error)!r}")
            return
        for task, architecture in zip(self.tasks(), _samples(space), strict=False):
            with torch.device("meta"):
                whole = sum(p.numel() for p in space.build(architecture, task).parameters())
            network = narrow(architecture, task)
            logits = network(torch.zeros(2, task.channels, task.height, task.width))
            shape = (2, task.classes) if task.kind is TaskKind.IMAGES else (2, task.classes, task.width)
            _law(tuple(logits.shape) == shape, f"narrow, {architecture} gives logits, not {tuple(logits.shape)}")
            left = sum(p.numel() for p in network.parameters())
            _law(left < whole, f"narrow, {architecture} has fewer than {whole} parameters, not {left}")

    @pytest.mark.torch
    def test_narrower_networks_of_foreign_architectures_are_refused(self) -> None:
        """What builds narrower networks validates as `build` does."""
        space = self.make_space()
        try:
            narrow = space.narrowed(0.5)
        except ValueError:
            return
        with pytest.raises(ArchitectureError):
            narrow((-1, *_samples(space)[0][1:]), self.tasks()[0])

    def test_tasks_of_another_kind_are_refused(self) -> None:
        """A space says which tasks its networks can do."""
        space = self.make_space()
        for task in self.tasks():
            space.require(task)
        for task in (TaskShape(1, 8, 8, 10), TaskShape.of_text(5, 11)):
            if task.kind not in space.kinds:
                with pytest.raises(ValueError, match=task.kind.value):
                    space.require(task)


def _samples(space: SearchSpace) -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(_SAMPLES)]


def _law(kept: bool, law: str) -> None:  # noqa: FBT001 # reads like an assertion
    if not kept:
        raise AssertionError(f"not kept: {law}")
