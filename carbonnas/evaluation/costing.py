"""An evaluator with costs beside it: what objectives, limits and targets want and the evaluator does not tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from carbonnas.architecture import Architecture
from carbonnas.costs.energy import JouleCounter, inference_energy
from carbonnas.costs.known import KnownCosts, UnknownCostError
from carbonnas.costs.names import ENERGY, LATENCY
from carbonnas.costs.plan import CostPlan
from carbonnas.costs.timing import UnstableError, by_torch, timed
from carbonnas.errors import ConfigError, EnergyMeterError
from carbonnas.evaluation.evaluator import Evaluation, EvaluationRequest, Evaluator, Session
from carbonnas.search_spaces.space import SearchSpace, TaskShape
from carbonnas.trials import TrialKind

_NO_COUNTER = "inference_j is unknown: the energy meter does not see a process by itself"


class CostingEvaluator(Evaluator):
    """Adds costs to the metrics of another evaluator.

    What is known without running a network comes with scorings and trainings. Latency and energy are measured once a training is done,
    on a network with untrained weights, which take as long. What can't be told is left out, and `Evaluation.lacks` says why.

    Args:
        evaluator: The other one; a metric that it gives is taken as it is, unless it is that of networks for another task.
        space: Makes the networks.
        plan: What is wanted.
        known: Tells what is known without running a network.
        task: What networks are built for; `None` if nobody knows.
        counter: Makes what measures the energy of this process; `None` if there is none.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        space: SearchSpace,
        plan: CostPlan,
        *,
        known: KnownCosts,
        task: TaskShape | None,
        counter: Callable[[], JouleCounter] | None = None,
    ) -> None:
        self._evaluator = evaluator
        self._space = space
        self._plan = plan
        self._task = task
        self._known = known
        self._counter = counter

    @property
    def task(self) -> TaskShape | None:
        return self._task

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:
        evaluation = self._evaluator.evaluate(request, session)
        wanted = [*self._known.metrics, *(self._plan.measured if request.kind is TrialKind.TRAIN else ())]
        costs: dict[str, float] = {}
        lacks = dict(evaluation.lacks)
        for metric in wanted:
            if metric in evaluation.metrics and self._evaluator.task in {None, self._task}:
                continue
            try:
                costs[metric] = self._cost(request.architecture, metric)
            except (UnknownCostError, UnstableError, EnergyMeterError) as error:
                lacks[metric] = str(error)
            except RuntimeError as error:  # of torch: the training is paid for, whatever the measurement comes to
                lacks[metric] = f"{metric} is unknown: {(str(error).splitlines() or ['torch failed'])[0]}"
        return replace(evaluation, metrics={**evaluation.metrics, **costs}, lacks=lacks)

    def _cost(self, architecture: Architecture, metric: str) -> float:
        if metric in self._known.metrics:
            return self._known.value(architecture, metric)
        return {LATENCY: self._latency_ms, ENERGY: self._energy_j}[metric](self._inference(architecture, metric))

    def _inference(self, architecture: Architecture, metric: str) -> Callable[[], object]:
        import torch

        from carbonnas.costs.network import built, one_input

        if self._task is None:
            raise UnknownCostError(
                f"{metric} is unknown: nothing says what networks are built for; set task in [costs]"
            )
        device = torch.device(self._plan.device)
        network, inputs = built(self._space, architecture, self._task, device), one_input(self._task, device)

        def call() -> object:
            with torch.inference_mode():
                return network(inputs)

        return call

    def _latency_ms(self, call: Callable[[], object]) -> float:
        clocked = by_torch(on_processor=self._plan.device == "cpu")
        return timed(call, clocked, unstable_above=self._plan.unstable_above, what=LATENCY).median_ms

    def _energy_j(self, call: Callable[[], object]) -> float:
        if self._counter is None:
            raise UnknownCostError(_NO_COUNTER)
        return inference_energy(call, self._counter())


def with_costs(
    evaluators: Mapping[TrialKind, Evaluator],
    space: SearchSpace,
    plan: CostPlan,
    counter: Callable[[], JouleCounter] | None,
) -> Mapping[TrialKind, Evaluator]:
    """Return the evaluators with the costs of a plan beside them, those of networks for what they are trained on.

    Raises:
        ConfigError: If a latency table can't be read, or it needs a task and nobody knows one; if there is no such device.
    """
    if not (plan.known or plan.measured):
        return evaluators
    if plan.measured:
        _require_device(plan.device)
    task = plan.task or evaluators[TrialKind.TRAIN].task or evaluators[TrialKind.SCORE].task
    known = KnownCosts(space, plan, task)
    return {
        kind: CostingEvaluator(evaluator, space, plan, known=known, task=task, counter=counter)
        for kind, evaluator in evaluators.items()
    }


def _require_device(name: str) -> None:
    from carbonnas.costs.network import is_there

    if not is_there(name):
        raise ConfigError(
            "costs", (f"device: torch finds no {name!r} to measure on; choose cpu, or cuda where there is a GPU",)
        )
