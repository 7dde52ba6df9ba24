"""Documents made wrong at random, in the ways in which answers are."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    -0.0,
    1e308,
    -1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    2**63,
    10**400,
    "",
    " ",
    "null",
    "NaN",
    "Infinity",
    "1e999",
    "-5",
    "٣",
    "\x00",
    "\ud800",
    "🌍" * 50,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999+00:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21",
    "2026-11-21T12:00:00",
    "2026-W47-6",
    "99:99:99",
    "P1Y",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, 2],
    {"data": []},
    {"error": {"code": "x"}},
)


def _nested(depth: int) -> object:
    value: object = 0
    for level in range(depth):
        value = [value] if level % 2 else {"data": value}
    return value


def _places(value: object) -> list[tuple[Any, Any]]:
    """Return every container of a document with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = (
            list(container)
            if isinstance(container, dict)
            else range(len(container))
            if isinstance(container, list)
            else ()
        )
        for key in keys:
            found.append((container, key))
            waiting.append(container[key])  # type: ignore[index] # it is one of the two
    return found


def _junk(container: Any, key: Any, rng: random.Random) -> None:
    container[key] = copy.deepcopy(rng.choice(JUNK))


def _removed(container: Any, key: Any, rng: random.Random) -> None:
    del container[key]


def _doubled(container: Any, key: Any, rng: random.Random) -> None:
    if isinstance(container, list):
        container.insert(rng.randrange(len(container) + 1), copy.deepcopy(container[key]))
    else:
        container[f"{key}{rng.randrange(3)}"] = copy.deepcopy(container[key])


def _swapped(container: Any, key: Any, rng: random.Random) -> None:
    other = rng.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[key], container[other] = container[other], container[key]


def _changed(container: Any, key: Any, rng: random.Random) -> None:
    value = container[key]
    if isinstance(value, bool) or value is None:
        container[key] = not value
    elif isinstance(value, int | float) and abs(value) < _LARGE:
        container[key] = value * rng.choice([-1, 1e3, 1e-9, 1e300]) + rng.choice([0, 1, -1])
    elif isinstance(value, str) and value:
        place = rng.randrange(len(value))
        container[key] = value[:place] + rng.choice(["", "0", "9", "-", "T", ":", "Z", "é", value]) + value[place + 1 :]
    else:
        container[key] = str(value)[:200]


_LARGE = 2**64


def _wrapped(container: Any, key: Any, rng: random.Random) -> None:
    value = container[key]
    container[key] = rng.choice([[value], {"data": value}, {key if isinstance(key, str) else "0": value}, _nested(60)])


CHANGES: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _junk,
    _junk,
    _changed,
    _changed,
    _removed,
    _doubled,
    _swapped,
    _wrapped,
)


def mutated(document: object, rng: random.Random) -> object:
    """Return the document with one to four things wrong."""
    if isinstance(document, bytes):
        return _mutated_bytes(document, rng)
    wrong = [copy.deepcopy(document)]
    for _ in range(rng.choice([1, 1, 2, 4])):
        places = _places(wrong)
        if not places:
            break
        container, key = rng.choice(places)
        if container is wrong:
            _junk(container, key, rng) if rng.random() < 0.2 else _wrapped(container, key, rng)
        else:
            rng.choice(CHANGES)(container, key, rng)
    return wrong[0]


_TOKENS = (
    b"<",
    b">",
    b"/",
    b"&amp;",
    b"&x;",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"\x00",
    b"\xff",
    b"-",
    b"9",
    b"PK\x03\x04",
    b"<Point>",
)


def _mutated_bytes(document: bytes, rng: random.Random) -> bytes:
    wrong = bytearray(document)
    for _ in range(rng.choice([1, 1, 2, 8])):
        start = rng.randrange(len(wrong) + 1)
        end = min(len(wrong), start + rng.choice([0, 1, 1, 5, 80]))
        match rng.randrange(4):
            case 0:
                wrong[start:end] = rng.choice(_TOKENS)
            case 1:
                wrong[start:end] = bytes(rng.randrange(256) for _ in range(end - start))
            case 2:
                wrong[start:start] = wrong[start:end]
            case _:
                del wrong[start:end]
    return bytes(wrong) if rng.random() < 0.97 else bytes(wrong[: rng.randrange(len(wrong) + 1)])
