"""`doctor`: what works here, and what to fix."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from carbon_sources.errors import CarbonSourceError, PluginError
from carbon_sources.plugins import PluginGroup
from carbonnas.cli.output import open_store, print_json, results, state_folder
from carbonnas.errors import CarbonNASError
from carbonnas.plugins import GROUP_OF_TABLE
from carbonnas.proxies.registry import PROXIES

PACKAGES = ("carbonnas", "schedulers", "carbon_sources")
GROUPS: tuple[PluginGroup[Any], ...] = (*dict.fromkeys(GROUP_OF_TABLE.values()), PROXIES)


class Health(enum.Enum):
    """Outcome of one check."""

    OK = "ok"
    NOTE = "note"
    """Works, with something to know."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it is, and what to do if it is not well."""

    name: str
    health: Health
    message: str
    remedy: str | None = None


def run_doctor(state: Path | None, *, as_json: bool) -> None:
    """Run all checks, print them, and exit with 1 if one failed."""
    folder = state_folder(state)
    checks = [check for find in (_packages, _processor, _plugins, _energy, _trace, _images) for check in find()]
    checks.append(_storage(folder))
    if as_json:
        print_json({"checks": [_plain(check) for check in checks]})
    else:
        _print(checks)
    if any(check.health is Health.FAILED for check in checks):
        raise typer.Exit(1)


def _plain(check: Check) -> dict[str, Any]:
    return {"name": check.name, "health": check.health.value, "message": check.message, "remedy": check.remedy}


def _print(checks: list[Check]) -> None:
    marks = {Health.OK: "[green]ok[/green]", Health.NOTE: "[yellow]note[/yellow]", Health.FAILED: "[red]failed[/red]"}
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for check in checks:
        remedy = f"\n→ {check.remedy}" if check.remedy else ""
        table.add_row(marks[check.health], escape(check.name), escape(check.message + remedy))
    results().print(table)


def check_packages(owners: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    """Check that nobody else brings a package of our name: which of two is imported, no installer says.

    Args:
        owners: Distributions by the packages that they bring. An editable install names none, so a package may be missing.
    """
    known = [package for package in PACKAGES if owners.get(package)]
    foreign = {package: sorted({*owners[package]} - {"carbonnas"}) for package in known}
    for package in known:
        if foreign[package]:
            yield Check(
                f"package {package}",
                Health.FAILED,
                f"is claimed by {', '.join(foreign[package])}",
                "install carbonnas in a virtual environment of its own",
            )
    if not any(foreign.values()) and len(known) == len(PACKAGES):
        yield Check("packages", Health.OK, f"{', '.join(known)} belong to carbonnas alone")


def check_plugins(groups: Iterable[PluginGroup[Any]]) -> Iterator[Check]:
    """Load every plug-in that is installed."""
    names = [(group, name) for group in groups for name in group.names()]
    failures = [check for check in (_broken(group, name) for group, name in names) if check is not None]
    yield from failures
    if not failures:
        yield Check("plug-ins", Health.OK, f"{len(names)} can be loaded")


def _broken(group: PluginGroup[Any], name: str) -> Check | None:
    try:
        group.load(name)
    except PluginError as error:
        return Check(f"plug-in {name}", Health.FAILED, str(error), "update or remove the package that it came from")
    return None


def _packages() -> Iterator[Check]:
    yield from check_packages(packages_distributions())


def _processor() -> Iterator[Check]:
    cores = os.cpu_count()
    if cores is None:
        yield Check("processor", Health.NOTE, "its number of cores is unknown", "set slots in [search] by hand")
    else:
        yield Check("processor", Health.OK, f"{cores} cores; a search with as many slots keeps them all busy")


def _plugins() -> Iterator[Check]:
    yield from check_plugins(GROUPS)


def _energy() -> Iterator[Check]:
    from carbonnas.energy.codecarbon_meter import CodeCarbonMeter

    try:
        measurement = CodeCarbonMeter(1).measurement()
    except CarbonNASError as error:
        yield Check("energy", Health.FAILED, str(error), "use the meter 'constant_power' with powers that you know")
        return
    details = ", ".join(f"{name} {value}" for name, value in measurement.details.items())
    remedy = (
        "set cpu_power and ram_power in [energy] to what you measured or data sheets say"
        if "estimated" in details
        else None
    )
    yield Check("energy", Health.NOTE, f"{measurement.method} {measurement.caveat} ({details})", remedy)


def _trace() -> Iterator[Check]:
    yield _attempt("bundled trace", _read_bundled)


def _read_bundled() -> str:
    from carbon_sources.providers.trace import TraceSource

    source = TraceSource(path=Path("bundled:DK_2019"))
    return f"{source.zone}, {source.kind.value}, {source.basis.value}"


def _images() -> Iterator[Check]:
    from carbonnas.errors import DatasetError
    from carbonnas.evaluation.datasets import load_dataset

    try:
        load_dataset("fashion_mnist")
    except DatasetError as error:
        yield Check("fashion_mnist", Health.NOTE, str(error))
    else:
        yield Check("fashion_mnist", Health.OK, "found")


def _storage(folder: Path) -> Check:
    def describe() -> str:
        return f"{folder}, {len(open_store(folder).ids())} searches"

    return _attempt("storage", describe)


def _attempt(name: str, describe: Callable[[], str]) -> Check:
    try:
        return Check(name, Health.OK, describe())
    except (CarbonNASError, CarbonSourceError) as error:
        return Check(name, Health.FAILED, str(error))
