"""The recurrent policy of the REINFORCE strategy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor, nn

from carbonnas.architecture import Architecture


class Controller(nn.Module):
    """An LSTM that decides one choice after the other, each with the decisions before it as its input.

    The input of the first step is a learned vector, that of every later one the embedding of the option just chosen. Each choice has
    its own linear head, as it has its own number of options. Zoph and Le 2017, "Neural Architecture Search with Reinforcement
    Learning", section 3.1; size and initialisation (uniform within 0.1 of zero) as in the code of ENAS (Pham et al. 2018).

    Args:
        options: Number of options of each choice, each at least 1.
        hidden: Units of the LSTM and length of the embeddings.
        generator: Source of the initial weights; torch's global generator is left alone.
    """

    def __init__(self, options: Sequence[int], hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self._starts = list(accumulate(options[:-1], initial=0))
        # Without storage there is nothing for the layers to fill from the global generator.
        with torch.device("meta"):
            self.start = nn.Parameter(torch.empty(1, hidden))
            self.embedding = nn.Embedding(sum(options), hidden)
            self.cell = nn.LSTMCell(hidden, hidden)
            self.heads = nn.ModuleList(nn.Linear(hidden, count) for count in options)
        for name, parameter in list(self.named_parameters()):
            owner, _, leaf = name.rpartition(".")
            values = torch.empty(parameter.shape).uniform_(-0.1, 0.1, generator=generator)
            setattr(self.get_submodule(owner), leaf, nn.Parameter(values))

    @torch.no_grad()
    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw one architecture from the policy."""
        chosen: list[int] = []
        state = self._begin(1)
        for place, head in enumerate(self.heads):
            bounds = head(state[0])[0].double().softmax(0).cumsum(0).numpy()
            # Above the last bound there is nothing to choose; it may lie below 1 by rounding.
            option = min(int(np.searchsorted(bounds, rng.random(), side="right")), len(bounds) - 1)
            chosen.append(option)
            if place + 1 < len(self.heads):
                state = self._step(place, torch.tensor([option]), state)
        return tuple(chosen)

    def forward(self, architectures: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy of the policy along given decisions, each summed over the choices.

        Args:
            architectures: `batch x choices` of int64.

        Returns:
            Two tensors of `batch`, in nats.
        """
        log_probability = entropy = torch.zeros(len(architectures))
        state = self._begin(len(architectures))
        for place, head in enumerate(self.heads):
            logs = head(state[0]).log_softmax(1)
            decided = architectures[:, place]
            log_probability = log_probability + logs.gather(1, decided[:, None])[:, 0]
            entropy = entropy - (logs.exp() * logs).sum(1)
            if place + 1 < len(self.heads):
                state = self._step(place, decided, state)
        return log_probability, entropy

    def _begin(self, batch: int) -> tuple[Tensor, Tensor]:
        state: tuple[Tensor, Tensor] = self.cell(self.start.expand(batch, -1))
        return state

    def _step(self, place: int, decided: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        stepped: tuple[Tensor, Tensor] = self.cell(self.embedding(decided + self._starts[place]), state)
        return stepped
