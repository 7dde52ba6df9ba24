"""One small search that has ended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from carbonnas.testing.commands import EndedSearch, carbonnas
from carbonnas.testing.searches import write_simulated_search


@pytest.fixture(scope="session")
def ended_once(tmp_path_factory: pytest.TempPathFactory) -> EndedSearch:
    folder = tmp_path_factory.mktemp("ended")
    config = write_simulated_search(folder, rounds=2, search={"name": "Ended [red]<script>"})
    return EndedSearch(config, folder / "state", carbonnas("run", config, "--state", folder / "state", "--json"))


@pytest.fixture
def ended(ended_once: EndedSearch, tmp_path: Path) -> EndedSearch:
    """Return a copy of the search, so that tests may do to it what they like."""
    shutil.copytree(ended_once.state, tmp_path / "ended")
    return EndedSearch(ended_once.config, tmp_path / "ended", ended_once.answer)
