"""Work that a process of its own does: what it imports and how long it takes is no burden for the one that asks."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from carbonnas.errors import CarbonNASError
from carbonnas.execution.parent_death import die_with_parent

_log = logging.getLogger(__name__)

_STDOUT, _STDERR = 1, 2

_MOST_LOGGED = 2000
"""Characters of its last words."""


class ChildError(CarbonNASError):
    """The other process gave no answer; one sentence."""


def ask_child(module: str, order: Mapping[str, Any], *, what: str, longest_s: float) -> bytes:
    """Have a module carry out an order in a process of its own, which ends with this thread.

    Args:
        module: When it is run it calls `carry_out`.
        order: What can be told as JSON.
        what: What the order is about, such as "the chart could not be drawn": how the sentences of errors begin.
        longest_s: How long it may take.

    Raises:
        ChildError: If the process can't be started, fails, which the log tells more of, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 # our own module
            [sys.executable, "-P", "-m", module],
            input=json.dumps({**order, "parent": os.getpid()}).encode(),
            capture_output=True,
            timeout=longest_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildError(f"{what} in {longest_s:.0f} s; try again when less is going on") from None
    except OSError as error:
        raise ChildError(f"{what}: no process can be started ({error.strerror})") from error
    if done.returncode != 0:
        _log.error("%s: %s", what, done.stderr.decode(errors="replace").strip()[-_MOST_LOGGED:])
        raise ChildError(f"{what}; the daemon's log says why")
    return done.stdout


def carry_out(work: Callable[[dict[str, Any]], bytes], politeness: int = 0) -> None:
    """Carry out the order of the process that has started this one, which from now on ends with that one, and answer it.

    Standard output is the answer's alone: what anything prints meanwhile, such as a plug-in that is imported, goes to standard error.

    Args:
        work: Takes the order and returns the answer.
        politeness: How far to stand back behind other work, 0..19 (nice(2)).
    """
    with os.fdopen(os.dup(_STDOUT), "wb") as answers:
        os.dup2(_STDERR, _STDOUT)
        order: dict[str, Any] = json.load(sys.stdin)
        die_with_parent(order.pop("parent"))
        os.nice(politeness)
        answers.write(work(order))
