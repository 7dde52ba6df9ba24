"""The command line inside the process of a test."""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbonnas.cli.app import main


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind.

    Attributes:
        status: Exit status.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class EndedSearch:
    """A search that was run to its end with `--json`.

    Attributes:
        config: Its configuration.
        state: Folder that it is kept in.
        answer: What its run left behind.
    """

    config: Path
    state: Path
    answer: Answer

    @property
    def search_id(self) -> str:
        """Id of the search."""
        return str(self.answer.json["search"]["id"])


def carbonnas(*arguments: str | os.PathLike[str]) -> Answer:
    """Run a command as the console script does; whatever it raises that is no exit is raised here as well."""
    out, err = io.StringIO(), io.StringIO()
    status: str | int | None = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([os.fspath(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    return Answer(status if isinstance(status, int) else int(status is not None), out.getvalue(), err.getvalue())
