"""What is shipped: the wheel holds what the program needs and nothing else, and declares what it imports."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("carbon_sources", "schedulers", "carbonnas")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SUITES = {"hypothesis", "pytest"}
"""What only the conformance suites need."""
SURROGATE = {"botorch", "gpytorch"}
"""What only one surrogate of Bayesian optimisation needs."""

INSTALLED = """
import json
from importlib.metadata import packages_distributions
import carbonnas
from carbonnas.cli.doctor import GROUPS, check_packages, check_plugins
checks = [*check_packages(packages_distributions()), *check_plugins(GROUPS)]
print(json.dumps({
    "imported": carbonnas.__file__,
    "groups": [group.group for group in GROUPS],
    "checks": {check.name: [check.health.value, check.message] for check in checks},
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout; building it asks no network."""
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_three_packages_and_no_other(wheel: Path) -> None:
    kept = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in _names(wheel) if ".dist-info/" not in name} == kept


@pytest.mark.parametrize(
    "name",
    [
        "carbon_sources/data/DK_2019.csv.gz",
        "carbon_sources/data/PROVENANCE.md",
        "carbonnas/cli/configs/demo.toml",
        "carbonnas/cli/configs/example.toml",
        "carbonnas/report/templates/report.css",
        "carbonnas/report/templates/report.html.j2",
        "carbonnas/report/templates/report.js",
        "carbonnas/storage/migrations/script.py.mako",
        "carbonnas/storage/migrations/versions/0001_first_schema.py",
        *(f"{package}/py.typed" for package in PACKAGES),
        f"carbonnas-{PROJECT['project']['version']}.dist-info/licenses/LICENSE",
        f"carbonnas-{PROJECT['project']['version']}.dist-info/licenses/NOTICE",
    ],
)
def test_what_is_no_python_is_in_the_wheel_too(wheel: Path, name: str) -> None:
    assert name in _names(wheel)


def test_nothing_of_the_wheel_lands_outside_our_packages(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in _names(wheel)}
    assert tops == {*PACKAGES, f"carbonnas-{PROJECT['project']['version']}.dist-info"}


@pytest.mark.torch  # loading the evaluators imports it
def test_an_installed_wheel_owns_its_packages_and_every_entry_point_is_a_class_of_its_group(
    wheel: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", INSTALLED]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=600
    )
    found = json.loads(answer.stdout)
    assert Path(found["imported"]).is_relative_to(site), "the wheel was looked at, not the checkout"
    points = PROJECT["project"]["entry-points"]
    assert set(found["groups"]) == set(points)
    assert found["checks"] == {
        "packages": ["ok", "carbonnas, schedulers, carbon_sources belong to carbonnas alone"],
        "plug-ins": ["ok", f"{sum(map(len, points.values()))} can be loaded"],
    }


def _normal(requirement: str) -> str:
    """Return the name of a requirement as installers compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def _modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@functools.cache
def _tops(folder: str) -> frozenset[str]:
    return frozenset(module.partition(".")[0] for path in (ROOT / folder).rglob("*.py") for module in _modules(path))


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    """Return the distributions that own each top module; to ask for them reads the records of all."""
    return packages_distributions()


def _imported(*folders: str) -> set[str]:
    """Return the distributions whose modules are imported somewhere in the folders; what is not installed counts by its module."""
    tops = (
        {top for folder in folders for top in _tops(folder)}
        - sys.stdlib_module_names
        - {*PACKAGES, "tests", "benchmarks"}
    )
    owners = _owners()
    return {_normal(owner) for top in tops for owner in owners.get(top, [top])}


def test_what_is_declared_is_what_is_imported_directly() -> None:
    assert {_normal(line) for line in PROJECT["project"]["dependencies"]} == _imported(*PACKAGES) - SUITES - SURROGATE


def test_what_the_shipped_suites_need_is_an_extra() -> None:
    assert {_normal(line) for line in PROJECT["project"]["optional-dependencies"]["testing"]} == SUITES
    assert _imported(*PACKAGES) >= SUITES


def test_what_a_surrogate_needs_is_an_extra() -> None:
    assert {_normal(line) for line in PROJECT["project"]["optional-dependencies"]["botorch"]} == SURROGATE
    assert _imported(*PACKAGES) >= SURROGATE


def test_what_tests_and_benchmarks_import_is_in_the_development_group() -> None:
    declared = {_normal(line) for line in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]}
    assert _imported("tests", "benchmarks") <= declared
