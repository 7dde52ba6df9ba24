"""What is simulated: one configuration, whose seed and scheduler are exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon_sources.providers.trace import TraceSource
from carbonnas.config import ClockSection, SearchConfig
from carbonnas.plugins import PluginChoice
from carbonnas.simulation.yardstick import Yardstick
from carbonnas.trials import Fidelity, FidelityName


@dataclass(frozen=True, slots=True)
class Competitor:
    """A scheduler that takes part.

    Attributes:
        name: What the user called it.
        choice: The plug-in with its options.
        uses_forecast: Whether it is handed forecasts.
    """

    name: str
    choice: PluginChoice
    uses_forecast: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What all simulations of one command share; picklable.

    Attributes:
        config: The configuration with its clock, executor, powers and deadline as they are to be simulated.
        start: First instant.
        source: The trace.
        yardstick: Measures quality.
        until: How long searches are looked at from their start on, without knowing it; `None` until they end.
    """

    config: SearchConfig
    start: datetime
    source: TraceSource
    yardstick: Yardstick
    until: timedelta | None = None

    def config_of(self, competitor: Competitor, seed: int) -> SearchConfig:
        """Return the configuration of one search."""
        search = self.config.search.model_copy(update={"seed": seed})
        return self.config.model_copy(update={"search": search, "scheduler": competitor.choice})

    def lessons_until(self, end: datetime) -> range:
        """Return the numbers of the lessons of the forecaster that simulations need which end at `end`, after the start."""
        return range(-(-(end - self.start) // self.config.forecasting.refit_every))


@dataclass(frozen=True, slots=True)
class Costs:
    """What a simulation charges besides what the file says.

    Attributes:
        energy: The meter: one that knows a power for each piece of work.
        executor: Options of the simulated executor.
        pue: Power usage effectiveness; `None` for that of the file.
    """

    energy: PluginChoice
    executor: Mapping[str, object]
    pue: float | None


def simulated_config(
    config: SearchConfig, *, start: datetime, deadline: timedelta | None, costs: Costs, forecaster: PluginChoice
) -> SearchConfig:
    """Return a configuration moved onto the virtual clock.

    Args:
        config: The configuration of the file.
        start: First instant.
        deadline: When the search is ended, after its start; `None` for never.
        costs: What is charged.
        forecaster: Tells schedulers what to expect.
    """
    accounting = config.accounting
    if costs.pue is not None:
        accounting = accounting.model_copy(update={"pue": costs.pue})
    return config.model_copy(
        update={
            "search": config.search.model_copy(update={"deadline": deadline}),
            "clock": ClockSection(use="simulated", start=start),
            "executor": PluginChoice("simulated", costs.executor),
            "energy": costs.energy,
            "accounting": accounting,
            "forecaster": forecaster,
        }
    )


def judged_fidelity(config: SearchConfig) -> Fidelity:
    """Return the highest fidelity at which a search compares trainings: that of full trainings if every round has some.

    The one full training of the winner, with which other searches end, has nothing of its kind to be compared with.
    """
    section = config.search
    if section.full_per_round and section.full_epochs is not None:
        return Fidelity(FidelityName.FULL, section.full_epochs)
    return Fidelity(FidelityName.SEARCH, section.epochs)
