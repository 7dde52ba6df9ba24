"""Slots for each of the hours to come, by a linear program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from carbon_sources.units import J_PER_KWH

_EARLIER = 1e-7
"""By how much more, as a share of the dirtiest hour, the last piece counts: of equal hours the earlier is taken, and none for no work."""
_DIRTIEST = 1000.0
"""What an hour of the dirtiest piece costs: the solver takes differences below 1e-7 for none, on a grid of few grams as well."""
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Allotment:
    """A limit on the emissions of some time.

    Attributes:
        from_s: Begin of that time in seconds from now, at least zero.
        until_s: Its end, later.
        grams: What trainings may emit in it, any number; below zero nothing fits.
    """

    from_s: float
    until_s: float
    grams: float


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be planned.

    Attributes:
        needed_s: Slot seconds of training, at least zero.
        width: Slots that can train at the same time, at least 1.
        running: Slots that train already, at least 0.
        watts: What a slot that trains draws in W, at least zero.
        switch_s: Slot seconds that are lost each time a slot begins to train, at least zero.
        min_run_s: How long a slot that begins to train goes on at least, seconds, at least zero.
    """

    needed_s: float
    width: int
    running: int
    watts: float
    switch_s: float
    min_run_s: float


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """A plan.

    Attributes:
        slots: Slots that train in each piece, 0 to the width, in parts of slots.
        missing_s: Slot seconds that find no place, because of the time or of a limit.
        starts: Slots that begin to train, summed over the pieces.
    """

    slots: tuple[float, ...]
    missing_s: float
    starts: float


def plan_slots(
    work: Workload, lengths_s: Sequence[float], g_per_kwh: Sequence[float], allotments: Sequence[Allotment] = ()
) -> SlotPlan:
    """Return how many slots train in each piece so that all work is done with the least emissions.

    With `x[t]` slots in piece `t` of `d[t]` seconds and `s[t] >= x[t] - x[t-1]` slots that start, minimise the sum of
    `g[t] d[t] x[t]`, subject to `0 <= x <= width`, to the sum of `d[t] x[t] - switch_s s[t]` being what is needed, to
    `x[t] >= ` the starts of the last `min_run_s` (Rajan and Takriti, IBM RC23628, 2005), and to each limit on emissions. Work that
    finds no place costs more than any that does, so that a problem without a solution gives as much work as can be done.

    Args:
        work: What is to be planned.
        lengths_s: Length of each piece in seconds, above zero; at least one.
        g_per_kwh: Intensity of each piece, at least zero, as many as there are lengths.
        allotments: Limits on emissions.

    Raises:
        RuntimeError: If the solver finds no optimum, which no input should bring about.
    """
    import highspy
    import numpy as np

    program = _Program(work, lengths_s, g_per_kwh)
    for allotment in allotments:
        program.limit(allotment)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the solver's own interface
    solver.setOptionValue("threads", 1)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.costs), len(program.rows)
    model.col_cost_ = np.array(program.costs)
    model.col_lower_ = np.zeros(len(program.costs))
    model.col_upper_ = np.array(program.uppers)
    model.row_lower_ = np.array([row.lower for row in program.rows])
    model.row_upper_ = np.array([row.upper for row in program.rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array([0, *itertools.accumulate(len(row.columns) for row in program.rows)])
    model.a_matrix_.index_ = np.array([column for row in program.rows for column in row.columns])
    model.a_matrix_.value_ = np.array([factor for row in program.rows for factor in row.factors])
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"no plan: {solver.getModelStatus()}. This is a bug. Please report.")
    return program.plan([float(value) for value in solver.getSolution().col_value])


@dataclass(frozen=True, slots=True)
class _Row:
    columns: list[int]
    factors: list[float]
    lower: float
    upper: float


class _Program:
    """Columns: slots of each piece, starts in each piece if they cost anything, and the work that finds no place, in hours."""

    def __init__(self, work: Workload, lengths_s: Sequence[float], g_per_kwh: Sequence[float]) -> None:
        self._work = work
        self._hours = [length / 3600 for length in lengths_s]
        self._g_per_kwh = g_per_kwh
        self._count = len(lengths_s)
        self._starts = work.switch_s > 0 or work.min_run_s > min(lengths_s)
        self._missing = self._count * (2 if self._starts else 1)
        dirtiest = max(g_per_kwh) or 1.0
        shares = [value / dirtiest + _EARLIER * place / self._count for place, value in enumerate(g_per_kwh, start=1)]
        self.costs = [_DIRTIEST * hours * share for hours, share in zip(self._hours, shares, strict=True)]
        self.costs += [0.0] * (self._missing - self._count) + [self._penalty()]
        self.uppers = [float(work.width)] * self._missing + [math.inf]
        self.rows: list[_Row] = [self._all_work()]
        if self._starts:
            self.rows += [self._start(place) for place in range(self._count)]
            self.rows += [row for place in range(self._count) if (row := self._run(place)) is not None]

    def _penalty(self) -> float:
        """Return what an hour costs that finds no place: more than the dirtiest one with a start for each of its pieces."""
        lost = 1 - self._work.switch_s / 3600 / max(self._hours)
        return 10 * _DIRTIEST / max(lost, 0.01)

    def _all_work(self) -> _Row:
        columns, factors = list(range(self._count)), list(self._hours)
        if self._starts:
            columns += range(self._count, 2 * self._count)
            factors += [-self._work.switch_s / 3600] * self._count
        return _Row([*columns, self._missing], [*factors, 1.0], self._work.needed_s / 3600, math.inf)

    def _start(self, place: int) -> _Row:
        """Return `s[t] - x[t] + x[t-1] >= 0`."""
        start = self._count + place
        if place == 0:
            return _Row([0, start], [-1.0, 1.0], -float(min(self._work.running, self._work.width)), math.inf)
        return _Row([place - 1, place, start], [1.0, -1.0, 1.0], 0.0, math.inf)

    def _run(self, place: int) -> _Row | None:
        """Return `x[t] >= ` what began less than a shortest run before the piece ends; `None` where the piece is longer than that."""
        first, since = place, 0.0
        while first > 0 and since + self._hours[first - 1] < self._work.min_run_s / 3600:
            first -= 1
            since += self._hours[first]
        if first == place:
            return None
        begun = range(self._count + first, self._count + place + 1)
        return _Row([place, *begun], [1.0, *([-1.0] * len(begun))], 0.0, math.inf)

    def limit(self, allotment: Allotment) -> None:
        """Add a limit on emissions; the part of a piece that lies beyond its time does not count."""
        columns, factors, begin = [], [], 0.0
        for place, hours in enumerate(self._hours):
            inside = min(begin + hours, allotment.until_s / 3600) - max(begin, allotment.from_s / 3600)
            if inside > 0:
                columns.append(place)
                factors.append(inside * 3600 * self._work.watts / J_PER_KWH * self._g_per_kwh[place])
            begin += hours
        if columns:
            self.rows.append(_Row(columns, factors, -math.inf, max(0.0, allotment.grams)))

    def plan(self, values: Sequence[float]) -> SlotPlan:
        width = float(self._work.width)
        slots = tuple(
            0.0 if value < _TOLERANCE else width if value > width - _TOLERANCE else value
            for value in values[: self._count]
        )
        missing_s = values[self._missing] * 3600
        return SlotPlan(
            slots,
            missing_s if missing_s > _TOLERANCE * self._work.needed_s else 0.0,
            math.fsum(values[self._count : self._missing]),
        )
