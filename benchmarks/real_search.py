"""A real search with the settings of `carbonnas init` against random networks that are trained for the same joules.

    python -m benchmarks.real_search [--seeds 3] [--slots 2] [--space small_conv] [--dataset fashion_mnist] [--rounds N]
        [--epochs N] [--full-epochs N] [--share S] [--processor-only] [--json FILE]

For each seed the configuration that `carbonnas init` writes is run on the data set, but for the grid: its intensity is constant, and nothing waits for
a cleaner one. Then random networks are trained for as many epochs each, without scoring, until they have drawn what the search
drew in all, its scoring and overhead included; the training under way is finished. The best of either by validation accuracy is
trained once more, for the same number of epochs from the same seed, and tested: that is what is compared. Joules are those of the report;
`carbonnas doctor` says how they are measured on this machine.

`--rounds`, `--epochs` and `--full-epochs` take the place of those of the configuration, and `--share` has the trainings of the searches see such a
share of the data (`search_share`), for a machine that has less time; the final trainings see all. On one that others use as well `--slots 1` leaves them a core, and `--processor-only` leaves out the
constant power of the memory, which is charged by time: the joules of whoever happens to run while others work would buy fewer trainings.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from carbon_sources.units import J_PER_KWH
from carbonnas.driver import run_search
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.evaluation.training import TrainingEvaluator
from carbonnas.plugins import SEARCH_SPACES
from carbonnas.ranking import ranked_trainings
from carbonnas.record import SearchRecord
from carbonnas.report.document import build_document
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.status import SearchStatus
from carbonnas.testing.sessions import UnattendedSession
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState

Tables = dict[str, Any]
_ENDLESS = 10_000
"""Rounds of the random search, which ends when its joules are spent."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        architecture: The best by validation accuracy, as its space writes it.
        trainings: Networks that were trained.
        energy_j: What the search drew, by its report.
        minutes: From its start to its end.
        val_accuracy: Of the best, 0..1.
        test_accuracy: Of the best, trained in full, 0..1.
    """

    architecture: str
    trainings: int
    energy_j: float
    minutes: float
    val_accuracy: float
    test_accuracy: float


class Joules:
    """Ends a search at the first training that finishes after so many joules were drawn."""

    def __init__(self, limit_j: float) -> None:
        self.stop = threading.Event()
        self._limit_j = limit_j
        self._trained: int | None = None

    def see(self, status: SearchStatus) -> None:
        self.count(status.count(TrialKind.TRAIN, TrialState.COMPLETED), status.totals.energy_j)

    def count(self, trained: int, energy_j: float) -> None:
        if self._trained is not None and trained > self._trained:
            self.stop.set()
        if self._trained is None and energy_j >= self._limit_j:
            self._trained = trained


def example() -> Tables:
    """Return what `carbonnas init` writes."""
    return tomllib.loads((files("carbonnas.cli") / "configs" / "example.toml").read_text(encoding="utf-8"))


def usual(options: argparse.Namespace, seed: int) -> Tables:
    """Return the configuration of `carbonnas init` with another data set, a constant grid, and no final training."""
    tables = example()
    search = tables["search"] | {"seed": seed, "slots": options.slots}
    for name in ("rounds", "epochs"):
        if getattr(options, name) is not None:
            search[name] = getattr(options, name)
    search.pop("full_epochs")
    data = {"dataset": options.dataset}
    training = tables["training"] | data | {"search_share": options.share}
    training.pop("final_dataset", None)
    constant = {"use": "constant", "g_per_kwh": 100.0}
    energy = tables["energy"] | ({"ram_power": "0 W"} if options.processor_only else {})
    return tables | {
        "search": search,
        "space": {"use": options.space},
        "scoring": tables["scoring"] | data,
        "training": training,
        "carbon_source": constant,
        "energy": energy,
        "scheduler": {"use": "carbon_blind"},
    }


def random_draws(tables: Tables) -> Tables:
    """Return the configuration of random networks, all of which are trained as they are drawn."""
    each = tables["search"]["train_per_round"]
    search = tables["search"] | {"rounds": _ENDLESS, "score_per_round": each, "rank_by": ["params"]}
    scoring = tables["scoring"] | {"proxies": ["params"]}
    return tables | {"search": search, "scoring": scoring, "strategy": {"use": "random"}}


def as_toml(tables: Tables) -> str:
    """Return tables of plain values, and lists of such tables, as TOML."""
    lines: list[str] = []
    for name, content in tables.items():
        for table in content if isinstance(content, list) else [content]:
            lines.append(f"[[{name}]]" if isinstance(content, list) else f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def run(tables: Tables, state: Path, limit_j: float | None = None) -> SearchRecord:
    """Run the search of a configuration, to its end or until it has drawn so many joules."""
    if limit_j is None:
        return run_search(as_toml(tables), state)
    joules = Joules(limit_j)
    return run_search(as_toml(tables), state, on_status=joules.see, stop=joules.stop)


def found(record: SearchRecord, space: SearchSpace, options: argparse.Namespace, seed: int) -> Found:
    """Train the best of a search in full and return what the search came to."""
    trained = ranked_trainings(record.trials, record.objectives[0])
    best = trained[0]
    document = build_document(record)
    return Found(
        architecture=space.format(best.architecture),
        trainings=len(trained),
        energy_j=document.totals.energy_kwh * J_PER_KWH,
        minutes=minutes(record),
        val_accuracy=best.metrics["val_accuracy"],
        test_accuracy=tested(best, space, options, seed),
    )


def minutes(record: SearchRecord) -> float:
    """Return the time from the start of a search to the last energy in its ledger."""
    last = max(entry.priced.sample.interval.end for entry in record.entries)
    return (last - record.started_at).total_seconds() / 60


def tested(best: Trial, space: SearchSpace, options: argparse.Namespace, seed: int) -> float:
    """Return the test accuracy of an architecture that is trained on the train and validation parts."""
    evaluator = TrainingEvaluator(space, seed, dataset=options.dataset)
    fidelity = Fidelity(FidelityName.FULL, options.full_epochs)
    request = EvaluationRequest(best.architecture, TrialKind.TRAIN, fidelity, seed)
    return evaluator.evaluate(request, UnattendedSession()).metrics["test_accuracy"]


def compare(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return what the usual search and the random one came to with the same joules."""
    space = SEARCH_SPACES.create(options.space, {}, {})
    tables = usual(options, seed)
    with tempfile.TemporaryDirectory() as folder:
        searched = found(run(tables, Path(folder) / "usual"), space, options, seed)
        drawn = found(run(random_draws(tables), Path(folder) / "random", searched.energy_j), space, options, seed)
    return {"seed": seed, "usual": asdict(searched), "random": asdict(drawn)}


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows with the mean test accuracies in percent and the seeds in which the usual search was at least as good."""
    means = {name: round(100 * mean(row[name]["test_accuracy"] for row in rows), 3) for name in ("usual", "random")}
    won = sum(row["usual"]["test_accuracy"] > row["random"]["test_accuracy"] for row in rows)
    return {"test_accuracy_pct": means, "won": won, "seeds": list(rows)}


def line(row: Mapping[str, Any]) -> str:
    """Return what came of one seed as a line."""
    parts = (
        f"{name} {100 * each['test_accuracy']:.2f} % (validation {100 * each['val_accuracy']:.2f} %, "
        f"{each['trainings']} trained, {each['energy_j']:.0f} J, {each['minutes']:.1f} min, {each['architecture']})"
        for name, each in row.items()
        if name != "seed"
    )
    return f"seed {row['seed']}: " + "; ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="What `carbonnas init` writes against random networks for the same joules."
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--space", default="small_conv")
    parser.add_argument("--dataset", default="fashion_mnist")
    parser.add_argument("--rounds", type=int, help="in place of those of the configuration")
    parser.add_argument("--epochs", type=int, help="in place of those of the configuration")
    parser.add_argument("--full-epochs", type=int, help="in place of those of the configuration")
    parser.add_argument("--share", type=float, default=1.0, help="of the data that the searches train on")
    parser.add_argument("--processor-only", action="store_true", help="leave the constant power of the memory out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    options = parser.parse_args()
    if options.full_epochs is None:
        options.full_epochs = example()["search"]["full_epochs"]
    torch.set_num_threads(1)
    rows = []
    for seed in range(options.seeds):
        rows.append(compare(options, seed))
        print(line(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(summary(rows), indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary(rows)["test_accuracy_pct"]))


if __name__ == "__main__":
    main()
