"""What stands in a log line, and what never does."""

from __future__ import annotations

import io
import json
import logging
import math
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.daemon.log_format import LogFormat
from carbonnas.daemon.logs import JsonFormatter, TextFormatter, configure_logs, decision_line, secrets_of
from carbonnas.record import DecisionRecord
from schedulers.decision import Decision, Reason, ReasonCode

AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)


def record(message: object, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {
            "name": "carbonnas.search",
            "levelno": logging.INFO,
            "levelname": "INFO",
            "msg": message,
            "args": arguments,
            **extra,
        }
    )
    made.created = AT.timestamp()
    return made


def line(made: logging.LogRecord, *secrets: str) -> dict[str, Any]:
    text = JsonFormatter(secrets).format(made)
    assert text.isascii()
    assert text.isprintable()
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    changed = [root, *map(logging.getLogger, ("carbonnas", "carbon_sources", "schedulers"))]
    levels = [logger.level for logger in changed]
    yield root
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    for logger, level in zip(changed, levels, strict=True):
        logger.setLevel(level)


def test_a_line_tells_when_how_grave_from_where_and_what() -> None:
    assert line(record("%d searches, %s", 2, "all well")) == {
        "time": "2026-03-01T12:30:00.250Z",
        "level": "info",
        "logger": "carbonnas.search",
        "message": "2 searches, all well",
    }


def test_what_an_event_adds_stands_beside_it_as_json_knows_it() -> None:
    extra = {
        "search": "s1",
        "slots": 2,
        "done": True,
        "left": None,
        "at": AT,
        "grams": 1.5,
        "infinite": math.inf,
        "parts": (1, timedelta(hours=1), {"a": math.nan}),
    }
    found = line(record("m", **extra))
    assert {key: found[key] for key in extra} == {
        "search": "s1",
        "slots": 2,
        "done": True,
        "left": None,
        "at": "2026-03-01T12:30:00.250Z",
        "grams": 1.5,
        "infinite": None,
        "parts": [1, "1:00:00", {"a": None}],
    }


def test_a_decision_is_one_line_with_its_reason() -> None:
    decision = Decision(2, 1, Reason(ReasonCode.CLEAN, "58 g/kWh is clean"), AT + timedelta(minutes=15))
    seen = DecisionRecord(AT, 58.0, decision)
    assert decision_line("s1", seen) == {
        "search": "s1",
        "reason": "clean",
        "train_slots": 2,
        "score_slots": 1,
        "decided_at": AT,
        "review_at": AT + timedelta(minutes=15),
        "intensity_g_per_kwh": 58.0,
    }
    found = line(record(decision.reason.text, **decision_line("s1", DecisionRecord(AT, None, decision))))
    assert (found["message"], found["reason"], found["search"]) == ("58 g/kWh is clean", "clean", "s1")
    assert "intensity_g_per_kwh" not in found


def test_nobody_can_pose_as_the_time_or_the_level() -> None:
    assert line(record("m", level="critical", time="never"))["level"] == "info"


@given(st.text(), st.text(min_size=1), st.text())
def test_no_text_breaks_a_line_whatever_stands_in_it(message: str, key: str, value: str) -> None:
    made = record("%s", message)
    vars(made).setdefault(key, value)
    assert line(made)["message"] == message
    text = TextFormatter(()).format(made)
    assert text.isprintable()


ERROR = "first\n2026-03-01T12:30:00.250Z CRITICAL carbonnas the disk is on fire\u2028\x1b[2J"


def failed(why: str, message: str = "it failed", **extra: object) -> logging.LogRecord:
    try:
        int_of(why)
    except ValueError as error:
        return record(message, exc_info=(type(error), error, error.__traceback__), **extra)
    raise AssertionError("it did not fail")


def int_of(why: str) -> int:
    raise ValueError(why)


def test_where_an_error_was_raised_follows_indented_so_that_it_poses_as_no_line() -> None:
    first, *below = TextFormatter(()).format(failed(ERROR)).split("\n")
    assert first == "2026-03-01T12:30:00.250Z INFO carbonnas.search it failed"
    assert below[0] == "    Traceback (most recent call last):"
    assert all(row.startswith("    ") and row.isprintable() for row in below)
    assert line(failed(ERROR))["trace"].endswith(ERROR)


def test_the_text_format_shows_what_an_event_adds() -> None:
    text = TextFormatter(()).format(record("rests", search="s1\n", slots=2))
    assert text == '2026-03-01T12:30:00.250Z INFO carbonnas.search rests [search="s1\\n" slots=2]'


SECRET = 's3cr\u00e9t"\n'  # noqa: S105 - it guards nothing


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
def test_no_secret_stands_in_any_part_of_a_line(formatter: type[JsonFormatter | TextFormatter]) -> None:
    made = failed(SECRET, f"token {SECRET}", url=f"https://x/?t={SECRET}", parts=[{SECRET: SECRET.strip()}])
    text = formatter([SECRET]).format(made)
    assert text.count("***") == 5  # message, address, key and value of a part, the error that the trace ends with
    assert "s3cr" not in text


def test_secrets_are_known_by_the_names_of_their_variables() -> None:
    environment = {
        "EIA_KEY": "abcd1",
        "WATTTIME_PASSWORD": "abcd2",
        "electricity_token": "abcd3",
        "HOME": "/root",
        "A_KEY": "abc",
    }
    assert secrets_of(environment) == {"abcd1", "abcd2", "abcd3", "abc"}
    assert line(record("abcd1 abc"), *secrets_of(environment))["message"] == "*** abc"


def test_a_text_without_end_is_cut_and_says_so() -> None:
    message = line(record("x" * 20_000))["message"]
    assert message == "x" * 16_384 + "... (3616 characters more)"


def test_setting_up_twice_writes_each_line_once_and_warnings_as_well(root: logging.Logger) -> None:
    former, stream = io.StringIO(), io.StringIO()
    configure_logs(LogFormat.TEXT, former, ())
    configure_logs(LogFormat.JSON, stream, ["s3cret"])
    logging.getLogger("carbonnas.daemon").info("starts with %s", "s3cret")
    logging.getLogger("carbonnas.daemon").debug("not this")
    logging.getLogger("alembic.runtime").info("nor this")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    lines = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert [(found["logger"], found["level"]) for found in lines] == [
        ("carbonnas.daemon", "info"),
        ("py.warnings", "warning"),
    ]
    assert lines[0]["message"] == "starts with ***"
    assert former.getvalue() == ""
