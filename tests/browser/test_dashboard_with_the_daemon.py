"""The dashboard with nothing made up: the real daemon as a process, a search that trains networks, a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from carbon_sources.clock import monotonic_s
from carbonnas.daemon.lock import find_daemon
from carbonnas.record import SearchState, StopReason
from carbonnas.testing.daemon_process import DaemonProcess
from carbonnas.testing.exactly_once import records
from carbonnas.trials import Trial, TrialState
from tests.browser.watch import DRAWN, PATIENCE_MS, Watch, findings, patient_context

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.torch]

NAME = "Small & <b>real</b>"
SEARCH = f"""
[search]
name = "{NAME}"
seed = 3
slots = 1
rounds = 200
score_per_round = 2
train_per_round = 2
epochs = 2
full_epochs = 2
rank_by = ["params", "macs"]

[space]
use = "small_conv"

[strategy]
use = "reinforce"

[scoring]
use = "proxies"
proxies = ["params", "macs"]

[training]
use = "training"

[carbon_source]
use = "constant"
g_per_kwh = 300

[scheduler]
use = "carbon_blind"

[[budgets]]
limit = "10 g"
"""
DAEMON = """
[daemon]
slots = 2

[[budgets]]
name = "day"
window = "day"
limit = "10 g"
"""


@dataclass
class Visitor:
    """A person before the dashboard of a daemon."""

    page: Page
    daemon: DaemonProcess
    base: str
    artifacts: Path

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self) -> None:
        self.open("/login")
        assert findings(self.page) == []
        self.page.get_by_label("Token of the daemon").fill((self.daemon.state / "token").read_text(encoding="utf-8"))
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.base}/")

    def submit(self, folder: Path) -> str:
        """Submit the search and return the path of its page."""
        self.open("/searches")
        self.page.get_by_label("Configuration, TOML").fill(SEARCH)
        self.page.get_by_label("Folder").fill(str(folder))
        self.page.get_by_label("Labels").fill("vision")
        self.page.get_by_role("button", name="Submit").click()
        self.page.wait_for_url("**/searches/small-*")
        return self.page.url.removeprefix(self.base)

    def require_progress_without_a_reload(self) -> None:
        """See one more training end on the page that is open."""
        self.page.evaluate("window.here = true")
        before = self.trained()
        self.until(lambda: self.trained() > before, "one more training ends")
        assert self.page.evaluate("window.here") is True

    def trained(self) -> int:
        """Return how many trainings have ended as the page has it; 0 while it says nothing of them."""
        told = self.page.locator("#progress .progress", has_text="Trained").locator(".number").all_inner_texts()
        return int(told[0].partition(" of ")[0]) if told else 0

    def require_phase(self, word: str) -> None:
        expect(self.page.locator("#which .phase")).to_have_text(word, timeout=PATIENCE_MS)

    def trials(self) -> tuple[Trial, ...]:
        """Return the trials as the store has them."""
        (record,) = records(self.daemon.state)
        return tuple(record.trials)

    def look_around(self, search: str, width: int, scheme: str) -> None:
        """Look at each page on a screen of some width, in light or dark, and keep a picture of it."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        paths = {"now": "/", "searches": "/searches", "search": search, "budgets": "/budgets", "sources": "/sources"}
        for name, path in paths.items():
            self.open(path)
            self.page.wait_for_selector('html[data-live="yes"]')
            self.until(lambda: bool(self.page.evaluate(DRAWN)), f"the charts of {path} are drawn")
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert findings(self.page) == [], name
            self.page.screenshot(path=self.artifacts / f"daemon-{name}-{width}-{scheme}.png", full_page=True)

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait until something can be seen."""
        until_s = monotonic_s() + PATIENCE_MS / 1000
        while not look():
            assert monotonic_s() < until_s, f"{what}: not in time; the daemon's log:\n{self.daemon.last_words()}"
            self.page.wait_for_timeout(100)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon that serves; one that a test leaves behind is killed, and the kernel ends its workers with it."""
    process = DaemonProcess(tmp_path / "daemon", DAEMON)
    try:
        assert process.start() is not None, process.last_words()
        yield process
    finally:
        if process.process.poll() is None:
            process.kill()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = patient_context(browser)
    yield opened
    opened.close()


def test_a_real_search_is_submitted_followed_paused_resumed_cancelled_and_read(
    daemon: DaemonProcess, context: BrowserContext, artifacts: Path, tmp_path: Path
) -> None:
    owner = find_daemon(daemon.state)
    assert owner is not None
    assert owner.address is not None
    watch = Watch(f"{owner.address}/")
    watch.begin(context)
    visitor = Visitor(context.new_page(), daemon, owner.address, artifacts)
    visitor.sign_in()
    search = visitor.submit(tmp_path)
    visitor.require_phase("running")
    visitor.require_progress_without_a_reload()
    visitor.look_around(search, 1280, "light")
    pause(visitor, search)
    resume(visitor, search)
    cancel(visitor)
    read_report(visitor)
    watch.require_nothing()
    assert daemon.stop() == 0


def pause(visitor: Visitor, search: str) -> None:
    """Pause the search; nothing is done for it while every page is looked at on a phone in the dark."""
    visitor.open(search)
    visitor.page.get_by_role("button", name="Pause").click()
    visitor.require_phase("paused")
    expect(visitor.page.locator("#running-table")).to_have_count(0, timeout=PATIENCE_MS)
    rested = visitor.trials()
    assert all(trial.state is not TrialState.RUNNING for trial in rested)
    visitor.look_around(search, 390, "dark")
    assert visitor.trials() == rested


def resume(visitor: Visitor, search: str) -> None:
    visitor.open(search)
    visitor.page.get_by_role("button", name="Resume").click()
    visitor.require_phase("running")
    visitor.require_progress_without_a_reload()


def cancel(visitor: Visitor) -> None:
    """Cancel the search, which asks first."""
    visitor.page.locator("#cancelling summary").click()
    visitor.require_phase("running")
    visitor.page.get_by_role("button", name="Yes, cancel this search").click()
    visitor.require_phase("ended")
    expect(visitor.page.locator("#why")).to_have_text("Stopped: a person cancelled it.", timeout=PATIENCE_MS)
    assert findings(visitor.page) == []
    (record,) = records(visitor.daemon.state)
    assert (record.state, record.stop_reason) == (SearchState.STOPPED, StopReason.CANCELLED)


def read_report(visitor: Visitor) -> None:
    with visitor.page.context.expect_page() as opening:
        visitor.page.get_by_role("link", name="page (new tab)").click()
    report = opening.value
    report.locator("html[data-drawn]").wait_for(state="attached")
    assert report.locator("h1").inner_text() == NAME
    assert report.locator("#figure-timeline svg").count() == 1
