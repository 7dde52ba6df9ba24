"""One look at a source: what to ask it, and what it told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from carbon_sources.errors import CarbonSourceError, SourceUnavailableError
from carbon_sources.intensity import IntensitySample
from carbon_sources.source import CarbonSource

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """What a source is to be asked.

    Attributes:
        now: The instant of the question.
        start: How far back values are wanted.
        with_forecast: Whether the provider's forecast is due, too.
    """

    now: datetime
    start: datetime
    with_forecast: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source told.

    Attributes:
        question: What it was asked.
        fetched: Its values; of those that overlap the last counts.
        failure: Why something is missing; `None` if nothing is.
        forecast_failure: Why the provider's forecast is missing; `None` if it is not, or was not asked for.
        forecast_asked: Whether the provider's forecast was asked for: not of a source that could not be asked at all.
        remarks: What the source found odd about its answers.
    """

    question: Question
    fetched: tuple[IntensitySample, ...]
    failure: CarbonSourceError | None
    forecast_failure: CarbonSourceError | None
    forecast_asked: bool
    remarks: tuple[str, ...]


def ask(source: CarbonSource, question: Question) -> Answer:
    """Ask a source, which may take as long as its transport lets it. Never raises for a failing source."""
    now = question.now
    history, failed = _ask(lambda: source.history(question.start, now))
    latest: IntensitySample | None = None
    forecast_failed: CarbonSourceError | None = None
    reached = not isinstance(failed, SourceUnavailableError)
    if reached:
        latest, silent = _ask(lambda: source.latest(now))
        # Providers overwrite their forecasts: asking has the newest one kept.
        forecast_failed = _ask(lambda: source.forecast(now))[1] if question.with_forecast else None
        failed = failed or silent
    # What the history says of the same time counts.
    fetched = (*([latest] if latest is not None else []), *(history or ()))
    return Answer(question, fetched, failed, forecast_failed, reached and question.with_forecast, source.remarks())


def _ask(question: Callable[[], _T]) -> tuple[_T | None, CarbonSourceError | None]:
    """Return the answer, or why there was none."""
    try:
        return question(), None
    except CarbonSourceError as error:
        return None, error
