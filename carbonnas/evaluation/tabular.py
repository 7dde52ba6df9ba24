"""Evaluation by looking it up: results that somebody has measured, for simulations and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from carbonnas.errors import ArchitectureError
from carbonnas.evaluation.evaluator import Evaluation, EvaluationFailedError, EvaluationRequest, Evaluator, Session
from carbonnas.evaluation.table import Column, ResultTable, read_table
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.trials import FidelityName, TrialKind

SHORTEST_S: Final = 1e-6
"""No training takes no time: a zero in the table stands for something unknown."""


class TabularEvaluator(Evaluator):
    """Answers from a table of results, one architecture a row, with the time that the work would have taken.

    A scoring returns the `params`, `macs` and score columns. A training returns the search accuracy as `val_accuracy`, at fidelity
    `full` the final accuracy as `test_accuracy`, and the size. The table holds one training per architecture: other numbers of
    epochs change only the modelled time, seeds change nothing.

    An architecture that is not in the table gets the first row of the table that is the same network.

    The defaults fit tables in the columns of NAS-Bench-201 with accuracies in percent: validation after 12 epochs on half the
    training images, test after 200 epochs on all of them, which take 200 / 12 * 2 = 33.33 times as long.

    Args:
        space: Reads the architectures of the table.
        seed: Seed of the search; not used, since a table has no randomness.
        path: The table: CSV with a header, gzipped if its name ends in `.gz`.
        architecture_column: Column of the architectures, as the space writes them.
        search_accuracy_column: Column of the accuracies that rank candidates.
        full_accuracy_column: Column of the accuracies of the final training.
        accuracy_unit: What the table writes for all images right: 100 if accuracies are in percent, 1 if they are fractions.
        seconds_column: Column of the seconds that the training for the search took.
        search_epochs: Epochs of that training.
        full_seconds_factor: How many times as long the final training takes.
        score_seconds: Modelled seconds of one scoring.
        params_column: Column of the number of trainable scalars; `None` if there is none.
        macs_column: Column of the multiply-accumulate operations; `None` if there is none.
        score_columns: Further columns that a scoring returns, by their names.

    Raises:
        DatasetError: If the table can't be read or a value in a column that is used is missing or impossible.
    """

    def __init__(  # noqa: PLR0913 # each keyword is an option that users set
        self,
        space: SearchSpace,
        seed: int,  # noqa: ARG002 # every evaluator is offered it
        *,
        path: Path,
        architecture_column: str = "arch_str",
        search_accuracy_column: str = "cifar10_valid_12ep",
        full_accuracy_column: str = "cifar10_test_200ep",
        accuracy_unit: Annotated[float, Field(gt=0)] = 100.0,
        seconds_column: str = "train_s_12ep_cifar10",
        search_epochs: Annotated[int, Field(ge=1)] = 12,
        full_seconds_factor: Annotated[float, Field(gt=0)] = 33.33,
        score_seconds: Annotated[float, Field(gt=0)] = 1.0,
        params_column: str | None = "params",
        macs_column: str | None = "macs",
        score_columns: tuple[str, ...] = (),
    ) -> None:
        self._space = space
        self._search_epochs = search_epochs
        self._full_seconds_factor = full_seconds_factor
        self._score_seconds = score_seconds
        sizes = [
            Column(column, metric, lowest=0.0)
            for metric, column in (("params", params_column), ("macs", macs_column))
            if column is not None
        ]
        self._sizes = tuple(column.metric for column in sizes)
        self._scores = (*self._sizes, *score_columns)
        columns = (
            Column(search_accuracy_column, "val_accuracy", accuracy_unit, lowest=0.0, highest=1.0),
            Column(full_accuracy_column, "test_accuracy", accuracy_unit, lowest=0.0, highest=1.0),
            Column(seconds_column, "seconds", lowest=SHORTEST_S),
            *sizes,
            *(Column(name, name) for name in score_columns),
        )
        self._table: ResultTable = read_table(path, space, architecture_column, columns)

    def evaluate(self, request: EvaluationRequest, session: Session) -> Evaluation:  # noqa: ARG002 # interface
        try:
            row = self._table.row(request.architecture)
        except ArchitectureError as error:
            raise EvaluationFailedError(str(error)) from error
        if row is None:
            text = self._space.format(request.architecture)
            raise EvaluationFailedError(f"{text} is not in the table {self._table.path}")
        if request.kind is TrialKind.SCORE:
            return Evaluation({name: row[name] for name in self._scores}, self._score_seconds)
        if request.fidelity.name is FidelityName.FULL:
            metric, factor = "test_accuracy", self._full_seconds_factor
        else:
            metric, factor = "val_accuracy", request.fidelity.epochs / self._search_epochs
        return Evaluation({name: row[name] for name in (metric, *self._sizes)}, row["seconds"] * factor)
