"""Durations for people."""

from __future__ import annotations

from datetime import timedelta


def duration_text(duration: timedelta) -> str:
    """Return a duration of at least zero in hours and minutes, such as `18 h 5 min`; shorter than an hour with its seconds."""
    total_s = duration.total_seconds()
    if total_s < 60:
        return f"{total_s:.2g} s"
    whole_s = 60 * round(total_s / 60) if total_s >= 3600 else round(total_s)
    hours, rest_s = divmod(whole_s, 3600)
    minutes, seconds = divmod(rest_s, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
