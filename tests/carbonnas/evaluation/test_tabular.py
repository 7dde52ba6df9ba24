from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from carbonnas.architecture import Architecture
from carbonnas.errors import DatasetError
from carbonnas.evaluation.evaluator import Evaluation, EvaluationFailedError, EvaluationRequest
from carbonnas.evaluation.tabular import TabularEvaluator
from carbonnas.plugins import EVALUATORS
from carbonnas.search_spaces.space import Choice, SearchSpace, TaskShape
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

if TYPE_CHECKING:
    from torch import nn

SEARCH, FULL = Fidelity(FidelityName.SEARCH, 12), Fidelity(FidelityName.FULL, 200)
TABLE = """\
arch_str,cifar10_valid_12ep,train_s_12ep_cifar10,cifar10_test_200ep,params,macs,synflow,note
"a,x",63.364,86.653,85.8633,129306,17958592,31.5,first
"a,y",82.834,130.178,93.66,802426,116692672,-2e3,
"b,x",10.0,60,10,1000,2000,0,last
"""


class Letters(SearchSpace):
    """Three times two architectures; `c` is the same network as `b`."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("first", ("a", "b", "c")), Choice("second", ("x", "y")))

    def build(self, architecture: Architecture, task: TaskShape) -> nn.Module:
        raise NotImplementedError("a table needs no networks")

    def canonical(self, architecture: Architecture) -> Architecture:
        return (min(architecture[0], 1), architecture[1])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def train(evaluator: TabularEvaluator, text: str, fidelity: Fidelity, seed: int = 0) -> Evaluation:
    architecture = Letters().parse(text)
    return evaluator.evaluate(EvaluationRequest(architecture, TrialKind.TRAIN, fidelity, seed), UnattendedSession())


def score(evaluator: TabularEvaluator, text: str) -> Evaluation:
    return evaluator.evaluate(EvaluationRequest(Letters().parse(text), TrialKind.SCORE, PROXY, 0), UnattendedSession())


def test_a_search_training_returns_the_validation_accuracy_as_a_fraction_and_the_time_it_took(table: Path) -> None:
    evaluation = train(TabularEvaluator(Letters(), 0, path=table), "a,y", SEARCH)
    assert evaluation == Evaluation({"val_accuracy": 82.834 / 100, "params": 802_426.0, "macs": 116_692_672.0}, 130.178)


def test_a_training_of_half_the_epochs_takes_half_the_time(table: Path) -> None:
    evaluation = train(TabularEvaluator(Letters(), 0, path=table), "b,x", Fidelity(FidelityName.SEARCH, 6))
    assert evaluation.modelled_seconds == 60 * 6 / 12
    assert evaluation.metrics["val_accuracy"] == 10 / 100


def test_a_full_training_returns_the_test_accuracy_and_takes_33_times_as_long(table: Path) -> None:
    evaluation = train(TabularEvaluator(Letters(), 0, path=table), "a,x", FULL)
    assert evaluation == Evaluation(
        {"test_accuracy": 85.8633 / 100, "params": 129_306.0, "macs": 17_958_592.0}, 86.653 * 33.33
    )


def test_a_scoring_returns_size_and_score_columns_in_the_seconds_given(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table, score_columns=("synflow",), score_seconds=0.25)
    assert score(evaluator, "a,y") == Evaluation({"params": 802_426.0, "macs": 116_692_672.0, "synflow": -2000.0}, 0.25)


def test_one_name_can_stand_for_the_accuracies_of_both_trainings(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table, accuracy_metric="accuracy")
    search, full = train(evaluator, "a,x", SEARCH).metrics, train(evaluator, "a,x", FULL).metrics
    assert search["accuracy"] == search["val_accuracy"] == 63.364 / 100
    assert full["accuracy"] == full["test_accuracy"] == 85.8633 / 100
    assert "accuracy" not in score(evaluator, "a,x").metrics


def test_metric_columns_come_with_scorings_and_with_trainings(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table, metric_columns=("synflow",))
    assert score(evaluator, "a,y").metrics["synflow"] == -2000.0
    assert train(evaluator, "a,y", SEARCH).metrics["synflow"] == -2000.0
    assert train(evaluator, "a,y", FULL).metrics["synflow"] == -2000.0


def test_a_scoring_takes_as_long_as_its_columns_say_together(table: Path) -> None:
    columns = ("train_s_12ep_cifar10", "cifar10_test_200ep")
    evaluator = TabularEvaluator(Letters(), 0, path=table, score_seconds=7.0, score_seconds_columns=columns)
    assert score(evaluator, "b,x").modelled_seconds == 60 + 10


@pytest.mark.parametrize("written", ["inf", "-inf", "nan"])
def test_a_scoring_fails_where_a_score_is_not_finite_and_a_training_does_not(table: Path, written: str) -> None:
    table.write_text(TABLE.replace("-2e3", written))
    evaluator = TabularEvaluator(Letters(), 0, path=table, score_columns=("synflow",))
    with pytest.raises(EvaluationFailedError, match=f"no score in column synflow, but {written}"):
        score(evaluator, "a,y")
    assert score(evaluator, "a,x").metrics["synflow"] == 31.5
    assert train(evaluator, "a,y", SEARCH).metrics["val_accuracy"] == 82.834 / 100


@pytest.mark.parametrize(
    "options",
    [
        {"accuracy_metric": "val_accuracy"},
        {"accuracy_metric": "synflow", "score_columns": ("synflow",)},
        {"metric_columns": ("test_accuracy",)},
        {"search_accuracy_column": "val_accuracy", "score_columns": ("val_accuracy",)},
    ],
)
def test_two_values_of_one_name_are_refused(table: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="two different values would have this name"):
        TabularEvaluator(Letters(), 0, path=table, **options)


def test_a_column_may_be_named_twice_for_the_same_value(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table, score_columns=("params",), metric_columns=("macs",))
    assert score(evaluator, "b,x").metrics == {"params": 1000.0, "macs": 2000.0}


def joined(folder: Path, **texts: str) -> TabularEvaluator:
    """Return an evaluator on a first table with indices 7, 8 and 9 and further tables, with the score `zen`."""
    lines = TABLE.splitlines()
    (folder / "first.csv").write_text(
        "\n".join(f"{i},{line}" for i, line in zip(("index", 7, 8, 9), lines, strict=True))
    )
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    others = tuple(folder / f"{name}.csv" for name in texts)
    return TabularEvaluator(
        Letters(), 0, path=folder / "first.csv", join=others, score_columns=("zen",), metric_columns=("joules",)
    )


def test_columns_of_joined_tables_belong_to_the_architecture_with_their_index(tmp_path: Path) -> None:
    scores = "zen,index,dataset\n0.9,9,A\n0.7,7,A\n0.8,8,A\n0.1,1,A\n"
    evaluator = joined(tmp_path, scores=scores, costs="index,joules,dataset\n7,70,B\n8,80,B\n9,90,B\n")
    assert [score(evaluator, text).metrics["zen"] for text in ("a,x", "a,y", "b,x")] == [0.7, 0.8, 0.9]
    assert [train(evaluator, text, FULL).metrics["joules"] for text in ("a,x", "a,y", "b,x")] == [70.0, 80.0, 90.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "index,joules\n7,1\n8,1\n9,1\n",
            r"no column 'zen' in any of the tables: .*first\.csv has index, arch_str, .*",
        ),
        ("zen,joules\n1,1\n", r"other\.csv: there is no column 'index'; the header has zen, joules"),
        (
            "index,zen,joules\n7,1,1\n9,1,1\n",
            r"other\.csv has no row for 1 of the 3 indices of .*first\.csv, such as 8",
        ),
        ("index,zen,joules\n7,1,1\n7,1,1\n", r"other\.csv, line 3, column index: 7 is there twice"),
        ("index,zen,joules\n8,1,1\n7,1,1\n9,1,?\n", r"other\.csv, line 4, column joules: '\?' is not a number"),
        ("index,zen,joules,zen\n", r"other\.csv: there is twice or more column 'zen'"),
        ("index,zen,joules,macs,params\n", r"first\.csv and .*other\.csv each have params, macs: rename"),
    ],
)
def test_a_bad_joined_table_is_an_error_that_names_it(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        joined(tmp_path, other=text)


def test_seeds_change_nothing(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table)
    assert train(evaluator, "a,x", SEARCH, seed=1) == train(evaluator, "a,x", SEARCH, seed=2)


def test_an_architecture_that_is_not_in_the_table_gets_the_row_of_the_same_network(table: Path) -> None:
    evaluator = TabularEvaluator(Letters(), 0, path=table)
    assert train(evaluator, "c,x", SEARCH) == train(evaluator, "b,x", SEARCH)


def test_an_own_row_goes_before_that_of_the_same_network(table: Path) -> None:
    table.write_text(TABLE + '"c,x",11.0,61,12,1000,2000,0,\n')
    assert train(TabularEvaluator(Letters(), 0, path=table), "c,x", SEARCH).metrics["val_accuracy"] == 11 / 100


def test_a_network_that_is_not_in_the_table_fails_and_says_so(table: Path) -> None:
    with pytest.raises(EvaluationFailedError, match=r"c,y is not in the table .*table\.csv"):
        train(TabularEvaluator(Letters(), 0, path=table), "c,y", SEARCH)


def test_an_architecture_of_another_space_fails(table: Path) -> None:
    with pytest.raises(EvaluationFailedError, match="9 is no option of first"):
        TabularEvaluator(Letters(), 0, path=table).evaluate(
            EvaluationRequest((9, 0), TrialKind.TRAIN, SEARCH, 0), UnattendedSession()
        )


def test_another_table_fits_by_its_options_through_the_plug_in_door(tmp_path: Path) -> None:
    path = tmp_path / "other.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('cell,val,test,hours\n"a,x",0.5,0.75,100\n')
    options = {
        "path": str(path),
        "architecture_column": "cell",
        "search_accuracy_column": "val",
        "full_accuracy_column": "test",
        "accuracy_unit": 1,
        "seconds_column": "hours",
        "search_epochs": 4,
        "full_seconds_factor": 2,
        "params_column": None,
        "macs_column": None,
    }
    evaluator = EVALUATORS.create("tabular", options, {"space": Letters(), "seed": 0})
    assert isinstance(evaluator, TabularEvaluator)
    assert train(evaluator, "a,x", Fidelity(FidelityName.SEARCH, 2)) == Evaluation({"val_accuracy": 0.5}, 50.0)
    assert train(evaluator, "a,x", FULL) == Evaluation({"test_accuracy": 0.75}, 200.0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("params", "parameters", r"there is no column 'params'; the header has arch_str, "),
        ("note", "params", r"there is twice or more column 'params'"),
        ("82.834", "", r"line 3, column cifar10_valid_12ep: '' is not a number"),
        ("82.834", "nan", r"line 3, column cifar10_valid_12ep: 'nan' is not finite"),
        ("82.834", "182.834", r"line 3, column cifar10_valid_12ep: '182.834' is not within 0 to 100"),
        ("60,10,", "0,10,", r"line 4, column train_s_12ep_cifar10: '0' is not within 1e-06 to inf"),
        ("802426", "many", r"line 3, column params: 'many' is not a number"),
        ("802426", "-1", r"line 3, column params: '-1' is not within 0 to inf"),
        ("a,y", "a,z", r"line 3, column arch_str: 'z' is no option of second"),
        ("a,y", "a,x", r"line 3, column arch_str: a,x is there twice"),
        (",last", "", r"line 4: 7 cells, expected 8"),
        (TABLE[TABLE.index("\n") :], "\n", r"has no rows"),
        (TABLE, "", r"there is no column 'cifar10_valid_12ep'; the header has nothing"),
    ],
)
def test_a_bad_table_is_an_error_that_names_file_line_and_column(table: Path, old: str, new: str, told: str) -> None:
    table.write_text(TABLE.replace(old, new))
    with pytest.raises(DatasetError, match=rf"table\.csv.*{told}"):
        TabularEvaluator(Letters(), 0, path=table)


def test_a_bad_value_in_a_column_that_is_not_used_does_no_harm(table: Path) -> None:
    table.write_text(TABLE.replace("31.5", "?"))
    assert score(TabularEvaluator(Letters(), 0, path=table), "a,x").metrics["params"] == 129_306


def test_a_missing_or_truncated_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    with pytest.raises(DatasetError, match=r"table\.csv\.gz can't be read as a table"):
        TabularEvaluator(Letters(), 0, path=path)
    path.write_bytes(gzip.compress(TABLE.encode())[:-10])
    with pytest.raises(DatasetError, match=r"table\.csv\.gz can't be read as a table"):
        TabularEvaluator(Letters(), 0, path=path)


def test_neither_torch_nor_scikit_learn_is_imported() -> None:
    program = "import sys, carbonnas.evaluation.tabular; sys.exit(bool({'torch', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_nas_bench_201_gives_the_published_values(nas_table: Path) -> None:
    from carbonnas.search_spaces.nasbench201 import NASBench201

    space = NASBench201()
    evaluator = TabularEvaluator(space, 0, path=nas_table)
    cell = space.parse(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    )
    evaluation = evaluator.evaluate(EvaluationRequest(cell, TrialKind.TRAIN, FULL, 0), UnattendedSession())
    assert evaluation.metrics["test_accuracy"] == 94.3633 / 100
    assert evaluation.modelled_seconds == pytest.approx(176.07 * 33.33)
