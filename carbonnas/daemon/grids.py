"""The grids that searches live on: one monitor for all searches with the same carbon source."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from carbon_sources.archive import IntensityArchive
from carbon_sources.clock import Clock
from carbon_sources.monitor import GridMonitor
from carbon_sources.shared_monitor import SharedMonitor, SharedView
from carbonnas.config import SearchConfig
from carbonnas.daemon.control import GridView
from carbonnas.grid import GridSettings, make_monitor
from carbonnas.plugins import PluginChoice

_GRACE = timedelta(hours=1)
"""How long a grid is looked at after the last search on it has ended: the next one often comes soon, and finds all that is known."""


@dataclass(slots=True)
class _Grid:
    """A grid that is looked at.

    Attributes:
        name: Its name.
        monitor: What knows it.
        own: The daemon's sight of it.
        views: What open searches see of it.
        searches: Those that live on it: open ones, and those that wait to be opened.
        unused_since: Since when nobody wants to know of it; `None` while somebody does.
    """

    name: str
    monitor: SharedMonitor
    own: SharedView
    views: dict[str, SharedView] = field(default_factory=dict)
    searches: set[str] = field(default_factory=set)
    unused_since: datetime | None = None


class Grids:
    """Makes a monitor for each different description of a grid, and forgets it an hour after the last search on it has ended.

    The monitors are polled by others, in threads of their own. To make one may take seconds, in which its forecaster is imported; whoever asks for
    nothing new waits for none to be made. All of it may be called from any thread.

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
        self._watched: _Grid | None = None
        self._making = threading.Lock()
        self._changing = threading.Lock()

    def join(self, config: SearchConfig, search_id: str) -> GridMonitor:
        """Return what a search sees of its grid.

        Raises:
            ConfigError: If source or forecaster refuse their options, or a token is missing.
        """
        grid = self._grid(GridSettings.of(config))
        with self._changing:
            grid.searches.add(search_id)
            grid.views[search_id] = view = grid.monitor.view()
        return view

    def glance(self, settings: GridSettings) -> GridMonitor:
        """Return what somebody who does not stay sees of a grid; whoever comes within the hour finds it made. Raises as `join` does."""
        return self._grid(settings).monitor.view()

    def watch(self, settings: GridSettings | None) -> None:
        """Look at a grid although no search lives on it, in place of the one that was told before; `None` for no grid.

        Raises:
            ConfigError: If source or forecaster refuse their options, or a token is missing; then all stays as it was.
        """
        self._watched = None if settings is None else self._grid(settings)

    def leave(self, search_id: str) -> None:
        """Close what a search sees of its grid, which is still looked at, because the search waits to be opened again."""
        with self._changing:
            views = [grid.views.pop(search_id, None) for grid in self._grids.values()]
        for view in views:
            if view is not None:
                view.close()

    def end(self, search_id: str) -> None:
        """Take it that a search will not come again."""
        self.leave(search_id)
        with self._changing:
            for grid in self._grids.values():
                grid.searches.discard(search_id)

    def forget_unused(self, now: datetime) -> None:
        """Look no more at grids on which no search has lived for an hour, but for the one that is watched."""
        with self._changing:
            for key, grid in list(self._grids.items()):
                if grid.searches or grid is self._watched:
                    grid.unused_since = None
                    continue
                # The clock may have been set back.
                grid.unused_since = min(now, grid.unused_since or now)
                if now - grid.unused_since >= _GRACE:
                    grid.own.close()
                    del self._grids[key]

    @property
    def monitors(self) -> dict[str, SharedMonitor]:
        """What is to be polled, by name."""
        return {grid.name: grid.monitor for grid in self._all()}

    def views(self, now: datetime) -> tuple[GridView, ...]:
        """Return what is known of each grid."""
        return tuple(self._view(grid, now) for grid in self._all())

    def _all(self) -> list[_Grid]:
        with self._changing:
            return list(self._grids.values())

    def _view(self, grid: _Grid, now: datetime) -> GridView:
        with self._changing:
            searches = tuple(sorted(grid.searches))
        return GridView(
            name=grid.name,
            observation=grid.own.observe(now, with_forecast=not self._simulated),
            health=grid.own.health(now),
            forecast_error=grid.monitor.forecast_error(now),
            searches=searches,
        )

    def _grid(self, settings: GridSettings) -> _Grid:
        """Return a grid that is looked at from now on, if it is not already."""
        accounting = settings.accounting
        parts = (settings.carbon_source, settings.forecaster, settings.forecasting)
        key = repr((*parts, accounting.poll_interval, accounting.lookback))
        known = self._known(key)
        if known is not None:
            return known
        with self._making:
            known = self._known(key)
            if known is not None:
                return known
            monitor = SharedMonitor(make_monitor(settings, self._clock, self._archive), inline=self._simulated)
            grid = _Grid(self._unused(_name(settings.carbon_source)), monitor, monitor.view())
            with self._changing:
                self._grids[key] = grid
            return grid

    def _known(self, key: str) -> _Grid | None:
        with self._changing:
            grid = self._grids.get(key)
            if grid is not None:
                # Whoever asks for it is about to use it.
                grid.unused_since = None
            return grid

    def _unused(self, name: str) -> str:
        taken = {grid.name for grid in self._all()}
        numbered: Iterable[str] = (name, *(f"{name} ({number})" for number in range(2, len(taken) + 2)))
        return next(each for each in numbered if each not in taken)


def _name(source: PluginChoice) -> str:
    zone = source.options.get("zone")
    return source.use if zone is None else f"{source.use} {zone}"
