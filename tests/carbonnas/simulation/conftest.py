"""A small search that is ready to be simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from carbonnas.cli.simulate.plan import SimulateOptions, SimulatePlan, make_plan
from carbonnas.testing.searches import write_simulated_search

MakePlan = Callable[..., SimulatePlan]


@pytest.fixture
def make(tmp_path: Path) -> MakePlan:
    """Return what makes the plan of a simulation of the small search with changes."""

    def plan(
        *schedulers: str,
        hours: float | None = None,
        ce_nas: bool = False,
        reference: str | None = None,
        forecaster: str | None = None,
        budgets: Sequence[Mapping[str, object]] = (),
        **changes: Any,
    ) -> SimulatePlan:
        config = write_simulated_search(tmp_path / "search", rounds=2, budgets=budgets, **changes)
        return make_plan(
            SimulateOptions(
                config=config,
                trace=None,
                trace_details_alone=False,
                start=None,
                hours=hours,
                schedulers=schedulers,
                forecaster=forecaster,
                seeds=1,
                ce_nas=ce_nas,
                suspend_cost=None,
                resume_cost=None,
                qualities=(0.7,),
                reference=reference,
                output=None,
            )
        )

    return plan
