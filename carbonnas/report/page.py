"""What HTML pages that need nothing else are made of: templates, the drawing library, its name in the security policy, the figures' data."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources

import jinja2
import vl_convert
from markupsafe import Markup

from carbonnas.report.figures import Chart, Figure


def template_environment() -> jinja2.Environment:
    """Return what renders our templates: every value is escaped, and one that is not there is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("carbonnas.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def drawn_page(environment: jinja2.Environment, template: str, drawn: Sequence[Figure], **values: object) -> str:
    """Return a page with figures.

    Args:
        environment: Renders it.
        template: Its template.
        drawn: Its figures.
        **values: What else the template names.
    """
    library, script = drawing_library(), template_text("report.js")
    page: str = environment.get_template(template).render(
        figures=drawn,
        specifications=embedded({figure.name: figure.chart for figure in drawn}),
        style=Markup(template_text("report.css")),  # noqa: S704 # our own file
        library=Markup(library),  # noqa: S704 # the figures' library, which holds no end tag
        script=Markup(script),  # noqa: S704 # our own file
        script_hashes=" ".join(script_hash(text) for text in (library, script)),
        **values,
    )
    return page


def template_text(name: str) -> str:
    """Return a file that stands beside the templates."""
    return resources.files("carbonnas.report").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def drawing_library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; made once, it takes seconds."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def script_hash(script: str) -> str:
    """Return a script's name in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def embedded(charts: Mapping[str, Chart]) -> Markup:
    """Return charts by name as JSON that can stand inside a script element: nothing in it can end the element."""
    specifications = {name: chart.to_dict(validate=False) for name, chart in charts.items()}
    text = json.dumps(specifications, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 # escaped above
