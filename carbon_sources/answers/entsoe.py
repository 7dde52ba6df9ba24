"""Reading ENTSO-E's XML documents: generation by type (A75), and the acknowledgements that come in place of it.

A document is untrusted: declarations of types and entities are refused before anything is parsed, archives are unpacked within
bounds, and the number of steps that the curves of a document may stand for is limited.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from carbon_sources.answers.mix_hours import Generation, floor_hour
from carbon_sources.answers.reading import as_instant, excerpt
from carbon_sources.errors import SourceAnswerError
from carbon_sources.interval import HOUR
from carbon_sources.secrets import printable

QUARTER = timedelta(minutes=15)

RESOLUTIONS = {"PT15M": 1, "PT30M": 2, "PT60M": 4, "PT1H": 4}
"""Quarters of an hour in one step. Longer steps can't be cut into hours without an invention."""

MOST_BYTES = 64_000_000
"""Most bytes of one unpacked archive."""

MOST_MEMBERS = 100
MOST_QUARTERS = 1_000_000
"""Most quarter hours that the curves of one answer may stand for: a year of 25 types has 876,000."""

_ZIP = b"PK\x03\x04"
_NO_DATA = "no matching data found"
_TOO_MUCH = "exceeds allowed"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the provider says in place of data.

    Attributes:
        code: Its code, such as 999.
        text: Its text.
    """

    code: str
    text: str

    @property
    def no_data(self) -> bool:
        """Whether there is nothing to be had, which is no error."""
        return self.code == "999" and _NO_DATA in self.text.casefold()

    @property
    def too_much(self) -> bool:
        """Whether a shorter time has to be asked for."""
        return _TOO_MUCH in self.text.casefold()


@dataclass(slots=True)
class Quarters:
    """Generation by quarter of an hour and type, which all resolutions can be written in.

    Attributes:
        remarks: What was odd, counted.
    """

    remarks: Counter[str] = field(default_factory=Counter)
    _mw: dict[tuple[datetime, str], list[float | None]] = field(default_factory=dict)
    _said: dict[tuple[datetime, str], int] = field(default_factory=dict)
    _count: int = 0

    def begin_answer(self) -> None:
        """Count the quarters of another answer."""
        self._count = 0

    def expect(self, quarters: int) -> None:
        """Prepare for that many quarters.

        Raises:
            SourceAnswerError: If the answer stands for more quarters than any sensible one.
        """
        self._count += quarters
        if self._count > MOST_QUARTERS:
            raise SourceAnswerError("ENTSO-E answered with more steps than the time that was asked for can have")

    def add(self, start: datetime, code: str, mw: float | None) -> None:
        """Take the mean power of a quarter; a second value that differs makes it unknown."""
        hour = start.replace(minute=0)
        place, bit = start.minute // 15, 1 << (start.minute // 15)
        values = self._mw.setdefault((hour, code), [None] * 4)
        said = self._said.get((hour, code), 0)
        if said & bit:
            self.remarks["values came twice"] += 1
            if values[place] != mw:
                self.remarks["values came twice and differ, so they were left out"] += 1
                mw = None
        values[place] = mw
        self._said[(hour, code)] = said | bit

    def hours(self) -> Generation:
        """Return the mean power of each hour; unknown unless all of its quarters are known."""
        generation = Generation(Counter(self.remarks))
        for (hour, code), values in self._mw.items():
            known = [value for value in values if value is not None]
            generation.add(hour, code, sum(known) / 4 if len(known) == 4 else None)
        return generation


def read_documents(body: bytes) -> list[ET.Element]:
    """Return the roots of the documents in an answer: one, or those in a ZIP archive.

    Raises:
        SourceAnswerError: If the answer is neither XML nor an archive of XML, or holds what no honest answer does.
    """
    return [_parsed(text) for text in (_unpacked(body) if body.startswith(_ZIP) else [body])]


def acknowledgement(root: ET.Element) -> Acknowledgement | None:
    """Return what the provider says, or `None` if this is a document with data."""
    if _name(root) != "Acknowledgement_MarketDocument":
        return None
    reason = _child(root, "Reason")
    if reason is None:
        return Acknowledgement("", "without a reason")
    return Acknowledgement(printable(_text(reason, "code", "")), printable(_text(reason, "text", "")))


def read_generation(root: ET.Element, eic: str, into: Quarters) -> None:
    """Read a document of actual generation by type.

    Args:
        root: The document.
        eic: Code of the zone that was asked for.
        into: Where the values go.

    Raises:
        SourceAnswerError: If it is no such document, or speaks of another zone or unit.
    """
    if _name(root) != "GL_MarketDocument":
        raise SourceAnswerError(f"ENTSO-E answered with a document named {excerpt(_name(root))!r}")
    kind = _text(root, "type", "A75")
    if kind != "A75":
        raise SourceAnswerError(f"ENTSO-E answered with a document of type {excerpt(kind)!r} instead of A75")
    for series in _children(root, "TimeSeries"):
        _read_series(series, eic, into)


def _read_series(series: ET.Element, eic: str, into: Quarters) -> None:
    consumed = _child(series, "outBiddingZone_Domain.mRID")
    for name in ("inBiddingZone_Domain.mRID", "outBiddingZone_Domain.mRID"):
        zone = _text(series, name, eic)
        if zone != eic:
            raise SourceAnswerError(f"ENTSO-E answered for the zone {excerpt(zone)!r} instead of {eic}")
    unit = _text(series, "quantity_Measure_Unit.name")
    if unit != "MAW":
        raise SourceAnswerError(f"ENTSO-E answered in the unit {excerpt(unit)!r} instead of MAW")
    if consumed is not None:
        return  # pumping and charging: no generation
    plant = _child(series, "MktPSRType")
    if plant is None:
        raise SourceAnswerError("ENTSO-E answered with a series that names no type of generation")
    code, curve = _text(plant, "psrType"), _text(series, "curveType", "A01")
    if curve not in {"A01", "A03"}:
        into.remarks[f"curves of the unknown type {excerpt(curve)!r} were left out"] += 1
        return
    for period in _children(series, "Period"):
        for start, mw in _quarters(period, into, fills=curve == "A03"):
            into.add(start, code, mw)


def _quarters(period: ET.Element, into: Quarters, *, fills: bool) -> Iterator[tuple[datetime, float | None]]:
    """Yield the quarters of a period; a curve that fills omits values that repeat the one before."""
    start, end = _ends(period)
    resolution = _text(period, "resolution")
    if resolution not in RESOLUTIONS:
        into.remarks[
            f"periods of the resolution {excerpt(resolution)!r} can't be cut into hours and were left out"
        ] += 1
        return
    length = RESOLUTIONS[resolution]
    if (end - start) % (length * QUARTER) or (start - floor_hour(start)) % (length * QUARTER):
        into.remarks["periods that do not consist of whole steps were left out"] += 1
        return
    into.expect((end - start) // QUARTER)
    steps = (end - start) // (length * QUARTER)
    points = _points(period, steps, into)
    for place, following in itertools.pairwise([*sorted(points), steps + 1]):
        until = following if fills else place + 1
        for quarter in range((place - 1) * length, (until - 1) * length):
            yield start + quarter * QUARTER, points[place]


def _points(period: ET.Element, steps: int, into: Quarters) -> dict[int, float | None]:
    """Return the values by position, counted from 1; positions that are named twice with different values are unknown."""
    points: dict[int, float | None] = {}
    for point in _children(period, "Point"):
        place, mw = _position(point), _quantity(point)
        if not 1 <= place <= steps:
            into.remarks["values outside of their period were left out"] += 1
            continue
        if mw is None:
            into.remarks["values are missing or no numbers"] += 1
        if place in points:
            into.remarks["values came twice"] += 1
            if points[place] != mw:
                into.remarks["values came twice and differ, so they were left out"] += 1
                mw = None
        points[place] = mw
    return points


def _position(point: ET.Element) -> int:
    text = _text(point, "position")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise SourceAnswerError(f"ENTSO-E's 'position' should be a number but is {excerpt(text)!r}")
    return int(text)


def _quantity(point: ET.Element) -> float | None:
    text = _text(point, "quantity", "")
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{0,15})?", text, re.ASCII):
        return None
    return float(text)


def _ends(period: ET.Element) -> tuple[datetime, datetime]:
    interval = _child(period, "timeInterval")
    if interval is None:
        raise SourceAnswerError("ENTSO-E answered with a period that has no 'timeInterval'")
    start = as_instant(_text(interval, "start"), "ENTSO-E's 'start'")
    end = as_instant(_text(interval, "end"), "ENTSO-E's 'end'")
    if not floor_hour(start) <= start < end <= floor_hour(end) + HOUR:
        raise SourceAnswerError(f"ENTSO-E answered with the impossible period {start} .. {end}")
    return start, end


def _parsed(body: bytes) -> ET.Element:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceAnswerError("ENTSO-E answered with something that is not XML in UTF-8") from None
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        raise SourceAnswerError("ENTSO-E answered with XML that declares types or entities; it was not parsed")
    try:
        return ET.fromstring(text)  # noqa: S314 -- nothing can be declared, and the size is bounded
    except (ET.ParseError, ValueError):
        raise SourceAnswerError("ENTSO-E answered with something that is not XML") from None


def _unpacked(body: bytes) -> list[bytes]:
    broken = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = [member for member in archive.infolist() if member.filename.casefold().endswith(".xml")]
            if not 0 < len(members) <= MOST_MEMBERS:
                raise SourceAnswerError(f"ENTSO-E answered with an archive of {len(members)} XML documents")
            return _within_bounds(archive, members)
    except broken:
        raise SourceAnswerError("ENTSO-E answered with a broken archive") from None


def _within_bounds(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> list[bytes]:
    texts: list[bytes] = []
    left = MOST_BYTES
    for member in members:
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise SourceAnswerError("ENTSO-E answered with an archive of an unusual compression")
        with archive.open(member) as file:
            texts.append(file.read(left + 1))
        left -= len(texts[-1])
        if left < 0:
            raise SourceAnswerError(f"ENTSO-E answered with an archive of more than {MOST_BYTES} bytes")
    return texts


def _name(element: ET.Element) -> str:
    """Return the element's name without its namespace, which changes with the version."""
    return element.tag.rpartition("}")[2]


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element if _name(child) == name)


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next(_children(element, name), None)


def _text(element: ET.Element, name: str, default: str | None = None) -> str:
    """Return the text of a child; without a default it must be there."""
    child = _child(element, name)
    text = (child.text or "").strip() if child is not None else default
    if text is None:
        raise SourceAnswerError(f"ENTSO-E's {excerpt(_name(element))!r} has no {name!r}")
    return text
