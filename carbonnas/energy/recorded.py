"""Energies from a table, such as one measured before on another machine: for replays of recorded searches."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from carbon_sources.units import Watts
from carbonnas.architecture import Architecture
from carbonnas.energy.meter import Measurement, StatedPowers, Usage
from carbonnas.energy.power_model import PowerModelMeter
from carbonnas.errors import EnergyMeterError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.trials import TrialKind

_COLUMNS = ("architecture", "kind", "energy_j", "seconds")

_Key = tuple[Architecture, TrialKind, str]


class RecordedMeter(PowerModelMeter):
    """Charges work the mean power of the recorded work of the same kind on the same architecture.

    The table is a CSV file with the columns `architecture` (the option indices joined by `-`, such as `0-3-1`), `kind` (`score` or
    `train`), `energy_j`, `seconds` and, if it likes, `fidelity` (a name such as `search`; left empty the row holds for any). The
    recorded energy is spread evenly over the recorded time: a slot is charged `energy_j / seconds` times the time it worked, so that
    a trial which is suspended, or lost and begun again, pays for the time it used and for no second more.

    Args:
        slots: Slots of the node.
        path: The table.
        idle: Watts of the node all the time, on top of the table.

    Raises:
        EnergyMeterError: If the table can't be read, lacks a column, has a bad value or says one thing twice.
        ValueError: If `idle` is negative or not finite.
    """

    def __init__(self, slots: int, *, path: Path, idle: Watts = 0.0) -> None:
        super().__init__(idle)
        self._slots = slots
        self._path = path
        self._table = _read(path)

    def watts(self, usage: Usage) -> float:
        request = usage.request
        if request is None:
            return 0.0
        for fidelity in (request.fidelity.name, ""):
            power_w = self._table.get((request.architecture, request.kind, fidelity))
            if power_w is not None:
                return power_w
        raise EnergyMeterError(
            f"{self._path} has no energy for {request.kind.value} of architecture {_text(request)} at fidelity"
            f" {request.fidelity.name}: add a row, it can't be taken as zero"
        )

    def stated(self) -> StatedPowers:
        most_w = self._idle_w + self._slots * max(self._table.values())
        return StatedPowers(resting_w=self._idle_w, most_w=most_w)

    def measurement(self) -> Measurement:
        return Measurement(
            meter="recorded",
            method="Nothing was measured now: energies come from a table recorded before, spread evenly over time.",
            details={
                "table": self._path.name,
                "rows": str(len(self._table)),
                "idle_w": f"{self._idle_w:g}",
                "slots": str(self._slots),
            },
            caveat="The energies are those of the machine and the load on which the table was recorded, not of this one.",
            modelled=True,
        )


def _text(request: EvaluationRequest) -> str:
    return "-".join(str(value) for value in request.architecture)


def _read(path: Path) -> Mapping[_Key, float]:
    """Return the mean power in watts by architecture, kind and fidelity (`""` for any)."""
    table: dict[_Key, float] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise EnergyMeterError(f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(_COLUMNS)}")
            for row in reader:
                key, power_w = _parse(row, f"{path}, line {reader.line_num}")
                if key in table:
                    raise EnergyMeterError(f"{path}, line {reader.line_num}: a row for the same work came before")
                table[key] = power_w
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EnergyMeterError(f"the table of energies {path} can't be read: {error}") from error
    if not table:
        raise EnergyMeterError(f"{path} has no rows: there is no energy to charge")
    return table


def _parse(row: Mapping[str, str | None], place: str) -> tuple[_Key, float]:
    try:
        architecture = tuple(int(value) for value in (row["architecture"] or "").split("-"))
        kind = TrialKind(row["kind"])
        energy_j, seconds = float(row["energy_j"] or ""), float(row["seconds"] or "")
    except ValueError as error:
        raise EnergyMeterError(f"{place}: {error}") from error
    if not (math.isfinite(energy_j) and energy_j >= 0 and math.isfinite(seconds) and seconds > 0):
        raise EnergyMeterError(f"{place}: energy_j must be at least zero and seconds above zero, both finite")
    return (architecture, kind, row.get("fidelity") or ""), energy_j / seconds
