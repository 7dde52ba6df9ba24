"""From templates to answers: every value is escaped, and one that is not there is an error."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from carbonnas.daemon.control import LONGEST_CONFIG, LONGEST_REASON, MOST_GRAMS, MOST_LABELS, PRIORITIES
from carbonnas.report.document import iso
from carbonnas.report.formatting import grams
from carbonnas.web.pages_words import action, sentence
from carbonnas.web.visitor import FORM_TOKEN_FIELD, visitor_of

LIVE_PART = "live"
"""`?part=live` gives a page without what surrounds it, for scripts that put news in place."""

_HEADERS = {
    # with none at all browsers hide from our own forms' requests which page has sent them
    "Referrer-Policy": "same-origin"
}

_LIMITS = {
    "config": LONGEST_CONFIG,
    "labels": MOST_LABELS,
    "reason": LONGEST_REASON,
    "grams": MOST_GRAMS,
    "lowest": PRIORITIES[0],
    "highest": PRIORITIES[-1],
    "priorities": f"{PRIORITIES[0]} to {PRIORITIES[-1]}".replace("-", "−"),
}
"""What forms take."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What every page knows.

    Attributes:
        here: Path of the page's entry in the navigation.
        frame: Template that surrounds the page.
        signed_in: Whether this browser may change things.
        form_token: What its forms carry; empty if it may not.
        form_field: The name of the field that carries it.
        statics: Addresses of style, script and icon by name.
    """

    here: str
    frame: str
    signed_in: bool
    form_token: str
    form_field: str
    statics: Mapping[str, str]


class Renderer:
    """Renders pages.

    Args:
        statics: Addresses of style, script and icon by name.
    """

    def __init__(self, statics: Mapping[str, str]) -> None:
        self._statics = statics
        _templates()

    def page(
        self, request: Request, template: str, *, here: str, title: str, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Return a page, or its live part if the request asks for that.

        Args:
            request: What was asked.
            template: Its template.
            here: Path of the page's entry in the navigation.
            title: Title of the window.
            status: HTTP status.
            **values: What else the template names.
        """
        live = request.query_params.get("part") == LIVE_PART
        visitor = visitor_of(request)
        shell = Shell(
            here=here,
            frame="part.html.j2" if live else "layout.html.j2",
            signed_in=visitor.form_token is not None,
            form_token=visitor.form_token or "",
            form_field=FORM_TOKEN_FIELD,
            statics=self._statics,
        )
        text = _templates()[template].render(shell=shell, title=title, **values)
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


@functools.cache
def _templates() -> Mapping[str, jinja2.Template]:
    """Return all templates by name, compiled, so that the first visitor does not wait for it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("carbonnas.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["limits"] = _LIMITS
    environment.filters |= {
        "action": action,
        "grams": grams,
        "iso": iso,
        "minute": minute,
        "search_url": search_url,
        "segment": segment,
        "sentence": sentence,
    }
    return {name: environment.get_template(name) for name in environment.list_templates()}


def minute(value: datetime) -> str:
    """Return an instant to the minute in UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def search_url(search_id: str) -> str:
    """Return the path of a search's page."""
    return f"/searches/{segment(search_id)}"
