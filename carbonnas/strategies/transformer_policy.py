"""The transformer policy, the one that is best handed from space to space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from carbonnas.search_spaces.space import Choice
from carbonnas.strategies.policy import Policy

_FEED_FORWARD = 4
"""Width of the feed-forward part as a multiple of the hidden one, as in Vaswani et al. 2017."""


class TransformerPolicy(Policy):
    """A causal transformer over the decisions so far, with a vocabulary of the options' texts.

    An option that stands in several choices, or in several spaces, is one word; where it stands is told by the embedding of the place. So
    what was learnt of an operation in one space is of use in another: Transfer-NAS (Cheng et al. 2019, "Transfer-NAS: From Generative
    Models to a Transferable Architecture Search"). The words' output weights begin at zero, and the policy as uniform.

    Args:
        choices: The choices of the space.
        hidden: Length of the embeddings, a multiple of `heads`.
        layers: Layers, at least 1.
        heads: Attention heads of each layer, at least 1.
        generator: Source of the weights.

    Raises:
        ValueError: If `hidden` is no multiple of `heads`.
    """

    def __init__(
        self, choices: Sequence[Choice], hidden: int, layers: int, *, heads: int, generator: torch.Generator
    ) -> None:
        if hidden % heads:
            raise ValueError(f"hidden must be a multiple of the {heads} heads, got {hidden}")
        super().__init__(choices)
        words = sorted({option for choice in choices for option in choice.options})
        self._labels = dict.fromkeys(("words.weight", "answers", "biases"), words)
        self._places = [torch.tensor([words.index(option) for option in choice.options]) for choice in choices]
        with torch.device("meta"):
            self.start = nn.Parameter(torch.empty(1, hidden))
            self.words = nn.Embedding(len(words), hidden)
            self.places = nn.Embedding(len(choices), hidden)
            self.blocks = nn.ModuleList(_block(hidden, heads) for _ in range(layers))
            self.norm = nn.LayerNorm(hidden)
            self.answers = nn.Parameter(torch.empty(len(words), hidden))
            self.biases = nn.Parameter(torch.empty(len(words)))
        for name, parameter in list(self.named_parameters()):
            owner, _, leaf = name.rpartition(".")
            setattr(self.get_submodule(owner), leaf, nn.Parameter(_initial(name, parameter.shape, generator)))
        self._labels["places.weight"] = [choice.name for choice in choices]

    def logits(self, decided: Tensor) -> list[Tensor]:
        length = min(decided.shape[1] + 1, len(self._places))
        tokens = [self.start.expand(len(decided), -1)]
        tokens += [self.words(self._places[place][decided[:, place]]) for place in range(length - 1)]
        hidden = torch.stack(tokens, dim=1) + self.places.weight[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        for block in self.blocks:
            hidden = block(hidden, src_mask=mask, is_causal=True)
        hidden = self.norm(hidden)
        return [
            hidden[:, place] @ self.answers[words].T + self.biases[words]
            for place, words in enumerate(self._places[:length])
        ]

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        return self._labels


def _block(hidden: int, heads: int) -> nn.Module:
    width = _FEED_FORWARD * hidden
    return nn.TransformerEncoderLayer(hidden, heads, width, dropout=0.0, batch_first=True, norm_first=True)


def _initial(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return ones for scales of a normalisation, zeros for biases and answers, and Glorot's uniform values for the rest."""
    if "norm" in name and name.endswith("weight"):
        return torch.ones(shape)
    if len(shape) < 2 or name == "answers":
        return torch.zeros(shape)
    bound = (6 / (shape[0] + shape[1])) ** 0.5
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)
