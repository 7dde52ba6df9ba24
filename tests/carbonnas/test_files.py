from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from carbonnas.files import remove_file, replace_file


def test_a_file_is_made_with_its_folder_and_replaced_with_nothing_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    for content in (b"first, and longer", b"second"):
        replace_file(path, content)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]


def test_what_can_t_be_written_leaves_the_former_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"former")
    (tmp_path / "file.new").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"fresh")
    assert path.read_bytes() == b"former"


def test_removing_a_file_removes_what_a_crash_left_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"whole")
    (tmp_path / "file.new").write_bytes(b"half")
    remove_file(path)
    remove_file(path)
    assert list(tmp_path.iterdir()) == []


def test_processes_that_replace_a_file_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    program = (
        "import sys; from pathlib import Path; from carbonnas.files import replace_file\n"
        "for _ in range(100): replace_file(Path(sys.argv[1]), sys.argv[2].encode() * 200_000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path), letter]) for letter in "ab"]
    seen: set[tuple[int, int]] = set()
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes() if path.exists() else b""
        if content:
            seen.add((len(content), len(set(content))))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {(200_000, 1)}
    assert list(tmp_path.iterdir()) == [path]
