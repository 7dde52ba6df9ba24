"""`init`: a commented configuration to start from."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

import typer

from carbonnas.cli.output import print_json
from carbonnas.errors import ConfigError


def write_example(path: Path, *, force: bool, as_json: bool) -> None:
    """Write the example configuration; an existing file is kept unless `force` is set."""
    if path.exists() and not force:
        raise ConfigError(str(path), ("exists already; choose another name, or overwrite it with --force",))
    path.write_text((files("carbonnas.cli") / "configs" / "example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    if as_json:
        print_json({"config": str(path)})
        return
    typer.echo(f"Wrote {path}. Edit it, then: carbonnas run {shlex.quote(str(path))}")
