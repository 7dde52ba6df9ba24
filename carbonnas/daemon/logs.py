"""Log lines: one line for each event, as JSON for programs or as text for people, in which no secret stands."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from carbonnas.daemon.log_format import LogFormat
from carbonnas.record import DecisionRecord

_SECRET_NAMES = ("_TOKEN", "_KEY", "_PASSWORD")
_SHORTEST_SECRET = 4
"""What has fewer characters guards nothing, and would be found in every other word."""
_LONGEST_TEXT = 16_384
"""Characters of a text that a line holds."""
_OWN_PACKAGES = ("carbonnas", "carbon_sources", "schedulers")
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure_logs(kind: LogFormat, stream: TextIO, secrets: Iterable[str]) -> None:
    """Let this process log to a stream: its own packages from INFO on, others from WARNING on; called again, it replaces what it set up.

    Args:
        kind: How lines are written.
        stream: Where they go.
        secrets: What no line may hold, such as `secrets_of(os.environ)` and the daemon's own token.
    """
    handler = _DaemonHandler(stream)
    handler.setFormatter((JsonFormatter if kind is LogFormat.JSON else TextFormatter)(secrets))
    root = logging.getLogger()
    for former in [known for known in root.handlers if isinstance(known, _DaemonHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for package in _OWN_PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    # Strangers make it warn, of malformed requests and of too many: they could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the variables whose names end as those of secrets do: `_TOKEN`, `_KEY`, `_PASSWORD`."""
    return frozenset(value for name, value in environment.items() if name.upper().endswith(_SECRET_NAMES))


def decision_line(search_id: str, record: DecisionRecord) -> dict[str, object]:
    """Return what the line on a decision tells besides its reason in words, for `extra` of a logger's method.

    `intensity_g_per_kwh` is absent while the intensity is unknown.
    """
    decision = record.decision
    fields: dict[str, object] = {
        "search": search_id,
        "reason": decision.reason.code.value,
        "train_slots": decision.train_slots,
        "score_slots": decision.score_slots,
        "decided_at": record.time,
        "review_at": decision.review_at,
    }
    if record.intensity_g_per_kwh is not None:
        fields["intensity_g_per_kwh"] = record.intensity_g_per_kwh
    return fields


class _DaemonHandler(logging.StreamHandler[TextIO]):
    """What `configure_logs` set up, to be known again."""


class _LineFormatter(logging.Formatter):
    """What both formats share.

    Args:
        secrets: Texts that are shown as `***`; those of less than four characters are not looked for.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        wanted = {part for text in secrets for part in (text, text.strip()) if len(part) >= _SHORTEST_SECRET}
        self._secrets = sorted(wanted, key=len, reverse=True)

    def text_of(self, value: object) -> str:
        """Return a value as text without secrets, at most as long as a line may hold."""
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        more = len(text) - _LONGEST_TEXT
        return text if more <= 0 else f"{text[:_LONGEST_TEXT]}... ({more} characters more)"

    def extras(self, record: logging.LogRecord) -> dict[str, object]:
        """Return what was handed to the logger as `extra`, as values that JSON knows."""
        return {self.text_of(k): self._plain(v) for k, v in vars(record).items() if k not in _OWN_FIELDS}

    def trace(self, record: logging.LogRecord) -> str | None:
        """Return where the error that the line is about was raised, if it is about one."""
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        return self.text_of("\n".join(parts)) if parts else None

    def _plain(self, value: object) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, datetime):
            return _instant(value)
        if isinstance(value, Mapping):
            return {self.text_of(k): self._plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        return self.text_of(value)


class JsonFormatter(_LineFormatter):
    """One JSON object on each line: `time`, `level`, `logger`, `message`, whatever the event adds, and `trace` for an error.

    The line is ASCII; whatever else a text holds is escaped, so that no reader sees the end of a line within it.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.text_of(record.getMessage()),
        }
        line = {**line, **{key: value for key, value in self.extras(record).items() if key not in line}}
        trace = self.trace(record)
        if trace is not None:
            line["trace"] = trace
        return json.dumps(line)


class TextFormatter(_LineFormatter):
    """Time, level, logger, message and whatever the event adds, in one line; where an error was raised follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        added = " ".join(f"{key}={json.dumps(value)}" for key, value in sorted(self.extras(record).items()))
        words = (
            _time_of(record),
            record.levelname,
            record.name,
            self.text_of(record.getMessage()),
            f"[{added}]" * bool(added),
        )
        line = _visible(" ".join(word for word in words if word))
        trace = self.trace(record)
        below = () if trace is None else (f"    {_visible(row)}" for row in trace.splitlines())
        return "\n".join((line, *below))


def _visible(text: str) -> str:
    """Return a text in which whatever moves the cursor or ends a line is written as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _time_of(record: logging.LogRecord) -> str:
    return _instant(datetime.fromtimestamp(record.created, UTC))


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
