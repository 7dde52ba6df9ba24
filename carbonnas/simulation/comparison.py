"""From single runs to what is said of a scheduler: spreads over the seeds, and pairs of runs with the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from carbonnas.report.simulation_model import (
    Growth,
    QualityLine,
    SavingLine,
    SchedulerResult,
    SimulatedRun,
    Spread,
)
from carbonnas.simulation.setting import Competitor

_PLACES = 60
"""Places on an axis at which curves are told."""

FIGURES: dict[str, Callable[[SimulatedRun], float | None]] = {
    "emissions_kg": lambda run: run.emissions_kg,
    "energy_kwh": lambda run: run.energy_kwh,
    "unpriced_kwh": lambda run: run.unpriced_kwh,
    "finish_h": lambda run: run.finish_h,
    "hypervolume_share": lambda run: run.share,
    "scorings": lambda run: run.scorings,
    "search_trainings": lambda run: run.search_trainings,
    "full_trainings": lambda run: run.full_trainings,
    "suspensions": lambda run: run.suspensions,
    "longest_wait_h": lambda run: run.longest_wait_h,
    "budget_violations": lambda run: run.budget_violations,
    "overshoot_g": lambda run: run.overshoot_g,
    "deadlines_missed": lambda run: run.deadline_missed,
}
"""The figures of a run by the names that they have in JSON."""


def spread(values: Iterable[float | None]) -> Spread:
    """Return the spread of a figure; seeds without it count as larger than all others."""
    told = [math.inf if value is None else float(value) for value in values]
    # Between the two seeds next to a quantile, as usual, unless one of them has no figure.
    ordered = sorted(told)

    def quantile(share: float) -> float | None:
        place = share * (len(ordered) - 1)
        below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
        if math.isinf(above):
            return None
        return below + (above - below) * (place - math.floor(place))

    known = sum(math.isfinite(value) for value in told)
    if not ordered:
        return Spread(None, None, None, None, None, 0)
    return Spread(quantile(0.5), quantile(0.25), quantile(0.75), quantile(0.0), quantile(1.0), known)


def compare(
    runs: Sequence[tuple[Competitor, tuple[SimulatedRun, ...]]], qualities: Sequence[float]
) -> tuple[SchedulerResult, ...]:
    """Return what is said of each scheduler.

    Args:
        runs: The runs of each, one for each seed, in the same order of seeds; `carbon_blind` and `oracle` are among them.
        qualities: Shares of the maximal hypervolume, 0..1.
    """
    blind = next(found for competitor, found in runs if _is_plain(competitor, "carbon_blind"))
    oracle = next(found for competitor, found in runs if _is_plain(competitor, "oracle"))
    every = [run for _, found in runs for run in found]
    kg = np.linspace(0.0, max((run.emissions_kg for run in every), default=0.0), _PLACES)
    hours = np.linspace(0.0, max((run.finish_h for run in every), default=0.0), _PLACES)
    return tuple(
        SchedulerResult(
            name=competitor.name,
            use=competitor.choice.use,
            options=dict(competitor.choice.options),
            uses_forecast=competitor.uses_forecast,
            runs=found,
            figures={name: spread(map(of, found)) for name, of in FIGURES.items()},
            qualities=tuple(_quality(found, blind, share) for share in qualities),
            saving=_saving(found, blind, oracle),
            by_kg=_growth(found, kg, "kg"),
            by_hours=_growth(found, hours, "hours"),
            training_slots=_mean_slots(found),
        )
        for competitor, found in runs
    )


def _is_plain(competitor: Competitor, use: str) -> bool:
    return competitor.choice.use == use and not competitor.choice.options


def _quality(runs: Sequence[SimulatedRun], blind: Sequence[SimulatedRun], share: float) -> QualityLine:
    own = [run.reached(share) if run.unpriced_kwh == 0 else None for run in runs]
    others = [run.reached(share) if run.unpriced_kwh == 0 else None for run in blind]
    pairs = [
        None
        if mine is None or other is None or not (mine.kg > 0 and other.kg > 0)
        else (other.kg / mine.kg, other.kwh / mine.kwh)
        for mine, other in zip(own, others, strict=True)
    ]
    return QualityLine(
        share=share,
        kg=spread(None if point is None else point.kg for point in own),
        kwh=spread(None if point is None else point.kwh for point in own),
        hours=spread(None if point is None else point.hours for point in own),
        times_less=spread(pair and pair[0] for pair in pairs),
        fewer_joules=spread(pair and pair[1] for pair in pairs),
        cleaner_joules=spread(pair and pair[0] / pair[1] for pair in pairs),
    )


def _saving(runs: Sequence[SimulatedRun], blind: Sequence[SimulatedRun], oracle: Sequence[SimulatedRun]) -> SavingLine:
    pairs = list(zip(runs, blind, strict=True))
    saved = [_saved_kg(*pair) for pair in pairs]
    clairvoyant = [_saved_kg(*pair) for pair in zip(oracle, blind, strict=True)]
    splits = [split_saving(*pair) for pair in pairs]
    return SavingLine(
        kg=spread(saved),
        share=spread(
            None if kg is None or other.emissions_kg <= 0 else kg / other.emissions_kg
            for kg, (_, other) in zip(saved, pairs, strict=True)
        ),
        fewer_joules_kg=spread(split and split[0] for split in splits),
        cleaner_joules_kg=spread(split and split[1] for split in splits),
        clairvoyant_share=spread(
            None if kg is None or most is None or most <= 0 else kg / most
            for kg, most in zip(saved, clairvoyant, strict=True)
        ),
        same_work=sum(run.trainings == other.trainings for run, other in pairs),
    )


def _saved_kg(run: SimulatedRun, blind: SimulatedRun) -> float | None:
    if run.unpriced_kwh or blind.unpriced_kwh:
        return None
    return blind.emissions_kg - run.emissions_kg


def split_saving(run: SimulatedRun, blind: SimulatedRun) -> tuple[float, float] | None:
    """Return the kg saved by less energy and by cleaner energy, which sum to all that is saved; `None` where one is unknown.

    Emissions are energy times mean intensity. The split is the logarithmic mean Divisia index, which leaves no rest and treats both
    factors alike: B. W. Ang, "The LMDI approach to decomposition analysis: a practical guide", Energy Policy 33 (2005), equation 5.
    """
    if run.unpriced_kwh or blind.unpriced_kwh or not (run.emissions_kg > 0 and blind.emissions_kg > 0):
        return None
    change = math.log(blind.emissions_kg / run.emissions_kg)
    saved = blind.emissions_kg - run.emissions_kg
    weight = saved / change if change else blind.emissions_kg
    by_energy = weight * math.log(blind.energy_kwh / run.energy_kwh)
    return by_energy, saved - by_energy


def _growth(runs: Sequence[SimulatedRun], axis: np.ndarray, field: str) -> Growth:
    """Return the curves at the places of an axis; after its end a search keeps what it has."""
    shares = np.zeros((len(runs), len(axis)))
    for row, run in zip(shares, runs, strict=True):
        places = np.searchsorted([getattr(point, field) for point in run.curve], axis, side="right")
        row[:] = np.array([0.0, *(point.share for point in run.curve)])[places]
    low, median, high = np.quantile(shares, (0.25, 0.5, 0.75), axis=0)
    return Growth(*(tuple(map(float, values)) for values in (axis, median, low, high)))


def _mean_slots(runs: Sequence[SimulatedRun]) -> tuple[float, ...]:
    """Return the mean over the seeds hour by hour; a search that has ended trains no more."""
    longest = max((len(run.training_slots) for run in runs), default=0)
    slots = np.zeros((len(runs), longest))
    for row, run in zip(slots, runs, strict=True):
        row[: len(run.training_slots)] = run.training_slots
    return tuple(round(float(value), 6) for value in slots.mean(axis=0)) if longest else ()
