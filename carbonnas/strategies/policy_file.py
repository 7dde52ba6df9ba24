"""Policies in files, so that one that was trained on a space can start a search of another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from carbonnas.errors import ConfigError
from carbonnas.files import replace_file
from carbonnas.strategies.policy import Policy

_LABELS = "labels"
_KIND = "policy"
_LONGEST_LABELS: Final = 1 << 20
"""Characters of all labels of a file: a space has some hundreds of options."""
_SHOWN: Final = 200
"""Characters that a sentence shows of what a file says."""
_LARGEST: Final = 1e3
"""Magnitude of a weight: trained ones stay far below it, and products of much greater ones over the layers overflow at the first update."""


def write_policy(policy: Policy, path: Path) -> None:
    """Write the weights of a policy and what their rows stand for, as safetensors."""
    labels = {name: list(texts) for name, texts in policy.labels.items()}
    metadata = {_KIND: type(policy).__name__, _LABELS: json.dumps(labels)}
    tensors = {name: weights.contiguous() for name, weights in policy.state_dict().items()}
    replace_file(path, save(tensors, metadata))


def start_from(policy: Policy, path: Path) -> None:
    """Take over the weights of a file as far as they mean the same.

    Rows that have a label are taken over where the labels agree, all other weights where name and shape do. What the file does not
    have stays as it is.

    Raises:
        ConfigError: If the file can't be read, is of another kind of policy, or nothing in it fits; the policy is as it was.
    """
    kind = type(policy).__name__
    try:
        if not path.is_file():
            raise FileNotFoundError("there is no such file")
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get(_KIND) != kind:
                raise ConfigError(str(path), (f"holds no {kind}, but {metadata.get(_KIND, 'no policy')[:_SHOWN]!r}",))
            labels = _labels(metadata.get(_LABELS, "{}"))
            fitting = _fitting(policy, file, labels)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ConfigError(str(path), (f"can't be read as a policy: {str(error)[:_SHOWN]}",)) from error
    taken = sum(_take_over(policy, name, found, labels.get(name)) for name, found in fitting.items())
    if not taken:
        raise ConfigError(
            str(path), ("holds a policy of other sizes: nothing in it fits; set hidden and layers alike",)
        )


def _labels(text: str) -> dict[str, list[str]]:
    """Return what the rows of parameters stand for; whoever sent the file may have written anything. Raises `ValueError` or `RecursionError`."""
    if len(text) > _LONGEST_LABELS:
        raise ValueError(f"its labels are {len(text):,} characters long, more than {_LONGEST_LABELS:,}")
    labels = json.loads(text)
    if not isinstance(labels, dict) or not all(map(_is_texts, labels.values())):
        raise ValueError("its labels are no lists of texts by name")
    return labels


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _fitting(policy: Policy, file: Any, labels: Mapping[str, Sequence[str]]) -> dict[str, torch.Tensor]:
    """Return those tensors of a file whose rows are as long as the policy's; others, which may be of any size, are not even read.

    Raises:
        ValueError: If one of them has other rows than labels, or weights that are no numbers, or too large.
        RuntimeError: If torch can't turn its weights into those of the policy.
    """
    found: dict[str, torch.Tensor] = {}
    for name, own in policy.state_dict().items():
        shape = file.get_slice(name).get_shape() if name in file.keys() else None  # noqa: SIM118 - no mapping
        labelled = name in labels and name in policy.labels
        if shape is None or len(shape) != own.dim() or shape[1:] != list(own.shape[1:]):
            continue
        if labelled and shape[0] != len(labels[name]):
            raise ValueError(f"{name} has {shape[0]} rows and {len(labels[name])} labels")
        if not labelled and shape != list(own.shape):
            continue
        weights = file.get_tensor(name)
        converted = weights.to(own.dtype)
        if not (weights.is_floating_point() and bool((converted.abs() <= _LARGEST).all())):
            raise ValueError(f"{name} holds weights that are no finite numbers up to {_LARGEST:,.0f}")
        found[name] = converted
    return found


@torch.no_grad()
def _take_over(policy: Policy, name: str, found: torch.Tensor, texts: Sequence[str] | None) -> int:
    """Take over what fits of one parameter; return how many weights or rows that were."""
    own = policy.state_dict()[name]
    if texts is None or name not in policy.labels:
        own.copy_(found)
        return found.numel()
    places = {text: place for place, text in enumerate(texts)}
    rows = [(row, places[text]) for row, text in enumerate(policy.labels[name]) if text in places]
    for row, place in rows:
        own[row] = found[place]
    return len(rows)
