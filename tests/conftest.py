"""What every test may rely on: no network, an empty environment, and a state folder of its own; and what some ask for."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code. The same examples every time, so that a change that passes its
# tests passes them again; `make laws` looks for new ones.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", _UNTIMED, derandomize=True)
settings.register_profile("searching", _UNTIMED, print_blob=True)
settings.load_profile(os.environ.get("CARBONNAS_EXAMPLES", "repeatable"))

# Several processes test at once. Threads of each that wait for one another on cores that all share take ten times as long as one alone.
# The libraries read this when they are loaded, in these processes and in those that they start.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Whoever runs the tests in the background may have them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SETTINGS = ("CARBONNAS_", "CODECARBON_")
_SETTINGS_OF_TESTS = frozenset({"CARBONNAS_REQUIRE_BROWSER", "CARBONNAS_ARTIFACTS"})
_NAS_TABLE = Path(__file__).parents[2] / "shared" / "data" / "nas" / "nb201_accuracy_cost.csv.gz"
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


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread, in which sums have the same bits every time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let torch compute in two threads, here and in the processes that are started, if nobody sees to it that it does not."""
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def nas_table() -> Path:
    """The measured accuracies and costs of NAS-Bench-201, where they lie beside this checkout."""
    if not _NAS_TABLE.exists():
        pytest.skip(f"needs the table of NAS-Bench-201, {_NAS_TABLE.name}, which is not redistributed")
    return _NAS_TABLE


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole files that the marker expression deselects anyway: importing torch or a browser driver takes seconds."""
    expression = config.getoption("markexpr")
    if collection_path.suffix != ".py" or "not " not in expression:
        return None
    marks = re.search(r"^pytestmark = (.*)$", collection_path.read_text(encoding="utf-8"), re.MULTILINE)
    left_out = re.findall(r"not (\w+)", expression)
    return True if marks and any(f"pytest.mark.{name}" in marks.group(1) for name in left_out) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector what was collected here: it stays until the end, and to go through it again and again takes seconds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
