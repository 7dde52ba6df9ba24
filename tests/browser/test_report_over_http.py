"""The report as the daemon serves it: complete, and shut off from the daemon whatever ran in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.browser.watch import Watch, patient_context
from tests.carbonnas.web.sketch import SketchControl, daemon_view, make_world

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of the report of a search that has ended."""
    world = make_world(tmp_path)
    shelf = Shelf(world.store)
    server = WebServer(create_app(SketchControl(daemon_view(world)), shelf, WebSettings()), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.start()}/api/searches/{world.ended}/report"
    server.stop()
    shelf.close()


def opened(browser: Browser, address: str) -> tuple[Page, Watch]:
    context, watch = patient_context(browser), Watch(address)
    watch.begin(context)
    page = context.new_page()
    page.goto(address)
    page.locator("svg, canvas").first.wait_for()
    return page, watch


def test_its_figures_are_drawn_without_a_complaint_or_another_request(browser: Browser, address: str) -> None:
    page, watch = opened(browser, address)
    page.wait_for_function("document.querySelectorAll('svg, canvas').length >= 5")
    watch.require_nothing()
    page.context.close()


def test_a_script_in_it_could_not_reach_the_daemon(browser: Browser, address: str) -> None:
    page, _ = opened(browser, address)
    assert page.evaluate("window.origin") == "null"
    fetched = "fetch('/api/status').then(() => 'reached', () => 'refused')"
    assert page.evaluate(fetched) == "refused"
    read = "(() => { try { return document.cookie } catch { return 'refused' } })()"
    assert page.evaluate(read) == "refused"
    page.context.close()
