"""Policies in files, so that one that was trained on a space can start a search of another."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from carbonnas.errors import ConfigError
from carbonnas.files import replace_file
from carbonnas.strategies.policy import Policy

_LABELS = "labels"
_KIND = "policy"


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
        ConfigError: If the file can't be read, is of another kind of policy, or nothing in it fits.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            labels: dict[str, list[str]] = json.loads(metadata.get(_LABELS, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise ConfigError(str(path), (f"can't be read as a policy: {error}",)) from error
    kind = type(policy).__name__
    if metadata.get(_KIND) != kind:
        raise ConfigError(str(path), (f"holds no {kind}, but {metadata.get(_KIND, 'no policy')!r}",))
    taken = sum(_take_over(policy, name, found[name], labels.get(name)) for name in found)
    if not taken:
        raise ConfigError(
            str(path), ("holds a policy of other sizes: nothing in it fits; set hidden and layers alike",)
        )


@torch.no_grad()
def _take_over(policy: Policy, name: str, found: torch.Tensor, texts: list[str] | None) -> int:
    """Take over what fits of one parameter; return how many rows that were."""
    own = policy.state_dict().get(name)
    if own is None or own.shape[1:] != found.shape[1:]:
        return 0
    if texts is None or name not in policy.labels:
        if own.shape != found.shape:
            return 0
        own.copy_(found)
        return len(found)
    places = {text: place for place, text in enumerate(texts[: len(found)])}
    rows = [(row, places[text]) for row, text in enumerate(policy.labels[name]) if text in places]
    for row, place in rows:
        own[row] = found[place]
    return len(rows)
