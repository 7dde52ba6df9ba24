"""The grids that searches live on: one monitor for all searches with the same carbon source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from carbon_sources.archive import IntensityArchive
from carbon_sources.clock import Clock
from carbon_sources.monitor import GridMonitor
from carbon_sources.shared_monitor import SharedMonitor, SharedView
from carbonnas.config import SearchConfig
from carbonnas.daemon.control import GridView
from carbonnas.grid import GridSettings, make_monitor
from carbonnas.plugins import PluginChoice


@dataclass(frozen=True, slots=True)
class _Grid:
    name: str
    monitor: SharedMonitor
    own: SharedView
    views: dict[str, SharedView]


class Grids:
    """Makes a monitor for each different description of a grid.

    The monitors are polled by others, in threads of their own; everything here belongs to the thread that ticks.

    Args:
        clock: The daemon's clock.
        archive: Keeps what is fetched.
        simulated: Whether time is simulated: sources are asked in it, and forecasts that only people look at are left out.
    """

    def __init__(self, clock: Clock, archive: IntensityArchive, *, simulated: bool = False) -> None:
        self._simulated = simulated
        self._clock = clock
        self._archive = archive
        self._grids: dict[str, _Grid] = {}

    def join(self, config: SearchConfig, search_id: str) -> GridMonitor:
        """Return what a search sees of its grid.

        Raises:
            ConfigError: If source or forecaster refuse their options, or a token is missing.
        """
        grid = self._grid(GridSettings.of(config))
        grid.views[search_id] = grid.monitor.view()
        return grid.views[search_id]

    def watch(self, settings: GridSettings) -> None:
        """Look at a grid although no search lives on it."""
        self._grid(settings)

    def leave(self, search_id: str) -> None:
        """Close what a search sees of its grid, which is still looked at, because the search or another may come."""
        for grid in self._grids.values():
            view = grid.views.pop(search_id, None)
            if view is not None:
                view.close()

    @property
    def monitors(self) -> dict[str, SharedMonitor]:
        """What is to be polled, by name."""
        return {grid.name: grid.monitor for grid in self._grids.values()}

    def views(self, now: datetime) -> tuple[GridView, ...]:
        """Return what is known of each grid."""
        return tuple(self._view(grid, now) for grid in self._grids.values())

    def _view(self, grid: _Grid, now: datetime) -> GridView:
        return GridView(
            name=grid.name,
            observation=grid.own.observe(now, with_forecast=not self._simulated),
            health=grid.own.health(now),
            forecast_error=grid.monitor.forecast_error(now),
            searches=tuple(sorted(grid.views)),
        )

    def _grid(self, settings: GridSettings) -> _Grid:
        accounting = settings.accounting
        parts = (settings.carbon_source, settings.forecaster, settings.forecasting)
        key = repr((*parts, accounting.poll_interval, accounting.lookback))
        if key not in self._grids:
            monitor = SharedMonitor(make_monitor(settings, self._clock, self._archive), inline=self._simulated)
            grid = _Grid(self._unused(_name(settings.carbon_source)), monitor, monitor.view(), {})
            self._grids[key] = grid
        return self._grids[key]

    def _unused(self, name: str) -> str:
        taken = {grid.name for grid in self._grids.values()}
        numbered: Iterable[str] = (name, *(f"{name} ({number})" for number in range(2, len(taken) + 2)))
        return next(each for each in numbered if each not in taken)


def _name(source: PluginChoice) -> str:
    zone = source.options.get("zone")
    return source.use if zone is None else f"{source.use} {zone}"
