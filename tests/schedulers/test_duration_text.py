from __future__ import annotations

from datetime import timedelta

import pytest

from schedulers.duration_text import duration_text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=0.5), "0.5 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=90), "1 min 30 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=18, minutes=5, seconds=10), "18 h 5 min"),
        (timedelta(hours=23, minutes=59, seconds=40), "24 h"),
        (timedelta(days=1), "24 h"),
        (timedelta(days=7), "168 h"),
    ],
)
def test_a_duration_is_told_in_hours_and_minutes_and_below_an_hour_in_seconds(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text
