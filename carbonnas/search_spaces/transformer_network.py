"""The networks of the `transformer` space."""

from __future__ import annotations

import math
from typing import Final, cast

import torch
from torch import nn
from torch.nn import functional

from carbonnas.search_spaces.characters import one_hot
from carbonnas.search_spaces.space import TaskKind, TaskShape
from carbonnas.search_spaces.transformer_plan import BlockPlan, TransformerPlan

_DEVIATION: Final = 0.02
"""Standard deviation of the initial positions, as in BERT, GPT-2 and ViT."""


class TransformerNetwork(nn.Module):
    """Tokens with learned positions, blocks with the norm in front, a last norm, and a linear layer.

    Images get the mean of their tokens classified. Sides that patches do not divide are padded with zeros on the right and
    below. Each token of a text ends with the character that it is asked about: token p of t characters ends with character
    p t and tells the t characters after it, so that whatever is told of a character was told without it. Attention is causal, and
    the places before the text are zeros. Dropout is left out.

    The linear layers of attention are `attention.qkv` and `attention.projection` in each block, those of the perceptron
    `mlp.0` and `mlp.2`. Attention is written out, so that it can be counted and differentiated twice. Initial weights are those of
    Glorot and Bengio (2010), as in the program of the vision transformer's authors: they suit any width, where the fixed
    deviation of other programs makes narrow networks slow to learn.
    """

    def __init__(self, plan: TransformerPlan, task: TaskShape) -> None:
        super().__init__()
        self._is_text = task.kind is TaskKind.TEXT
        self._task = task
        self._patch = plan.patch
        kernel = (1 if self._is_text else plan.patch, plan.patch)
        tokens = math.ceil(task.height / kernel[0]) * math.ceil(task.width / kernel[1])
        self.embedding = nn.Conv2d(task.channels, plan.width, kernel, stride=kernel)
        self.positions = nn.Parameter(torch.zeros(1, tokens, plan.width))
        self.blocks = nn.Sequential(*(Block(block, plan.width, causal=self._is_text) for block in plan.blocks))
        self.norm = nn.LayerNorm(plan.width)
        self.classifier = nn.Linear(plan.width, task.classes * (plan.patch if self._is_text else 1))
        self.apply(_initialise)
        nn.init.trunc_normal_(self.positions, std=_DEVIATION)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits: `batch x classes` of images, `batch x classes x width` of texts; see `TaskShape`.

        Raises:
            ValueError: If the inputs are not of the task's size: a token without a position of its own means nothing.
        """
        tokens = self.embedding(self._padded(inputs)).flatten(2).transpose(1, 2)
        if tokens.shape[1] != self.positions.shape[1]:
            raise ValueError(f"the network has positions for {self.positions.shape[1]} tokens, got {tokens.shape[1]}")
        states = self.norm(self.blocks(tokens + self.positions))
        if not self._is_text:
            return cast("torch.Tensor", self.classifier(states.mean(dim=1)))
        logits = self.classifier(states).unflatten(2, (self._patch, self._task.classes)).flatten(1, 2)
        return cast("torch.Tensor", logits[:, : self._task.width].transpose(1, 2))

    def _padded(self, inputs: torch.Tensor) -> torch.Tensor:
        if not self._is_text:
            height, width = inputs.shape[2:]
            return functional.pad(inputs, (0, -width % self._patch, 0, -height % self._patch))
        if not inputs.is_floating_point():
            inputs = one_hot(inputs, self._task.channels)
        return functional.pad(inputs, (self._patch - 1, 0))


class Block(nn.Module):
    """Attention and a perceptron, each with a norm in front and its input added."""

    def __init__(self, plan: BlockPlan, width: int, *, causal: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, plan.heads, causal=causal)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, plan.hidden), nn.GELU(), nn.Linear(plan.hidden, width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + cast("torch.Tensor", self.mlp(self.mlp_norm(tokens)))


class Attention(nn.Module):
    """Multi-head self-attention. Vaswani et al. 2017, "Attention is all you need", NeurIPS.

    Args:
        width: Channels of a token.
        heads: Heads, a divisor of the width.
        causal: Whether tokens see only themselves and those before them.
    """

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self._heads = heads
        self._causal = causal
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return `batch x tokens x width` for the same."""
        # batch x heads x 3 x tokens x channels of a head
        split = self.qkv(tokens).unflatten(2, (3, self._heads, -1)).transpose(1, 3)
        query, key, value = split.unbind(2)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
        if self._causal:
            count = tokens.shape[1]
            later = torch.ones(count, count, dtype=torch.bool, device=tokens.device).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        mixed = scores.softmax(dim=3) @ value
        return cast("torch.Tensor", self.projection(mixed.transpose(1, 2).flatten(2)))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
