"""The report as one HTML file that needs nothing else: no network, no other file.

Everything that a user has named is escaped by the template engine, the figures travel as JSON in which no `<` is left, and a content
security policy lets only the two scripts run that are put in here and forbids every connection.
"""

from __future__ import annotations

import re

import jinja2
from markupsafe import Markup

from carbonnas.record import SearchRecord
from carbonnas.report.budget_words import limit
from carbonnas.report.cells import outcome, target_words, trial_emissions, trial_energy
from carbonnas.report.comparison import in_words, schedules
from carbonnas.report.document import build_document, changes
from carbonnas.report.figures import figures
from carbonnas.report.formatting import grams, instant, kwh, metric, percent, spent, spent_share
from carbonnas.report.headline import headline
from carbonnas.report.page import drawn_page, template_environment

MOST_TRIALS = 1000
MOST_DECISIONS = 500
"""Longer tables make a page slow; the other formats hold every row."""


def render_html(record: SearchRecord) -> str:
    """Return the report as a page; the same record gives the same page."""
    document, drawn = build_document(record), figures(record)
    decisions = document.decisions if len(document.decisions) <= MOST_DECISIONS else changes(document.decisions)
    return drawn_page(
        _environment(),
        "report.html.j2",
        drawn,
        document=document,
        headline=headline(document),
        schedules=schedules(document),
        compared=in_words(document),
        trials=document.trials[:MOST_TRIALS],
        decisions=decisions[:MOST_DECISIONS],
    )


def _environment() -> jinja2.Environment:
    environment = template_environment()
    environment.filters |= {"spent": spent, "spent_share": spent_share}
    environment.filters |= {"grams": grams, "kwh": kwh, "percent": percent, "instant": instant, "limit": limit}
    environment.filters |= {"trial_emissions": trial_emissions, "trial_energy": trial_energy, "parts": _parts}
    environment.filters |= {"outcome": outcome, "target_words": target_words}
    environment.globals["metric"] = metric
    return environment


def _parts(architecture: str) -> Markup:
    """Return an architecture in boxes that end at its commas and bars: a line breaks between boxes before it breaks inside one."""
    return Markup("").join(Markup("<span>{}</span>").format(part) for part in re.split(r"(?<=[,|])", architecture))
