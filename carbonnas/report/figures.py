"""The figures of a search, defined once for the report, notebooks, dashboards and pictures.

Every figure stands on its own, has a transparent background, and fills the width of what holds it. Only the timeline has a fixed
width, because Vega-Lite can't stretch stacked views: a page sets the widths of its parts. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import altair as alt

from carbon_sources.interval import Interval
from carbonnas.record import SearchRecord
from carbonnas.report.charts import emissions, front, progress, trials
from carbonnas.report.downtime import downtimes
from carbonnas.report.figure_data import MOST_MARKS, progress_rows, shown
from carbonnas.report.formatting import duration, grams
from carbonnas.report.timeline_chart import timeline
from carbonnas.trials import FidelityName, TrialState
from schedulers.budget import Window

Chart = alt.Chart | alt.LayerChart | alt.VConcatChart


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        name: Short name in lower case, good for file names and anchors.
        title: Headline.
        caption: How to read it.
        chart: The chart.
    """

    name: str
    title: str
    caption: str
    chart: Chart


_THINNED = f" Of more than {MOST_MARKS} points some are left out, none of the best."

_DRAWN: tuple[tuple[str, str, Callable[[SearchRecord], Chart]], ...] = (
    ("timeline", "Grid and work", timeline),
    ("emissions", "Emissions by account", emissions),
    ("progress", "What the emissions bought", progress),
    ("front", "Pareto front", front),
    ("trials", "Emissions of each trial", trials),
)

_TIMELINE = (
    "Carbon intensity of the grid with each decision of the scheduler and its reason; below, in the same time, the decision in force "
    "and the trials in their slots. Gaps in the line are times whose intensity is unknown."
)
_SHADED = "While it is shaded nobody worked on the search."
_PROGRESS = (
    "Each completed training by its first objective against what the whole search had emitted by then; the line is the best so far "
    "among candidates."
)
_FRONT = (
    "Completed trainings by the first two objectives. No other candidate is at least as good as one on the front in all objectives and "
    "better in one."
)
_LEAST_GAP = timedelta(minutes=1)
"""A shorter time before the first decision can't be seen."""


def figures(record: SearchRecord) -> tuple[Figure, ...]:
    """Return the figures of a search; they can be drawn even if nothing has happened yet. One objective has no front."""
    thinned = _THINNED if len(record.trials) > MOST_MARKS else ""
    captions = {
        "timeline": _timeline_caption(record),
        "emissions": _emissions_caption(record),
        "progress": _progress_caption(record),
        "front": _FRONT,
        "trials": _trials_caption(record),
    }
    return tuple(
        Figure(name, title, captions[name] + (thinned if name in {"progress", "front"} else ""), draw(record))
        for name, title, draw in _DRAWN
        if name != "front" or len(record.objectives) > 1
    )


def _timeline_caption(record: SearchRecord) -> str:
    drawn = f"{_TIMELINE} {_SHADED}" if downtimes(record) else _TIMELINE
    start = shown(record).start
    first = min((made.time for made in record.decisions), default=start)
    if record.clock is None or first - start < _LEAST_GAP:
        return drawn
    before = duration(Interval(start, first))
    return (
        f"{drawn} The {before} before the first decision passed on the clock of this search while the workers started."
    )


def _progress_caption(record: SearchRecord) -> str:
    final = any(row["fidelity"] == FidelityName.FULL.value for row in progress_rows(record))
    return f"{_PROGRESS} Final trainings are longer and stand apart." if final else _PROGRESS


def _trials_caption(record: SearchRecord) -> str:
    failed = any(trial.state is TrialState.FAILED for trial in record.trials)
    return f"All attempts at a trial together{': failures are emissions too' if failed else ''}."


def _emissions_caption(record: SearchRecord) -> str:
    limits = [state.budget.limit_g for state in record.budgets if state.budget.window is Window.SEARCH]
    unpriced = any(entry.priced.intensity is None for entry in record.entries)
    return " ".join(
        [
            "Summed up since the start.",
            *(f"The budget of the search is {grams(limit)}." for limit in limits),
            *(["Energy whose intensity is unknown is not in it."] if unpriced else []),
        ]
    )
