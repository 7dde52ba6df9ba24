"""The interface of every provider of carbon intensity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from carbon_sources.intensity import Basis, Forecast, IntensityKind, IntensitySample, IntensitySeries


class CarbonSource(ABC):
    """Says what the carbon intensity of one grid zone is and was.

    A search asks `latest` whenever it decides, `history` to price the energy it drew and to learn the past of the zone, and
    `forecast` where its forecaster passes on what the provider expects. All three are told the time; a source reads no clock.

    Plug-ins: parameters of `__init__` before `*` are services handed in by name (`http`, `secrets`, `clock`), keyword-only ones are
    the options of the configuration, validated by their annotations.

    Implementers must return values of one `zone`, `kind` and `basis`, must leave a gap where nothing is known, and must raise
    a `CarbonSourceError` instead of answering with an invented number. `carbon_sources.testing.CarbonSourceConformance`
    checks the contract.
    """

    zone: str
    kind: IntensityKind
    basis: Basis

    names: frozenset[str] = frozenset()
    """What its samples may carry as `source`. A source that names none is not kept for offline use: it is on this machine anyway."""

    revised_for: timedelta = timedelta(days=2)
    """How long after its interval a value may still be revised."""

    usual_delay: timedelta = timedelta(hours=1)
    """How long after the end of an interval its value usually is there; later than that counts as late."""

    @abstractmethod
    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the newest sample that starts at or before `now`, or `None` if there is none.

        The caller decides whether it is too old: its interval may have ended before `now`.

        Raises:
            CarbonSourceError: If the provider can't be asked or its answer can't be trusted.
        """

    @abstractmethod
    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        """Return the samples that overlap `start .. end`, whole, with gaps where nothing is known.

        Raises:
            CarbonSourceError: If the provider can't be asked or its answer can't be trusted.
        """

    def forecast(self, now: datetime) -> Forecast | None:  # noqa: ARG002 -- overriding sources use it
        """Return the newest forecast issued at or before `now`, or `None` where there is none.

        Raises:
            CarbonSourceError: If the provider can't be asked or its answer can't be trusted.
        """
        return None

    def remarks(self) -> tuple[str, ...]:
        """Return what was odd about the newest answers, in sentences for a person; empty if nothing was.

        Values that were left out, a grid other than the usual one, a model that changed: all that is no error and still
        has to be seen.
        """
        return ()
