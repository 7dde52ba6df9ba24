"""The recurrent policy."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from carbonnas.search_spaces.space import Choice
from carbonnas.strategies.policy import Policy


class LstmPolicy(Policy):
    """An LSTM that decides one choice after the other, each with the decision before it as its input.

    The input of the first step is a learned vector, that of every later one the embedding of the option just chosen. Each choice has
    its own linear head, as it has its own number of options. Zoph and Le 2017, "Neural Architecture Search with Reinforcement
    Learning", section 3.1.

    Args:
        choices: The choices of the space.
        hidden: Units of each layer and length of the embeddings, at least 1.
        layers: Layers, at least 1.
        spread: Weights are drawn uniformly within this of zero.
        generator: Source of the weights.
    """

    def __init__(
        self, choices: Sequence[Choice], hidden: int, layers: int, *, spread: float, generator: torch.Generator
    ) -> None:
        super().__init__(choices)
        self._starts = list(accumulate(self.options[:-1], initial=0))
        texts = [[f"{choice.name}={option}" for option in choice.options] for choice in choices]
        self._labels: dict[str, Sequence[str]] = {"embedding.weight": [text for row in texts for text in row]}
        for place, row in enumerate(texts):
            self._labels |= {f"heads.{place}.weight": row, f"heads.{place}.bias": row}
        # Without storage there is nothing for the layers to fill from the global generator.
        with torch.device("meta"):
            self.start = nn.Parameter(torch.empty(1, hidden))
            self.embedding = nn.Embedding(sum(self.options), hidden)
            self.cells = nn.ModuleList(nn.LSTMCell(hidden, hidden) for _ in range(layers))
            self.heads = nn.ModuleList(nn.Linear(hidden, count) for count in self.options)
        for name, parameter in list(self.named_parameters()):
            owner, _, leaf = name.rpartition(".")
            values = torch.empty(parameter.shape).uniform_(-spread, spread, generator=generator)
            setattr(self.get_submodule(owner), leaf, nn.Parameter(values))

    def logits(self, decided: Tensor) -> list[Tensor]:
        steps = self.steps(len(decided))
        return [steps.send(chosen) for chosen in (None, *decided.unbind(1))[: len(self.options)]]

    def steps(self, count: int) -> Generator[Tensor, Tensor | None, None]:
        states: list[tuple[Tensor, Tensor] | None] = [None] * len(self.cells)
        given = self.start.expand(count, -1)
        for start, head in zip(self._starts, self.heads, strict=True):
            for layer, cell in enumerate(self.cells):
                states[layer] = state = cell(given, states[layer])
                given = state[0]
            chosen = yield head(given)
            assert chosen is not None  # noqa: S101 - only the first step begins with nothing
            given = self.embedding(chosen + start)

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        return self._labels
