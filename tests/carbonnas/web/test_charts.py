"""Charts are drawn in a process of their own, one at a time, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI

from carbonnas.web.charts import Chart, ChartError, ChartRoom, draw_in_process
from carbonnas.web.charts_look import Look, Scheme, Size
from carbonnas.web.charts_rows import GridRows, grid_rows
from carbonnas.web.charts_worker import drawn
from carbonnas.web.pages import pages_router
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl, World

_LIGHT = Look(Scheme.LIGHT, Size.WIDE)
_DARK = Look(Scheme.DARK, Size.WIDE)
_EMPTY = GridRows((), (), 0)


class _Hand:
    """Draws nothing, and notes what it was asked for; `time` is what its clock shows, in seconds; it works when it is told to."""

    def __init__(self) -> None:
        self.orders: list[Mapping[str, Any]] = []
        self.time = 0.0
        self.problem: str | None = None
        self.waiting: list[Callable[[], None]] = []

    def draw(self, order: Mapping[str, Any]) -> Mapping[str, str]:
        self.orders.append(order)
        if self.problem is not None:
            raise ChartError(self.problem)
        return {"grid": f"<svg>{len(self.orders)}</svg>", "front": "<svg/>"}

    def room(self) -> ChartRoom:
        """Return a room whose charts wait for `work`."""
        return ChartRoom(Path("store"), self.draw, lambda: self.time, self.waiting.append)

    def ready_room(self) -> ChartRoom:
        """Return a room whose charts are there at once."""
        return ChartRoom(Path("store"), self.draw, lambda: self.time, lambda work: work())

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def _rows(now: int) -> GridRows:
    return GridRows((), (), now)


def test_nobody_waits_for_a_chart_that_is_being_drawn() -> None:
    hand = _Hand()
    room = hand.room()
    assert room.of_grid("one", _rows(1), _LIGHT) == Chart(None, current=False)
    hand.work()
    assert room.of_grid("one", _rows(1), _LIGHT) == Chart(b"<svg>1</svg>", current=True)


def test_a_chart_is_drawn_once_for_each_version_and_look() -> None:
    hand = _Hand()
    room = hand.ready_room()
    for _ in range(3):
        room.of_grid("one", _EMPTY, _LIGHT)
    room.of_grid("one", _EMPTY, _DARK)
    room.of_grid("two", _EMPTY, _LIGHT)
    assert [order["scheme"] for order in hand.orders] == ["light", "dark", "light"]


def test_what_changes_fast_is_drawn_often_at_first_and_every_twenty_seconds_later() -> None:
    hand = _Hand()
    room = hand.ready_room()
    charts = []
    for second in range(80):
        hand.time = float(second)
        charts.append(room.of_grid("one", _rows(second), _LIGHT))
    drawn_at = [second for second, chart in enumerate(charts) if chart.current]
    # looked at each second: again after 2.5, 5, 10, 20 and 20 s
    assert drawn_at == [0, 3, 8, 18, 38, 58, 78]
    assert len(hand.orders) == len(drawn_at)
    # one second after the drawing at 18 s, which holds for 20 s
    assert charts[19].again_s == 19


def test_drawing_takes_no_more_than_half_of_the_time() -> None:
    hand = _Hand()

    def slowly(order: Mapping[str, Any]) -> Mapping[str, str]:
        hand.time += 30.0
        return hand.draw(order)

    room = ChartRoom(Path("store"), slowly, lambda: hand.time, lambda work: work())
    room.of_grid("one", _rows(1), _LIGHT)
    hand.time += 29.0
    assert not room.of_grid("one", _rows(2), _LIGHT).current
    hand.time += 1.0
    assert room.of_grid("one", _rows(2), _LIGHT).current


def test_an_older_chart_is_shown_while_a_new_one_is_drawn() -> None:
    hand = _Hand()
    room = hand.room()
    room.of_grid("one", _rows(1), _LIGHT)
    hand.work()
    hand.time = 30.0
    assert room.of_grid("one", _rows(2), _LIGHT) == Chart(b"<svg>1</svg>", current=False)
    hand.work()
    assert room.of_grid("one", _rows(2), _LIGHT) == Chart(b"<svg>2</svg>", current=True)


def test_charts_are_drawn_one_after_the_other_and_each_order_once() -> None:
    hand = _Hand()
    room = hand.room()
    for _ in range(3):
        for name in ("one", "two"):
            room.of_grid(name, _EMPTY, _LIGHT)
    assert len(hand.waiting) == 1  # one worker for all
    hand.work()
    assert len(hand.orders) == 2


def test_orders_that_are_too_many_are_forgotten_until_they_come_again() -> None:
    hand = _Hand()
    room = hand.room()
    for number in range(12):
        room.of_grid(str(number), _EMPTY, _LIGHT)
    hand.work()
    assert len(hand.orders) == 8
    assert room.of_grid("11", _EMPTY, _LIGHT).content is None
    hand.work()
    assert room.of_grid("11", _EMPTY, _LIGHT).current


def test_a_chart_that_failed_is_told_and_tried_again_after_a_while() -> None:
    hand = _Hand()
    hand.problem = "no ink"
    room = hand.ready_room()
    for second in range(20):
        hand.time = float(second)
        with pytest.raises(ChartError, match="no ink"):
            room.of_grid("one", _EMPTY, _LIGHT)
    assert len(hand.orders) == 1
    hand.time, hand.problem = 20.0, None
    assert room.of_grid("one", _EMPTY, _LIGHT).current


def test_a_mistake_in_drawing_does_not_end_it_for_ever() -> None:
    hand = _Hand()
    mistakes = [RuntimeError("a mistake")]

    def draw(order: Mapping[str, Any]) -> Mapping[str, str]:
        if mistakes:
            raise mistakes.pop()
        return hand.draw(order)

    room = ChartRoom(Path("store"), draw, lambda: 0.0, lambda work: work())
    with pytest.raises(RuntimeError, match="a mistake"):
        room.of_grid("one", _EMPTY, _LIGHT)
    assert room.of_grid("one", _EMPTY, _LIGHT).current


def test_a_room_that_could_not_begin_to_draw_tries_again_the_next_time() -> None:
    hand = _Hand()
    threads = [ChartError("there are no threads")]

    def start(work: Callable[[], None]) -> None:
        if threads:
            raise threads.pop()
        work()

    room = ChartRoom(Path("store"), hand.draw, lambda: 0.0, start)
    with pytest.raises(ChartError, match="no threads"):
        room.of_grid("one", _EMPTY, _LIGHT)
    assert room.of_grid("one", _EMPTY, _LIGHT).current


@pytest.mark.parametrize("mistake", [ValueError("no such colour"), KeyError("colour")])
def test_values_that_can_t_be_drawn_are_a_chart_s_own_trouble(
    caplog: pytest.LogCaptureFixture, mistake: Exception
) -> None:
    hand = _Hand()

    def draw(order: Mapping[str, Any]) -> Mapping[str, str]:
        if "search" in order:
            raise mistake
        return hand.draw(order)

    room = ChartRoom(Path("store"), draw, lambda: hand.time, lambda work: work())
    with pytest.raises(ChartError, match=r"^the chart could not be drawn; the daemon's log says why$"):
        room.of_search("a", "front", "1", _LIGHT)
    assert "colour" in caplog.text
    assert room.of_grid("one", _EMPTY, _LIGHT).current


def test_what_nobody_has_asked_for_lately_gives_way() -> None:
    hand = _Hand()
    room = hand.ready_room()
    for number in range(250):
        room.of_grid(str(number), _EMPTY, _LIGHT)
    room.of_grid("249", _EMPTY, _LIGHT)
    assert len(hand.orders) == 250
    room.of_grid("0", _EMPTY, _LIGHT)
    assert len(hand.orders) == 251


def test_every_figure_of_a_search_is_drawn_for_each_look(world: World) -> None:
    for look in (_LIGHT, Look(Scheme.DARK, Size.NARROW)):
        order = {"store": str(world.store), "search": world.ended, "scheme": look.scheme.value, "size": look.size.value}
        pictures = drawn(order)
        assert {"timeline", "emissions", "progress", "front"} <= pictures.keys()
        for picture in pictures.values():
            width = float(ET.fromstring(picture).attrib["width"])  # noqa: S314 # drawn here
            assert abs(width - 328) < 40 if look.size is Size.NARROW else 500 < width < 1100


def test_a_grid_is_drawn_with_and_without_anything_known(control: SketchControl) -> None:
    rows = grid_rows(control.view().grids[0].observation)
    assert rows.known
    for each in (rows, _EMPTY):
        pictures = drawn(
            {"known": each.known, "expected": each.expected, "now": each.now, "scheme": "dark", "size": "wide"}
        )
        assert pictures["grid"].startswith("<svg")


@pytest.mark.slow
def test_the_process_draws_what_it_is_asked_for(world: World) -> None:
    room = ChartRoom(world.store, start=lambda work: work())
    front = room.of_search(world.ended, "front", "ended", _LIGHT)
    assert front.current
    assert (front.content or b"").startswith(b"<svg")
    with pytest.raises(KeyError):
        room.of_search(world.ended, "nothing", "ended", _LIGHT)


@pytest.mark.slow
def test_the_process_tells_in_a_sentence_what_it_can_not_draw(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="no search"):
        draw_in_process({"store": str(tmp_path / "store.db"), "search": "none", "scheme": "light", "size": "wide"})
    with pytest.raises(ChartError, match="the daemon's log says why"):
        draw_in_process({"scheme": "light", "size": "wide"})


def test_neighbours_of_one_value_are_one_line_and_gaps_stay_gaps(control: SketchControl) -> None:
    observation = control.view().grids[0].observation
    flat = tuple(replace(each, g_per_kwh=100.0) for each in observation.series)
    gap = type(observation.series)((*flat[:-3], *flat[-2:]))
    rows = grid_rows(replace(observation, series=gap))
    assert len(rows.known) == 2
    assert rows.known[0][1] < rows.known[1][0]
    assert rows.version != grid_rows(observation).version


def _get(control: SketchControl, shelf: Shelf, charts: ChartRoom, path: str, **query: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        app = FastAPI()
        app.include_router(pages_router(control, shelf, charts))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://daemon") as client:
            return await client.get(path, params=query)

    return asyncio.run(ask())


def test_routes_give_charts_of_what_is_there(control: SketchControl, shelf: Shelf, world: World) -> None:
    hand = _Hand()
    for search_id in (world.active.search_id, world.ended):
        path = f"/charts/searches/{search_id}/front.svg"
        answer = _get(control, shelf, hand.ready_room(), path, size="narrow", scheme="dark", v="1")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["chart-state"] == "current"
    assert _get(control, shelf, hand.ready_room(), "/charts/grid.svg", name="trace.csv SUN").status_code == 200
    assert [order["size"] for order in hand.orders] == ["narrow", "narrow", "wide"]


def test_a_chart_that_is_being_drawn_is_a_picture_that_says_so(control: SketchControl, shelf: Shelf) -> None:
    answer = _get(control, shelf, _Hand().room(), "/charts/grid.svg", name="trace.csv SUN")
    assert answer.status_code == 202
    told = "".join(ET.fromstring(answer.text).itertext())  # noqa: S314 # drawn here
    assert told == "The chart of trace.csv SUN is being drawn …"
    assert answer.headers["retry-after"] == "2"
    assert "cache-control" not in answer.headers  # nothing is to be kept, as with every answer


def test_routes_draw_nothing_that_is_not_there(control: SketchControl, shelf: Shelf, world: World) -> None:
    hand, figures = _Hand(), f"/charts/searches/{world.ended}"
    assert _get(control, shelf, hand.room(), "/charts/grid.svg", name="none").status_code == 404
    assert _get(control, shelf, hand.room(), "/charts/searches/none/front.svg").status_code == 404
    assert _get(control, shelf, hand.room(), f"{figures}/secret.svg").status_code == 404
    assert _get(control, shelf, hand.room(), f"{figures}/front.svg", size="huge").status_code == 422
    assert hand.waiting == []
    room = hand.ready_room()
    assert _get(control, shelf, room, f"{figures}/progress.svg").status_code == 404  # the hand has no such figure


def test_a_chart_that_can_not_be_had_is_told_and_may_be_asked_for_again(control: SketchControl, shelf: Shelf) -> None:
    hand = _Hand()
    hand.problem = "no ink"
    answer = _get(control, shelf, hand.ready_room(), "/charts/grid.svg", name="trace.csv SUN")
    assert (answer.status_code, answer.text) == (503, "no ink")
    assert "retry-after" in answer.headers
