"""Latency tables: what blocks, or whole architectures, take on a device; a file of JSON that says where it comes from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from carbonnas.errors import ConfigError

FORMAT: Final = 1
"""Version of the file's shape."""
_SHOWN: Final = 160
"""Characters of a block, or of whatever else a file says, that a sentence shows."""
_LARGEST: Final = 1e12
"""Milliseconds, which are thirty years: with it any sum of blocks is finite."""


@dataclass(frozen=True, slots=True)
class LatencyTable:
    """What things take on one device; either blocks or architectures.

    Attributes:
        device: What the device is called.
        blocks: Median milliseconds by block (`Block.key`); empty if it tells of architectures.
        architectures: Milliseconds by the canonical text of an architecture; empty if it tells of blocks.
        about: Where the figures come from, such as `torch`, `made_at` or `task`, as JSON values by name.
        spreads: Width of the middle half of the measurements of each block, as a share of the median.
        unstable: Blocks that could not be measured for certain.
    """

    device: str
    blocks: Mapping[str, float] = field(default_factory=dict)
    architectures: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    unstable: tuple[str, ...] = ()

    def sum_of(self, keys: Iterable[str]) -> float:
        """Return the milliseconds of blocks one after the other.

        Raises:
            KeyError: If one is not in the table; the message is a sentence that names it.
        """
        keys = list(keys)
        absent = sorted(set(keys) - self.blocks.keys())
        if absent:
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            why = "is unstable" if absent[0] in self.unstable else "is missing"
            raise KeyError(f"in the table of {self.device} the block {absent[0][:_SHOWN]}{more} {why}")
        return math.fsum(self.blocks[key] for key in keys)

    def of(self, key: str) -> float:
        """Return the milliseconds of an architecture by its canonical text; `KeyError` with a sentence if it is not in the table."""
        if key not in self.architectures:
            raise KeyError(f"the architecture is missing in the table of {self.device}")
        return self.architectures[key]

    def to_json(self) -> str:
        """Return the contents of the file."""
        document: dict[str, Any] = {"format": FORMAT, "device": self.device, "unit": "ms", **self.about}
        if self.architectures:
            document["architectures"] = dict(self.architectures)
        else:
            document["blocks"] = {
                key: {"median": median, "spread": self.spreads.get(key)} for key, median in self.blocks.items()
            }
            document["unstable"] = list(self.unstable)
        return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def read_table(path: Path) -> LatencyTable:
    """Return the table in a file that `carbonnas latency-table` wrote.

    Raises:
        ConfigError: If it can't be read or is no such table.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            str(path), (f"can't be read as a latency table: {error}; `carbonnas latency-table` writes one",)
        ) from error
    try:
        _require_writable(document)
        return _table(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            str(path), (f"is no latency table ({error}); `carbonnas latency-table` writes and imports them",)
        ) from error


def _require_writable(document: Any) -> None:
    """Refuse what Python reads as JSON and nobody can write as such: NaN, infinities and halves of characters. Raises `ValueError` or `RecursionError`."""
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode()


def _table(document: Any) -> LatencyTable:
    if document["format"] != FORMAT or document["unit"] != "ms":
        written = f"format {_shown(document['format'])} in {_shown(document['unit'])}"
        raise ValueError(f"{written}, expected {FORMAT} in 'ms'")
    rows = document.get("blocks", {})
    blocks = {key: _number(key, "median", row["median"]) for key, row in rows.items()}
    architectures = {key: _number(key, "latency", ms) for key, ms in document.get("architectures", {}).items()}
    if bool(blocks) == bool(architectures):
        raise ValueError("it holds neither blocks nor architectures" if not blocks else "it holds both")
    about = {key: value for key, value in document.items() if key not in _PARTS}
    spreads = {key: _number(key, "spread", row["spread"]) for key, row in rows.items() if row.get("spread") is not None}
    return LatencyTable(
        str(document["device"]), blocks, architectures, about, spreads, tuple(document.get("unstable", ()))
    )


_PARTS: Final = frozenset({"format", "device", "unit", "blocks", "architectures", "unstable"})


def _number(key: str, what: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LARGEST:
        raise ValueError(f"the {what} of {_shown(key)} is {_shown(value)}")
    return float(value)


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
