"""Charts of the dashboard: drawn by a process of their own, one at a time, and kept until what they show has changed."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbon_sources.clock import monotonic_s
from carbonnas.execution.child import ChildError, ask_child
from carbonnas.web.charts_look import Look
from carbonnas.web.charts_rows import GridRows

Pictures = Mapping[str, str]
Draw = Callable[[Mapping[str, Any]], Pictures]

_FRESH_S = 20.0
"""However fast a search changes, in the long run its charts are not drawn again sooner."""

_FIRST_S = 2.5
"""A chart that was drawn for the first time may be drawn again after that; each time it is drawn the time doubles, up to `_FRESH_S`."""

_LONGEST_S = 600.0
"""It takes seconds, and many times as long where work of searches, which goes first, takes all processors."""

_MOST_WAITING = 8
"""Orders that may wait; whoever comes then asks again later."""

_MOST_BYTES, _MOST_KEPT = 8_000_000, 200
"""Of compressed pictures that are kept, and how many sets of them."""


_FAILED = "the chart could not be drawn"

_log = logging.getLogger(__name__)


class ChartError(Exception):
    """A chart can't be had now; one sentence."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as it can be had now.

    Attributes:
        content: SVG; `None` while it is being drawn for the first time.
        current: Whether it shows the version that was asked for; another one is on its way otherwise.
        again_s: Seconds until it may be drawn again; 0 if it is being drawn, or could be.
    """

    content: bytes | None
    current: bool
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kept:
    version: str
    drawn_at_s: float
    holds_s: float
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
            version: Names the state of the search. A search that changes fast is drawn every 20 s at most, but for the first
                few times.
            look: How to draw it.

        Raises:
            ChartError: If it could not be drawn, or can't be at the moment.
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
        current = kept.version == version
        again_s = 0.0 if current else max(0.0, kept.drawn_at_s + kept.holds_s - self._monotonic())
        return Chart(zlib.decompress(kept.pictures[name]), current, again_s)

    def _find(self, key: Hashable) -> _Kept | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _is_due(self, kept: _Kept, version: str) -> bool:
        outdated = kept.version != version or kept.problem is not None
        return outdated and self._monotonic() - kept.drawn_at_s >= kept.holds_s

    def _ask(self, key: Hashable, version: str, order: Mapping[str, Any]) -> None:
        with self._guard:
            if key in self._orders or len(self._orders) >= _MOST_WAITING:
                return
            self._orders[key] = version, order
            if self._drawing:
                return
            self._drawing = True
        try:
            self._start(self._work)
        except BaseException:
            self._give_up()
            raise

    def _work(self) -> None:
        """Carry out the orders one after the other, until there are none."""
        while (first := self._next()) is not None:
            key, version, order = first
            try:
                kept = self._drawn(version, order, self._find(key))
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

    def _drawn(self, version: str, order: Mapping[str, Any], before: _Kept | None) -> _Kept:
        begun_s = self._monotonic()
        try:
            pictures = self._draw(order)
        except ChartError as error:
            return _Kept(version, self._monotonic(), _FRESH_S, {}, str(error))
        except (ValueError, KeyError):
            _log.exception(_FAILED)
            return _Kept(version, self._monotonic(), _FRESH_S, {}, f"{_FAILED}; the daemon's log says why")
        drawn_at_s = self._monotonic()
        packed = {name: zlib.compress(picture.encode()) for name, picture in pictures.items()}
        holds_s = _FIRST_S if before is None else min(_FRESH_S, 2 * before.holds_s)
        # Drawing never takes more than half of the time.
        return _Kept(version, drawn_at_s, max(holds_s, drawn_at_s - begun_s), packed)

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
    try:
        threading.Thread(target=work, name="charts", daemon=True).start()
    except RuntimeError as error:
        raise ChartError(f"{_FAILED}: {error}; it is tried again when it is asked for") from error


def draw_in_process(order: Mapping[str, Any]) -> Pictures:
    """Let a process of its own carry out an order.

    Raises:
        ChartError: If it fails, or takes too long.
    """
    try:
        told = ask_child("carbonnas.web.charts_worker", order, what=_FAILED, longest_s=_LONGEST_S)
    except ChildError as error:
        raise ChartError(str(error)) from error
    answer = json.loads(told)
    if "problem" in answer:
        raise ChartError(answer["problem"])
    pictures: dict[str, str] = answer["pictures"]
    return pictures
