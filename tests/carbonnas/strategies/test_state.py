from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from carbonnas.errors import StorageError
from carbonnas.strategies.state import decode_state, encode_state
from carbonnas.strategies.strategy import StateDict

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
numeric = arrays.arrays(
    dtype=st.sampled_from(("?", "u1", "<i2", "<i4", "<i8", "<u8", "<f4", "<f8", ">f8", ">i4")),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


def same(left: StateDict, right: StateDict) -> bool:
    """Whether two states are equal, arrays with their types, shapes and bits (so that a NaN equals itself)."""
    if left.keys() != right.keys():
        return False
    for name, value in left.items():
        other = right[name]
        if isinstance(value, np.ndarray):
            native = value.astype(value.dtype.newbyteorder("="))
            if not isinstance(other, np.ndarray) or (native.dtype, native.shape) != (other.dtype, other.shape):
                return False
            if native.tobytes() != other.tobytes():
                return False
        elif value != other or type(value) is not type(other):
            return False
    return True


@settings(max_examples=50, deadline=None)
@given(state=st.dictionaries(st.text(), json_values | numeric, max_size=5))
def test_a_state_comes_back_as_it_was(state: StateDict) -> None:
    assert same(state, decode_state(encode_state(state)))


def test_the_order_of_names_does_not_change_the_bytes() -> None:
    first: StateDict = {"a": np.arange(3), "b": 1}
    second: StateDict = {"b": 1, "a": np.arange(3)}
    assert encode_state(first) == encode_state(second)


def test_a_generator_goes_on_from_its_stored_state() -> None:
    rng = np.random.default_rng(1)
    stored = encode_state({"rng": dict(rng.bit_generator.state)})
    successor = np.random.default_rng(2)
    successor.bit_generator.state = cast("dict[str, Any]", decode_state(stored)["rng"])
    assert list(successor.integers(1000, size=5)) == list(rng.integers(1000, size=5))


def test_a_transposed_array_keeps_its_order() -> None:
    array = np.arange(6.0).reshape(2, 3).T
    assert same({"x": array}, decode_state(encode_state({"x": array})))


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([object()]), np.array([1j])], ids=["text", "object", "complex"]
)
def test_only_numbers_are_kept_in_arrays(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"array 'x' of the state is of .*, expected numbers"):
        encode_state({"x": array})


def test_a_number_that_is_not_finite_is_refused_outside_arrays() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_state({"x": float("nan")})


@pytest.mark.parametrize(
    "data", [b"", b"not a state", encode_state({"x": 1})[:-3]], ids=["empty", "other", "cut short"]
)
def test_damaged_bytes_are_an_error_of_the_store(data: bytes) -> None:
    with pytest.raises(StorageError, match="can't be read"):
        decode_state(data)
