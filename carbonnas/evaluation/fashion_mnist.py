"""Fashion-MNIST from files on this machine.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from carbonnas.errors import DatasetError
from carbonnas.evaluation.images import Dataset, ImageSplit, stratified_parts
from carbonnas.search_spaces.space import TaskShape

DEBIAN_FOLDER: Final = Path("/usr/share/datasets/fashion-mnist")
CLASSES: Final = 10
LARGEST_PIXEL: Final = 255
ONE_IN: Final = 6
"""One in six of the published training images, 10,000 of 60,000, goes to the validation part.

It chooses among networks that differ by half a per cent: of 10,000 images an accuracy of 0.9 has a standard error of 0.3 per cent, of 5,000 one of 0.4.
"""
SPLIT_SEED: Final = 2017
# The IDX format's magic numbers: two zero bytes, 8 for unsigned bytes, the number of dimensions.
MAGIC: Final = {1: 0x00000801, 3: 0x00000803}


def load_fashion_mnist(folder: Path | None = None) -> Dataset:
    """Return Fashion-MNIST: 50,000 images to train on, 10,000 to validate, the published 10,000 to test; pixels in 0..1.

    Args:
        folder: Folder with the four published `*-ubyte.gz` files; `None` for the folder of Debian's package.

    Raises:
        DatasetError: If a file is missing, damaged, or does not belong to the others.
    """
    place = DEBIAN_FOLDER if folder is None else folder
    images, labels = _pair(place, "train")
    test_images, test_labels = _pair(place, "t10k")
    if images.shape[1:] != test_images.shape[1:]:
        raise DatasetError(
            f"the training images in {place} are {_size(images)} pixels, the test images {_size(test_images)}"
        )
    validation = len(labels) // ONE_IN
    parts = stratified_parts(labels, (len(labels) - validation, validation), SPLIT_SEED)
    train_split, validation_split = (_split(images[part], labels[part]) for part in parts)
    task = TaskShape(channels=1, height=images.shape[1], width=images.shape[2], classes=CLASSES)
    return Dataset("fashion_mnist", task, train_split, validation_split, _split(test_images, test_labels))


def _pair(folder: Path, stem: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images_path, labels_path = folder / f"{stem}-images-idx3-ubyte.gz", folder / f"{stem}-labels-idx1-ubyte.gz"
    images, labels = _read_idx(images_path, dimensions=3), _read_idx(labels_path, dimensions=1)
    if len(images) != len(labels):
        raise DatasetError(f"{labels_path} holds {len(labels)} labels for the {len(images)} images of {images_path}")
    if labels.max(initial=0) >= CLASSES:
        raise DatasetError(f"{labels_path} holds the label {labels.max()}, expected 0 to {CLASSES - 1}")
    return images, labels.astype(np.int64)


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    content = _unpacked(path)
    header = struct.Struct(f">{1 + dimensions}I")
    if len(content) < header.size:
        raise DatasetError(f"{path} is damaged: {len(content)} bytes are too few for its header")
    magic, *shape = header.unpack_from(content)
    if magic != MAGIC[dimensions]:
        raise DatasetError(f"{path} is damaged: it begins with {magic:#010x}, expected {MAGIC[dimensions]:#010x}")
    if len(content) != header.size + math.prod(shape):
        raise DatasetError(
            f"{path} is damaged: it holds {len(content) - header.size} bytes of data, its header tells of {math.prod(shape)}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header.size).reshape(shape)


def _unpacked(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} is missing: install Debian's package dataset-fashion-mnist, or set data_path to a folder with the four "
            "files *-ubyte.gz of Fashion-MNIST"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} can't be read or is damaged: {error}") from error


def _size(images: NDArray[np.uint8]) -> str:
    return " x ".join(str(side) for side in images.shape[1:])


def _split(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> ImageSplit:
    pixels = torch.from_numpy(images.astype(np.float32)[:, np.newaxis] / LARGEST_PIXEL)
    return ImageSplit(pixels, torch.from_numpy(labels))
