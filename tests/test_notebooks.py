"""The notebooks run from the first cell to the last, and are committed as they are meant to be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
NAMES = [path.name for path in NOTEBOOKS]

_EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=1200, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def _cells(path: Path, kind: str = "code") -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def test_there_is_a_notebook() -> None:
    assert "01-first-search.ipynb" in NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_no_results_are_committed(path: Path) -> None:
    assert json.loads(path.read_text(encoding="utf-8"))["nbformat"] == 4
    for cell in _cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_no_path_of_a_machine_is_committed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"""["'\s(](?:/|~/|[A-Z]:\\\\)[\w.-]+/[\w./-]*""", text) == []
    assert str(Path.home()) + "/" not in text


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_runs_without_errors_and_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    folder, temporary, home = tmp_path / "notebook", tmp_path / "temporary", tmp_path / "home"
    for made in (folder, temporary, home):
        made.mkdir()
    shutil.copy(path, folder)
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _EXECUTE, path.name, str(tmp_path / "done.ipynb")]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [output for cell in _cells(tmp_path / "done.ipynb") for output in cell["outputs"]]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) >= 5
    assert [left.name for left in (*folder.iterdir(), *temporary.glob("*/searches"))] == [path.name]
