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
"""Orders that may wait; whoever comes then asks again later."""

_MOST_BYTES, _MOST_KEPT = 8_000_000, 200
"""Of compressed pictures that are kept, and how many sets of them."""

_log = logging.getLogger(__name__)


class ChartError(Exception):
    """A chart can't be had now; one sentence."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as it can be had now.

    Attributes:
        content: SVG; `None` while it is being drawn for the first time.
        current: Whether it shows the version that was asked for; another one is on its way otherwise.
    """

    content: bytes | None
    current: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    version: str
    drawn_at_s: float
    pictures: Mapping[str, bytes]
    problem: str | None = None

    @property
    def size(self) -> int:
        return sum(map(len, self.pictures.values()))


class ChartRoom:
    """Gives charts as SVG. Any thread may ask, and none waits: browsers keep few connections to a server, and news needs one, too.

    Args:
        store_path: The store that searches are read from.
        draw: Carries out an order and returns pictures by name.
        monotonic: Reads a monotonic clock, seconds.
        start: Has something done beside everything else.
    """

    def __init__(
        self,
        store_path: Path,
        draw: Draw | None = None,
        monotonic: Callable[[], float] = monotonic_s,
        start: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._store_path = store_path
        self._draw = draw or draw_in_process
        self._monotonic = monotonic
        self._start = start or _in_a_thread
        self._guard = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._orders: dict[Hashable, tuple[str, Mapping[str, Any]]] = {}
        self._drawing = False

    def of_search(self, search_id: str, name: str, version: str, look: Look) -> Chart:
        """Return a figure of a search.

        Args:
            search_id: The search.
            name: The figure's name in the report.
            version: Names the state of the search. A search that changes fast is drawn every 20 s at most.
            look: How to draw it.

        Raises:
            ChartError: If it could not be drawn.
            KeyError: If the search has no such figure.
        """
        order = {"store": str(self._store_path), "search": search_id}
        return self._chart((search_id, look), version, order, look, name)

    def of_grid(self, grid: str, rows: GridRows, look: Look) -> Chart:
        """Return the chart of a grid; as `of_search`."""
        order = {"known": rows.known, "expected": rows.expected, "now": rows.now}
        return self._chart((None, grid, look), rows.version, order, look, "grid")

    def _chart(self, key: Hashable, version: str, order: Mapping[str, Any], look: Look, name: str) -> Chart:
        kept = self._find(key)
        if kept is None or self._is_due(kept, version):
            self._ask(key, version, {**order, "scheme": look.scheme.value, "size": look.size.value})
            kept = self._find(key)
        if kept is None:
            return Chart(None, current=False)
        if kept.problem is not None:
            raise ChartError(kept.problem)
        return Chart(zlib.decompress(kept.pictures[name]), kept.version == version)

    def _find(self, key: Hashable) -> _Kept | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _is_due(self, kept: _Kept, version: str) -> bool:
        outdated = kept.version != version or kept.problem is not None
        return outdated and self._monotonic() - kept.drawn_at_s >= _FRESH_S

    def _ask(self, key: Hashable, version: str, order: Mapping[str, Any]) -> None:
        with self._guard:
            if key in self._orders or len(self._orders) >= _MOST_WAITING:
                return
            self._orders[key] = version, order
            if self._drawing:
                return
            self._drawing = True
        self._start(self._work)

    def _work(self) -> None:
        """Carry out the orders one after the other, until there are none."""
        while (first := self._next()) is not None:
            key, version, order = first
            try:
                kept = self._drawn(version, order)
            except BaseException:
                self._give_up()
                raise
            self._keep(key, kept)

    def _next(self) -> tuple[Hashable, str, Mapping[str, Any]] | None:
        with self._guard:
            for key, (version, order) in self._orders.items():
                return key, version, order
            self._drawing = False
            return None

    def _give_up(self) -> None:
        """Forget all orders, so that those who come again start anew."""
        with self._guard:
            self._orders.clear()
            self._drawing = False

    def _drawn(self, version: str, order: Mapping[str, Any]) -> _Kept:
        try:
            pictures = self._draw(order)
        except ChartError as error:
            return _Kept(version, self._monotonic(), {}, str(error))
        packed = {name: zlib.compress(picture.encode()) for name, picture in pictures.items()}
        return _Kept(version, self._monotonic(), packed)

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        with self._guard:
            del self._orders[key]
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and (
                len(self._kept) > _MOST_KEPT or sum(each.size for each in self._kept.values()) > _MOST_BYTES
            ):
                self._kept.popitem(last=False)


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="charts", daemon=True).start()


def draw_in_process(order: Mapping[str, Any]) -> Pictures:
    """Let a process of its own carry out an order.

    Raises:
        ChartError: If it fails, or takes too long.
    """
    command = [sys.executable, "-P", "-m", "carbonnas.web.charts_worker"]
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
    except OSError as error:
        raise ChartError(f"no process can be started to draw the chart: {error.strerror}") from error
    if done.returncode != 0:
        _log.error("a chart could not be drawn: %s", done.stderr.strip()[-2000:])
        raise ChartError("the chart could not be drawn; the log says why")
    answer = json.loads(done.stdout)
    if "problem" in answer:
        raise ChartError(answer["problem"])
    pictures: dict[str, str] = answer["pictures"]
    return pictures
