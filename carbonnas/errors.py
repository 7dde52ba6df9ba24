"""Errors of the carbonnas package.

* `CarbonNASError`: base class; catch it to catch them all. Each message is one sentence for the user.
    * `ConfigError`: a search or its configuration is wrong; carries every problem that was found.
    * `ArchitectureError`: an architecture does not belong to its space.
    * `DatasetError`: a data set is missing or damaged.
    * `EnergyMeterError`: energy can't be measured, so nothing can be accounted for.
    * `ExecutionError`: the workers can't be started or fed.
    * `StorageError`: the store can't be read or written.
        * `SearchNotFoundError`: there is no search of that name.
        * `SearchLockedError`: another process is working on the search.
        * `DaemonLockedError`: another daemon holds the state folder.
"""

from __future__ import annotations


class CarbonNASError(Exception):
    """Base class of everything that this package raises on purpose."""


class ConfigError(CarbonNASError):
    """A configuration is wrong.

    Attributes:
        problems: One sentence for each mistake, naming the key.
    """

    def __init__(self, origin: str, problems: tuple[str, ...]) -> None:
        self.problems = problems
        noun = "mistake" if len(problems) == 1 else "mistakes"
        super().__init__("\n".join((f"{origin}: {len(problems)} {noun}", *(f"  {problem}" for problem in problems))))


class ArchitectureError(CarbonNASError):
    """An architecture does not belong to its search space."""


class DatasetError(CarbonNASError):
    """A data set is missing or damaged."""


class EnergyMeterError(CarbonNASError):
    """Energy can't be measured, so nothing could be accounted for."""


class ExecutionError(CarbonNASError):
    """The workers can't be started or fed."""


class StorageError(CarbonNASError):
    """The store can't be read or written."""


class SearchNotFoundError(StorageError):
    """The store holds no search of that name."""


class SearchLockedError(StorageError):
    """Another process is working on the search."""


class DaemonLockedError(StorageError):
    """Another daemon holds the state folder."""
