"""A table of blocks, made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonnas.costs.table import LatencyTable
from carbonnas.search_spaces.nasbench201 import NASBench201


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A table of three cells of NAS-Bench-201 on a phone: 1, 2 and 3 ms."""
    space = NASBench201()
    texts = [space.key((0, 0, 0, option, 0, 0)) for option in (1, 2, 3)]
    path = tmp_path / "cells.json"
    table = LatencyTable("a phone", architectures=dict(zip(texts, (1.0, 2.0, 3.0), strict=True)))
    path.write_text(table.to_json(), encoding="utf-8")
    return path
