"""Work that can wait: how much of what a clairvoyant saves do the policies save with our own forecasts?

    python -m benchmarks.shifting TRACE[:FROM[:UNTIL]] ... [--json FILE]

At every midnight UTC from FROM to UNTIL (dates; by default the second half of the trace) begins interruptible work of 24 slot-hours that is due in 48 h, and
of 6 slot-hours due in 24 h. Each hour, and sooner if it wants to be, a policy is asked anew whether the slot works. Its share is 100 % where it finds the cleanest
hours there were, and 0 % where it does no better than working at once, summed over all starts.

What is known: every forecast comes from what had ended by its issue, at each full hour. Forecasters learn anew every `--refit-days` from
the 400 days before; the textbook ridge once, from all before FROM. With `--present expected` a policy takes the hour that begins for what the forecast
says of it, with `measured` it is told what will be measured, as in a replayed trace.

`suspend_resume` runs also on the references: ridge, the mean day of the last week, and yesterday.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.forecast_accuracy import TextbookRidge
from benchmarks.shifting_forecasts import Issues, MeanDay, Plan, issued_every_hour, kept
from benchmarks.shifting_work import Present, Work, World, bounds, share, work_off
from carbon_sources.forecasting.backtest_setting import Recording, midnight
from carbon_sources.groups import DEFAULT_FORECASTER, FORECASTERS
from carbon_sources.interval import HOUR, Interval, full_hour
from carbon_sources.providers.trace import TraceSource
from carbonnas.plugins import SCHEDULERS
from schedulers.scheduler import Scheduler

WORKS = (Work(24, 48), Work(6, 24))
REFERENCE_POLICY = "suspend_resume"
REFERENCES = (
    Plan("textbook_ridge", TextbookRidge, None),
    Plan("mean_week", partial(MeanDay, 7), None),
    Plan("yesterday", partial(MeanDay, 1), None),
)
MONTH_DAYS = 30.4375
SHORTEST_PAST = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of every trace."""

    policies: tuple[str, ...]
    forecaster: str
    refit: timedelta
    months: float | None
    present: Present
    keep: Path | None


def opened(argument: str, months: float | None) -> tuple[Path, Recording, Interval]:
    """Return the path, the recording and the span of TRACE[:FROM[:UNTIL]]."""
    name, *dates = argument.split(":")
    path = Path(name)
    series = TraceSource(path=path).series
    start, end = series.samples[0].interval.start, series.samples[-1].interval.end
    given = [datetime.fromisoformat(date).replace(tzinfo=UTC) for date in dates]
    first = midnight(given[0] if given else start + (end - start) / 2)
    until = min(given[1], end) if len(given) > 1 else end
    if months is not None:
        until = min(until, first + timedelta(days=round(months * MONTH_DAYS)))
    until = full_hour(until)
    if until - first < max(work.due_h for work in WORKS) * HOUR:
        raise SystemExit(
            f"{argument}: from {first:%Y-%m-%d} to {until:%Y-%m-%d} no work can be done, give a longer span"
        )
    if first - start < SHORTEST_PAST:
        raise SystemExit(f"{argument}: {SHORTEST_PAST.days} days must be known before {first:%Y-%m-%d} to learn from")
    return path, Recording.of(series), Interval(first, until)


def measured(argument: str, asked: Asked) -> dict[str, Any]:
    """Return the figures of one trace."""
    path, recording, span = opened(argument, asked.months)
    world = World(recording, asked.present)
    own = Plan(asked.forecaster, partial(FORECASTERS.create, asked.forecaster, {}, {}), asked.refit)
    issues = {plan.name: forecasts(plan, path, recording, span, asked) for plan in (own, *REFERENCES)}
    runs = {"oracle": ("oracle", None)} | {name: (name, issues[own.name]) for name in asked.policies}
    runs |= {f"{plan.name} *": (REFERENCE_POLICY, issues[plan.name]) for plan in REFERENCES}
    return {
        "trace": path.name,
        "zone": world.like.zone,
        "from": span.start.isoformat(),
        "until": span.end.isoformat(),
        "present": asked.present.value,
        "forecaster": asked.forecaster,
        "refit_days": asked.refit / timedelta(days=1),
        "mape_by_day": {name: found.mape_by_day(recording) for name, found in issues.items()},
        "work": [worked_off(work, world, span, runs, progress(path.name)) for work in WORKS],
    }


