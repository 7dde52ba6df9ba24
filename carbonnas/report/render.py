"""The report of a search in every format."""

from __future__ import annotations

import enum

from carbonnas.record import SearchRecord
from carbonnas.report.csv import to_csv
from carbonnas.report.document import build_document, to_json
from carbonnas.report.markdown import to_markdown


class ReportFormat(enum.Enum):
    """A format of the report."""

    HTML = "html"
    """One file that opens without a network."""
    MARKDOWN = "markdown"
    JSON = "json"
    """Everything, with every trial and decision."""
    CSV = "csv"
    """One row for each trial."""


def render(record: SearchRecord, format: ReportFormat) -> str:  # noqa: A002 # the word of the command line
    """Return the report of a search as text; the same record gives the same text."""
    if format is ReportFormat.HTML:
        from carbonnas.report.html import render_html  # loads the figures' libraries, which no other format needs

        return render_html(record)
    document = build_document(record)
    if format is ReportFormat.MARKDOWN:
        return to_markdown(document)
    return to_json(document) if format is ReportFormat.JSON else to_csv(document)
