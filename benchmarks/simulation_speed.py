"""How long the simulation of 80 hours with eight slots takes for one seed, what the strategy takes told apart.

    python -m benchmarks.simulation_speed [--data DIR] [--seeds 5] [--json]

The searches are those of the CE-NAS experiment: `random` asks a strategy that thinks of nothing, `vanilla` and `carbonnas` ask some that fit
models, `budget` is `random` under a budget for each day, which is metered each simulated minute. Forecasts, here of the simplest forecaster,
are made once for all seeds and before the clock runs.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from benchmarks.ce_nas import Policy, competitor_of, config_of, parsed, policies, setting_of
from carbonnas.config import SearchConfig
from carbonnas.plugins import STRATEGIES
from carbonnas.simulation.simulator import Simulator

ACCOUNTING = "ce-nas"
POLICY_OF = {"random": "random", "budget": "random", "vanilla": "vanilla", "carbonnas": "carbonnas"}
FORECASTER = "seasonal"
BUDGET = {"limit": "40 kg", "window": "day", "at_limit": "wait"}
THOUGHT = ("ask", "tell", "promote", "state_dict")


class Stopwatch:
    """Sums the processor seconds of some functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.process_time() - began

        return timed


def config_for(case: str, policy: Policy, arguments: argparse.Namespace) -> SearchConfig:
    config = config_of(case, policy, arguments).model_dump() | {"forecaster": {"use": FORECASTER}}
    return SearchConfig.model_validate(config | ({"budgets": [BUDGET]} if case == "budget" else {}))


def measured(case: str, arguments: argparse.Namespace, watch: Stopwatch) -> list[dict[str, float]]:
    """Return the processor seconds of each seed: in all, and without the strategy."""
    policy = policies(ACCOUNTING)[POLICY_OF[case]]
    setting = setting_of(config_for(case, policy, arguments), policy, arguments)
    competitor, simulator = competitor_of(case, policy), Simulator(setting)
    for number in setting.lessons_until(setting.start + timedelta(hours=arguments.hours)):
        simulator.forecasts.add(number, simulator.forecasts.learn(number))
    found = []
    for seed in range(arguments.seeds):
        watch.seconds, began = 0.0, time.process_time()
        run = simulator.run(competitor, seed)
        in_all = time.process_time() - began
        trials = run.scorings + run.search_trainings + run.full_trainings
        found.append({"in_all_s": in_all, "without_strategy_s": in_all - watch.seconds, "trials": trials})
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--case", action="append", choices=tuple(POLICY_OF), help="only this one; may be repeated")
    own, others = parser.parse_known_args(arguments)
    chosen = parsed(["--accounting", ACCOUNTING, "--seeds", "5", *others])
    watch = Stopwatch()
    for strategy in (STRATEGIES.load(name) for name in STRATEGIES.names()):
        for name in THOUGHT:
            setattr(strategy, name, watch.around(getattr(strategy, name)))
    found = {case: measured(case, chosen, watch) for case in own.case or POLICY_OF}
    if own.json:
        print(json.dumps(found, indent=1))
        return
    print(f"median processor seconds of {chosen.seeds} seeds, {chosen.hours:g} h each")
    print(f"{'':12}{'trials':>8}{'in all':>9}{'without the strategy':>22}")
    for case, runs in found.items():
        middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        print(f"{case:12}{middle['trials']:8.0f}{middle['in_all_s']:9.2f}{middle['without_strategy_s']:22.2f}")


if __name__ == "__main__":
    main()
