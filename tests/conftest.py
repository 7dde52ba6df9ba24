"""What every test may rely on: no network, an empty environment, and a state folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import pytest_socket

_SETTINGS = ("CARBONNAS_", "CODECARBON_")
_SETTINGS_OF_TESTS = frozenset({"CARBONNAS_REQUIRE_BROWSER", "CARBONNAS_ARTIFACTS"})
_TERMINAL = ("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Let the test connect to this machine and to nothing else; pytest-socket takes the guard away after it."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take the user's settings away, from the test and from the processes that it starts."""
    for name in list(os.environ):
        if (name.startswith(_SETTINGS) and name not in _SETTINGS_OF_TESTS) or name in _TERMINAL:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
