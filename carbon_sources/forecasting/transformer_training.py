"""Learning of the transformer forecaster: members that each leave out other weeks, and what those weeks say of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import LEVELS, Array
from carbon_sources.forecasting.transformer_members import Members, one_thread
from carbon_sources.forecasting.transformer_network import MEDIAN, Network, NetworkShape
from carbon_sources.forecasting.transformer_windows import (
    MAX_LAG_H,
    WEEK_H,
    Hours,
    Windows,
    cut,
    mixed,
    origins,
    targets,
)

_LEAST_H = 6 * WEEK_H
_BLOCK_H = 4 * WEEK_H
"""Hours that are left out together: much longer than weather lasts, so that they are new to the member that never saw them."""

_LAG_SHARE = 0.3
_AVERAGING = 0.99
_WARM_UP = 0.1
_FIRST_RATE = 0.004
_WEIGHT_DECAY = 0.05
_LEAST_LEVEL = 0.05
_CALIBRATION_STEP_H = 5
_WIDTH_RANGE = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What decides the weights besides the history.

    Attributes:
        shape: Sizes of the network.
        members: Networks to average, at least 2.
        steps: Optimiser steps per member.
        batch: Windows per step.
        learning_rate: Its peak, after a warm-up and before a cosine decay.
        seed: Seed of the first member; the others count up from it.
    """

    shape: NetworkShape
    members: int
    steps: int
    batch: int
    learning_rate: float
    seed: int


def learn(windows: Windows, settings: TrainingSettings) -> Members | None:
    """Train all members; None if the history is too short: less than about eight weeks, more for many members.

    The weights depend on the arguments only; the global random state of torch is left as it was.
    """
    at = origins(windows)
    span_h = int(np.ptp(at)) if len(at) else 0
    block_h = min(_BLOCK_H, span_h // (2 * settings.members))
    if len(at) < _LEAST_H or block_h <= settings.shape.days_ahead * DAY_H:
        return None
    folds = [fold(at, member, settings, block_h) for member in range(settings.members)]
    if not all(len(train) and len(held) for train, held in folds):
        return None
    with one_thread(), torch.random.fork_rng(devices=[]):
        networks = tuple(
            _train(windows, train, settings, settings.seed + member) for member, (train, _) in enumerate(folds)
        )
        ratios = [_ratios(windows, held, network) for network, (_, held) in zip(networks, folds, strict=True)]
    return Members(networks, _widths(np.concatenate(ratios)), windows.usual)


def fold(at: Hours, member: int, settings: TrainingSettings, block_h: int) -> tuple[Hours, Hours]:
    """Return the hours of issue to train on, and those whose days ahead are in none of the member's training.

    Args:
        at: Hours of issue.
        member: Index of the member.
        settings: Members and days ahead.
        block_h: Hours in a row that are left out by the same member, more than the days ahead have.
    """
    last = at + settings.shape.days_ahead * DAY_H - 1
    first_out, last_out = (hours // block_h % settings.members == member for hours in (at, last))
    return at[~first_out & ~last_out], at[first_out & last_out][::_CALIBRATION_STEP_H]


def _train(windows: Windows, at: Hours, settings: TrainingSettings, seed: int) -> Network:
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    network = Network(settings.shape)
    moving_average = torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGING)  # type: ignore[no-untyped-call]
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=moving_average)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_peak(step / settings.steps))
    pairs = _Pairs(at)
    for _ in range(settings.steps):
        loss = _loss(network, windows, pairs.draw(settings.batch, chance), chance)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
    network.load_state_dict(average.module.state_dict())
    return network.eval()


def _share_of_peak(progress: float) -> float:
    """Return the learning rate as a share of its peak: a linear warm-up under half a cosine; `progress` is in [0, 1]."""
    return min((progress + _FIRST_RATE) / _WARM_UP, 0.5 * (1 + math.cos(math.pi * progress)))


class _Pairs:
    """Draws pairs of hours of issue that share the hour of the day."""

    def __init__(self, at: Hours) -> None:
        self._at = torch.tensor(at[np.argsort(at % DAY_H, kind="stable")])
        _, self._group, self._size = torch.unique_consecutive(self._at % DAY_H, return_inverse=True, return_counts=True)
        self._start = torch.cumsum(self._size, 0) - self._size

    def draw(self, pairs: int, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        index = torch.randint(len(self._at), (pairs,), generator=chance)
        group = self._group[index]
        offset = (torch.rand(pairs, generator=chance) * self._size[group]).long()
        return self._at[index], self._at[self._start[group] + offset]


def _loss(
    network: Network, windows: Windows, pair: tuple[torch.Tensor, torch.Tensor], chance: torch.Generator
) -> torch.Tensor:
    """Return the error in shares of the level: of the mean by absolute value, of the quantiles by pinball loss.

    Windows are mixed in pairs (Zhang et al. 2018, "mixup"): a year holds few kinds of weather, and the network would know
    each by heart within a hundred steps.
    """
    size = len(pair[0])
    lag = torch.randint(1, MAX_LAG_H + 1, (size,), generator=chance)
    lag = torch.where(torch.rand(size, generator=chance) < _LAG_SHARE, lag, 0)
    share = torch.rand(size, 1, 1, generator=chance)
    first, second = (cut(windows, at, lag) for at in pair)
    (truth, known), (truth_2, known_2) = (targets(windows, at) for at in pair)
    truth, truth_2 = (truth - first.level) / first.scale, (truth_2 - second.level) / second.scale
    truth, known = truth + share * (truth_2 - truth), known * known_2
    mean, quantiles = network(mixed(first.batch, second.batch, share))
    error = (mean - truth).abs() + 2 * _pinball(quantiles, truth)
    level = first.level.clamp(min=_LEAST_LEVEL * windows.usual + 1e-3)
    loss: torch.Tensor = (error * known * first.scale / level).sum() / known.sum().clamp(min=1.0)
    return loss


def _pinball(quantiles: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    error, levels = truth[..., None] - quantiles, torch.tensor(LEVELS)
    loss: torch.Tensor = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
    return loss


@torch.no_grad()
def _ratios(windows: Windows, at: Hours, network: Network) -> Array:
    """Return how far the truth lay from the median as a multiple of each quantile's distance, (windows, days, 24, levels).

    NaN where the truth is unknown, and at the median itself.
    """
    hours = torch.tensor(at)
    scaled = cut(windows, hours, torch.zeros_like(hours))
    truth, known = targets(windows, hours)
    _, quantiles = network(scaled.batch)
    median = quantiles[..., MEDIAN, None]
    off = (((truth - scaled.level) / scaled.scale)[..., None] - median) / (quantiles - median)
    ratios: Array = torch.where(known[..., None] > 0, off, torch.nan).double().numpy()
    ratios[..., MEDIAN] = np.nan
    return ratios


def _widths(ratios: Array) -> Array:
    """Return the factors, (days, levels), that would have made each quantile right in the weeks left out.

    After Romano et al. (2019), "Conformalized Quantile Regression", with factors instead of margins: a network's own
    quantiles are too narrow for weather that it has not seen.
    """
    widths = np.ones((ratios.shape[1], len(LEVELS)))
    for day in range(ratios.shape[1]):
        for column, level in enumerate(LEVELS):
            seen = ratios[:, day, :, column]
            seen = seen[np.isfinite(seen)]
            if len(seen):
                widths[day, column] = np.clip(np.quantile(seen, max(level, 1 - level)), *_WIDTH_RANGE)
    return widths
