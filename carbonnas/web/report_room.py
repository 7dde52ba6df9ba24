"""Reports, made one at a time by a process of their own; those of searches that have ended are kept for a while."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from carbonnas.errors import StorageError
from carbonnas.execution.child import ChildError, ask_child
from carbonnas.report.render import ReportFormat

Make = Callable[[Path, str, ReportFormat], bytes]

MOST_WAITING = 4
"""Reports that are made or waited for at the same time; each request that waits holds a thread of the server."""

_LONGEST_S = 600.0
"""It takes seconds, and many times as long where work of searches, which goes first, takes all processors."""

_MOST_BYTES = 8_000_000
"""Of compressed reports that are kept."""


class BusyError(StorageError):
    """So many reports are waited for that another one has to be asked for later."""


class ReportRoom:
    """Makes reports. Any thread may ask.

    Args:
        store_path: The store that searches are read from.
        make: Makes one.
    """

    def __init__(self, store_path: Path, make: Make | None = None) -> None:
        self._store_path = store_path
        self._make = make or make_in_process
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._making = threading.Lock()
        self._kept: OrderedDict[tuple[str, ReportFormat], bytes] = OrderedDict()

    def report(self, search_id: str, format: ReportFormat, *, ended: bool) -> bytes:  # noqa: A002 # the word of the command line
        """Return a report, UTF-8.

        Args:
            search_id: A search that there is.
            format: Its format.
            ended: Whether the search has ended, so that its report stays as it is.

        Raises:
            BusyError: If too many wait for reports already.
            StorageError: If it can't be made.
        """
        if not self._waiting.acquire(blocking=False):
            raise BusyError("several reports are being made already; ask again in some seconds")
        try:
            with self._making:
                kept = self._found(search_id, format) if ended else None
                if kept is not None:
                    return zlib.decompress(kept)
                made = self._make(self._store_path, search_id, format)
                if ended:
                    self._keep(search_id, format, zlib.compress(made))
                return made
        finally:
            self._waiting.release()

    def _found(self, search_id: str, format: ReportFormat) -> bytes | None:  # noqa: A002 # as above
        kept = self._kept.get((search_id, format))
        if kept is not None:
            self._kept.move_to_end((search_id, format))
        return kept

    def _keep(self, search_id: str, format: ReportFormat, packed: bytes) -> None:  # noqa: A002 # as above
        self._kept[search_id, format] = packed
        while sum(map(len, self._kept.values())) > _MOST_BYTES:
            self._kept.popitem(last=False)


def make_in_process(store_path: Path, search_id: str, format: ReportFormat) -> bytes:  # noqa: A002 # as above
    """Let a process of its own make a report.

    Raises:
        StorageError: If it fails, or takes too long.
    """
    order = {"store": str(store_path), "search": search_id, "format": format.value}
    what = "the report could not be made"
    try:
        return ask_child("carbonnas.web.report_worker", order, what=what, longest_s=_LONGEST_S)
    except ChildError as error:
        raise StorageError(str(error)) from error
