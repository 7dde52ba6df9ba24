"""Charts of the dashboard: drawn by a process of their own, one at a time, and kept until what they show has changed."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbon_sources.clock import monotonic_s
from carbonnas.web.charts_look import Look
from carbonnas.web.charts_rows import GridRows

Pictures = Mapping[str, str]
Draw = Callable[[Mapping[str, Any]], Pictures]

_FRESH_S = 20.0
"""However fast a search changes, its charts are not drawn again sooner."""

_LONGEST_S = 120.0
"""The charts of the longest searches take a quarter of it."""

_MOST_WAITING = 8
"""Requests that may wait for a chart; each holds a thread of the server."""

_MOST_BYTES = 8_000_000
"""Of compressed pictures that are kept."""

_log = logging.getLogger(__name__)


class ChartError(Exception):
    """A chart can't be had now; one sentence."""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: str
    drawn_at_s: float
    pictures: Mapping[str, bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.pictures.values()))


class ChartRoom:
    """Gives charts as SVG. Any thread may ask.

    Args:
        store_path: The store that searches are read from.
        draw: Carries out an order and returns pictures by name.
        monotonic: Reads a monotonic clock, seconds.
    """

    def __init__(
        self, store_path: Path, draw: Draw | None = None, monotonic: Callable[[], float] = monotonic_s
    ) -> None:
        self._store_path = store_path
        self._draw = draw or draw_in_process
        self._monotonic = monotonic
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._guard = threading.Lock()
        self._drawing = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def of_search(self, search_id: str, name: str, version: str, look: Look) -> bytes:
        """Return a figure of a search.

        Args:
            search_id: The search.
            name: The figure's name in the report.
            version: Names the state of the search; a picture of another one is given only if it is newer than 20 s.
            look: How to draw it.

        Raises:
            ChartError: If it can't be drawn, or too many wait for charts.
            KeyError: If the search has no such figure.
        """
        order = {"store": str(self._store_path), "search": search_id}
        return self._picture((search_id, look), version, order, look, name)

    def of_grid(self, grid: str, rows: GridRows, version: str, look: Look) -> bytes:
        """Return the chart of a grid; as `of_search`."""
        order = {"known": rows.known, "expected": rows.expected, "now": rows.now}
        return self._picture((None, grid, look), version, order, look, "grid")

    def _picture(self, key: Hashable, version: str, order: Mapping[str, Any], look: Look, name: str) -> bytes:
        kept = self._fitting(key, version)
        if kept is None:
            if not self._waiting.acquire(blocking=False):
                raise ChartError("too many charts are being waited for; reload the page in a moment")
            try:
                with self._drawing:
                    # whoever waited may find what it came for
                    kept = self._fitting(key, version) or self._drawn(key, version, order, look)
            finally:
                self._waiting.release()
        return zlib.decompress(kept.pictures[name])

    def _fitting(self, key: Hashable, version: str) -> _Kept | None:
        with self._guard:
            kept = self._kept.get(key)
            if kept is None or (kept.version != version and self._monotonic() - kept.drawn_at_s >= _FRESH_S):
                return None
            self._kept.move_to_end(key)
            return kept

    def _drawn(self, key: Hashable, version: str, order: Mapping[str, Any], look: Look) -> _Kept:
        pictures = self._draw({**order, "scheme": look.scheme.value, "size": look.size.value})
        kept = _Kept(
            version,
            self._monotonic(),
            {name: zlib.compress(picture.encode()) for name, picture in pictures.items()},
        )
        with self._guard:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while sum(each.size for each in self._kept.values()) > _MOST_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return kept


def draw_in_process(order: Mapping[str, Any]) -> Pictures:
    """Let a process of its own carry out an order.

    Raises:
        ChartError: If it fails, or takes too long.
    """
    command = [sys.executable, "-m", "carbonnas.web.charts_worker"]
    try:
        done = subprocess.run(  # noqa: S603 # our own module
            command,
            input=json.dumps({**order, "parent": os.getpid()}),
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChartError(f"the chart could not be drawn in {_LONGEST_S:.0f} s") from None
    if done.returncode != 0:
        _log.error("a chart could not be drawn: %s", done.stderr.strip()[-2000:])
        raise ChartError("the chart could not be drawn; the log says why")
    answer = json.loads(done.stdout)
    if "problem" in answer:
        raise ChartError(answer["problem"])
    pictures: dict[str, str] = answer["pictures"]
    return pictures
