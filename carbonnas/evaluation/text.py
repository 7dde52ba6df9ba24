"""Character-level language: the next character of a text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from carbonnas.errors import DatasetError
from carbonnas.evaluation.images import Dataset, ImageSplit
from carbonnas.search_spaces.space import TaskShape

LENGTH: Final = 64
"""Characters that a network sees at once."""
LARGEST: Final = 262_144
"""Characters that are used of a text; 2^18 make an epoch of a small network last seconds."""
VOCABULARY: Final = 256
"""Different characters that are told apart; the rarest ones beyond share one number."""
PARTS: Final = (0.8, 0.1, 0.1)
"""Shares of the text to train on, validate and test with, in the order of the text."""


def load_text(path: Path | None = None) -> Dataset:
    """Return a text in pieces of 64 characters, the first 80 % to train on, a tenth to validate, a tenth to test.

    Pieces do not overlap, and parts do not share a character. Longer texts are cut at 2^18 characters.

    Args:
        path: A text file in UTF-8; `None` for the topics of Python's `help()`, an excerpt of its language reference, as the
            installed Python has them (`pydoc_data.topics`). They differ between versions of Python, and so do accuracies.

    Raises:
        DatasetError: If the text is missing, is none, or is too short for a piece in each part.
    """
    origin = "the help topics of this Python" if path is None else str(path)
    text = (_help_topics() if path is None else _read(path))[:LARGEST]
    numbers, vocabulary = _numbered(text)
    ends = np.cumsum([round(share * len(numbers)) for share in PARTS[:-1]])
    parts = np.split(numbers, ends)
    if min(len(part) for part in parts) <= LENGTH:
        raise DatasetError(f"{origin} has {len(text)} characters; a tenth of it must be longer than {LENGTH}")
    train, validation, test = (_pieces(part) for part in parts)
    return Dataset("text", TaskShape.of_text(vocabulary, LENGTH), train, validation, test)


def _help_topics() -> str:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DatasetError("this Python has no help topics; set data_path to a text file") from error
    return "\n\n".join(topics[name] for name in sorted(topics))


def _read(path: Path) -> str:
    try:
        # No more than the characters that count: the longest one in UTF-8 has four bytes.
        with path.open(encoding="utf-8", newline="") as lines:
            return lines.read(LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read as text in UTF-8: {error}") from error


def _numbered(text: str) -> tuple[NDArray[np.int64], int]:
    """Return each character's number, and how many numbers there are; characters are numbered in the order of Unicode."""
    common = Counter(text).most_common()
    known = sorted(character for character, _ in common[: VOCABULARY if len(common) <= VOCABULARY else VOCABULARY - 1])
    number = {character: index for index, character in enumerate(known)}
    numbers = np.array([number.get(character, len(known)) for character in text], dtype=np.int64)
    return numbers, min(len(common), VOCABULARY)


def _pieces(numbers: NDArray[np.int64]) -> ImageSplit:
    count = (len(numbers) - 1) // LENGTH
    characters, following = numbers[: count * LENGTH], numbers[1 : count * LENGTH + 1]
    return ImageSplit(*(torch.from_numpy(part.copy()).reshape(count, LENGTH) for part in (characters, following)))
