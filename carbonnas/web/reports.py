"""Reports over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import Response

from carbonnas.report.render import ReportFormat
from carbonnas.web.shelf import Shelf

_TYPES: Mapping[ReportFormat, tuple[str, str]] = {
    ReportFormat.HTML: ("text/html", "html"),
    ReportFormat.MARKDOWN: ("text/markdown", "md"),
    ReportFormat.JSON: ("application/json", "json"),
    ReportFormat.CSV: ("text/csv", "csv"),
}
"""Media type and file extension of each format."""

REPORTS = {media: {"schema": {} if media.endswith("json") else {"type": "string"}} for media, _ in _TYPES.values()}

# The page has a policy of its own that names its two scripts. In a sandbox it has no origin, so that it could not reach the daemon whatever ran.
_REPORT_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def report_response(shelf: Shelf, search_id: str, format: ReportFormat) -> Response:  # noqa: A002 # as in the command line
    """Return the report of a search.

    Raises:
        SearchNotFoundError: If there is no such search.
        BusyError: If too many reports are being made already.
    """
    media, extension = _TYPES[format]
    body = shelf.report(search_id, format)
    headers = {"Content-Disposition": f'{_shown(format)}; filename="{_file_name(search_id)}.{extension}"'}
    if format is ReportFormat.HTML:
        headers["Content-Security-Policy"] = _REPORT_POLICY
    return Response(body, headers=headers, media_type=f"{media}; charset=utf-8")


def _shown(format: ReportFormat) -> str:  # noqa: A002 # as above
    return "attachment" if format is ReportFormat.CSV else "inline"


def _file_name(search_id: str) -> str:
    """Return a name that is harmless on every system, in which a header's end can't hide."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", search_id)[:100].strip("-") or "search"
