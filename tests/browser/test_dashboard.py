"""The dashboard as a person uses it: in a real Chromium, with a real server, by keyboard, on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from carbonnas.daemon.control import DaemonView, Phase
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.app import create_app
from carbonnas.web.server import WebServer
from carbonnas.web.settings import WebSettings
from carbonnas.web.shelf import Shelf
from tests.browser.watch import DRAWN, Watch, findings, patient_context, wait_until
from tests.carbonnas.web.sketch import SketchControl, World, daemon_view, make_world

pytestmark = pytest.mark.browser

_TOKEN = "t0ken-" + "x" * 32
_MOST_TABS = 60


@dataclass
class Opened:
    """A page of the dashboard and what watches it."""

    page: Page
    base: str
    world: World
    watch: Watch

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self) -> None:
        self.open("/login")
        self.page.get_by_label("Token of the daemon").fill(_TOKEN)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.base}/")

    def tab_to(self, selector: str) -> None:
        """Press the tabulator until something has the focus."""
        for _ in range(_MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement?.matches(selector)", selector):
                return
        raise AssertionError(f"the tabulator does not lead to {selector}")

    @property
    def search(self) -> str:
        """Path of the active search."""
        return f"/searches/{self.world.active.search_id}"

    @property
    def paths(self) -> dict[str, str]:
        """Paths of all pages by short names."""
        return {
            "now": "/",
            "searches": "/searches",
            "search": self.search,
            "ended": f"/searches/{self.world.ended}",
            "budgets": "/budgets",
            "sources": "/sources",
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def daemon(world: World) -> SketchControl:
    return SketchControl(daemon_view(world))


@pytest.fixture(scope="module")
def base(daemon: SketchControl, world: World) -> Iterator[str]:
    """The address of a server for all tests, so that charts are drawn once."""
    shelf = Shelf(world.store)
    server = WebServer(create_app(daemon, shelf, WebSettings(token=_TOKEN)), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.start()}"
    server.stop()
    shelf.close()


@pytest.fixture
def control(daemon: SketchControl, world: World) -> SketchControl:
    """The daemon as it was at first."""
    daemon.submitted.clear()
    daemon.change(lambda view: replace(daemon_view(world), version=view.version))
    return daemon


@pytest.fixture
def opened(browser: Browser, base: str, world: World, control: SketchControl) -> Iterator[Opened]:
    context = patient_context(browser, viewport={"width": 1280, "height": 900})
    yield _opened(context, base, world)
    context.close()


def _opened(context: BrowserContext, base: str, world: World) -> Opened:
    watch = Watch(f"{base}/")
    watch.begin(context)
    return Opened(context.new_page(), base, world, watch)


def _one_more_training(view: DaemonView) -> DaemonView:
    (search,) = view.searches
    assert search.status is not None
    done = (TrialKind.TRAIN, TrialState.COMPLETED)
    counts = {**search.status.counts, done: search.status.counts.get(done, 0) + 1}
    return replace(view, searches=(replace(search, status=replace(search.status, counts=counts)),))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_fits_and_can_be_used_by_everybody(
    browser: Browser, base: str, world: World, control: SketchControl, artifacts: Path, width: int, scheme: str
) -> None:
    context = patient_context(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = _opened(context, base, world)
    opened.open("/login")
    assert findings(opened.page) == []
    opened.sign_in()
    for name, path in opened.paths.items():
        opened.open(path)
        wait_until(opened.page, DRAWN)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert _small_targets(opened.page) == [], name
        assert findings(opened.page) == [], name
        opened.page.screenshot(path=artifacts / f"dashboard-{name}-{width}-{scheme}.png", full_page=True)
    opened.watch.require_nothing()
    context.close()


def _small_targets(page: Page) -> list[str]:
    """Return what can be clicked, is no part of a sentence, and is lower than 24 pixels."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, select, input:not([type=hidden]), textarea, nav a, a.button")]
            .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 24)
            .map(each => each.outerHTML)"""
    )
    return found


def test_progress_arrives_without_a_reload_and_leaves_the_reader_alone(opened: Opened, control: SketchControl) -> None:
    opened.sign_in()
    opened.open(opened.search)
    page = opened.page
    page.wait_for_selector('html[data-live="yes"]')
    page.evaluate("window.here = true")
    page.locator("#ranking summary").click()
    page.get_by_label("Priority, −100 to 100").fill("42")
    page.locator("#turn").focus()
    page.evaluate("scrollTo(0, 300)")
    assert "1 of 8" in page.locator("#progress").inner_text()
    picture = page.locator("#figure-front img").evaluate("image => image.currentSrc")
    control.change(_one_more_training)
    page.locator("#progress", has_text="2 of 8").wait_for()
    assert page.evaluate("window.here") is True
    assert page.evaluate("document.activeElement.id") == "turn"
    assert page.evaluate("scrollY") == 300
    assert page.get_by_label("Priority, −100 to 100").input_value() == "42"
    announced = page.locator("#live")
    announced.get_by_text("trained 2 of 8").wait_for()
    assert announced.get_attribute("aria-live") == "polite"
    wait_until(page, "before => document.querySelector('#figure-front img').currentSrc !== before", picture)
    wait_until(page, DRAWN)
    opened.watch.require_nothing()


def test_a_grid_that_comes_and_goes_does_so_without_a_reload(opened: Opened, control: SketchControl) -> None:
    opened.open("/")
    page = opened.page
    page.wait_for_selector('html[data-live="yes"]')
    page.evaluate("window.here = true")
    first = control.view().grids[0]
    second = replace(first, name="other.csv MOON")
    control.change(lambda view: replace(view, grids=(second, first)))
    page.get_by_role("heading", name="other.csv MOON").wait_for()
    names = page.locator("#grids h3").all_inner_texts()
    assert [name for name in names if ".csv" in name] == ["other.csv MOON", "trace.csv SUN"]
    control.change(lambda view: replace(view, grids=()))
    page.get_by_text("No carbon source is in use").wait_for()
    assert page.locator("#grids section").count() == 0
    control.change(lambda view: replace(view, grids=(first,)))
    page.get_by_role("heading", name="trace.csv SUN").wait_for()
    assert page.evaluate("window.here") is True


def test_charts_say_what_they_wait_for_and_come_with_the_first_training(opened: Opened, control: SketchControl) -> None:
    def fresh(view: DaemonView) -> DaemonView:
        search = view.searches[0]
        return replace(view, searches=(replace(search, status=None),))

    known = control.view().searches
    control.change(fresh)
    opened.open(opened.search)
    page = opened.page
    page.wait_for_selector('html[data-live="yes"]')
    assert page.locator(".figures picture").count() == 0
    assert "There is nothing to draw before the first step." in page.locator("#figure-front").inner_text()
    control.change(lambda view: replace(view, searches=known))
    page.locator("#figure-front picture").wait_for()
    opened.watch.require_nothing()


def test_a_form_that_is_being_filled_in_survives_a_change_of_phase(opened: Opened, control: SketchControl) -> None:
    opened.sign_in()
    opened.open(opened.search)
    page = opened.page
    page.wait_for_selector('html[data-live="yes"]')
    page.locator("#ranking summary").click()
    page.get_by_label("Priority, −100 to 100").fill("42")
    control.pause(opened.world.active.search_id)
    page.get_by_role("button", name="Resume").wait_for()
    assert page.get_by_label("Priority, −100 to 100").input_value() == "42"
    assert page.evaluate("document.activeElement.id") == "priority"
    opened.watch.require_nothing()


def test_a_search_is_paused_resumed_and_cancelled_by_keyboard(opened: Opened, control: SketchControl) -> None:
    opened.sign_in()
    opened.open(opened.search)
    page = opened.page
    for name, phase in (("Pause", Phase.PAUSED), ("Resume", Phase.RUNNING)):
        opened.tab_to("#turn")
        assert page.locator("#turn").inner_text() == name
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert control.view().searches[0].phase is phase
    opened.tab_to("#cancelling summary")
    page.keyboard.press("Enter")
    assert control.view().searches[0].phase is Phase.RUNNING  # it asks first
    opened.tab_to("#cancel")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert control.view().searches == ()
    opened.watch.require_nothing()


def test_a_search_is_submitted_in_the_browser(opened: Opened, control: SketchControl) -> None:
    opened.sign_in()
    opened.open("/searches")
    page = opened.page
    page.get_by_label("Configuration, TOML").fill(opened.world.active.config)
    page.get_by_label("Folder").fill(str(opened.world.state_folder.parent / "left"))
    page.get_by_label("Labels").fill("vision, team-b")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/searches/left")
    assert control.submitted[0].labels == ("vision", "team-b")


def test_the_report_opens_from_the_page_of_a_search(opened: Opened) -> None:
    opened.open(opened.paths["ended"])
    with opened.page.context.expect_page() as opening:
        opened.page.get_by_role("link", name="page (new tab)").click()
    report = opening.value
    report.locator("html[data-drawn]").wait_for(state="attached")
    assert report.locator("#figure-timeline svg").count() == 1
    opened.watch.require_nothing()


def test_the_first_tabulator_leads_past_the_navigation(opened: Opened) -> None:
    opened.open("/")
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "main"


def test_without_scripts_everything_but_news_is_there(
    browser: Browser, base: str, world: World, control: SketchControl
) -> None:
    context = patient_context(browser, java_script_enabled=False)
    opened = _opened(context, base, world)
    opened.sign_in()
    opened.open(opened.search)
    with opened.page.expect_navigation():
        opened.page.get_by_role("button", name="Pause").click()
    assert control.view().searches[0].phase is Phase.PAUSED
    assert "Reload the page to see news." in opened.page.locator("footer").inner_text()
    opened.watch.require_nothing()
    context.close()


def test_a_daemon_that_goes_away_is_told(
    opened: Opened, browser: Browser, control: SketchControl, world: World
) -> None:
    shelf = Shelf(world.store)
    server = WebServer(create_app(control, shelf, WebSettings(token=_TOKEN)), "127.0.0.1", 0)
    opened.page.goto(f"http://127.0.0.1:{server.start()}/")
    opened.page.wait_for_selector('html[data-live="yes"]')
    server.stop()
    shelf.close()
    opened.page.get_by_text("The connection to the daemon is lost").wait_for()
    assert "248 g/kWh" in opened.page.locator("main").inner_text()  # the last that was known stays
