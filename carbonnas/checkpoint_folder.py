"""Where trainings keep what they have reached: for as long as their result is not in the store, and no longer."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from carbonnas.files import remove_file
from carbonnas.trials import Trial, TrialKind, TrialState

_log = logging.getLogger(__name__)

_NAMES: Final = re.compile(r"trial-(\d+)\.checkpoint(\.new)?")


class CheckpointFolder:
    """The checkpoints of one search, a file for each training under way.

    An evaluator writes the file and leaves it: a process may be killed between the end of a training and the commit of its result, also while
    costs are measured. Whoever commits the result removes the file.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given_up: list[Trial] = []
        self._refused = False

    def open(self, trials: Mapping[int, Trial]) -> None:
        """Make the folder, and remove what a crash after a commit left of trials that have ended, as far as that can be removed.

        Files of trials that are not known stay: a store that was put back to what it was will get to them again.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        found = [_NAMES.fullmatch(path.name) for path in self._folder.iterdir()]
        self.forget(trials[int(name[1])] for name in found if name is not None and int(name[1]) in trials)

    def path(self, trial: Trial) -> Path | None:
        """Return the file of a training; `None` for a scoring, which keeps nothing."""
        return self._folder / f"trial-{trial.number}.checkpoint" if trial.kind is TrialKind.TRAIN else None

    def stamp(self, trial: Trial) -> int | None:
        """Return when the checkpoint was last written, or `None` if there is none: what changes when an epoch is kept."""
        path = self.path(trial)
        return path.stat().st_mtime_ns if path is not None and path.exists() else None

    def forget(self, trials: Iterable[Trial]) -> None:
        """Remove the checkpoints of those trials that have ended; their end has to be in the store."""
        for trial in trials:
            path = self.path(trial)
            if path is not None and trial.state.final:
                self._remove(path)
                if trial.state is TrialState.CANCELLED:
                    self._given_up.append(trial)

    def close(self) -> None:
        """Remove what trainings that were given up wrote since then; nobody may be at work any more."""
        given_up, self._given_up = self._given_up, []
        self.forget(given_up)

    def _remove(self, path: Path) -> None:
        """Remove a file, or say once that it can't be: a result that is in the store is worth more than the room."""
        try:
            remove_file(path)
        except OSError as error:
            if not self._refused:
                _log.warning(
                    "%s is of no use any more and can't be removed (%s): remove it by hand", path, error.strerror
                )
            self._refused = True
