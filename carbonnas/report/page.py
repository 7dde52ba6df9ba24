"""Figures in an HTML page that needs nothing else: the drawing library, its name in the security policy, and the figures' data."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from importlib import resources

import vl_convert
from markupsafe import Markup

from carbonnas.report.figures import Chart


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
