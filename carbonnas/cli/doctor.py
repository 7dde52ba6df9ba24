"""`doctor`: what works here, and what to fix."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterator
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
from carbonnas.plugins import (
    CARBON_SOURCES,
    ENERGY_METERS,
    EVALUATORS,
    EXECUTORS,
    SCHEDULERS,
    SEARCH_SPACES,
    STRATEGIES,
)
from carbonnas.proxies.registry import PROXIES


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
    checks = [check for find in (_packages, _plugins, _energy, _trace, _images) for check in find()]
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


def _packages() -> Iterator[Check]:
    owners = packages_distributions()
    for package in ("carbonnas", "schedulers", "carbon_sources"):
        found = sorted(set(owners.get(package, ["carbonnas"])))
        if found == ["carbonnas"]:
            continue
        yield Check(
            f"package {package}",
            Health.FAILED,
            f"is claimed by {', '.join(found)}",
            "install carbonnas in a virtual environment of its own",
        )
    yield Check("processor", Health.OK, f"{os.cpu_count()} cores; a search with as many slots keeps them all busy")


def _plugins() -> Iterator[Check]:
    groups: tuple[PluginGroup[Any], ...] = (
        CARBON_SOURCES,
        SCHEDULERS,
        SEARCH_SPACES,
        STRATEGIES,
        EVALUATORS,
        ENERGY_METERS,
        EXECUTORS,
        PROXIES,
    )
    count = 0
    for group in groups:
        for name in group.names():
            count += 1
            try:
                group.load(name)
            except PluginError as error:
                yield Check(
                    f"plug-in {name}", Health.FAILED, str(error), "update or remove the package that it came from"
                )
    yield Check("plug-ins", Health.OK, f"{count} in {len(groups)} groups")


def _energy() -> Iterator[Check]:
    from carbonnas.energy.codecarbon_meter import CodeCarbonMeter

    try:
        measurement = CodeCarbonMeter(1).measurement()
    except CarbonNASError as error:
        yield Check("energy", Health.FAILED, str(error), "use the meter 'constant_power' with powers that you know")
        return
    details = ", ".join(f"{name} {value}" for name, value in measurement.details.items())
    yield Check("energy", Health.NOTE, f"{measurement.method} {measurement.caveat} ({details})")


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
