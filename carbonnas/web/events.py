"""Changes as they happen, as Server-Sent Events: one thread waits for new views of the daemon and tells all listeners."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import AsyncIterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from carbonnas.daemon.control import Control, DaemonView, SearchView
from carbonnas.trials import TrialKind, TrialState

MOST_LISTENERS = 32
KEPT_LISTENERS = 8
"""Of these so many are kept for those who show the token: whoever can reach the port can take the others, and hold them."""
HEARTBEAT_S = 15.0
_LOOK_EVERY_S = 1.0
"""How long it takes at most to notice that the feed was closed."""
_REST_S = 0.1
"""Between two messages: a daemon whose searches look for networks to propose makes views without a pause."""

_RETRY_MS = 2000


class FeedFullError(Exception):
    """There are as many listeners as there may be."""


class Listener:
    """One connection that is told of changes: of those that it is too slow for, the newest."""

    def __init__(self, loop: asyncio.AbstractEventLoop, message: str) -> None:
        self._loop = loop
        self._message: str | None = message
        self._woken = asyncio.Event()
        self._woken.set()
        self._ended = False

    def tell(self, message: str | None) -> None:
        """Hand over a message, or `None` for the end; for any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: str | None) -> None:
        if message is None:
            self._ended = True
        else:
            self._message = message
        self._woken.set()

    async def messages(self, heartbeat_s: float) -> AsyncIterator[str]:
        """Yield messages until the end, and a comment after each `heartbeat_s` seconds of silence."""
        while True:
            try:
                await asyncio.wait_for(self._woken.wait(), heartbeat_s)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            self._woken.clear()
            message, self._message = self._message, None
            if message is not None:
                yield message
            if self._ended:
                return


class ViewFeed:
    """Tells listeners of each new view.

    Args:
        control: The daemon.
        heartbeat_s: Seconds of silence after which a listener is told that the connection still stands.
        most: At most so many listen at the same time.
        kept: So many of these places are for those who show the token.
    """

    def __init__(
        self,
        control: Control,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        most: int = MOST_LISTENERS,
        kept: int = KEPT_LISTENERS,
    ) -> None:
        self.heartbeat_s = heartbeat_s
        self._control = control
        self._most = most
        self._kept = kept
        self._lock = threading.Lock()
        self._listeners: dict[Listener, bool] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view feed", daemon=True)

    def start(self) -> None:
        """Begin to wait for views."""
        self._thread.start()

    def close(self) -> None:
        """Let all listeners go; idempotent, for any thread."""
        self._closed.set()
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.tell(None)

    def join(self, loop: asyncio.AbstractEventLoop, *, knows_token: bool) -> Listener:
        """Take a listener in, who has shown the token or not; it is told the present view at once.

        Raises:
            FeedFullError: If there are as many as there may be, or the feed was closed.
        """
        listener = Listener(loop, event(self._control.view()))
        with self._lock:
            strangers = sum(not known for known in self._listeners.values())
            has_room = len(self._listeners) < self._most and (knows_token or strangers < self._most - self._kept)
            if not has_room or self._closed.is_set():
                raise FeedFullError
            self._listeners[listener] = knows_token
        return listener

    def leave(self, listener: Listener) -> None:
        """Let a listener go; idempotent."""
        with self._lock:
            self._listeners.pop(listener, None)

    def _run(self) -> None:
        view = self._control.view()
        while not (self._closed.is_set() or view.stopping):
            newer = self._control.wait(view.version, _LOOK_EVERY_S)
            if newer.version > view.version:
                self._publish(event(newer))
                self._closed.wait(_REST_S)
            view = newer
        self.close()

    def _publish(self, message: str) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.tell(message)


class EventStream(StreamingResponse):
    """The answer to one listener; the listener leaves with it, however the connection ends."""

    media_type = "text/event-stream"

    def __init__(self, feed: ViewFeed, listener: Listener) -> None:
        super().__init__(listener.messages(feed.heartbeat_s))
        self._feed = feed
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave(self._listener)


def event(view: DaemonView) -> str:
    """Return what listeners are told of a view: its version, and of each search its phase, trials and grams."""
    searches = {search.header.search_id: _in_short(search) for search in view.searches}
    data = json.dumps({"version": view.version, "searches": searches}, separators=(",", ":"), allow_nan=False)
    return f"retry: {_RETRY_MS}\nid: {view.version}\nevent: view\ndata: {data}\n\n"


def _in_short(search: SearchView) -> dict[str, object]:
    status = search.status
    if status is None:
        return {"phase": search.phase.value, "counts": None, "grams": None}
    grams = status.totals.emissions_g
    known = grams if math.isfinite(grams) else None
    return {"phase": search.phase.value, "counts": by_kind(status.counts), "grams": known}


def by_kind(counts: Mapping[tuple[TrialKind, TrialState], int]) -> dict[str, dict[str, int]]:
    """Return numbers of trials by the names of their kind and, within it, of their state; states without trials are left out."""
    return {
        kind.value: {state.value: number for state in TrialState if (number := counts.get((kind, state), 0))}
        for kind in TrialKind
    }
