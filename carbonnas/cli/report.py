"""`report`: the carbon report of a search."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from carbonnas.cli.options import check_folder
from carbonnas.cli.output import open_store, pick, state_folder
from carbonnas.errors import ConfigError
from carbonnas.report.render import ReportFormat, render
from carbonnas.storage.paths import search_folder
from carbonnas.storage.records import load_record

_BY_SUFFIX = {
    ".html": ReportFormat.HTML,
    ".htm": ReportFormat.HTML,
    ".md": ReportFormat.MARKDOWN,
    ".json": ReportFormat.JSON,
    ".csv": ReportFormat.CSV,
}


def write_report(text: str | None, state: Path | None, *, format_name: str | None, output: Path | None) -> None:
    """Write a report where the user wants it."""
    folder = state_folder(state)
    store = open_store(folder)
    search_id = pick(store, text)
    chosen = _format(format_name, output)
    check_folder(output)
    rendered = render(load_record(store, search_id), chosen)
    if output is None and chosen is ReportFormat.HTML and sys.stdout.isatty():
        output = search_folder(folder, search_id) / "report.html"
    if output is None:
        sys.stdout.write(rendered)
        return
    output.write_text(rendered, encoding="utf-8")
    typer.echo(str(output))


def _format(name: str | None, output: Path | None) -> ReportFormat:
    if name is not None:
        return ReportFormat(name)
    if output is None:
        return ReportFormat.HTML
    if output.suffix.lower() not in _BY_SUFFIX:
        known = ", ".join(sorted(_BY_SUFFIX))
        raise ConfigError(
            "--output", (f"{output.name}: can't tell the format from its ending ({known}); add --format",)
        )
    return _BY_SUFFIX[output.suffix.lower()]
