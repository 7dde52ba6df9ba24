"""The report as one HTML file that needs nothing else: no network, no other file.

Everything that a user has named is escaped by the template engine, the figures travel as JSON in which no `<` is left, and a content
security policy lets only the two scripts run that are put in here and forbids every connection.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Sequence
from importlib import resources

import jinja2
import vl_convert
from markupsafe import Markup

from carbonnas.record import SearchRecord
from carbonnas.report.cells import trial_emissions, trial_energy
from carbonnas.report.comparison import in_words, schedules
from carbonnas.report.document import build_document, changes
from carbonnas.report.figures import Figure, figures
from carbonnas.report.formatting import grams, instant, kwh, metric, percent
from carbonnas.report.headline import headline

MOST_TRIALS = 1000
MOST_DECISIONS = 500
"""Longer tables make a page slow; the other formats hold every row."""


def render_html(record: SearchRecord) -> str:
    """Return the report as a page; the same record gives the same page."""
    document, drawn = build_document(record), figures(record)
    decisions = document.decisions if len(document.decisions) <= MOST_DECISIONS else changes(document.decisions)
    library, script = _library(), _text("report.js")
    page: str = (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            headline=headline(document),
            schedules=schedules(document),
            compared=in_words(document),
            figures=drawn,
            specifications=_embedded(drawn),
            trials=document.trials[:MOST_TRIALS],
            decisions=decisions[:MOST_DECISIONS],
            style=Markup(_text("report.css")),  # noqa: S704 # our own file
            library=Markup(library),  # noqa: S704 # the figures' library, checked below to hold no end tag
            script=Markup(script),  # noqa: S704 # our own file
            script_hashes=" ".join(_hash(text) for text in (library, script)),
        )
    )
    return page


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("carbonnas.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"grams": grams, "kwh": kwh, "percent": percent, "instant": instant}
    environment.filters |= {"trial_emissions": trial_emissions, "trial_energy": trial_energy, "parts": _parts}
    environment.globals["metric"] = metric
    return environment


def _parts(architecture: str) -> Markup:
    """Return an architecture in boxes that end at its commas and bars: a line breaks between boxes before it breaks inside one."""
    return Markup("").join(Markup("<span>{}</span>").format(part) for part in re.split(r"(?<=[,|])", architecture))


def _text(name: str) -> str:
    return resources.files("carbonnas.report").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def _library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; made once, it takes seconds."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(script: str) -> str:
    """Return a script's name in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _embedded(drawn: Sequence[Figure]) -> Markup:
    """Return the figures by name as JSON that can stand inside a script element: nothing in it can end the element."""
    text = json.dumps(
        {figure.name: figure.chart.to_dict(validate=False) for figure in drawn}, allow_nan=False, separators=(",", ":")
    )
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 # escaped above
