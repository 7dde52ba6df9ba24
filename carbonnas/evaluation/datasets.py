"""The data sets by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from carbonnas.errors import DatasetError
from carbonnas.search_spaces.space import TaskShape

if TYPE_CHECKING:
    from carbonnas.evaluation.images import Dataset

DatasetName = Literal["digits", "noisy_digits", "fashion_mnist", "text"]


def load_dataset(name: str, path: Path | None = None) -> Dataset:
    """Return a data set; nothing is downloaded and every call gives the same contents in the same parts.

    Args:
        name: `digits` (1,797 clean images of 8 x 8, to report a final accuracy), `noisy_digits` (the same images behind
            noise, hard enough to rank architectures; the test part of `digits` is not among them), `fashion_mnist`
            (70,000 images of 28 x 28) or `text` (character-level language).
        path: Folder with the files of `fashion_mnist`; `None` for the place where the Debian package puts them. File of
            `text` in UTF-8; `None` for what the installed Python says of its own language. The digits come with
            scikit-learn and need no folder.

    Raises:
        DatasetError: If there is no such data set, or its files are missing or damaged.
    """
    match name:
        case "digits":
            from carbonnas.evaluation.digits import load_digits

            return load_digits()
        case "noisy_digits":
            from carbonnas.evaluation.digits import load_noisy_digits

            return load_noisy_digits()
        case "fashion_mnist":
            from carbonnas.evaluation.fashion_mnist import load_fashion_mnist

            return load_fashion_mnist(path)
        case "text":
            from carbonnas.evaluation.text import load_text

            return load_text(path)
        case _:
            raise DatasetError(f"there is no data set {name!r}; choose one of {', '.join(get_args(DatasetName))}")


def task_of(name: str, path: Path | None = None) -> TaskShape:
    """Return what networks for a data set are built for, without reading its images; a text has to be read, to know its characters.

    Raises:
        DatasetError: If there is no such data set, or the text can't be read.
    """
    match name:
        case "digits" | "noisy_digits":
            return TaskShape(channels=1, height=8, width=8, classes=10)
        case "fashion_mnist":
            return TaskShape(channels=1, height=28, width=28, classes=10)
        case _:
            return load_dataset(name, path).task
