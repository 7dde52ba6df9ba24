"""Driving a search until it ends or is asked to pause."""

from __future__ import annotations

import threading
from collections.abc import Callable

from carbonnas.report.record import SearchState
from carbonnas.status import SearchStatus
from carbonnas.wiring import OpenSearch


def drive(opened: OpenSearch, on_status: Callable[[SearchStatus], None], stop: threading.Event) -> SearchState:
    """Run a search to its end, or until `stop` is set; what was done so far is safe at every instant.

    Args:
        opened: The search; it is started and closed here.
        on_status: Called after every step.
        stop: Set by someone else, such as a signal handler, to pause the search.

    Returns:
        The state that it was left in: `RUNNING` means that it was paused and can go on.
    """
    search, clock = opened.search, opened.clock
    try:
        search.start(clock.now())
        while search.state is SearchState.RUNNING and not stop.is_set():
            status = search.tick(clock.now())
            on_status(status)
            if status.state is SearchState.RUNNING:
                opened.executor.wait(status.next_at, stop)
    finally:
        search.close()
    return search.state
