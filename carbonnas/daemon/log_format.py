"""The formats of the log, apart from what writes them: the command line names them before anything is imported that takes time."""

from __future__ import annotations

from enum import StrEnum


class LogFormat(StrEnum):
    """How a log line is written."""

    JSON = "json"
    TEXT = "text"
