"""Tables of results: one architecture a row."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError, DatasetError
from carbonnas.search_spaces.space import SearchSpace


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers and what to make of them.

    Attributes:
        name: Name in the table's header.
        metric: Name of the value in the rows that are returned.
        unit: What to divide the numbers by.
        lowest: Least possible value, in that unit.
        highest: Greatest possible value, in that unit.
    """

    name: str
    metric: str
    unit: float = 1.0
    lowest: float = -math.inf
    highest: float = math.inf

    def read(self, text: str) -> float:
        """Return the value in the column's unit.

        Raises:
            ValueError: If the text is no number, or the value is not finite or out of range; the message says which.
        """
        try:
            value = float(text) / self.unit
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is not finite")
        if not self.lowest <= value <= self.highest:
            raise ValueError(f"{text!r} is not within {self.lowest * self.unit:g} to {self.highest * self.unit:g}")
        return value


@dataclass(slots=True)
class ResultTable:
    """The rows by architecture.

    Attributes:
        path: Where the table was read from.
        space: The space of the architectures.
        rows: Values by metric of each architecture, in the order of the file.
    """

    path: Path
    space: SearchSpace
    rows: Mapping[Architecture, Mapping[str, float]]
    _by_key: dict[str, Architecture] = field(default_factory=dict, init=False)

    def row(self, architecture: Architecture) -> Mapping[str, float] | None:
        """Return the architecture's own row, else the first row of the same network, else `None`.

        Raises:
            ArchitectureError: If the architecture does not belong to the space.
        """
        exact = self.rows.get(architecture)
        if exact is not None:
            return exact
        self.space.validate(architecture)
        if not self._by_key:
            # Made when first needed: a complete table never needs it, and canonical forms can be dear.
            for known in self.rows:
                self._by_key.setdefault(self.space.key(known), known)
        same = self._by_key.get(self.space.key(architecture))
        return None if same is None else self.rows[same]


def read_table(path: Path, space: SearchSpace, architecture_column: str, columns: Sequence[Column]) -> ResultTable:
    """Return the table in a CSV file, gzipped if its name ends in `.gz`; other columns are not looked at.

    Raises:
        DatasetError: If the file can't be read, lacks a column, has no rows, repeats an architecture, or has a value
            that is missing, unreadable or out of range; the message names the file, the line and the column.
    """
    try:
        with _open(path) as file:
            rows = _rows(path, file, space, architecture_column, columns)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read as a table: {error}") from error
    if not rows:
        raise DatasetError(f"{path} has no rows")
    return ResultTable(path, space, rows)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8")
    return path.open(newline="", encoding="utf-8")


def _rows(
    path: Path, lines: Iterable[str], space: SearchSpace, architecture_column: str, columns: Sequence[Column]
) -> dict[Architecture, dict[str, float]]:
    reader = csv.reader(lines)
    header = next(reader, [])
    places = [_place(path, header, column.name) for column in columns]
    architecture_place = _place(path, header, architecture_column)
    rows: dict[Architecture, dict[str, float]] = {}
    for cells in reader:
        line = f"{path}, line {reader.line_num}"
        if len(cells) != len(header):
            raise DatasetError(f"{line}: {len(cells)} cells, expected {len(header)}")
        try:
            architecture = space.parse(cells[architecture_place])
        except ArchitectureError as error:
            raise DatasetError(f"{line}, column {architecture_column}: {error}") from error
        if architecture in rows:
            raise DatasetError(f"{line}, column {architecture_column}: {cells[architecture_place]} is there twice")
        values: dict[str, float] = {}
        for column, place in zip(columns, places, strict=True):
            try:
                values[column.metric] = column.read(cells[place])
            except ValueError as error:
                raise DatasetError(f"{line}, column {column.name}: {error}") from error
        rows[architecture] = values
    return rows


def _place(path: Path, header: Sequence[str], name: str) -> int:
    if header.count(name) != 1:
        found = "twice or more" if name in header else "no"
        raise DatasetError(f"{path}: there is {found} column {name!r}; the header has {', '.join(header) or 'nothing'}")
    return header.index(name)
