"""The options of `backtest`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """The options as they were typed, `None` or empty where they were not.

    Attributes:
        trace: The recording, as the carbon source `trace` reads it.
        forecasts: A second file with archived forecasts.
        column: Column of the intensity.
        zone: Zone to take of several.
        kind: Average or marginal.
        basis: Life cycle or direct.
        unit: Unit of the numbers.
        time_zone: Zone of times without offset.
        forecasters: Names of forecasters.
        train_until: End of the training.
        until: End of what is used of the recording.
        horizon: How far to look ahead.
        issue_every: Time between issues.
        output: Picture to write.
    """

    trace: str
    forecasts: Path | None
    column: str | None
    zone: str | None
    kind: str | None
    basis: str | None
    unit: str | None
    time_zone: str | None
    forecasters: tuple[str, ...]
    train_until: str | None
    until: str | None
    horizon: str
    issue_every: str | None
    output: Path | None
