"""Plug-ins in distributions of their own: those of the guide work as printed, and what can't work says why."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carbon_sources.testing_server import Asked, Reply, fake_provider
from carbonnas.testing.searches import write_simulated_search

GUIDE = (Path(__file__).parent.parent / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL))
USED = re.findall(r"^```toml\n(\[space\].*?)```$", GUIDE, re.MULTILINE | re.DOTALL)[0]
START = datetime(2026, 3, 1, tzinfo=UTC)

REST = """
[search]
name = "third party"
rounds = 1
score_per_round = 3
train_per_round = 1
epochs = 1
rank_by = ["params", "macs"]
[strategy]
use = "random"
[scoring]
use = "proxies"
proxies = ["params", "macs"]
[training]
use = "training"
[energy]
use = "constant_power"
train = "100 W"
score = "50 W"
idle = "10 W"
[executor]
use = "simulated"
seconds_per_evaluation = 1800.0
[clock]
use = "simulated"
start = "2026-03-02T00:00:00Z"
"""


def _install(site: Path, name: str, groups: Mapping[str, Mapping[str, str]], files: Mapping[str, str]) -> None:
    """Put files and metadata where pip would."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")


def _python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=site.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture
def guide_site(tmp_path: Path) -> Path:
    """The distribution of the guide, installed."""
    site = tmp_path / "site"
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    modules = {path: text for path, text in FILES.items() if path.startswith("my_plugins/")}
    _install(site, "my_plugins", project["entry-points"], modules)
    return site


@pytest.mark.parametrize("module", ["space", "forecast"])
def test_a_search_space_and_a_forecaster_of_the_guide_have_fewer_than_40_lines(module: str) -> None:
    assert len(FILES[f"my_plugins/{module}.py"].splitlines()) < 40


def test_the_guide_names_every_group_and_every_suite_that_exists() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = re.findall(r"^\| `(carbonnas\.\w+)` \| .+? \| `([\w.]+)` \|.*?\|(?: `([\w.]+)`)? ?\|$", GUIDE, re.MULTILINE)
    assert {group for group, *_ in rows} == set(project["entry-points"])
    for _, *names in rows:
        for module, _, name in (full.rpartition(".") for full in names if full):
            source = Path(__file__).parent.parent.joinpath(*module.split(".")).with_suffix(".py")
            tree = ast.parse(source.read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


@pytest.mark.torch
def test_the_plugins_of_the_guide_pass_their_conformance_suites(guide_site: Path) -> None:
    tests = guide_site.parent / "tests" / "test_my_plugins.py"
    tests.parent.mkdir()
    tests.write_text(FILES["tests/test_my_plugins.py"], encoding="utf-8")
    (guide_site.parent / "pyproject.toml").write_text(FILES["pyproject.toml"], encoding="utf-8")
    answer = _python(guide_site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert answer.returncode == 0, answer.stdout
    assert re.search(r"^2\d passed", answer.stdout, re.MULTILINE), answer.stdout


def _gateway(asked: Asked) -> Reply:
    """Answer with all hours of two days, whatever was asked."""
    hours = [START + timedelta(hours=hour) for hour in range(96)]
    rows = [
        {"start": h.isoformat(), "end": (h + timedelta(hours=1)).isoformat(), "g_per_kwh": 100.0 + h.hour}
        for h in hours
    ]
    return Reply.json(rows if asked.path == "/intensity" else {"error": asked.path})


@pytest.mark.torch
def test_a_search_runs_with_the_plugins_of_the_guide(guide_site: Path) -> None:
    config = guide_site.parent / "search.toml"
    with fake_provider(_gateway) as gateway:
        config.write_text(USED.replace("http://127.0.0.1:8080", gateway.url) + REST, encoding="utf-8")
        state = guide_site.parent / "state"
        answer = _python(guide_site, "-m", "carbonnas", "run", str(config), "--state", str(state), "--json")
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    assert report["search"]["stop_reason"] == "plan_done"
    assert {trial["state"] for trial in report["trials"]} == {"completed"}
    assert re.fullmatch(r"[123],(8|16|24|32),(relu|silu)", report["best"]["architecture"])
    assert {(part["source"], part["zone"]) for part in report["provenance"]["priced"]} == {("gateway", "laboratory")}
    assert "with a mean of" in report["decisions"][0]["reason"]


BROKEN = {
    "carbonnas.search_spaces": {"small_conv": "strange_plugins:Stranger"},
    "carbonnas.schedulers": {"stranger": "strange_plugins:Stranger"},
    "carbonnas.strategies": {"broken": "broken_plugins:Anything"},
    "carbonnas.energy_meters": {"unreadable": "strange_plugins:Unreadable"},
}

STRANGE = """
from __future__ import annotations
from typing import TYPE_CHECKING
from carbonnas.energy.constant_power import ConstantPowerMeter
if TYPE_CHECKING:
    from nowhere import Power

class Stranger:
    pass

class Unreadable(ConstantPowerMeter):
    def __init__(self, slots, *, watts: Power) -> None:
        pass
"""


@pytest.fixture
def broken_site(tmp_path: Path) -> Path:
    """A distribution in which nothing can be used."""
    site = tmp_path / "site"
    modules = {"strange_plugins.py": STRANGE, "broken_plugins.py": "raise RuntimeError('no driver')\n"}
    _install(site, "broken", BROKEN, modules)
    return site


def test_plugins_that_cannot_be_used_give_the_documented_errors_all_at_once(broken_site: Path) -> None:
    config = write_simulated_search(
        broken_site.parent / "search",
        carbon_source={"use": "solar"},
        space={"use": "small_conv"},
        scheduler={"use": "stranger"},
        strategy={"use": "broken"},
        energy={"use": "unreadable"},
        executor={"colour": "green"},
    )
    answer = _python(broken_site, "-m", "carbonnas", "run", str(config), "--state", str(broken_site.parent / "state"))
    assert answer.returncode == 2
    assert answer.stdout == ""
    said = " ".join(answer.stderr.split())
    documented = re.findall(r"^\| `(.+?)` \|", GUIDE.partition("## When something is wrong")[2], re.MULTILINE)
    assert len(documented) == 6
    for message in documented:
        assert message in said
    assert "Traceback" not in said


@pytest.mark.torch
def test_the_doctor_finds_broken_plugins_that_nobody_has_chosen(broken_site: Path) -> None:
    state = broken_site.parent / "state"
    answer = _python(broken_site, "-m", "carbonnas", "doctor", "--state", str(state), "--json")
    assert answer.returncode == 1
    failed = {check["name"] for check in json.loads(answer.stdout)["checks"] if check["health"] == "failed"}
    assert {"plug-in small_conv", "plug-in stranger", "plug-in broken"} <= failed
