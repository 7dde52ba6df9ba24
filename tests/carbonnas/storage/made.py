"""Rows made up for tests, at hours after the begin of 2021."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.emissions import EmissionEntry, PricedEnergy
from carbonnas.energy.meter import Account, EnergySample, Measurement, Owner
from carbonnas.objectives.objective import Objective
from carbonnas.plan import PlanPosition
from carbonnas.record import DecisionRecord, SearchState
from carbonnas.search_state import SearchHeader, SearchProgress
from carbonnas.storage.daemon_rows import StoredSubmission
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.decision import Decision, Reason, ReasonCode

START = datetime(2021, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KWH = 3.6e6


def at(hours: float) -> datetime:
    return START + hours * HOUR


def hours(start: float, end: float) -> Interval:
    return Interval(at(start), at(end))


def new_search(search_id: str) -> tuple[SearchHeader, SearchProgress]:
    objectives = (Objective.parse("maximize val_accuracy"),)
    header = SearchHeader(search_id, "Name", "f", "[search]", 1, 2, objectives, (), 1050.0, START, None, None)
    measurement = Measurement("m", "How.", {}, "Caveat.")
    progress = SearchProgress(SearchState.RUNNING, None, None, START, PlanPosition(), b"state", None, measurement)
    return header, progress


def intensity(hour: int, g_per_kwh: float = 100.0, zone: str = "Z") -> IntensitySample:
    return IntensitySample(
        hours(hour, hour + 1), g_per_kwh, zone, IntensityKind.AVERAGE, Basis.LIFECYCLE, Provenance.MEASURED, "s"
    )


def entry(
    entry_id: str,
    within: Interval,
    price: IntensitySample | None = None,
    *,
    joules: float = KWH,
    pue: float = 1.0,
    supersedes: str | None = None,
) -> EmissionEntry:
    priced = PricedEnergy(EnergySample(within, joules, 0.0, 0.0), price)
    return EmissionEntry(entry_id, Owner(Account.IDLE), priced, pue, supersedes)


def trial(number: int, kind: TrialKind = TrialKind.SCORE, state: TrialState = TrialState.COMPLETED) -> Trial:
    fidelity = PROXY if kind is TrialKind.SCORE else Fidelity(FidelityName.SEARCH, 12)
    return Trial(number, 0, kind, fidelity, (1, 2), "k", 7, START, state=state, metrics={"params": 3.0})


def decision(hour: int) -> DecisionRecord:
    return DecisionRecord(at(hour), None, Decision(1, 0, Reason(ReasonCode.CLEAN, "clean"), at(hour + 1)))


def submission(search_id: str, hour: float = 0.0) -> StoredSubmission:
    choices = {"space": {"use": "nasbench201", "options": {}}, "scheduler": {"use": "threshold", "options": {"p": 5}}}
    return StoredSubmission(search_id, at(hour), "/a folder/é", choices, 7, ("team: a", "<b>"))
