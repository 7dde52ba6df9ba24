"""Charts are drawn in a process of their own, one at a time, and kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI

from carbonnas.web.charts import ChartError, ChartRoom, draw_in_process
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
    """Draws nothing, and notes what it was asked for; `time` is what its clock shows, in seconds."""

    def __init__(self) -> None:
        self.orders: list[Mapping[str, Any]] = []
        self.time = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def draw(self, order: Mapping[str, Any]) -> Mapping[str, str]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.go_on.wait(10)
        self.orders.append(order)
        self.at_once -= 1
        return {"grid": f"<svg>{len(self.orders)}</svg>", "front": "<svg/>"}

    def room(self) -> ChartRoom:
        return ChartRoom(Path("store"), self.draw, lambda: self.time)


def test_a_chart_is_drawn_once_for_each_version_and_look() -> None:
    hand = _Hand()
    room = hand.room()
    assert room.of_grid("one", _EMPTY, "a", _LIGHT) == room.of_grid("one", _EMPTY, "a", _LIGHT) == b"<svg>1</svg>"
    room.of_grid("one", _EMPTY, "a", _DARK)
    room.of_grid("two", _EMPTY, "a", _LIGHT)
    assert [order["scheme"] for order in hand.orders] == ["light", "dark", "light"]


def test_what_changes_fast_is_drawn_every_twenty_seconds_at_most() -> None:
    hand = _Hand()
    room = hand.room()
    for second in range(61):
        hand.time = float(second)
        room.of_grid("one", _EMPTY, str(second), _LIGHT)
    assert len(hand.orders) == 4  # at 0, 20, 40 and 60 s


def test_one_chart_is_drawn_at_a_time_and_whoever_waited_gets_the_same() -> None:
    hand = _Hand()
    room = hand.room()
    hand.go_on.clear()
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(room.of_grid("one", _EMPTY, "a", _LIGHT))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    hand.go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [b"<svg>1</svg>"] * 6
    assert (len(hand.orders), hand.most_at_once) == (1, 1)


def test_of_many_who_wait_some_are_sent_away() -> None:
    hand = _Hand()
    room = hand.room()
    hand.go_on.clear()
    refused: list[str] = []
    counted = threading.Semaphore(0)

    def ask(number: int) -> None:
        try:
            room.of_grid(str(number), _EMPTY, "a", _LIGHT)
        except ChartError as error:
            refused.append(str(error))
            counted.release()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    assert all(counted.acquire(timeout=10) for _ in range(4))  # 12 ask, 8 may wait
    hand.go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(refused) == 4
    assert "reload the page" in refused[0]


def test_charts_that_fail_are_tried_again() -> None:
    def fail(order: Mapping[str, Any]) -> Mapping[str, str]:
        raise ChartError("no ink")

    room = ChartRoom(Path("store"), fail)
    for _ in range(20):
        with pytest.raises(ChartError, match="no ink"):
            room.of_grid("one", _EMPTY, "a", _LIGHT)


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
    room = ChartRoom(world.store)
    assert room.of_search(world.ended, "front", "ended", _LIGHT).startswith(b"<svg")
    with pytest.raises(KeyError):
        room.of_search(world.ended, "nothing", "ended", _LIGHT)


@pytest.mark.slow
def test_the_process_tells_in_a_sentence_what_it_can_not_draw(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="no search"):
        draw_in_process({"store": str(tmp_path / "store.db"), "search": "none", "scheme": "light", "size": "wide"})
    with pytest.raises(ChartError, match="the log says why"):
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
        answer = _get(control, shelf, hand.room(), path, size="narrow", scheme="dark", v="1")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
    assert _get(control, shelf, hand.room(), "/charts/grid.svg", name="trace.csv SUN").status_code == 200
    assert [order["size"] for order in hand.orders] == ["narrow", "narrow", "wide"]


def test_routes_draw_nothing_that_is_not_there(control: SketchControl, shelf: Shelf, world: World) -> None:
    hand, figures = _Hand(), f"/charts/searches/{world.ended}"
    assert _get(control, shelf, hand.room(), "/charts/grid.svg", name="none").status_code == 404
    assert _get(control, shelf, hand.room(), "/charts/searches/none/front.svg").status_code == 404
    assert _get(control, shelf, hand.room(), f"{figures}/secret.svg").status_code == 404
    assert _get(control, shelf, hand.room(), f"{figures}/front.svg", size="huge").status_code == 422
    assert hand.orders == []
    assert (
        _get(control, shelf, hand.room(), f"{figures}/progress.svg").status_code == 404
    )  # the hand has no such figure


def test_a_chart_that_can_not_be_had_is_told_and_may_be_asked_for_again(control: SketchControl, shelf: Shelf) -> None:
    def fail(order: Mapping[str, Any]) -> Mapping[str, str]:
        raise ChartError("no ink")

    answer = _get(control, shelf, ChartRoom(shelf.path, fail), "/charts/grid.svg", name="trace.csv SUN")
    assert (answer.status_code, answer.text) == (503, "no ink")
    assert "retry-after" in answer.headers
