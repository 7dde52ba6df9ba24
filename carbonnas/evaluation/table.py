"""Tables of results: one architecture a row."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from carbonnas.architecture import Architecture
from carbonnas.errors import ArchitectureError, DatasetError
from carbonnas.search_spaces.space import SearchSpace

INDEX_COLUMN: Final = "index"
"""Column that says which rows of joined tables belong together."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers and what to make of them.

    Attributes:
        name: Name in the table's header.
        metric: Name of the value in the rows that are returned.
        unit: What to divide the numbers by.
        lowest: Least possible value, in that unit.
        highest: Greatest possible value, in that unit.
        may_lack: Whether infinities and not-a-numbers are read as they stand, for those who know what they mean.
    """

    name: str
    metric: str
    unit: float = 1.0
    lowest: float = -math.inf
    highest: float = math.inf
    may_lack: bool = False

    def read(self, text: str) -> float:
        """Return the value in the column's unit.

        Raises:
            ValueError: If the text is no number, or the value is out of range or, unless that may be, not finite; the message
                says which.
        """
        try:
            value = float(text) / self.unit
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not math.isfinite(value):
            if self.may_lack:
                return value
            raise ValueError(f"{text!r} is not finite")
        if not self.lowest <= value <= self.highest:
            raise ValueError(f"{text!r} is not within {self.lowest * self.unit:g} to {self.highest * self.unit:g}")
        return value


@dataclass(slots=True)
class ResultTable:
    """The rows by architecture.

    Attributes:
        path: Where the table of the architectures was read from.
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


def read_table(
    path: Path, space: SearchSpace, architecture_column: str, columns: Sequence[Column], *, join: Sequence[Path] = ()
) -> ResultTable:
    """Return the table in a CSV file, gzipped if its name ends in `.gz`; columns that are not asked for are not looked at.

    Args:
        path: The file of the architectures.
        space: Reads the architectures.
        architecture_column: Their column in that file.
        columns: What to read, each from the only file that has it.
        join: Further files with one row for each `index` of the first one, in any order; rows of other indices do no harm.

    Raises:
        DatasetError: If a file can't be read, has no rows, lacks a column or an index, has a column that another one has too,
            repeats an architecture or an index, or has a value that is missing, unreadable or out of range; the message names
            the file, the line and the column.
    """
    first, *others = (_read_file(file) for file in (path, *join))
    shares = _shares((first, *others), columns)
    architectures = _architectures(first, space, architecture_column)
    rows: dict[Architecture, dict[str, float]] = {architecture: {} for architecture in architectures}
    for file, share in zip((first, *others), shares, strict=True):
        lines = file.lines if file is first else _aligned(file, first)
        places = [(column, file.place(column.name)) for column in share]
        for architecture, line in zip(architectures, lines, strict=True):
            rows[architecture].update(_values(file, line, places))
    return ResultTable(path, space, rows)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """The texts of a file; each line has as many cells as the header."""

    path: Path
    header: Sequence[str]
    lines: Sequence[_Line]

    def place(self, name: str) -> int:
        if self.header.count(name) != 1:
            found = "twice or more" if name in self.header else "no"
            raise DatasetError(
                f"{self.path}: there is {found} column {name!r}; the header has {', '.join(self.header) or 'nothing'}"
            )
        return self.header.index(name)

    def at(self, line: _Line, column: str) -> str:
        return f"{self.path}, line {line.number}, column {column}"


def _read_file(path: Path) -> _File:
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            header = next(reader, [])
            lines = [_Line(reader.line_num, cells) for cells in reader]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read as a table: {error}") from error
    for line in lines:
        if len(line.cells) != len(header):
            raise DatasetError(f"{path}, line {line.number}: {len(line.cells)} cells, expected {len(header)}")
    return _File(path, header, lines)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8")
    return path.open(newline="", encoding="utf-8")


def _shares(files: Sequence[_File], columns: Sequence[Column]) -> list[list[Column]]:
    """Return which columns come from each of the files; the first file answers for those that none has."""
    owners = {column.name: [file for file in files if column.name in file.header] for column in columns}
    ambiguous = [name for name, found in owners.items() if len(found) > 1]
    if ambiguous:
        paths = " and ".join(str(file.path) for file in files if any(name in file.header for name in ambiguous))
        raise DatasetError(f"{paths} each have {', '.join(ambiguous)}: rename these columns in all files but one")
    for name, found in owners.items():
        if not found and len(files) > 1:
            headers = "; ".join(f"{file.path} has {', '.join(file.header)}" for file in files)
            raise DatasetError(f"there is no column {name!r} in any of the tables: {headers}")
        (found or files)[0].place(name)
    return [[column for column in columns if owners[column.name] == [file]] for file in files]


def _architectures(file: _File, space: SearchSpace, column: str) -> list[Architecture]:
    """Return the architecture of each line."""
    place = file.place(column)
    if not file.lines:
        raise DatasetError(f"{file.path} has no rows")
    found: dict[Architecture, None] = {}
    for line in file.lines:
        try:
            architecture = space.parse(line.cells[place])
        except ArchitectureError as error:
            raise DatasetError(f"{file.at(line, column)}: {error}") from error
        if architecture in found:
            raise DatasetError(f"{file.at(line, column)}: {line.cells[place]} is there twice")
        found[architecture] = None
    return list(found)


def _aligned(file: _File, first: _File) -> list[_Line]:
    """Return the lines of a joined file in the order of the first one."""
    place, first_place = file.place(INDEX_COLUMN), first.place(INDEX_COLUMN)
    by_index: dict[str, _Line] = {}
    for line in file.lines:
        if by_index.setdefault(line.cells[place], line) is not line:
            raise DatasetError(f"{file.at(line, INDEX_COLUMN)}: {line.cells[place]} is there twice")
    wanted = [line.cells[first_place] for line in first.lines]
    missing = [index for index in wanted if index not in by_index]
    if missing:
        raise DatasetError(
            f"{file.path} has no row for {len(missing)} of the {len(wanted)} indices of {first.path}, such as {missing[0]}"
        )
    return [by_index[index] for index in wanted]


def _values(file: _File, line: _Line, places: Sequence[tuple[Column, int]]) -> dict[str, float]:
    values: dict[str, float] = {}
    for column, place in places:
        try:
            values[column.metric] = column.read(line.cells[place])
        except ValueError as error:
            raise DatasetError(f"{file.at(line, column.name)}: {error}") from error
    return values
