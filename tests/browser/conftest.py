"""A real Chromium for the tests that need one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.watch import PATIENCE_MS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the distribution has it, without its sandbox, which containers can't offer."""
    executable = shutil.which("chromium")
    if executable is None:
        sentence = "these tests need Chromium: apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
        if os.environ.get("CARBONNAS_REQUIRE_BROWSER") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            timeout=PATIENCE_MS,
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def artifacts() -> Path:
    """Where pictures of pages go."""
    folder = Path(os.environ.get("CARBONNAS_ARTIFACTS", ".artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
