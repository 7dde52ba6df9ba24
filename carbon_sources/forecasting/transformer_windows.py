"""Windows of an hourly history as tensors for the transformer forecaster."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import one_hot

from carbon_sources.forecasting.gaps import DAY_H, Filled
from carbon_sources.forecasting.transformer_network import NetworkShape, WindowBatch

MAX_LAG_H = 48
"""Providers publish up to two days late; training hides up to as many of the last hours."""

WEEK_H = 7 * DAY_H

Hours = NDArray[np.int64]
"""Hours of issue as indices into a history, shape (windows,)."""

_EPOCH_MONDAY_H = 3 * DAY_H
"""1970 began on a Thursday."""

_SCALE_FLOOR = 0.05
"""Least scale of a window relative to its level: in a flat window noise should not be blown up to unit size."""

_LEAST_G_PER_KWH = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """A history to cut windows from at any hour.

    Attributes:
        shape: Days seen and forecast.
        values: Shape (hours,), float32, g/kWh, without gaps.
        known: Shape (hours,), bool; whether the value was known and not filled in.
        first_hour: Hours from a Monday 00:00 UTC to the first hour.
        usual: Level of the zone in g/kWh, the mean of what was learnt from.
    """

    shape: NetworkShape
    values: torch.Tensor
    known: torch.Tensor
    first_hour: int
    usual: float

    @classmethod
    def of(cls, past: Filled, shape: NetworkShape, usual: float) -> Windows:
        """Return the windows of a history without gaps."""
        values = torch.tensor(past.values, dtype=torch.float32)
        return cls(shape, values, torch.tensor(past.known), past.first_hour + _EPOCH_MONDAY_H, usual)


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A batch with what takes it back to g/kWh.

    Attributes:
        batch: What the network reads.
        level: Shape (batch, 1, 1), g/kWh.
        scale: Shape (batch, 1, 1), g/kWh, positive.
    """

    batch: WindowBatch
    level: torch.Tensor
    scale: torch.Tensor


def origins(windows: Windows) -> Hours:
    """Return every hour with a full window before it, at least half known, and something to learn within the days ahead."""
    back, ahead = windows.shape.days_back * DAY_H, windows.shape.days_ahead * DAY_H
    known = np.concatenate([[0], np.cumsum(windows.known.numpy())])
    at = np.arange(back, len(windows.values) - ahead + 1)
    enough = 2 * (known[at] - known[at - back]) >= back
    chosen: Hours = at[enough & (known[at + ahead] > known[at])]
    return chosen


def cut(windows: Windows, at: torch.Tensor, lag: torch.Tensor) -> Scaled:
    """Return the windows before the hours `at`.

    Args:
        windows: The history.
        at: Shape (batch,), int; index of the hour of issue, at least `days_back` days from the start. It may lie up to `lag`
            hours beyond the end.
        lag: Shape (batch,), int; how many of the last hours are not published yet: the last published day stands in for them.
    """
    hours = at[:, None, None] - DAY_H * torch.arange(1, windows.shape.days_back + 1)[:, None] + torch.arange(DAY_H)
    late = hours - (at - lag)[:, None, None]
    source = hours - torch.where(late >= 0, DAY_H * (late // DAY_H + 1), 0)
    hidden = (late >= 0) | ~windows.known[source]
    past = windows.values[source]
    level = past.mean((1, 2), keepdim=True)
    spread = past.std((1, 2), keepdim=True)
    scale = torch.sqrt(spread**2 + (_SCALE_FLOOR * level) ** 2) + _LEAST_G_PER_KWH
    past = (past - level) / scale
    clock = windows.first_hour + at
    batch = WindowBatch(
        past=past,
        hidden=hidden.float(),
        weekend_past=_weekend(windows.first_hour + hours),
        weekend_ahead=_weekend(windows.first_hour + _ahead(windows, at)),
        hour=one_hot(clock % DAY_H, DAY_H).float(),
        weekday=one_hot(clock % WEEK_H // DAY_H, 7).float(),
        traits=_traits(past, level[:, 0], scale[:, 0], windows.usual),
    )
    return Scaled(batch, level, scale)


def targets(windows: Windows, at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what came after the hours `at` in g/kWh and 1 where it is known, both of shape (batch, days ahead, 24)."""
    hours = _ahead(windows, at)
    return windows.values[hours], windows.known[hours].float()


def mixed(first: WindowBatch, second: WindowBatch, share: torch.Tensor) -> WindowBatch:
    """Return windows of the first's calendar whose intensities are mixed, `share` of shape (batch, 1, 1) from the second.

    With the calendar left alone unseen months are forecast better than with the calendar mixed.
    """
    return replace(
        first,
        past=first.past + share * (second.past - first.past),
        hidden=first.hidden + share * (second.hidden - first.hidden),
        traits=first.traits + share[:, 0] * (second.traits - first.traits),
    )


def _ahead(windows: Windows, at: torch.Tensor) -> torch.Tensor:
    """Return the indices of the hours to forecast, (batch, days ahead, 24)."""
    return at[:, None, None] + DAY_H * torch.arange(windows.shape.days_ahead)[:, None] + torch.arange(DAY_H)


def _weekend(hours: torch.Tensor) -> torch.Tensor:
    return (hours % WEEK_H >= 5 * DAY_H).float()


def _traits(past: torch.Tensor, level: torch.Tensor, scale: torch.Tensor, usual: float) -> torch.Tensor:
    relative = (scale / level.clamp(min=_LEAST_G_PER_KWH)).clamp(max=4.0)
    return torch.cat([relative, past[:, 0].mean(1, keepdim=True), ((usual - level) / scale).clamp(-4.0, 4.0)], 1)
