"""Latencies of whole architectures from tables of comma-separated values."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from carbonnas.costs.importing import Source, import_table
from carbonnas.errors import ConfigError
from carbonnas.search_spaces.small_conv import SmallConv

ONE, OTHER = "w8,conv,conv,k3,d1,residual,max,relu", "w4,identity,conv,k1,d1,plain,max,relu"


def write(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_column_for_each_device_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "architecture,phone,server", f'"{ONE}",2.5,1', f'"{OTHER}",1.5,1')
    table = import_table(Source(path, "phone"), SmallConv())
    assert dict(table.architectures) == {ONE: 2.5, OTHER: 1.5}
    assert (table.device, table.about) == ("phone", {"source": "t.csv"})


def test_a_row_for_each_device_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "architecture,device,ms", f'"{ONE}",phone,2.5', f'"{ONE}",server,1')
    assert dict(import_table(Source(path, "server"), SmallConv()).architectures) == {ONE: 1.0}


def test_architectures_may_stand_in_another_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"index,phone\n1,2.5\n0,1.5\n"))
    names = write(tmp_path, "names.csv", "index,arch_str", f'0,"{ONE}"', f'1,"{OTHER}"')
    table = import_table(Source(path, "phone", names, "arch_str"), SmallConv())
    assert dict(table.architectures) == {OTHER: 2.5, ONE: 1.5}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("architecture,phone", f'"{ONE}",0'), "line 2: '0' is no latency"),
        (("architecture,phone", f'"{ONE}",nan'), "line 2: 'nan' is no latency"),
        (("architecture,phone", f'"{ONE}"'), "line 2: 1 cells, expected 2"),
        (("architecture,server", f'"{ONE}",1'), "there is no column 'phone'; there are: architecture, server"),
        (("name,phone", f'"{ONE}",1'), "there is no column 'architecture'"),
        (("architecture,phone", '"w9",1'), "line 2: 'w9' has 1 choices"),
        (("architecture,device,ms", f'"{ONE}",server,1'), "no row of the device 'phone'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        import_table(Source(write(tmp_path, "t.csv", *rows), "phone"), SmallConv())


def test_an_index_that_nobody_names_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "index,phone", "7,1")
    names = write(tmp_path, "names.csv", "index,architecture", f'0,"{ONE}"')
    with pytest.raises(ConfigError, match="has no architecture '7'"):
        import_table(Source(path, "phone", names), SmallConv())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        import_table(Source(tmp_path / "none.csv", "phone"), SmallConv())
