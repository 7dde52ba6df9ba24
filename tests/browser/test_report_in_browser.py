"""The report as a person sees it: in a real Chromium, from a file, without a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from carbonnas.record import SearchRecord, SearchState
from carbonnas.report.render import ReportFormat, render
from carbonnas.report.testing import made_up_record
from tests.browser.watch import Watch, patient_context

pytestmark = pytest.mark.browser

_FIGURES = ("timeline", "emissions", "progress", "front", "trials")
_HOSTILE = "</script><script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"


@dataclass
class Opened:
    """A page and what watches it."""

    page: Page
    watch: Watch


def _empty(record: SearchRecord) -> SearchRecord:
    return replace(
        record,
        state=SearchState.RUNNING,
        stop_reason=None,
        ended_at=None,
        trials=(),
        decisions=(),
        entries=(),
        measured=(),
        budgets=(),
    )


def _open(browser: Browser, record: SearchRecord, folder: Path, *, width: int = 1280, scheme: str = "light") -> Opened:
    path = folder / "report.html"
    path.write_text(render(record, ReportFormat.HTML), encoding="utf-8")
    context = patient_context(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    watch = Watch("file://")
    watch.begin(context)
    opened = Opened(context.new_page(), watch)
    opened.page.goto(path.resolve().as_uri())
    opened.page.locator(f'html[data-drawn="{width}"]').wait_for(state="attached")
    return opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_figure_is_drawn_without_network_or_errors(
    browser: Browser, artifacts: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    opened = _open(browser, made_up_record(), tmp_path, width=width, scheme=scheme)
    for name in _FIGURES:
        drawn = opened.page.locator(f"#figure-{name} svg").first
        box = drawn.bounding_box()
        assert box is not None, f"{name} is not drawn"
        assert box["width"] > 200, f"{name} is {box['width']} pixels wide"
        assert box["height"] > 100, f"{name} is {box['height']} pixels high"
        assert box["x"] + box["width"] <= width, f"{name} is wider than the page"
        assert opened.page.locator(f"#figure-{name} svg path").count() > 2, f"{name} has no marks"
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.page.screenshot(path=artifacts / f"report-{width}-{scheme}.png", full_page=True)
    opened.watch.require_nothing()
    opened.page.context.close()


def test_names_that_try_to_run_do_not(browser: Browser, tmp_path: Path) -> None:
    record = made_up_record(hours=12, name=_HOSTILE)
    trials = tuple(replace(trial, key=_HOSTILE) for trial in record.trials)
    opened = _open(browser, replace(record, trials=trials, config=_HOSTILE, clock=_HOSTILE), tmp_path)
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator("h1").inner_text() == _HOSTILE
    opened.watch.require_nothing()
    opened.page.context.close()


def test_a_search_that_has_just_begun_is_shown(browser: Browser, artifacts: Path, tmp_path: Path) -> None:
    opened = _open(browser, _empty(made_up_record()), tmp_path)
    for name in _FIGURES:
        assert opened.page.locator(f"#figure-{name} svg").count() == 1
    opened.page.screenshot(path=artifacts / "report-begun.png", full_page=True)
    opened.watch.require_nothing()
    opened.page.context.close()


def test_a_tooltip_tells_the_reason_of_a_decision(browser: Browser, tmp_path: Path) -> None:
    opened = _open(browser, made_up_record(), tmp_path)
    opened.page.locator("#figure-timeline svg .mark-symbol.role-mark path").first.hover()
    tip = opened.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "g/kWh is" in tip.inner_text()
    opened.page.context.close()


def test_figures_follow_the_width_of_the_window(browser: Browser, tmp_path: Path) -> None:
    opened = _open(browser, made_up_record(), tmp_path)
    opened.page.set_viewport_size({"width": 500, "height": 900})
    opened.page.locator('html[data-drawn="500"]').wait_for(state="attached")
    box = opened.page.locator("#figure-timeline svg").bounding_box()
    assert box is not None
    assert 300 < box["width"] < 500
    opened.watch.require_nothing()
    opened.page.context.close()