def forecasts(plan: Plan, path: Path, recording: Recording, span: Interval, asked: Asked) -> Issues:
    """Return the forecasts of one plan, made or read from where they were kept."""
    told = progress(f"{path.name}, {plan.name}")
    make = partial(issued_every_hour, plan, recording, span, told)
    if asked.keep is None:
        return make()
    days = "once" if plan.refit is None else f"{plan.refit.days}d"
    name = f"{path.name.split('.')[0]}-{plan.name}-{days}-{span.start:%Y%m%d}-{span.end:%Y%m%d}.npz"
    return kept(asked.keep / name, make)


def worked_off(
    work: Work,
    world: World,
    span: Interval,
    runs: Mapping[str, tuple[str, Issues | None]],
    told: Callable[[float], None],
) -> dict[str, Any]:
    """Return what became of one kind of work under every policy."""
    starts = world.starts(span, work)
    at_once, cleanest = bounds(world, work, starts)
    shares: dict[str, float | None] = {}
    missed: dict[str, int] = {}
    for number, (name, (policy, issues)) in enumerate(runs.items()):
        told(number / len(runs))
        done = work_off(created(policy, world), world, work, starts, world.scenes(issues))
        shares[name], missed[name] = share(done, at_once, cleanest), done.missed
    hours = max(1, len(starts) * work.hours)
    return {
        "hours": work.hours,
        "due_h": work.due_h,
        "starts": len(starts),
        "at_once_g_per_kwh": at_once / hours,
        "cleanest_g_per_kwh": cleanest / hours,
        "share_of_clairvoyant_saving_pct": shares,
        "missed": missed,
    }


def created(name: str, world: World) -> Scheduler:
    return SCHEDULERS.create(name, {}, {"actual": world.actual})


def progress(what: str) -> Callable[[float], None]:
    """Return a function that shows how far something is, every 5 %."""
    shown = -1

    def told(part: float) -> None:
        nonlocal shown
        if int(20 * part) != shown:
            shown = int(20 * part)
            print(f"{what}: {100 * part:.0f} %", file=sys.stderr, flush=True)

    return told


def printed(found: dict[str, Any]) -> None:
    print(f"{found['zone']}, {found['from'][:10]} to {found['until'][:10]}, present hour {found['present']}:")
    for name, days in found["mape_by_day"].items():
        print(f"  MAPE of {name:15}" + "".join(f"{value:8.2f}" for value in days) + " % on day 1, 2")
    for work in found["work"]:
        worst, best = work["at_once_g_per_kwh"], work["cleanest_g_per_kwh"]
        print(
            f"  {work['hours']} h in {work['due_h']} h, {work['starts']} starts: at once {worst:.1f}, cleanest {best:.1f} g/kWh"
        )
        for name, value in work["share_of_clairvoyant_saving_pct"].items():
            told = f"{work['missed'][name]} times late" if value is None else f"{value:6.1f} %"
            print(f"    {name:20}{told}")
    print("  * suspend_resume with these forecasts", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shifting", description="Savings of shifted work as a share of a clairvoyant's."
    )
    parser.add_argument(
        "traces", nargs="+", metavar="TRACE[:FROM[:UNTIL]]", help="a file that `carbonnas backtest` reads, and dates"
    )
    parser.add_argument("--policies", default="suspend_resume,lookahead", help="names of schedulers, by commas")
    parser.add_argument("--forecaster", default=DEFAULT_FORECASTER)
    parser.add_argument("--refit-days", type=float, default=30.0, help="days after which a forecaster learns anew")
    parser.add_argument("--months", type=float, help="only the first months from FROM")
    parser.add_argument("--present", choices=[each.value for each in Present], default=Present.EXPECTED.value)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep forecasts here, and use those that lie here")
    parser.add_argument("--processes", type=int, default=1, help="traces that are measured at the same time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    asked = Asked(
        policies=tuple(given.policies.split(",")),
        forecaster=given.forecaster,
        refit=timedelta(days=given.refit_days),
        months=given.months,
        present=Present(given.present),
        keep=given.keep,
    )
    one = partial(measured, asked=asked)
    with ProcessPoolExecutor(given.processes) as pool:
        found = []
        for each in pool.map(one, given.traces):
            printed(each)
            found.append(each)
    if given.json is not None:
        given.json.write_text(json.dumps({"traces": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
