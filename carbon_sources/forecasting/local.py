"""Inputs of single leads: what was at the same hour of the days before, and how far the last hours were from usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.samples import LEARNT_H, WEEK_H, WINDOW_H, Issues, over_leads, season_of, weekday

COUNTED = 5
"""The first columns count or describe (lead, hour, weekday, variation, shape) and are for trees only."""
SEASON = 2
"""The next ones say which season it is."""
WEEKDAYS = 7
"""The last columns say which weekday it is and are for linear models only."""


def local_inputs(issues: Issues) -> Array:
    """Return the inputs of each lead: shape (issues, `LEARNT_H`, inputs)."""
    lead = np.arange(LEARNT_H)
    days = issues.windows.reshape(-1, WINDOW_H // DAY_H, DAY_H)
    level = days[:, -7:].mean(axis=(1, 2))[:, None]
    usual, target = over_leads(issues.usual), issues.hour[:, None] + lead
    same_hour = [over_leads(days[:, -back]) - usual for back in range(1, 8)]
    weeks = [issues.windows[:, -WEEK_H:] - usual, issues.windows[:, -2 * WEEK_H : -WEEK_H] - usual]
    means = [days[:, -back].mean(axis=1)[:, None] - level for back in range(1, 8)]
    change = issues.windows[:, -DAY_H:] - issues.windows[:, -2 * DAY_H : -DAY_H]
    changes = [
        change[:, -1:],
        change[:, -3:-2],
        change[:, -6:].mean(axis=1)[:, None],
        change[:, -12:].mean(axis=1)[:, None],
    ]
    cosine, sine = season_of(target)
    columns = [
        np.broadcast_to(lead, usual.shape),
        target % DAY_H,
        weekday(target),
        over_leads(days[:, -7:].std(axis=1)),
        usual - level,
        0.3 * cosine,
        0.3 * sine,
        *same_hour,
        *weeks,
        *_recent(issues, lead),
        *means,
        *changes,
        issues.windows[:, -1:] - level,
        issues.windows.mean(axis=1)[:, None] - level,
        level,
        *(0.5 * (weekday(target) == day) for day in range(WEEKDAYS)),
    ]
    result = np.empty((*usual.shape, len(columns)))
    for index, column in enumerate(columns):
        result[..., index] = column
    return result


def _recent(issues: Issues, lead: NDArray[np.int64]) -> list[Array]:
    """Return how far the last hours were from usual, fading with the lead at several rates; each of shape (issues, leads)."""
    unusual = issues.windows[:, -DAY_H:] - issues.usual
    last, three, six, day = (unusual[:, -hours:].mean(axis=1)[:, None] for hours in (1, 3, 6, DAY_H))
    return [
        last * np.exp(-lead / 3),
        last * np.exp(-lead / 12),
        (last - three) * np.exp(-lead / 6),
        six * np.exp(-lead / 24),
        day * np.exp(-lead / 48),
        np.broadcast_to(day, (len(day), len(lead))),
    ]
