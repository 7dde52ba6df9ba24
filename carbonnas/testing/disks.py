"""A disk that can be full: a small file system in memory, where one may be mounted."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SIZE = "256m"
_PIECE = b"\0" * 65_536


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """Where a state folder may lie.

    Attributes:
        folder: A folder on it.
        mounted: Whether it is a file system of its own, which can be filled.
    """

    folder: Path
    mounted: bool

    def fill(self, but: int = 0) -> None:
        """Leave no room, or as good as none: `but` bytes, less than the disk had free."""
        file = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while os.write(file, _PIECE) > 0:
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            os.ftruncate(file, os.fstat(file).st_size - but)
        finally:
            os.close(file)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a disk inside a folder, or give an ordinary folder where that is not allowed."""
    place = folder / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(place)]
    mounted = os.geteuid() == 0 and subprocess.run(["mount", *options], check=False).returncode == 0  # noqa: S603, S607 - our own arguments
    try:
        yield SmallDisk(place, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607 - as above
