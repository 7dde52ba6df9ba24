"""How charts look on the page: their width, and colours for light and dark.

A chart is a picture of fixed width that the page scales. Each is drawn narrow for phones and wide for desks, so that its letters stay
readable, and once for each colour scheme, because letters of a picture can't follow the colours of the page.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SIDES = 72
"""Pixels beside the parts of a stacked chart: labels of the vertical axis and padding, as in the report."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


class Scheme(enum.Enum):
    """A colour scheme, by the name that style sheets give it."""

    LIGHT = "light"
    DARK = "dark"


class Size(enum.Enum):
    """How wide the screen is that a chart is drawn for."""

    NARROW = "narrow"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn."""

    scheme: Scheme
    size: Size


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of what is not data, as hexadecimal RGB; those of the style sheet."""

    text: str
    quiet: str
    line: str


INKS: Mapping[Scheme, Ink] = {
    Scheme.LIGHT: Ink("#1a1d23", "#566070", "#dde1e7"),
    Scheme.DARK: Ink("#e7eaef", "#a3adba", "#343a45"),
}

WHOLE_ROW = frozenset({"timeline", "emissions", "grid"})
"""Charts that have a row of the page to themselves, by name."""

_WIDTHS = {(Size.NARROW, False): 328, (Size.NARROW, True): 328, (Size.WIDE, False): 520, (Size.WIDE, True): 1060}
"""Pixels by size, and by whether the chart has a row of the page to itself."""


def width(look: Look, *, whole_row: bool) -> int:
    """Return the width of a chart in pixels; `whole_row` if it has a row of the page to itself."""
    return _WIDTHS[look.size, whole_row]


def dressed(specification: Mapping[str, Any], look: Look, *, whole_row: bool) -> dict[str, Any]:
    """Return a Vega-Lite specification with width, font and colours of a look."""
    across = width(look, whole_row=whole_row)
    dressed_up = {**specification, "config": _config(INKS[look.scheme]), "padding": 2}
    if "vconcat" in specification:
        parts = [{**part, "width": across - _SIDES} for part in specification["vconcat"]]
        return {**dressed_up, "vconcat": parts}
    return {**dressed_up, "width": across, "autosize": {"type": "fit-x", "contains": "padding"}}


def _config(ink: Ink) -> dict[str, Any]:
    return {
        "background": None,
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink.quiet,
            "titleColor": ink.quiet,
            "gridColor": ink.line,
            "domainColor": ink.line,
            "tickColor": ink.line,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
        },
        "legend": {"labelColor": ink.text, "labelFontSize": 11, "symbolType": "circle"},
    }
