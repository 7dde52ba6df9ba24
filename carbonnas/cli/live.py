"""What the daemon tells of searches, read from its API, as displays and lists need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from carbonnas.cli.glance import Best, BudgetGlance, Course, Drawn, Glance, Work, stage
from carbonnas.client import DaemonClient, DaemonError
from carbonnas.daemon.control import Phase
from carbonnas.record import SearchState
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.api_models import (
    BudgetAnswer,
    SearchAnswer,
    SearchLine,
    SearchList,
    SourceList,
    StatusAnswer,
    TrialAnswer,
)

_M = TypeVar("_M", bound=BaseModel)
_PAGE = 200


@dataclass(frozen=True, slots=True)
class LiveSearch:
    """A search as the daemon tells of it at one instant.

    Attributes:
        answer: What it tells of the search.
        document: The same as it came.
        daemon: How the daemon stands.
        intensity: What is known of the search's grid, in one sentence; `None` where the daemon asks no grid for it.
    """

    answer: SearchAnswer
    document: Mapping[str, Any]
    daemon: StatusAnswer
    intensity: str | None

    @property
    def has_ended(self) -> bool:
        """Whether it is at its end."""
        return self.answer.state in {SearchState.COMPLETED, SearchState.STOPPED}

    @property
    def is_known(self) -> bool:
        """Whether the daemon works on it, or it has ended; a submission that the daemon has just taken is not known for a moment."""
        return self.answer.phase is not None

    @property
    def is_nobodys(self) -> bool:
        """Whether it has not ended and the daemon, which has taken over what it found when it started, does not work on it."""
        return not self.is_known and self.daemon.version > 0

    @property
    def ending(self) -> str:
        """How it ended, in a few words."""
        state, reason = self.answer.state, self.answer.stop_reason
        told = "unknown" if state is None else state.value
        return told if reason is None else f"{told} ({reason.value.replace('_', ' ')})"

    def glance(self) -> Glance:
        """Return what displays show of it."""
        answer, totals, best = self.answer, self.answer.totals, self.answer.best
        decision = answer.decision
        return Glance(
            now=self.daemon.now,
            held=_held(answer),
            intensity=self.intensity,
            course=None
            if decision is None
            else Course(decision.train_slots, decision.score_slots, decision.reason.code),
            reason=None if decision is None else decision.reason.text,
            scored=_work(answer, TrialKind.SCORE),
            trained=_work(answer, TrialKind.TRAIN),
            running=tuple(map(_stage, answer.running)),
            drawn=None if totals is None else Drawn(totals.energy_j, totals.emissions_g, totals.unpriced_j),
            budgets=tuple(map(_budget, answer.budgets)),
            best=None if best is None else Best(best.number, best.architecture, best.metrics),
            looking=answer.looking,
            exhausted=answer.exhausted,
        )


def look_at(client: DaemonClient, search_id: str) -> LiveSearch:
    """Ask the daemon how a search stands.

    Raises:
        DaemonError: If it does not answer, or what can't be understood.
        SearchNotFoundError: If there is no such search.
    """
    # In this order: a daemon that has taken over its searches by the first answer knows them all by the second.
    status = read(StatusAnswer, client.get("status"))
    document = client.get("searches", search_id)
    return LiveSearch(read(SearchAnswer, document), document, status, _intensity(client, search_id))


def active_searches(client: DaemonClient) -> list[SearchLine]:
    """Return the searches that the daemon works on and that have not ended, the oldest first.

    Raises:
        DaemonError: If it does not answer, or what can't be understood.
    """
    expected = sum(read(StatusAnswer, client.get("status")).phases.values())
    active: list[SearchLine] = []
    query: dict[str, str | int] = {"limit": _PAGE}
    while len(active) < expected:
        page = read(SearchList, client.get("searches", **query))
        active += [line for line in page.searches if line.phase not in {None, Phase.ENDED}]
        if page.next is None:
            break
        query["before"] = page.next
    return active[::-1]


def read(model: type[_M], document: Mapping[str, Any]) -> _M:
    """Read an answer of the API.

    Raises:
        DaemonError: If it has another shape.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DaemonError(
            f"the daemon's answer can't be understood ({where}: {first['msg']}): is it of another release? "
            "`carbonnas --version` tells this one's"
        ) from None


def _held(answer: SearchAnswer) -> str | None:
    waiting = "queued: it waits for a slot of the machine"
    failing = f"it can't run, and is tried again: {answer.problem or 'the daemon does not say why'}"
    opening = "opening: plug-ins are imported and workers started"
    said = {Phase.QUEUED: waiting, Phase.OPENING: opening, Phase.PAUSED: "paused", Phase.FAILING: failing}
    return said.get(answer.phase or Phase.ENDED)


def _work(answer: SearchAnswer, kind: TrialKind) -> Work | None:
    if answer.trials is None:
        return None
    planned = None if answer.planned is None else answer.planned.get(kind)
    counts = answer.trials.get(kind, {})
    return Work(counts.get(TrialState.COMPLETED, 0), counts.get(TrialState.FAILED, 0), planned)


def _stage(trial: TrialAnswer) -> str:
    return stage(trial.kind.value, trial.number, trial.epoch, trial.epochs)


def _budget(budget: BudgetAnswer) -> BudgetGlance:
    return BudgetGlance(budget.spent_g, budget.limit_g, budget.window.value, budget.warned, budget.exhausted)


def _intensity(client: DaemonClient, search_id: str) -> str | None:
    sources = read(SourceList, client.get("sources")).sources
    source = next((source for source in sources if search_id in source.searches), None)
    if source is None:
        return None
    if source.current is None:
        return f"intensity unknown: {'; '.join(source.sentences) or 'no data for this time'}"
    return f"{source.current.g_per_kwh:.0f} g/kWh in {source.current.zone}, {source.current.provenance.value}"
