"""`intensity import`: a recorded trace as history of a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from carbon_sources.answers.reading import HIGHEST_G_PER_KWH
from carbon_sources.archive import Subject
from carbon_sources.clock import SystemClock
from carbon_sources.intensity import IntensitySample, IntensitySeries
from carbon_sources.interval import Interval
from carbon_sources.source import CarbonSource
from carbon_sources.traces.file import trace_path
from carbon_sources.traces.reader import Trace, read_trace
from carbonnas.cli.intensity.grid import Grid
from carbonnas.cli.intensity.text import counted, grid_json, lasting, plain, stamp
from carbonnas.cli.options import DAY, TraceChoice
from carbonnas.cli.output import print_json, results
from carbonnas.errors import ConfigError
from carbonnas.report.document import iso


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user has said to be meant so.

    Attributes:
        same_place: That another name of the zone means the same place.
        replace: That values which are kept may be replaced.
    """

    same_place: bool
    replace: bool


def import_recording(grid: Grid, choice: TraceChoice, *, told_by: str | None, consent: Consent, as_json: bool) -> None:
    """File the trace's values under the source, and say how many of them were not known before.

    Raises:
        ConfigError: If an option or the file is not what the source takes, or something is done that is not consented to.
        TraceError: If the file can't be read.
    """
    name = _name(grid, told_by)
    trace = read_trace(choice.path, choice.options())
    _require_same(trace, grid.source, choice.path)
    if not len(trace.series):
        raise ConfigError(choice.path, ("holds forecasts alone, and no history",))
    now = SystemClock().now()
    _require_possible(trace.series, now, choice.path)
    if trace.zone != grid.source.zone and not consent.same_place:
        raise ConfigError(choice.path, (_other_zone(trace.zone, grid.source.zone),))
    file = trace_path(choice.path).name
    samples = [
        replace(sample, source=name, zone=grid.source.zone, method=f"imported from {file}") for sample in trace.series
    ]
    whole = Interval(samples[0].interval.start, samples[-1].interval.end)
    new, changed = _compare(samples, grid.archive.series(Subject.of(grid.source), whole))
    if changed and not consent.replace:
        raise ConfigError(choice.path, (_replaces(changed, len(samples), name),))
    grid.archive.keep(samples, now)
    if as_json:
        print_json(
            {
                "trace": choice.path,
                "source": name,
                **grid_json(grid.source),
                "from": iso(whole.start),
                "to": iso(whole.end),
                "intervals": len(samples),
                "new": new,
                "changed": changed,
            }
        )
        return
    results().print(
        f"{counted(len(samples), 'interval')} from {stamp(whole.start)} to {stamp(whole.end)} UTC filed as history of {plain(name)}, "
        f"{plain(grid.source.zone)}: {new} new, {changed} with another value than before",
        soft_wrap=True,
    )


def _other_zone(held: str, own: str) -> str:
    return (
        f"calls its zone {held!r}, but the source's is {own!r}; if both are the same place, say so with --same-place, "
        "otherwise choose the zone's own file or source"
    )


def _replaces(changed: int, count: int, name: str) -> str:
    return (
        f"differs in {changed} of {counted(count, 'interval')} from what is kept of {name}, which would be lost for good; "
        "if the file is right and the kept values are not, give --replace"
    )


def _compare(samples: Iterable[IntensitySample], kept: IntensitySeries) -> tuple[int, int]:
    """Return of how many samples nothing was known, and how many replace something else, also where its intervals are others."""
    new = changed = 0
    for sample in samples:
        before = kept.between(sample.interval.start, sample.interval.end).samples
        if not before:
            new += 1
        elif [(sample.interval, sample.g_per_kwh)] != [(other.interval, other.g_per_kwh) for other in before]:
            changed += 1
    return new, changed


def _name(grid: Grid, told_by: str | None) -> str:
    names = sorted(grid.source.names)
    if not names:
        raise ConfigError("--source", (f"{grid.name} is on this machine anyway: nothing is kept of it",))
    if told_by is None and len(names) > 1:
        raise ConfigError("--as", (f"name the source to file it under: {', '.join(names)}",))
    if told_by is not None and told_by not in names:
        raise ConfigError("--as", (f"{told_by!r} is none of {', '.join(names)}",))
    return told_by or names[0]


def _require_possible(samples: Iterable[IntensitySample], now: datetime, path: str) -> None:
    """Refuse what no provider could have told: it would stand in for the provider's own word."""
    for sample in samples:
        interval, began = sample.interval, f"{stamp(sample.interval.start)} UTC"
        if sample.g_per_kwh > HIGHEST_G_PER_KWH:
            problem = (
                f"holds {sample.g_per_kwh:g} g/kWh at {began}, more than any grid emits; state the unit with --unit"
            )
        elif interval.end > now:
            problem = f"holds a value of {began} that ends at {stamp(interval.end)} UTC, which has not come yet"
        elif interval.duration > DAY:
            problem = f"holds a value of {began} that lasts {lasting(interval.duration)}, longer than a day"
        else:
            continue
        raise ConfigError(path, (problem,))


def _require_same(trace: Trace, source: CarbonSource, path: str) -> None:
    for what, held, own in (
        ("kind", trace.kind.value, source.kind.value),
        ("basis", trace.basis.value, source.basis.value),
    ):
        if held != own:
            problem = (
                f"is read as {held} intensity, but the source tells {own} values, and the two are never mixed; "
                f"choose its column with --column, or, where the file leaves it open, state --{what} {own}"
            )
            raise ConfigError(path, (problem,))
