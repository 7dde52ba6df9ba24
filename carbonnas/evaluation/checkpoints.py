"""Checkpoint files that are either whole and of this very work, or not there.

A file is one line of JSON (format, identity of the work, digest) followed by the state as `torch.save` writes it. The digest is
verified before the state is read and the state is read with `weights_only=True`, so nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from carbonnas.files import replace_file

FORMAT: Final = 1

log = logging.getLogger(__name__)


def write_checkpoint(path: Path, identity: Mapping[str, object], state: Mapping[str, Any]) -> None:
    """Put the state in place of the file's former content, atomically: after a crash one of the two is there, whole.

    Args:
        path: The file; its folder is made if need be.
        identity: What tells this work from any other; plain values that JSON keeps.
        state: Tensors, numbers, strings and containers of them.
    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    payload = buffer.getvalue()
    header = {"format": FORMAT, "identity": identity, "sha256": hashlib.sha256(payload).hexdigest()}
    replace_file(path, json.dumps(header).encode() + b"\n" + payload)


def read_checkpoint(path: Path, identity: Mapping[str, object], device: torch.device) -> dict[str, Any] | None:
    """Return the state, its tensors on the device, or `None` if the work has to start anew.

    That is so if there is no file, or if it is damaged or belongs to other work; in the latter cases the log says which.
    """
    try:
        head, _, payload = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    flaw = _flaw(head, payload, identity)
    if flaw is not None:
        log.warning("checkpoint %s %s; the work starts anew", path, flaw)
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location=device, weights_only=True)
    return state


def _flaw(head: bytes, payload: bytes, identity: Mapping[str, object]) -> str | None:
    try:
        header = json.loads(head)
    except ValueError:
        return "is damaged: its first line is not JSON"
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        return "has another format"
    # Through JSON and back: tuples come out as lists on both sides.
    if header.get("identity") != json.loads(json.dumps(identity)):
        return "belongs to other work"
    if header.get("sha256") != hashlib.sha256(payload).hexdigest():
        return "is damaged: its content does not match its digest"
    return None
