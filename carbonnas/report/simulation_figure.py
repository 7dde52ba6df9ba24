"""The report of simulations: a page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from carbonnas.files import replace_file
from carbonnas.report.figures import Figure
from carbonnas.report.formatting import grams
from carbonnas.report.page import drawn_page, template_environment
from carbonnas.report.simulation_charts import emissions_chart, hypervolume_chart, schedule_chart
from carbonnas.report.simulation_model import SimulationDocument
from carbonnas.report.simulation_text import qualities, sentence, summary

_LONGEST_SHOWN = 24
"""Rows of a schedule; more can't be read."""


def write_page(path: Path, document: SimulationDocument) -> None:
    """Write the page. Raises `OSError` if it can't be written."""
    replace_file(path, render_simulation(document).encode())


def simulation_figures(document: SimulationDocument) -> tuple[Figure, ...]:
    """Return the figures of simulations."""
    seeds = len(document.seeds)
    return (
        Figure(
            "emissions",
            "Emissions of each scheduler",
            f"Bars are medians over {seeds} seeds, lines the quartiles, ticks the single searches.",
            emissions_chart(document),
        ),
        Figure(
            "hypervolume",
            "What the emissions bought",
            "Hypervolume as a share of that of the whole table: medians over the seeds, and the quartiles as bands. Further left is the "
            "same quality for less.",
            hypervolume_chart(document, by_time=False),
        ),
        Figure(
            "progress",
            "What the time bought",
            "The same against the hours since the start.",
            hypervolume_chart(document, by_time=True),
        ),
        Figure(
            "schedule",
            "When they trained",
            "Intensity of the grid, and slots that trained in each hour on average over the seeds.",
            schedule_chart(document, document.schedulers[:_LONGEST_SHOWN]),
        ),
    )


def render_simulation(document: SimulationDocument) -> str:
    """Return the report as a page; the same document gives the same page."""
    return drawn_page(
        template_environment(),
        "simulation.html.j2",
        simulation_figures(document),
        document=document,
        headline=sentence(document),
        tables={"Whole searches": summary(), "At equal quality": qualities(document)},
        overshoot=grams(max(run.overshoot_g for result in document.schedulers for run in result.runs)),
    )
