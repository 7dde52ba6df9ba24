from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from carbonnas.errors import DatasetError
from carbonnas.evaluation.datasets import load_dataset
from carbonnas.evaluation.fashion_mnist import DEBIAN_FOLDER
from carbonnas.search_spaces.space import TaskShape

pytestmark = pytest.mark.torch

IMAGES, LABELS = "-images-idx3-ubyte.gz", "-labels-idx1-ubyte.gz"


def write(path: Path, magic: int, shape: tuple[int, ...], data: bytes) -> None:
    path.write_bytes(gzip.compress(struct.pack(f">{1 + len(shape)}I", magic, *shape) + data))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 training and 10 test images of 4 x 5 pixels; the first pixel tells which image it is."""
    for stem, count, offset in (("train", 24, 0), ("t10k", 10, 100)):
        pixels = np.zeros((count, 4, 5), dtype=np.uint8)
        pixels[:, 0, 0] = offset + np.arange(count)
        pixels[:, 3, 4] = 255
        write(tmp_path / f"{stem}{IMAGES}", 0x803, (count, 4, 5), pixels.tobytes())
        write(tmp_path / f"{stem}{LABELS}", 0x801, (count,), bytes(i % 2 for i in range(count)))
    return tmp_path


def test_one_in_six_training_images_goes_to_validation_and_the_published_test_part_stays(folder: Path) -> None:
    data = load_dataset("fashion_mnist", folder)
    assert data.task == TaskShape(1, 4, 5, 10)
    assert (len(data.train), len(data.validation), len(data.test)) == (20, 4, 10)
    assert (data.test.images[:, 0, 0, 0] * 255).round().tolist() == list(range(100, 110))
    seen = torch.cat((data.train.images, data.validation.images))[:, 0, 0, 0]
    assert sorted((seen * 255).round().tolist()) == list(range(24))


def test_pixels_are_scaled_to_0_to_1_and_labels_stay_with_their_images(folder: Path) -> None:
    data = load_dataset("fashion_mnist", folder)
    assert data.train.images.dtype == torch.float32
    assert bool((data.train.images[:, 0, 3, 4] == 1).all())
    numbers = (data.train.images[:, 0, 0, 0] * 255).round().long()
    assert torch.equal(numbers % 2, data.train.labels)


def test_missing_files_are_an_error_that_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte.gz is missing: install .* dataset-fashion-mnist"):
        load_dataset("fashion_mnist", tmp_path)


def test_a_truncated_file_is_an_error_that_names_it(folder: Path) -> None:
    path = folder / f"t10k{IMAGES}"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte.gz can't be read or is damaged"):
        load_dataset("fashion_mnist", folder)


def test_a_file_that_is_not_gzipped_is_an_error_that_names_it(folder: Path) -> None:
    (folder / f"train{LABELS}").write_bytes(b"not gzip")
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte.gz can't be read or is damaged"):
        load_dataset("fashion_mnist", folder)


def test_flipped_bits_are_an_error_that_names_the_file(folder: Path) -> None:
    path = folder / f"train{IMAGES}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte.gz can't be read or is damaged"):
        load_dataset("fashion_mnist", folder)


@pytest.mark.parametrize(
    ("magic", "shape", "data", "told"),
    [
        (0x801, (24,), bytes(24), "begins with 0x00000801, expected 0x00000803"),
        (0x803, (24, 4, 5), bytes(479), "holds 479 bytes of data, its header tells of 480"),
        (0x803, (), b"", "4 bytes are too few for its header"),
        (0x803, (23, 4, 5), bytes(460), "holds 24 labels for the 23 images"),
        (0x803, (24, 5, 4), bytes(480), "are 5 x 4 pixels, the test images 4 x 5"),
    ],
    ids=["wrong magic", "too short", "no header", "another count", "another shape"],
)
def test_wrong_content_is_an_error_that_says_what_is_wrong(
    folder: Path, magic: int, shape: tuple[int, ...], data: bytes, told: str
) -> None:
    write(folder / f"train{IMAGES}", magic, shape, data)
    with pytest.raises(DatasetError, match=told):
        load_dataset("fashion_mnist", folder)


def test_a_label_that_is_no_class_is_an_error(folder: Path) -> None:
    write(folder / f"t10k{LABELS}", 0x801, (10,), bytes([10] * 10))
    with pytest.raises(DatasetError, match="holds the label 10, expected 0 to 9"):
        load_dataset("fashion_mnist", folder)


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN_FOLDER.exists(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_debian_package_gives_50000_10000_and_10000_images() -> None:
    data = load_dataset("fashion_mnist")
    assert data.task == TaskShape(1, 28, 28, 10)
    assert torch.bincount(data.train.labels).tolist() == [5_000] * 10
    assert torch.bincount(data.validation.labels).tolist() == [1_000] * 10
    assert torch.bincount(data.test.labels).tolist() == [1_000] * 10
