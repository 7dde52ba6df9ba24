"""Files of recorded intensity as tables of text: CSV, gzipped CSV and the JSON lists that two providers hand out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carbon_sources.errors import TraceError

BUNDLED = "bundled:"
"""Prefix of the name of a trace that comes with the package."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""A spreadsheet may run a cell that starts with one of these, but for the apostrophe, which says that it is text."""

_DATA = Path(__file__).parents[1] / "data"
_SUFFIX = ".csv.gz"


@dataclass(frozen=True, slots=True)
class TraceTable:
    """A header and rows of text, each with its place for messages.

    Attributes:
        path: The file that was read.
        unit: What a row's number counts: `"line"` of a CSV file, `"record"` of a JSON list; both from 1.
        header: Column names as written.
        rows: Number of the row in the file, and its fields, as many as the header has.
    """

    path: Path
    unit: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]

    def error(self, message: str, row: int | None = None) -> TraceError:
        """Return an error that names the file, and the row if there is one."""
        place = f"{self.path}" if row is None else f"{self.path}:{row}"
        return TraceError(
            f"{place}: {message}" if self.unit == "line" or row is None else f"{place} (record): {message}"
        )


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs."""
    return f"'{text}" if text.startswith(FORMULA) else text


def unguarded(cell: str) -> str:
    """Return the text that `guarded` made a cell of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def bundled_names() -> list[str]:
    """Return the names that may follow `bundled:`, in order."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _DATA.glob(f"*{_SUFFIX}"))


def trace_path(path: str | Path) -> Path:
    """Return the file that `path` means, which is a shipped one for `bundled:NAME`.

    Raises:
        TraceError: If no trace of that name is shipped.
    """
    text = str(path)
    if not text.startswith(BUNDLED):
        return Path(path)
    name = text.removeprefix(BUNDLED)
    if name not in bundled_names():
        raise TraceError(f"no trace named {name!r} is bundled; there are: {', '.join(bundled_names())}")
    return _DATA / f"{name}{_SUFFIX}"


def read_table(path: Path) -> TraceTable:
    """Read the file, whose content decides whether it is JSON or CSV and compressed or not.

    Raises:
        TraceError: If it can't be read, is no text in UTF-8, has no rows, or has a row that does not fit the header.
    """
    text = _text(path)
    if text.lstrip()[:1] in {"[", "{"}:
        return _json_table(path, text)
    return _csv_table(path, text)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TraceError(
            f"{path}: there is no such file; bundled are {', '.join(BUNDLED + n for n in bundled_names())}"
        ) from None
    except IsADirectoryError:
        raise TraceError(f"{path}: this is a folder; name a file in it") from None
    except OSError as error:
        raise TraceError(f"{path}: can't be read: {error.strerror}") from error
    try:
        if path.suffix == ".gz" or content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: is not a complete gzip file ({error}); fetch it again or drop the .gz") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: is not UTF-8 (byte {error.start}); convert it, for example with iconv") from error
    if not text.strip():
        raise TraceError(f"{path}: is empty; a trace needs a header and rows")
    return text


def _csv_table(path: Path, text: str) -> TraceTable:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = tuple(next(reader))
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise TraceError(f"{path}:{reader.line_num}: has {len(row)} fields where the header has {len(header)}")
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise TraceError(f"{path}:{reader.line_num}: is not CSV: {error}") from error
    return _filled(TraceTable(path, "line", header, tuple(rows)))


def _json_table(path: Path, text: str) -> TraceTable:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{path}: is not JSON: {error}") from error
    records = document.get("data") if isinstance(document, Mapping) else document
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise TraceError(f"{path}: expected a list of records, or an object that holds one under 'data'")
    flat = [_flat(record) for record in records]
    header = tuple(dict.fromkeys(key for record in flat for key in record))
    rows = tuple((number, [record.get(key, "") for key in header]) for number, record in enumerate(flat, 1))
    return _filled(TraceTable(path, "record", header, rows))


def _flat(record: Mapping[str, object]) -> dict[str, str]:
    """Return the fields as text, those of an inner object such as `intensity` beside the others."""
    flat: dict[str, str] = {}
    for key, value in _fields(record):
        flat[key] = "" if value is None else str(value)
    return flat


def _fields(record: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from value.items()
        else:
            yield key, value


def _filled(table: TraceTable) -> TraceTable:
    if not table.rows:
        raise table.error("has no rows below its header")
    return table
