"""What every search space must keep: a suite to inherit from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError
from carbonnas.search_spaces.space import SearchSpace, TaskShape

_SAMPLES = 60


class SearchSpaceConformance(ABC):
    """Laws of `SearchSpace`, as pytest tests.

    Inherit in a test module under a name that starts with `Test` and implement `make_space`; override `tasks` if the space
    needs larger images. The test that builds networks bears the marker `torch`.
    """

    @abstractmethod
    def make_space(self) -> SearchSpace:
        """Return a space whose networks are small."""

    def tasks(self) -> tuple[TaskShape, ...]:
        """Return the shapes that networks are built for."""
        return TaskShape(1, 8, 8, 10), TaskShape(3, 32, 32, 7), TaskShape(2, 9, 14, 3)

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
        """A mutation is a valid neighbour."""
        space, rng = self.make_space(), np.random.default_rng(1)
        for architecture in _samples(space):
            mutant = space.mutate(architecture, rng)
            space.validate(mutant)
            changed = sum(a != b for a, b in zip(architecture, mutant, strict=True))
            _law(changed == 1, f"a mutation of {architecture} changes one choice, not {changed}")

    def test_text_is_read_back(self) -> None:
        """`parse` is the inverse of `format`, and refuses what is no architecture."""
        space = self.make_space()
        for architecture in _samples(space):
            _law(space.parse(space.format(architecture)) == architecture, f"{architecture} is read back")
        for text in ("", "nonsense", space.format(_samples(space)[0])[:-1]):
            with pytest.raises(ArchitectureError):
                space.parse(text)

    def test_the_canonical_form_is_its_own_canonical_form(self) -> None:
        """Canonical architectures belong to the space and stay as they are."""
        space = self.make_space()
        for architecture in _samples(space):
            canonical = space.canonical(architecture)
            space.validate(canonical)
            _law(space.canonical(canonical) == canonical, f"the canonical form of {architecture} is final")
            _law(self.make_space().canonical(architecture) == canonical, f"the one of {architecture} is stable")

    def test_keys_are_equal_exactly_if_canonical_forms_are(self) -> None:
        """The key stands for the network."""
        space = self.make_space()
        pairs = {(space.key(architecture), space.canonical(architecture)) for architecture in _samples(space)}
        _law(len({key for key, _ in pairs}) == len(pairs), "equal keys have equal canonical forms")
        _law(len({canonical for _, canonical in pairs}) == len(pairs), "equal canonical forms have equal keys")

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
        """Every network turns images into logits and lets a gradient reach at least its last layer."""
        import torch

        space = self.make_space()
        extremes = (tuple(0 for _ in space.choices), tuple(len(choice.options) - 1 for choice in space.choices))
        for task in self.tasks():
            images = torch.randn(2, task.channels, task.height, task.width, generator=torch.Generator().manual_seed(0))
            for architecture in (*extremes, *_samples(space)[:4]):
                network = space.build(architecture, task)
                logits = network(images)
                _law(tuple(logits.shape) == (2, task.classes), f"{architecture} gives logits, not {logits.shape}")
                logits.square().sum().backward()
                gradients = [p.grad for p in network.parameters() if p.grad is not None]
                _law(bool(gradients), f"a gradient reaches a parameter of {architecture}")
                _law(all(bool(g.isfinite().all()) for g in gradients), f"gradients of {architecture} are finite")


def _samples(space: SearchSpace) -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(_SAMPLES)]


def _law(kept: bool, law: str) -> None:  # noqa: FBT001 # reads like an assertion
    if not kept:
        raise AssertionError(f"not kept: {law}")
