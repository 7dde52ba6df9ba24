from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from carbonnas.evaluation.checkpoints import read_checkpoint, write_checkpoint

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
IDENTITY = {"seed": 7, "fidelity": ("search", 6)}
STATE = {"weight": torch.tensor([1.5, -2.0]), "losses": [0.25], "groups": {"lr": 0.1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "new folder" / "trial-1"
    write_checkpoint(path, IDENTITY, STATE)
    return path


def refused(path: Path, caplog: pytest.LogCaptureFixture) -> str:
    with caplog.at_level(logging.WARNING):
        assert read_checkpoint(path, IDENTITY, CPU) is None
    return caplog.text


def test_what_was_written_is_read_back(path: Path) -> None:
    state = read_checkpoint(path, IDENTITY, CPU)
    assert state is not None
    assert torch.equal(state.pop("weight"), torch.tensor([1.5, -2.0]))
    assert state == {"losses": [0.25], "groups": {"lr": 0.1}}


def test_a_new_state_takes_the_place_of_the_old_and_nothing_else_is_left(path: Path) -> None:
    write_checkpoint(path, IDENTITY, {"losses": [0.25, 0.125]})
    assert read_checkpoint(path, IDENTITY, CPU) == {"losses": [0.25, 0.125]}
    assert list(path.parent.iterdir()) == [path]


def test_where_there_is_no_file_the_work_starts_anew_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert refused(tmp_path / "none", caplog) == ""


def test_a_half_written_successor_does_not_matter(path: Path) -> None:
    path.with_name(path.name + ".new").write_bytes(b"half")
    assert read_checkpoint(path, IDENTITY, CPU) is not None


def test_a_checkpoint_of_other_work_is_refused(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_checkpoint(path, {**IDENTITY, "seed": 8}, STATE)
    assert "belongs to other work; the work starts anew" in refused(path, caplog)


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -1])
def test_a_truncated_file_is_refused_wherever_it_ends(path: Path, kept: int, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    assert "is damaged" in refused(path, caplog)


def test_a_flipped_bit_in_the_weights_is_found(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = path.read_bytes()
    # 1.5 and -2.0 as little-endian float32.
    weights = bytes.fromhex("0000c03f000000c0")
    assert content.count(weights) == 1
    path.write_bytes(content.replace(weights, bytes.fromhex("0000c13f000000c0")))
    assert "does not match its digest" in refused(path, caplog)


def test_any_other_file_is_refused(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"[1, 2]\nand more")
    assert "has another format" in refused(path, caplog)
