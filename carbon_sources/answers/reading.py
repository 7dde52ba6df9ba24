"""Reading a provider's answer: what every parser needs, and nothing that invents a number.

A parser is a pure function from a document to `Parsed`. A document of another shape than documented is a `SourceAnswerError`; a
single value that is missing or can't be true becomes a gap with a remark, so that one bad row costs one row.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval, parse_instant

HIGHEST_G_PER_KWH = 2000.0
"""Above the dirtiest plants there are (oil shale and old lignite reach 1,400 to 1,600 g/kWh, life cycle)."""

LONGEST = timedelta(hours=1)
"""Longer than any provider's intervals: one that never ends would hide that nothing new comes."""

_EXCERPT = 120


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an answer holds.

    Attributes:
        samples: Values in order of time, without overlap.
        remarks: What was odd, in sentences for a person.
    """

    samples: tuple[IntensitySample, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def series(self) -> IntensitySeries:
        """The values as a series."""
        return IntensitySeries(self.samples)


@dataclass(frozen=True, slots=True)
class Identity:
    """What all samples of one source have in common.

    Attributes:
        source: The provider's plug-in name.
        zone: The zone as its user named it.
        kind: Average or marginal.
        basis: Life cycle or direct.
    """

    source: str
    zone: str
    kind: IntensityKind
    basis: Basis

    def say(self, *sentences: str) -> tuple[str, ...]:
        """Return sentences as remarks of this source, with its name in front."""
        return tuple(f"{self.source}: {sentence}" for sentence in sentences)


@dataclass(slots=True)
class SampleCollector:
    """Gathers the values of an answer and notes what had to be left out.

    Rows may come in any order. A row that comes twice counts once; one that comes twice with different values is left out, because
    nobody can say which is right.

    Attributes:
        identity: What the samples have in common.
        zero_is_gap: Whether zero stands for a missing value: it always does where intensities are life-cycle or marginal.
        highest: Values above it can't be true, g/kWh.
    """

    identity: Identity
    zero_is_gap: bool = True
    highest: float = HIGHEST_G_PER_KWH
    _samples: dict[Interval, IntensitySample] = field(default_factory=dict)
    _contradicted: set[Interval] = field(default_factory=set)
    _oddities: Counter[str] = field(default_factory=Counter)

    def add(self, interval: Interval, g_per_kwh: float | None, provenance: Provenance, *, method: str = "") -> None:
        """Take a value in g/kWh; `None` is a gap, and so is what can't be true."""
        if g_per_kwh is None or not self._is_possible(g_per_kwh):
            return
        if interval.duration > LONGEST:
            self.odd(f"values that hold for longer than {LONGEST / timedelta(hours=1):.0f} h were left out")
            return
        known = self._samples.get(interval)
        sample = self._sample(interval, g_per_kwh, provenance, method)
        if known is not None and known.g_per_kwh != sample.g_per_kwh:
            self._contradicted.add(interval)
        self._samples[interval] = sample

    def odd(self, remark: str) -> None:
        """Note something odd; the same remark is counted."""
        self._oddities[remark] += 1

    def parsed(self) -> Parsed:
        """Return what was gathered.

        Raises:
            SourceAnswerError: If intervals overlap without being equal.
        """
        for _ in self._contradicted:
            self.odd("hours came twice with different values and were left out")
        kept = [self._samples[interval] for interval in sorted(self._samples) if interval not in self._contradicted]
        for before, after in itertools.pairwise(kept):
            if after.interval.start < before.interval.end:
                raise SourceAnswerError(
                    f"{self.identity.source} answered with intervals that overlap at {after.interval.start:%Y-%m-%d %H:%M}"
                )
        remarks = (f"{remark} ({count} times)" if count > 1 else remark for remark, count in self._oddities.items())
        return Parsed(tuple(kept), self.identity.say(*remarks))

    def _is_possible(self, g_per_kwh: float) -> bool:
        if g_per_kwh == 0 and self.zero_is_gap:
            self.odd("zeros stand where values are missing; they were left out")
        elif not math.isfinite(g_per_kwh) or g_per_kwh < 0 or g_per_kwh > self.highest:
            self.odd(f"values that can't be true, such as {g_per_kwh:g} g/kWh, were left out")
        else:
            return True
        return False

    def _sample(self, interval: Interval, g_per_kwh: float, provenance: Provenance, method: str) -> IntensitySample:
        of = self.identity
        return IntensitySample(interval, g_per_kwh, of.zone, of.kind, of.basis, provenance, of.source, method)


