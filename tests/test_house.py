"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("carbon_sources", "schedulers", "carbonnas")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        # A migration is a list of columns that is never edited again.
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if path.parent.name != "versions")


@pytest.mark.parametrize("path", list(_sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            has_docstring = ast.get_docstring(node) is not None and len(node.body) > 1
            first = node.body[1] if has_docstring else node.body[0]
            assert (node.end_lineno or 0) - first.lineno + 1 <= MAX_FUNCTION_LINES, node.name


@pytest.mark.parametrize("module", ["carbon_sources", "schedulers", "carbonnas.cli.app", "carbonnas.search"])
def test_the_control_process_does_not_import_torch(module: str) -> None:
    code = f"import {module}, sys; print(sorted({{'torch', 'sklearn'}} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


def test_no_other_distribution_claims_our_package_names() -> None:
    owners = packages_distributions()
    # An editable install names no packages; then nobody else may name ours either.
    assert {name for package in PACKAGES for name in owners.get(package, [])} <= {"carbonnas"}


def test_only_the_clock_module_reads_the_time() -> None:
    readers = ("time.time(", "time.monotonic(", "datetime.now(", "datetime.utcnow(", "date.today(")
    offenders = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.name != "clock.py" and any(reader in path.read_text(encoding="utf-8") for reader in readers)
    ]
    assert offenders == []
