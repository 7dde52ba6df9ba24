"""The chaos, short: `tests/end_to_end/chaos.py` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonnas.testing.chaos_searches import Load
from tests.end_to_end.chaos import run_chaos

pytestmark = pytest.mark.slow


def test_one_fault_of_each_kind_at_a_random_instant_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    told: list[str] = []
    load = Load(at_once=2, rounds=2, torch=False)
    assert run_chaos(tmp_path, 8, seed=2, load=load, say=told.append) == [], "\n".join(told)
