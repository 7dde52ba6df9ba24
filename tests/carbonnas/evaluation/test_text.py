from __future__ import annotations

from pathlib import Path

import pytest
import torch

from carbonnas.errors import DatasetError
from carbonnas.evaluation.datasets import load_dataset
from carbonnas.evaluation.images import Dataset
from carbonnas.evaluation.text import LARGEST
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch


def of_file(folder: Path, content: str) -> Dataset:
    path = folder / "some.txt"
    path.write_bytes(content.encode())
    return load_dataset("text", path)


def test_a_text_is_cut_into_pieces_and_each_character_is_asked_for_once(tmp_path: Path) -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(2_000))
    data = of_file(tmp_path, text)
    assert data.task == TaskShape.of_text(26, 64)
    # 1,600 characters give 24 pieces of 64 with a character to follow, 200 give 3.
    assert (len(data.train), len(data.validation), len(data.test)) == (24, 3, 3)
    for part, first in ((data.train, 0), (data.validation, 1_600), (data.test, 1_800)):
        characters = torch.arange(first, first + len(part) * 64)
        assert part.images.flatten().tolist() == (characters % 26).tolist()
        assert part.labels.flatten().tolist() == ((characters + 1) % 26).tolist()


def test_line_ends_are_characters_like_all_others(tmp_path: Path) -> None:
    assert of_file(tmp_path, "a\r\nb\n" * 400).task.classes == 4


def test_the_rarest_of_too_many_characters_share_a_number(tmp_path: Path) -> None:
    rare = "".join(chr(0x4E00 + number) for number in range(300))
    data = of_file(tmp_path, rare + "".join(chr(0x4E00 + number) for number in range(255)) * 10)
    assert data.task.classes == 256
    # The first 255 are known by the order of Unicode, the 45 others share number 255.
    assert data.train.images.flatten()[:300].tolist() == [*range(255), *[255] * 45]


def test_no_more_than_a_part_of_a_long_text_is_used(tmp_path: Path) -> None:
    data = of_file(tmp_path, "ab" * LARGEST)
    assert sum(len(part) * 64 for part in (data.train, data.validation, data.test)) <= LARGEST


def test_without_a_file_it_is_what_python_says_of_itself() -> None:
    data = load_dataset("text")
    assert data.name == "text"
    assert data.task.classes > 60
    assert len(data.train) == round(0.8 * LARGEST) // 64
    assert torch.equal(load_dataset("text").test.images, data.test.images)


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff\xfe" * 5_000], ids=["empty", "short", "not UTF-8"])
def test_what_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"some\.txt"):
        load_dataset("text", path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"missing\.txt can't be read"):
        load_dataset("text", tmp_path / "missing.txt")
