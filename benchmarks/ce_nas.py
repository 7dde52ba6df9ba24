"""The CE-NAS experiment: how much carbon until a search is as good as another, on NAS-Bench-201 and a recorded grid.

    python benchmarks/ce_nas.py --data DIR --accounting ce-nas|full --hours 80 --seeds 10 --json FILE

Accuracy after 200 epochs against energy per inference on an edge GPU (a surrogate fitted to published values), reference point 0 % and 50 mJ,
eight slots, from 2021-07-02 06:00 UTC on the Californian grid, as Zhao et al. 2024, "CE-NAS: An End-to-End Carbon-Efficient Neural Architecture
Search Framework", set it up. All policies run on the production search in virtual time. None of them sees the maximal hypervolume, or the
accuracy of a full training before it has been paid for.

The policies: `vanilla` trains in full what LaMOO proposes with the settings of the released program, on all slots all the time;
`vanilla_equal_carbon` is the same, stopped once it has emitted as much as `carbonnas` in all; `vanilla_tuned` explores as the authors
recommend, with a tenth of the hypervolume; `random` trains random networks; `fixed_1`, `fixed_2` and `fixed_4` are `vanilla` on machines with
fewer slots; `min_max` gives slots in proportion to the intensity; `ce_nas` draws the number of slots by lot, as the released code does;
`carbonnas` is ours, which waits for clean hours where rest costs nothing; `carbonnas_4` is the same on a machine with four slots; `clairvoyant` is ours with a scheduler that
knows the future. All initial trainings are charged.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from carbon_sources.interval import parse_instant
from carbon_sources.providers.trace import TraceSource
from carbonnas.cli.options import instant_option
from carbonnas.cli.simulate.costs import costs_of
from carbonnas.config import SearchConfig
from carbonnas.config_file import parse_config
from carbonnas.objectives.objective import Objective
from carbonnas.plugin_workbench import PluginWorkbench
from carbonnas.plugins import SCHEDULERS, SEARCH_SPACES, PluginChoice
from carbonnas.report.simulation_model import SimulatedRun
from carbonnas.simulation.setting import Competitor, Setting, judged_fidelity, simulated_config
from carbonnas.simulation.tournament import Tournament
from carbonnas.simulation.yardstick import make_yardstick
from carbonnas.trials import TrialKind

TRACE = "carbon/US-CAL-CISO_2020_2022_lifecycle_with_mix.csv.gz"
TABLE = "nas/nb201_accuracy_cost.csv.gz"
START = "2021-07-02T06:00:00Z"
COST = "edgegpu_energy_mj_surrogate"
REFERENCE = {"accuracy": 0.0, COST: 50.0}
QUALITIES = (0.95, 0.97, 0.98, 0.99, 0.995)
MILESTONES_KG = (1, 2, 5, 10, 30, 50)
SLOTS = 8

# 300 W for a slot that trains, of which 60 W are drawn at rest, too; 150 W for one that scores.
CONFIG = """
[search]
name = "CE-NAS experiment: {name}"
slots = {slots}
rounds = {rounds}
score_per_round = {score}
train_per_round = {train}
full_per_round = {full}
lookahead_rounds = {ahead}
epochs = 12
full_epochs = 200
objectives = ["maximize accuracy", "minimize {cost}"]
rank_by = ["params"]
training_time = "2 min"

[space]
use = "nasbench201"

[strategy]
{strategy}

[scoring]
use = "tabular"
path = {table}
score_seconds = 1.0
accuracy_metric = "accuracy"
metric_columns = ["{cost}"]

[training]
use = "tabular"
path = {table}
accuracy_metric = "accuracy"
metric_columns = ["{cost}"]

[carbon_source]
use = "trace"
path = {trace}

[scheduler]
use = "carbon_blind"

[energy]
use = "constant_power"
train = "240 W"
score = "90 W"
idle = "{idle} W"

[executor]
use = "simulated"

