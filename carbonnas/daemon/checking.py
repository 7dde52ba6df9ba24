"""Checking a configuration in a process of its own: plug-ins, and torch with them, are imported there and not in the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from carbonnas.config_file import DEPENDING, parse_config
from carbonnas.daemon.control import CommandError, Submission
from carbonnas.errors import ConfigError
from carbonnas.execution.child import ChildError, ask_child, carry_out
from carbonnas.feasibility_check import doubt_about, expected_outlook
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.wiring import make_clock

ORIGIN = "configuration"
"""What messages call a submitted text."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A configuration without mistakes.

    Attributes:
        text: Its TOML, with a remark if it is entered in spite of a doubt.
        choices: The tables that depend on plug-ins or on the folder, as JSON.
    """

    text: str
    choices: Mapping[str, Any]


def check_in_child(submission: Submission, state_folder: Path, patience: timedelta) -> Checked:
    """Check a configuration in another process.

    Args:
        submission: What was handed in.
        state_folder: Folder of the store, which holds what is known of the grid.
        patience: How long the other process may take.

    Raises:
        ConfigError: With every mistake, or because deadline and budgets leave no room.
        CommandError: If the other process could not do it.
    """
    request = {
        "config": submission.config,
        "folder": submission.folder,
        "anyway": submission.anyway,
        "state": str(state_folder),
    }
    what = "the configuration could not be checked"
    try:
        told = ask_child("carbonnas.daemon.checking", request, what=what, longest_s=patience.total_seconds())
    except ChildError as error:
        raise CommandError(str(error)) from error
    answer = json.loads(told)
    if "problems" in answer:
        raise ConfigError(ORIGIN, tuple(answer["problems"]))
    return Checked(answer["text"], answer["choices"])


def check(request: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration in this process and answer as JSON: `text` and `choices`, or `problems`."""
    try:
        config = parse_config(request["config"], ORIGIN, Path(request["folder"]))
        clock = make_clock(config.clock, None)
        store = Store(store_path(Path(request["state"])))
        try:
            doubt = doubt_about(config, clock.now(), partial(expected_outlook, config, clock, store.archive))
        finally:
            store.close()
    except ConfigError as error:
        return {"problems": list(error.problems)}
    text = request["config"]
    if doubt is not None and doubt.refused:
        if not request["anyway"]:
            return {"problems": [f"{doubt.sentence}; submit it with --anyway to begin all the same"]}
        text = f"# Begun with --anyway: {doubt.sentence}.\n{text}"
    dumped = config.model_dump(mode="json")
    return {"text": text, "choices": {key: dumped[key] for key in DEPENDING}}


if __name__ == "__main__":
    carry_out(lambda request: json.dumps(check(request)).encode())
