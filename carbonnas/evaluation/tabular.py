"""Evaluation by looking it up: results that somebody has measured, for simulations and tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from carbonnas.errors import ArchitectureError
from carbonnas.evaluation.evaluator import Evaluation, EvaluationFailedError, EvaluationRequest, Evaluator, Session
from carbonnas.evaluation.table import Column, ResultTable, read_table
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.trials import Fidelity, FidelityName, TrialKind

SHORTEST_S: Final = 1e-6
"""No training takes no time: a zero in the table stands for something unknown."""

_SECONDS: Final = "training seconds"
_SECONDS_OF: Final = "seconds of "


class TabularEvaluator(Evaluator):
    """Answers from a table of results, one architecture a row, with the time that the work would have taken.

    A scoring returns the `params`, `macs`, score and metric columns. A training returns the search accuracy as `val_accuracy`, at
    fidelity `full` the final accuracy as `test_accuracy`, the size and the metric columns. The table holds one training per
    architecture: other numbers of epochs change only the modelled time, seeds change nothing.

    An architecture that is not in the table gets the first row of the table that is the same network. Where a score column holds an
    infinity or a not-a-number, the proxy had no score to give: that scoring fails, as it would if the proxy were run.

    The defaults fit tables in the columns of NAS-Bench-201 with accuracies in percent: validation after 12 epochs on half the
    training images, test after 200 epochs on all of them, which take 200 / 12 * 2 = 33.33 times as long.

    Args:
        space: Reads the architectures of the table.
        seed: Seed of the search; not used, since a table has no randomness.
        path: The table: CSV with a header, gzipped if its name ends in `.gz`.
        join: Further tables with an `index` column whose rows belong to those of the first table with the same `index`. A column
            that is used must be in one of the tables only.
        architecture_column: Column of the architectures in the first table, as the space writes them.
        search_accuracy_column: Column of the accuracies that rank candidates.
        full_accuracy_column: Column of the accuracies of the final training.
        accuracy_unit: What the table writes for all images right: 100 if accuracies are in percent, 1 if they are fractions.
        accuracy_metric: A name under which trainings of both fidelities report their accuracy besides, so that one objective can
            be measured by either; `None` for none. What is claimed in the end is the accuracy of the full training.
        metric_columns: Further columns that trainings and scorings return, by their names: an energy or a latency of the network.
        seconds_column: Column of the seconds that the training for the search took.
        search_epochs: Epochs of that training.
        full_seconds_factor: How many times as long the final training takes.
        score_seconds: Modelled seconds of one scoring.
        score_seconds_columns: Columns of the seconds that the scores took; if there are any, a scoring takes their sum in place of
            `score_seconds`.
        params_column: Column of the number of trainable scalars; `None` if there is none.
        macs_column: Column of the multiply-accumulate operations; `None` if there is none.
        score_columns: Further columns that a scoring returns, by their names.

    Raises:
        DatasetError: If the table can't be read or a value in a column that is used is missing or impossible.
        ValueError: If two values would have the same name.
    """

    def __init__(  # noqa: PLR0913 # each keyword is an option that users set
        self,
        space: SearchSpace,
        seed: int,  # noqa: ARG002 # every evaluator is offered it
        *,
        path: Path,
        join: tuple[Path, ...] = (),
        architecture_column: str = "arch_str",
        search_accuracy_column: str = "cifar10_valid_12ep",
        full_accuracy_column: str = "cifar10_test_200ep",
        accuracy_unit: Annotated[float, Field(gt=0)] = 100.0,
        accuracy_metric: str | None = None,
        metric_columns: tuple[str, ...] = (),
        seconds_column: str = "train_s_12ep_cifar10",
        search_epochs: Annotated[int, Field(ge=1)] = 12,
        full_seconds_factor: Annotated[float, Field(gt=0)] = 33.33,
        score_seconds: Annotated[float, Field(gt=0)] = 1.0,
        score_seconds_columns: tuple[str, ...] = (),
        params_column: str | None = "params",
        macs_column: str | None = "macs",
        score_columns: tuple[str, ...] = (),
    ) -> None:
        self._space = space
        self._search_epochs = search_epochs
        self._full_seconds_factor = full_seconds_factor
        self._score_seconds = score_seconds
        self._accuracy_metric = accuracy_metric
        sizes = [
            Column(column, metric, lowest=0.0)
            for metric, column in (("params", params_column), ("macs", macs_column))
            if column is not None
        ]
        self._measured = (*(column.metric for column in sizes), *metric_columns)
        self._scores = score_columns
        self._seconds_of_scores = tuple(_SECONDS_OF + name for name in score_seconds_columns)
        columns = (
            Column(search_accuracy_column, "val_accuracy", accuracy_unit, lowest=0.0, highest=1.0),
            Column(full_accuracy_column, "test_accuracy", accuracy_unit, lowest=0.0, highest=1.0),
            Column(seconds_column, _SECONDS, lowest=SHORTEST_S),
            *sizes,
            *(Column(name, name) for name in metric_columns),
            *(Column(name, name, may_lack=True) for name in score_columns),
            *(Column(name, _SECONDS_OF + name, lowest=SHORTEST_S) for name in score_seconds_columns),
        )
        _refuse_namesakes(columns, accuracy_metric)
        self._table: ResultTable = read_table(path, space, architecture_column, columns, join=join)

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:  # noqa: ARG002 # interface
        try:
            row = self._table.row(request.architecture)
        except ArchitectureError as error:
            raise EvaluationFailedError(str(error)) from error
        if row is None:
            text = self._space.format(request.architecture)
            raise EvaluationFailedError(f"{text} is not in the table {self._table.path}")
        return self._scoring(row) if request.kind is TrialKind.SCORE else self._training(row, request.fidelity)

    def _scoring(self, row: Mapping[str, float]) -> Evaluation:
        for name in self._scores:
            if not math.isfinite(row[name]):
                raise EvaluationFailedError(f"the table has no score in column {name}, but {row[name]}")
        seconds = math.fsum(row[name] for name in self._seconds_of_scores) or self._score_seconds
        return Evaluation({name: row[name] for name in (*self._measured, *self._scores)}, seconds)

    def _training(self, row: Mapping[str, float], fidelity: Fidelity) -> Evaluation:
        if fidelity.name is FidelityName.FULL:
            metric, factor = "test_accuracy", self._full_seconds_factor
        else:
            metric, factor = "val_accuracy", fidelity.epochs / self._search_epochs
        metrics = {name: row[name] for name in (metric, *self._measured)}
        if self._accuracy_metric is not None:
            metrics[self._accuracy_metric] = row[metric]
        return Evaluation(metrics, row[_SECONDS] * factor)


def _refuse_namesakes(columns: Sequence[Column], accuracy_metric: str | None) -> None:
    readings = {(column.metric, column.name, column.unit) for column in columns}
    metrics = sorted([metric for metric, *_ in readings] + ([accuracy_metric] if accuracy_metric is not None else []))
    repeated = {first for first, second in pairwise(metrics) if first == second}
    if repeated:
        raise ValueError(
            f"{', '.join(sorted(repeated))}: two different values would have this name; leave one of them out"
        )
