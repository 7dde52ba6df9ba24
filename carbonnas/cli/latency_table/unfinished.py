"""A latency table that is being measured: how far it is, and what is kept of it when somebody stops it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from carbon_sources.clock import Clock
from carbon_sources.interval import Interval
from carbonnas.costs.table import LatencyTable, read_table
from carbonnas.costs.timing import Timing
from carbonnas.errors import ConfigError
from carbonnas.files import remove_file, replace_file
from carbonnas.report.formatting import duration

if TYPE_CHECKING:
    from carbonnas.costs.measuring import Found, Measured

_EVERY: Final = timedelta(seconds=10)
"""Time between two lines of progress, and between two writes of what was measured: so much is lost to a kill at most."""
_CHANGING: Final = frozenset({"made_at"})
"""What differs between two runs of the same command."""
_SHOWN: Final = 200
"""Characters that a sentence shows of what a file says."""
_REMEDY: Final = "remove it, or choose another --out"


class StoppedError(Exception):
    """Somebody asked the measurement to stop."""


class UnfinishedTable:
    """Keeps blocks in a file beside the table until it is finished, and says how far it is.

    Args:
        out: Where the table will be.
        device: What the device is called.
        about: Where the figures come from.
        clock: Tells the time.
        console: Where progress goes.
        stop: Set by who wants it to stop.
    """

    def __init__(
        self, out: Path, device: str, about: Mapping[str, Any], *, clock: Clock, console: Console, stop: threading.Event
    ) -> None:
        self.path = out.with_name(f"{out.name}.part")
        self._device = device
        self._about = about
        self._clock = clock
        self._console = console
        self._stop = stop
        self._told_at = clock.now()
        self._begun = clock.now(), 0

    def kept(self) -> dict[str, Timing]:
        """Return what an earlier run of the same command has measured.

        Raises:
            ConfigError: If the file can't be read, or is of another measurement.
        """
        if not self.path.exists():
            return {}
        try:
            table = read_table(self.path)
        except ConfigError as error:
            raise ConfigError(str(self.path), (f"is no unfinished latency table; {_REMEDY}",)) from error
        if table.architectures:
            raise ConfigError(str(self.path), (f"is a latency table of whole architectures; {_REMEDY}",))
        self._require_same(table)
        self._say(f"Going on with the {len(table.blocks)} blocks in {self.path}")
        return {key: Timing(ms, table.spreads[key]) for key, ms in table.blocks.items() if key in table.spreads}

    @contextmanager
    def keeping(self, known: Measured) -> Iterator[None]:
        """Keep what was measured, whatever ends the measurement, which begins now."""
        self._begun = self._clock.now(), len(known.timings)
        try:
            yield
        finally:
            self._keep(known)

    def remove(self) -> None:
        """Remove the file: the table is where it should be."""
        remove_file(self.path)

    def found(self, found: Found, at_most: int) -> None:
        """Tell how many networks were looked at. Raises `StoppedError` if somebody asked for it, as do the following."""
        if self._is_due():
            self._say(f"Looked at {found.networks} of at most {at_most} networks: {len(found.keys)} blocks")

    def measured(self, known: Measured, blocks: int) -> None:
        """Tell how many of the blocks were measured and how long the others will take, and keep them now and then."""
        done = len(known.timings) + len(known.unstable)
        if self._is_due():
            self._keep(known)
            again = (
                f"; {len(known.unstable)} unstable ones are looked at again"
                if known.unstable and done >= blocks
                else ""
            )
            self._say(f"Measured {len(known.timings)} of {blocks} blocks{again}{self._left(done, blocks)}")

    def checked(self, networks: int, of: int) -> None:
        """Tell how many whole networks were compared with the table."""
        if self._is_due():
            self._say(f"Compared {networks} of {of} whole networks with the table")

    def _is_due(self) -> bool:
        if self._stop.is_set():
            raise StoppedError
        now = self._clock.now()
        if now - self._told_at < _EVERY:
            return False
        self._told_at = now
        return True

    def _left(self, done: int, blocks: int) -> str:
        since, before = self._begun
        if not before < done < blocks:
            return ""
        now = self._clock.now()
        return f", about {duration(Interval(now, now + (blocks - done) * (now - since) / (done - before)))} left"

    def _keep(self, known: Measured) -> None:
        if known.timings:
            replace_file(self.path, known.table(self._device, self._about).to_json().encode())

    def _require_same(self, table: LatencyTable) -> None:
        before = {**table.about, "device": table.device}
        now = {**self._about, "device": self._device}
        for name in sorted({*before, *now} - _CHANGING):
            if before.get(name) != now.get(name):
                was, is_now = (repr(about.get(name))[:_SHOWN] for about in (before, now))
                what = f"its {name[:_SHOWN]} is {was}, not {is_now}"
                raise ConfigError(str(self.path), (f"is of another measurement: {what}; {_REMEDY}",))

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)
