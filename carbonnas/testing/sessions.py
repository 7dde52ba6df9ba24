"""A session for tests that call an evaluator themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class UnattendedSession:
    """A session without a checkpoint that never asks to suspend.

    Attributes:
        checkpoint: None, so nothing can be resumed.
        reports: What was reported: epoch, epochs, metrics.
    """

    def __init__(self) -> None:
        self.checkpoint: Path | None = None
        self.reports: list[tuple[int, int, dict[str, float]]] = []

    def suspend_requested(self) -> bool:
        """Say no."""
        return False

    def report(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Keep what is reported."""
        self.reports.append((epoch, epochs, dict(metrics)))
