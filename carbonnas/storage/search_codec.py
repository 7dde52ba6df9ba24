"""Rows of searches to values of the program and back."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import Any

from carbonnas.architecture import as_architecture
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.plan import OpenRound, PlanPosition
from carbonnas.record import SearchState, StopReason
from carbonnas.search_state import SearchHeader, SearchProgress, Totals
from carbonnas.storage import codec
from carbonnas.trials import TrialKind, TrialState

_SUMS = ("energy_j", "emissions_g", "unpriced_j")


def search_row(header: SearchHeader, progress: SearchProgress) -> dict[str, Any]:
    """Return the row of a new search."""
    return {
        "id": header.search_id,
        "name": header.name,
        "fingerprint": header.fingerprint,
        "config": header.config,
        "seed": header.seed,
        "slots": header.slots,
        "objectives": _aims_json(header),
        "budgets": [codec.budget_json(budget) for budget in header.budgets],
        "bound_g_per_kwh": header.bound_g_per_kwh,
        "started_at": header.started_at,
        "deadline": header.deadline,
        "clock": header.clock,
        **progress_row(progress),
    }


def header_from(row: codec.Row) -> SearchHeader:
    """Return what is fixed about the search of a row."""
    return SearchHeader(
        search_id=row["id"],
        name=row["name"],
        fingerprint=row["fingerprint"],
        config=row["config"],
        seed=row["seed"],
        slots=row["slots"],
        objectives=tuple(Objective.parse(aim) for aim in row["objectives"] if isinstance(aim, str)),
        limits=tuple(Limit(**limit) for limit in _of_sort(row, "limit")),
        targets=tuple(Target(**target) for target in _of_sort(row, "target")),
        budgets=tuple(codec.budget_from(value) for value in row["budgets"]),
        bound_g_per_kwh=row["bound_g_per_kwh"],
        started_at=row["started_at"],
        deadline=row["deadline"],
        clock=row["clock"],
    )


def _aims_json(header: SearchHeader) -> list[str | dict[str, Any]]:
    """Return all that a search is after: objectives as text, then limits and targets."""
    limits = [{"limit": _finite(asdict(limit))} for limit in header.limits]
    targets = [{"target": asdict(target)} for target in header.targets]
    return [*map(str, header.objectives), *limits, *targets]


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Leave infinities out, which JSON has none of."""
    return {key: value for key, value in values.items() if isinstance(value, str) or math.isfinite(value)}


def _of_sort(row: codec.Row, sort: str) -> list[dict[str, Any]]:
    return [aim[sort] for aim in row["objectives"] if isinstance(aim, dict) and sort in aim]


def progress_from(row: codec.Row) -> SearchProgress:
    """Return what changes about the search of a row."""
    return SearchProgress(
        state=SearchState(row["state"]),
        stop_reason=None if row["stop_reason"] is None else StopReason(row["stop_reason"]),
        ended_at=row["ended_at"],
        clock_at=row["clock_at"],
        position=_position_from(row["position"]),
        strategy_state=row["strategy_state"],
        executor_state=row["executor_state"],
        measurement=codec.measurement_from(row["measurement"]),
        totals=totals_from(row),
    )


def progress_row(progress: SearchProgress) -> dict[str, Any]:
    """Return the columns that a step of a search changes."""
    return {
        "state": progress.state.value,
        "stop_reason": None if progress.stop_reason is None else progress.stop_reason.value,
        "ended_at": progress.ended_at,
        "clock_at": progress.clock_at,
        "position": _position_json(progress.position),
        "strategy_state": progress.strategy_state,
        "executor_state": progress.executor_state,
        "measurement": codec.measurement_json(progress.measurement),
        **_totals_row(progress.totals),
    }


def _position_json(position: PlanPosition) -> dict[str, Any]:
    """Return a position as it is kept. `asdict` would copy each number of what a long round has dropped, at every step."""
    written = {each.name: getattr(position, each.name) for each in fields(position)}
    round_ = position.open_round
    return written | {"open_round": round_ and {each.name: getattr(round_, each.name) for each in fields(round_)}}


def _position_from(value: dict[str, Any]) -> PlanPosition:
    """Return a position as it was kept, in an older release perhaps, which knew of fewer fields."""
    round_ = value.get("open_round")
    if round_ is None:
        return PlanPosition(**value)
    proposed = tuple(as_architecture(each) for each in round_["proposed"])
    dropped = {limit: tuple(as_architecture(each) for each in some) for limit, some in round_["dropped"].items()}
    return PlanPosition(**{**value, "open_round": OpenRound(round_["asks"], proposed, dropped)})


def totals_from(row: codec.Row) -> Totals | None:
    """Return the totals of the search of a row, or `None` if they are not kept."""
    energy_j, emissions_g, unpriced_j = (row[name] for name in _SUMS)
    # A sum that is no number is kept as nothing.
    if None in (row["counts"], energy_j, emissions_g, unpriced_j):
        return None
    counts = {
        (TrialKind(kind), TrialState(state)): int(count)
        for kind, states in row["counts"].items()
        for state, count in states.items()
    }
    return Totals(energy_j, emissions_g, unpriced_j, counts)


def _totals_row(totals: Totals | None) -> dict[str, Any]:
    if totals is None:
        return dict.fromkeys((*_SUMS, "counts"))
    counts: dict[str, dict[str, int]] = {}
    for (kind, state), count in totals.counts.items():
        counts.setdefault(kind.value, {})[state.value] = count
    return {
        "energy_j": totals.energy_j,
        "emissions_g": totals.emissions_g,
        "unpriced_j": totals.unpriced_j,
        "counts": counts,
    }
