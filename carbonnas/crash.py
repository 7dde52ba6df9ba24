"""Named points at which a test can have the process killed, to prove that nothing is lost or counted twice."""

from __future__ import annotations

import os
import signal

_VARIABLE = "CARBONNAS_CRASH_AT"


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if the environment asks for a crash at this point; else do nothing.

    `CARBONNAS_CRASH_AT=after_commit` crashes at the first pass, `after_commit:7` at the seventh.
    """
    wanted = os.environ.get(_VARIABLE)
    if wanted is None:
        return
    point, _, passes = wanted.partition(":")
    if point != name:
        return
    left = int(passes or "1") - 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.environ[_VARIABLE] = f"{point}:{left}"
