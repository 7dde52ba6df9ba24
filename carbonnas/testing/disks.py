"""A disk that can be full: a small file system in memory where one may be mounted, else limits on the size of files."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from carbonnas.testing.descendants import descendants

_SIZE = "256m"
_PIECE = b"\0" * 65_536
_FULL_AT_BYTES = 4096


class Disk(ABC):
    """Where a state folder lies.

    Attributes:
        folder: A folder on it.
    """

    folder: Path

    @abstractmethod
    def fill(self, pid: int) -> None:
        """Leave a process and those that it has started no room."""

    @abstractmethod
    def free(self, pid: int) -> None:
        """Give the room back."""


class MountedDisk(Disk):
    """A file system of its own, which is filled in earnest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, pid: int) -> None:  # noqa: ARG002 - it is full for everybody
        file = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while os.write(file, _PIECE) > 0:
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(file)

    def free(self, pid: int) -> None:  # noqa: ARG002 - as above
        self._filler.unlink(missing_ok=True)


class LimitedFiles(Disk):
    """An ordinary folder; processes are forbidden to write beyond the first bytes of a file, which fails as a full disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, pid: int) -> None:
        _limit(pid, _FULL_AT_BYTES)

    def free(self, pid: int) -> None:
        # Twice, for what was started meanwhile by a process that was still limited.
        _limit(pid, resource.RLIM_INFINITY)
        _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, size: int) -> None:
    for each in (pid, *(process.pid for process in descendants(pid))):
        with suppress(ProcessLookupError):
            resource.prlimit(each, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path, *, mounted: bool = True) -> Iterator[Disk]:
    """Give a disk inside a folder.

    Args:
        folder: The folder.
        mounted: Whether to mount a file system; where that is not allowed, files are limited.
    """
    place = folder / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(place)]
    if not mounted or os.geteuid() != 0 or subprocess.run(["mount", *options], check=False).returncode != 0:  # noqa: S603, S607 - arguments of our own
        yield LimitedFiles(place)
        return
    try:
        yield MountedDisk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607 - arguments of our own
