"""The state of a strategy as bytes: arrays as safetensors, everything else as JSON inside. Nothing is pickled."""

from __future__ import annotations

import json
import sys

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from carbonnas.errors import StorageError
from carbonnas.strategies.strategy import Json, StateDict

_JSON = "json"
_ARRAY = "array/"
_DTYPES = "?bBhHiIlLqQefd"
"""Codes of the element types that are kept: truth values, integers and floating-point numbers."""


def encode_state(state: StateDict) -> bytes:
    """Return `state` as bytes; equal states give equal bytes.

    Raises:
        ValueError: If an array is not numeric, or a number outside arrays is not finite.
        TypeError: If a value is neither an array nor JSON.
    """
    plain = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
    text = json.dumps(plain, allow_nan=False, sort_keys=True)
    tensors = {_JSON: np.frombuffer(text.encode(), dtype=np.uint8)}
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            tensors[_ARRAY + name] = _portable(name, value)
    return safetensors.save(tensors)


def decode_state(data: bytes) -> StateDict:
    """Return the state that `encode_state` wrote.

    Raises:
        StorageError: If the bytes are damaged or something else.
    """
    try:
        tensors = safetensors.load(data)
        state: dict[str, Json | np.ndarray] = json.loads(tensors.pop(_JSON).tobytes())
    except (SafetensorError, KeyError, ValueError) as error:
        raise StorageError(f"the stored state of the strategy can't be read: {error}") from error
    return state | {name.removeprefix(_ARRAY): array for name, array in tensors.items()}


def _portable(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array in C order and little-endian, which is how it is written."""
    if array.dtype.char not in _DTYPES:
        raise ValueError(f"array {name!r} of the state is of {array.dtype}, expected numbers")
    if sys.byteorder != "little":
        raise ValueError("the state of a strategy can only be kept on a little-endian machine")
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
