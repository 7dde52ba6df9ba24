"""The interface of the models that learning forecasters are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod

from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.samples import Issues, Samples


class Member(ABC):
    """Learns what comes after an issue, as standardised logarithms minus the usual course of the day."""

    @abstractmethod
    def fit(self, samples: Samples) -> Array:
        """Learn from samples of every hour of the day and return what would have been expected at each without its fold.

        Returns:
            Shape (issues, `LEARNT_H`).
        """

    @abstractmethod
    def predict(self, issues: Issues, news: Samples) -> Array:
        """Return what is expected after each issue.

        Args:
            issues: Issues at one hour of the day.
            news: Samples of that hour that came after those of `fit`, to be learnt from as well; may be none.

        Returns:
            Shape (issues, `LEARNT_H`).
        """