class Remarks:
    """The remarks of a source, by the question that they belong to; a new answer replaces those of the one before."""

    def __init__(self) -> None:
        self._by_question: dict[str, tuple[str, ...]] = {}

    def note(self, question: str, remarks: Iterable[str]) -> None:
        """Remember the remarks on the newest answer to `question`, such as `history`."""
        self._by_question[question] = tuple(remarks)

    def all(self) -> tuple[str, ...]:
        """Return all remarks, each once."""
        return tuple(dict.fromkeys(itertools.chain.from_iterable(self._by_question.values())))


def as_object(value: object, what: str) -> Mapping[str, object]:
    """Return a JSON object; `SourceAnswerError` naming `what` for anything else."""
    if not isinstance(value, Mapping):
        raise SourceAnswerError(f"{what} should be an object but is {_shown(value)}")
    return value


def as_list(value: object, what: str) -> list[object]:
    """Return a JSON list; `SourceAnswerError` naming `what` for anything else."""
    if not isinstance(value, list):
        raise SourceAnswerError(f"{what} should be a list but is {_shown(value)}")
    return value


def as_text(value: object, what: str) -> str:
    """Return a text; `SourceAnswerError` naming `what` for anything else."""
    if not isinstance(value, str):
        raise SourceAnswerError(f"{what} should be a text but is {_shown(value)}")
    return value


def as_number(value: object, what: str, *, text_too: bool = False) -> float | None:
    """Return a number, or `None` for a JSON null; `SourceAnswerError` naming `what` for anything else.

    Args:
        value: What the document holds.
        what: What it should be.
        text_too: Whether the provider writes numbers as text; an empty text is then `None`.
    """
    if value is None or (text_too and value == ""):
        return None
    if text_too and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise SourceAnswerError(f"{what} should be a number but is {_shown(value)}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SourceAnswerError(f"{what} should be a number but is {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise SourceAnswerError(f"{what} is a number that is too large") from None


def as_instant(value: object, what: str, *, naive_is_utc: bool = False) -> datetime:
    """Return an instant in UTC; `SourceAnswerError` naming `what` if it can't be read.

    Args:
        value: What the document holds: ISO 8601.
        what: What it should be.
        naive_is_utc: Whether the provider documents times without offset as UTC; they are refused otherwise.
    """
    text = as_text(value, what)
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if naive_is_utc and instant.tzinfo is None else parse_instant(text)
    except ValueError:
        raise SourceAnswerError(f"{what} should be an instant but is {_shown(value)}") from None


def as_interval(start: datetime, length: timedelta) -> Interval:
    """Return the interval of that length; `SourceAnswerError` if it leaves the calendar or has no length."""
    try:
        return Interval(start, start + length)
    except (OverflowError, ValueError):
        raise SourceAnswerError(f"an interval of {length} from {start} is impossible") from None


def excerpt(value: object) -> str:
    """Return the begin of what a document says, in one line that can be shown."""
    try:
        return "".join(c for c in str(value)[: 4 * _EXCERPT] if c.isprintable())[:_EXCERPT]
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python writes
        return f"{type(value).__name__} too large to show"


def _shown(value: object) -> str:
    return "missing" if value is None else f"{type(value).__name__} {excerpt(value)!r}"
