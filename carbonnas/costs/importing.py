"""Latencies of whole architectures that somebody else has measured, from a table of comma-separated values."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from carbonnas.costs.table import LatencyTable
from carbonnas.errors import ArchitectureError, ConfigError
from carbonnas.search_spaces.space import SearchSpace

_INDEX: Final = "index"


@dataclass(frozen=True, slots=True)
class Source:
    """Where latencies come from.

    Attributes:
        path: Comma-separated values with a header, gzipped if the name ends in `.gz`: either the columns `device` and `ms`, or a column for
            each device.
        device: Which device.
        architectures: A file with the columns `index` and `column`, if the first one names its architectures by `index` alone.
        column: Column of the architectures, as their space writes them.
    """

    path: Path
    device: str
    architectures: Path | None = None
    column: str = "architecture"


def import_table(source: Source, space: SearchSpace) -> LatencyTable:
    """Return the latencies on one device as a table; of several rows of the same network the first counts.

    Raises:
        ConfigError: If a file can't be read, lacks a column, or has a value or an architecture that can't be one.
    """
    names = None if source.architectures is None else _by_index(source)
    found: dict[str, float] = {}
    for number, row in _rows(source.path):
        place = f"line {number}"
        if "device" in row and "ms" in row:
            if row["device"] != source.device:
                continue
            text = row["ms"]
        else:
            text = _cell(source.path, row, source.device)
        written = _cell(source.path, row, source.column) if names is None else _named(source, row, names, place)
        try:
            key = space.key(space.parse(written))
        except ArchitectureError as error:
            raise ConfigError(str(source.path), (f"{place}: {error}",)) from error
        found.setdefault(key, _ms(source.path, place, text))
    if not found:
        raise ConfigError(str(source.path), (f"has no row of the device {source.device!r}",))
    return LatencyTable(source.device, architectures=found, about={"source": source.path.name})


def _by_index(source: Source) -> Mapping[str, str]:
    path = source.architectures
    assert path is not None  # noqa: S101 - asked by the caller
    return {_cell(path, row, _INDEX): _cell(path, row, source.column) for _, row in _rows(path)}


def _named(source: Source, row: Mapping[str, str], names: Mapping[str, str], place: str) -> str:
    index = _cell(source.path, row, _INDEX)
    if index not in names:
        raise ConfigError(str(source.path), (f"{place}: {source.architectures} has no architecture {index!r}",))
    return names[index]


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            header = next(reader, [])
            for cells in reader:
                if len(cells) != len(header):
                    raise ConfigError(
                        str(path), (f"line {reader.line_num}: {len(cells)} cells, expected {len(header)}",)
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(str(path), (f"can't be read as a table: {error}",)) from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8")
    return path.open(newline="", encoding="utf-8")


def _cell(path: Path, row: Mapping[str, str], column: str) -> str:
    if column not in row:
        raise ConfigError(str(path), (f"there is no column {column!r}; there are: {_listed(list(row))}",))
    return row[column]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _ms(path: Path, place: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(str(path), (f"{place}: {text!r} is no latency in ms",))
    return value
