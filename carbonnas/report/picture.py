"""Charts as pictures."""

from __future__ import annotations

import vl_convert

from carbonnas.report.figures import Chart


def svg(chart: Chart) -> str:
    """Return a chart as SVG."""
    drawing: str = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    return drawing


def picture(chart: Chart, suffix: str) -> bytes:
    """Return a chart as the content of a file with this ending: `.svg`, or else PNG."""
    if suffix.lower() == ".svg":
        return svg(chart).encode()
    return bytes(vl_convert.vegalite_to_png(chart.to_dict(validate=False), scale=2))
