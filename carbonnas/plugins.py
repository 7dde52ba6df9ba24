"""The plug-in groups of the project, and a choice of one plug-in with its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carbon_sources.groups import CARBON_SOURCES, FORECASTERS
from carbon_sources.plugins import PluginGroup
from carbonnas.energy.meter import EnergyMeter
from carbonnas.evaluation.evaluator import Evaluator
from carbonnas.execution.executor import Executor
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.strategies.strategy import SearchStrategy
from schedulers.scheduler import Scheduler

SCHEDULERS: PluginGroup[Scheduler] = PluginGroup("carbonnas.schedulers", Scheduler)
SEARCH_SPACES: PluginGroup[SearchSpace] = PluginGroup("carbonnas.search_spaces", SearchSpace)
STRATEGIES: PluginGroup[SearchStrategy] = PluginGroup("carbonnas.strategies", SearchStrategy)
EVALUATORS: PluginGroup[Evaluator] = PluginGroup("carbonnas.evaluators", Evaluator)
ENERGY_METERS: PluginGroup[EnergyMeter] = PluginGroup("carbonnas.energy_meters", EnergyMeter)
EXECUTORS: PluginGroup[Executor] = PluginGroup("carbonnas.executors", Executor)

GROUP_OF_TABLE: Mapping[str, PluginGroup[Any]] = {
    "space": SEARCH_SPACES,
    "strategy": STRATEGIES,
    "scoring": EVALUATORS,
    "training": EVALUATORS,
    "carbon_source": CARBON_SOURCES,
    "forecaster": FORECASTERS,
    "scheduler": SCHEDULERS,
    "energy": ENERGY_METERS,
    "executor": EXECUTORS,
}
"""The group of each table of a configuration that chooses a plug-in."""


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """A plug-in by name and the options it is made with, as the configuration states them; picklable."""

    use: str
    options: Mapping[str, object] = field(default_factory=dict)
