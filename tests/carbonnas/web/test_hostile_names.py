"""Names that somebody chose to do harm stay names, in every answer."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonnas.report.render import ReportFormat
from carbonnas.web.app import create_app
from carbonnas.web.reports import report_response
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, live_view, make_report, make_world

NAME = "=cmd|'/c calc'!A1</script><script>evil()</script>\"'&"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose searches are all called `NAME`."""
    return make_world(tmp_path_factory.mktemp("hostile"), name=NAME)


@pytest.fixture
def client(hostile: World) -> Iterator[httpx.Client]:
    control, shelf = SketchControl(daemon_view(hostile)), Shelf(hostile.store, make_report)
    live = live_view(replace(hostile.active, name=NAME), hostile.status)
    labels = ("<script>evil()</script>", "a\r\nX-Evil: 1")
    control.change(lambda view: replace(view, searches=(replace(live, labels=labels, problem=NAME),), trouble=NAME))
    server = WebServer(create_app(control, shelf, WebSettings()), "127.0.0.1", 0)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.start()}", trust_env=False, timeout=60) as client:
        yield client
    server.stop()
    shelf.close()


def test_the_api_tells_them_as_data_that_no_browser_takes_for_a_page(client: httpx.Client, hostile: World) -> None:
    for path in ("/api/status", "/api/searches", f"/api/searches/{hostile.active.search_id}", "/api/budgets"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-evil" not in answer.headers
    live, ended = client.get("/api/searches").json()["searches"]
    assert live["name"] == ended["name"] == NAME
    assert live["labels"] == ["<script>evil()</script>", "a\r\nX-Evil: 1"]
    assert client.get("/api/status").json()["trouble"] == NAME


@pytest.mark.slow
def test_no_report_as_a_page_runs_them(client: httpx.Client, hostile: World) -> None:
    answer = client.get(f"/api/searches/{hostile.ended}/report")
    assert "<script>evil" not in answer.text
    assert answer.headers["content-disposition"] == f'inline; filename="{hostile.ended}.html"'


def test_no_report_carries_them_along_as_more_than_names(client: httpx.Client, hostile: World) -> None:
    path = f"/api/searches/{hostile.ended}/report"
    markdown = client.get(path, params={"format": "markdown"})
    assert "<script>evil" not in markdown.text.partition("```toml")[0]  # after it comes the configuration, as code
    assert markdown.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, params={"format": "json"}).json()["search"]["name"] == NAME
    for row in csv.reader(io.StringIO(client.get(path, params={"format": "csv"}).text)):
        assert not [cell for cell in row if cell.startswith(("=", "@", "+"))]


def test_ids_made_of_them_are_harmless(hostile: World) -> None:
    assert hostile.ended.isascii()
    assert hostile.ended.replace("-", "").isalnum()


class _Stub(Shelf):
    def __init__(self) -> None:
        """Open nothing."""

    def report(self, search_id: str, format: ReportFormat) -> bytes:  # noqa: A002 # as in the shelf
        return b""


@given(search_id=st.text(max_size=30))
def test_no_id_ends_the_header_that_names_the_file(search_id: str) -> None:
    disposition = report_response(_Stub(), search_id, ReportFormat.CSV).headers["content-disposition"]
    name = disposition.removeprefix('attachment; filename="').removesuffix('.csv"')
    assert re.fullmatch("[A-Za-z0-9_-]{1,100}", name)


@given(name=st.text(min_size=1, max_size=40).filter(lambda text: text not in {".", ".."}))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_whatever_stands_in_the_address_the_answer_is_a_sentence(name: str, reader: httpx.Client) -> None:
    path = "/api/searches/" + "".join(f"%{byte:02x}" for byte in name.encode(errors="replace"))
    answer = reader.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"detail"}


def test_a_sentence_that_repeats_them_is_data_too(app: FastAPI, operator: httpx.Client, control: SketchControl) -> None:
    answer = operator.post("/api/searches/%3Cscript%3E%0d%0aX-Evil:%201/pause")
    assert answer.status_code == 404
    assert "x-evil" not in answer.headers
    assert answer.headers["content-type"] == "application/json"
