"""What every test in a browser looks at and waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # ships no type information
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError

from carbon_sources.clock import monotonic_s

PATIENCE_MS = 300_000.0
"""Everything takes seconds, or much longer on a machine with other things to do."""

DRAWN = "[...document.images].every(image => image.complete && image.naturalHeight > 150)"
"""Whether all charts are there: while one is being drawn another picture of this height says so."""


@dataclass
class Watch:
    """What went out or wrong on the pages of a browser.

    Attributes:
        inside: How addresses begin that pages may ask for.
        outside: The others that were asked for.
        errors: Complaints of the browser and of scripts, and answers that were refusals.
    """

    inside: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def begin(self, context: BrowserContext) -> None:
        """Look at all pages of a context from now on."""

        def asked(request: Request) -> None:
            if not request.url.startswith((self.inside, "data:")):
                self.outside.append(request.url)

        def answered(response: Response) -> None:
            if response.status >= 400:
                self.errors.append(f"{response.status} for {response.url}")

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.errors.append(message.text)

        def raised(error: WebError) -> None:
            self.errors.append(str(error.error))

        context.on("request", asked)
        context.on("response", answered)
        context.on("console", said)
        context.on("weberror", raised)

    def require_nothing(self) -> None:
        """Hold that nothing did."""
        assert self.outside == []
        assert self.errors == []


def patient_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a new context, with options as Playwright has them, in which nothing is given up early."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    return context


def wait_until(page: Page, expression: str, argument: str | None = None) -> None:
    """Wait until an expression is true; Playwright's own way is evaluated inside the page, which forbids it."""
    until_s = monotonic_s() + PATIENCE_MS / 1000
    while not page.evaluate(expression, argument):
        assert monotonic_s() < until_s, f"this did not become true: {expression}"
        page.wait_for_timeout(100)


def findings(page: Page) -> list[str]:
    """Return what axe finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