[clock]
use = "simulated"
start = "{start}"
"""

# As released: option indices as coordinates, and 30 of the hypervolume of 4150 as the weight of what was sampled little.
LAMOO = 'use = "lamoo"\nencoding = "options"\nexploration = 0.0072\nreference = [0.0, 50.0]'
LAMOO_TUNED = 'use = "lamoo"\nencoding = "options"\nexploration = 0.1\nreference = [0.0, 50.0]'
RANDOM = 'use = "random"'
OURS = 'use = "multi_fidelity"\nreference = [0.0, 50.0]'


class Policy:
    """A strategy, a scheduler and the shape of the plan."""

    def __init__(self, strategy: str, scheduler: PluginChoice, *, slots: int = SLOTS, ours: bool = False) -> None:
        self.strategy = strategy
        self.scheduler = scheduler
        self.slots = slots
        self.ours = ours

    def shape(self, hours: float) -> dict[str, object]:
        """Return the plan: for the others more full trainings than the hours can hold, a few always under way."""
        if self.ours:
            return {"rounds": 24, "score": 100, "train": 8, "full": 3, "ahead": 0}
        return {"rounds": round(4 * hours), "score": self.slots, "train": 0, "full": self.slots, "ahead": 1}


def policies(accounting: str) -> dict[str, Policy]:
    blind = PluginChoice("carbon_blind")
    # Where rest costs nothing, ours waits for clean hours; eight slots that draw power while they wait for a search of a few hours do not pay.
    ours = PluginChoice("suspend_resume") if accounting == "ce-nas" else blind
    clairvoyant = PluginChoice("oracle") if accounting == "ce-nas" else blind
    return {
        "vanilla": Policy(LAMOO, blind),
        "vanilla_tuned": Policy(LAMOO_TUNED, blind),
        "random": Policy(RANDOM, blind),
        "fixed_1": Policy(LAMOO, blind, slots=1),
        "fixed_2": Policy(LAMOO, blind, slots=2),
        "fixed_4": Policy(LAMOO, blind, slots=4),
        "min_max": Policy(LAMOO, PluginChoice("proportional")),
        "ce_nas": Policy(LAMOO, PluginChoice("random_allocation")),
        "clairvoyant": Policy(OURS, clairvoyant, ours=True),
        "carbonnas_4": Policy(OURS, ours, slots=4, ours=True),
        "carbonnas": Policy(OURS, ours, ours=True),
    }


class CostOptions:
    """What `simulate` asks of its options on costs."""

    def __init__(self, accounting: str) -> None:
        self.ce_nas = accounting == "ce-nas"
        self.suspend_cost: str | None = None
        self.resume_cost: str | None = None


def config_of(name: str, policy: Policy, arguments: argparse.Namespace) -> SearchConfig:
    text = CONFIG.format(
        name=name,
        slots=policy.slots,
        strategy=policy.strategy,
        table=json.dumps(str(arguments.table)),
        trace=json.dumps(str(arguments.trace)),
        start=arguments.start,
        cost=COST,
        idle=60 * policy.slots,
        **policy.shape(arguments.hours),
    )
    return parse_config(text, name, Path.cwd())


def setting_of(config: SearchConfig, policy: Policy, arguments: argparse.Namespace) -> Setting:
    """Return the simulation of a policy on the trace, from the start for as many hours as the command line says.

    Ours knows of that end as of a deadline. The others are only looked at until then: a deadline would have them train on all slots.
    """
    start, source = parse_instant(arguments.start), TraceSource(path=arguments.trace)
    costs = costs_of(CostOptions(arguments.accounting), config)
    hours = timedelta(hours=arguments.hours)
    deadline = hours if policy.ours else None
    simulated = simulated_config(config, start=start, deadline=deadline, costs=costs, forecaster=config.forecaster)
    workbench = PluginWorkbench(config.space, config.scoring, config.training, 0)
    yardstick = make_yardstick(
        config.training,
        SEARCH_SPACES.create(config.space.use, config.space.options, {}),
        workbench.evaluators()[TrialKind.TRAIN],
        objectives=tuple(Objective.parse(text) for text in config.search.objectives),
        fidelity=judged_fidelity(simulated),
        reference=REFERENCE,
    )
    return Setting(simulated, start, source, yardstick, hours)


def competitor_of(name: str, policy: Policy) -> Competitor:
    return Competitor(name, policy.scheduler, SCHEDULERS.load(policy.scheduler.use).uses_forecast)


def runs_of(name: str, policy: Policy, arguments: argparse.Namespace, progress: Terminal) -> tuple[SimulatedRun, ...]:
    setting = setting_of(config_of(name, policy, arguments), policy, arguments)
    ends_at = setting.start + timedelta(hours=arguments.hours)
    tournament = Tournament(setting, (competitor_of(name, policy),), tuple(range(arguments.seeds)), ends_at)
    ((_, runs),) = tournament.play(arguments.processes, progress)
    return runs


class Terminal:
    """Tells on standard error how far the experiment is."""

    def begin(self, what: str, total: int) -> Callable[[str], None]:
        print(f"  {total} {what}", file=sys.stderr, flush=True)
        return lambda _name: None


def kg_to(runs: Sequence[SimulatedRun], share: float) -> list[float | None]:
    reached = [run.reached(share) for run in runs]
    return [None if point is None else point.kg for point in reached]


def median(values: Sequence[float | None]) -> float | None:
    """Return the median, those that never came counting as later than all others."""
    ordered = sorted(float("inf") if value is None else value for value in values)
    middle = statistics.median(ordered)
    return None if middle == float("inf") else middle


def share_at(run: SimulatedRun, kg: float) -> float:
    return max((point.share for point in run.curve if point.kg <= kg), default=0.0)


def figures(runs: Sequence[SimulatedRun]) -> dict[str, object]:
    return {
        "kg_in_all": median([run.emissions_kg for run in runs]),
        "kwh_in_all": median([run.energy_kwh for run in runs]),
        "hours": median([run.finish_h for run in runs]),
        "share_at_end": median([run.share for run in runs]),
        "search_trainings": median([float(run.search_trainings) for run in runs]),
        "full_trainings": median([float(run.full_trainings) for run in runs]),
        "share_at_kg": {str(kg): median([share_at(run, kg) for run in runs]) for kg in MILESTONES_KG},
        "kg_to_quality": {str(share): kg_to(runs, share) for share in QUALITIES},
    }


def document(arguments: argparse.Namespace, found: Mapping[str, tuple[SimulatedRun, ...]]) -> dict[str, object]:
    told = {name: figures(runs) for name, runs in found.items()}
    if {"vanilla", "carbonnas"} <= found.keys():
        spent = [run.emissions_kg for run in found["carbonnas"]]
        equal = [share_at(run, kg) for run, kg in zip(found["vanilla"], spent, strict=True)]
        told["vanilla_equal_carbon"] = {"kg_in_all": median(spent), "share_at_end": median(equal)}
    return {
        "accounting": arguments.accounting,
        "hours": arguments.hours,
        "seeds": arguments.seeds,
        "start": arguments.start,
        "trace": arguments.trace.name,
        "table": arguments.table.name,
        "objectives": ["maximize accuracy", f"minimize {COST} (a surrogate)"],
        "reference": REFERENCE,
        "kg_to_quality": {
            str(share): {name: median(kg_to(runs, share)) for name, runs in found.items()} for share in QUALITIES
        },
        "policies": told,
    }


def table(found: Mapping[str, tuple[SimulatedRun, ...]]) -> str:
    lines = [f"{'policy':>18}" + "".join(f"{f'kg to {share}':>13}" for share in QUALITIES) + "   in all  share  hours"]
    for name, runs in found.items():
        cells = [median(kg_to(runs, share)) for share in QUALITIES]
        end = figures(runs)
        lines.append(
            f"{name:>18}"
            + "".join(f"{'never':>13}" if cell is None else f"{cell:13.3f}" for cell in cells)
            + f"{end['kg_in_all']:9.2f}{end['share_at_end']:7.4f}{end['hours']:7.1f}"
        )
    return "\n".join(lines)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with carbon/ and nas/")
    parser.add_argument("--trace", type=Path, help="another trace")
    parser.add_argument("--table", type=Path, help="another table in the same columns")
    parser.add_argument("--start", default=START, help="first instant, or a date for its midnight UTC")
    parser.add_argument("--accounting", choices=("ce-nas", "full"), default="full")
    parser.add_argument("--hours", type=float, default=80.0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--policy", action="append", help="only this one; may be repeated")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, help="file for all figures")
    chosen = parser.parse_args(arguments)
    chosen.start = f"{instant_option(chosen.start, '--start'):%Y-%m-%dT%H:%M:%SZ}"
    chosen.trace = (chosen.trace or chosen.data / TRACE).resolve()
    chosen.table = (chosen.table or chosen.data / TABLE).resolve()
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = parsed(arguments)
    found: dict[str, tuple[SimulatedRun, ...]] = {}
    for name, policy in policies(chosen.accounting).items():
        if chosen.policy is None or name in chosen.policy:
            print(name, file=sys.stderr, flush=True)
            found[name] = runs_of(name, policy, chosen, Terminal())
    print(table(found))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(document(chosen, found), indent=1) + "\n")


if __name__ == "__main__":
    main()
