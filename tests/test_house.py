"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.mark.parametrize(
    "module", ["carbon_sources", "schedulers", "carbonnas.cli.app", "carbonnas.cli.daemon", "carbonnas.search"]
)
def test_the_control_process_does_not_import_torch(module: str) -> None:
    code = f"import {module}, sys; print(sorted({{'torch', 'sklearn'}} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert answer.stdout.strip() == "[]"


def test_only_the_clock_module_reads_the_time() -> None:
    readers = ("time.time(", "time.monotonic(", "datetime.now(", "datetime.utcnow(", "date.today(")
    offenders = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.name != "clock.py" and any(reader in path.read_text(encoding="utf-8") for reader in readers)
    ]
    assert offenders == []


def _steps(target: str, venv: Path) -> list[str]:
    """Return what make would do for a target, without doing it."""
    command = ["make", "--dry-run", "--no-print-directory", target, f"VENV={venv}"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    ).stdout.splitlines()


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["demo", "test", "test-quick", "check", "bench", "format"])
def test_make_installs_when_the_project_changed_and_only_then(target: str, tmp_path: Path) -> None:
    installs = [step for step in _steps(target, tmp_path) if "pip install" in step and "--upgrade pip" not in step]
    with_tools = ["--group dev" in step for step in installs]
    assert with_tools == ([False] if target == "demo" else [False, True])
    changed = (ROOT / "pyproject.toml").stat().st_mtime
    for later, stamp in enumerate((".installed", ".installed-dev"), start=1):
        (tmp_path / stamp).touch()
        os.utime(tmp_path / stamp, (changed + later, changed + later))
    assert not any("pip install" in step for step in _steps(target, tmp_path))
    os.utime(tmp_path / ".installed", (changed - 1, changed - 1))
    assert any("pip install" in step for step in _steps(target, tmp_path))
