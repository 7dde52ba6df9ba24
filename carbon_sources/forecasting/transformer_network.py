"""The network of the transformer forecaster: days as tokens, a linear skip beside them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from carbon_sources.forecasting.gaps import DAY_H
from carbon_sources.forecasting.hourly import LEVELS

MEDIAN = LEVELS.index(0.5)
TRAITS = 3
"""Numbers that describe a window as a whole, see `WindowBatch.traits`."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Sizes of the network.

    Attributes:
        days_back: Days that it sees, one token each.
        days_ahead: Days that it forecasts, one token each.
        width: Numbers per token, divisible by `heads`.
        layers: Encoder layers.
        heads: Attention heads.
        dropout: Share of activations dropped in training, in [0, 1).
    """

    days_back: int
    days_ahead: int
    width: int
    layers: int
    heads: int
    dropout: float


@dataclass(frozen=True, slots=True, eq=False)
class WindowBatch:
    """Windows of the past as the network reads them; a day is the 24 h between two times of issue, not a calendar day.

    Attributes:
        past: Shape (batch, days back, 24), float; the latest day first; less the window's level, divided by its scale.
        hidden: Shape as `past`; 1 where the value was unknown and filled in.
        weekend_past: Shape as `past`; 1 on Saturdays and Sundays in UTC.
        weekend_ahead: Shape (batch, days ahead, 24); the same for the days to forecast.
        hour: Shape (batch, 24); 1 at the hour of the day (UTC) of the issue.
        weekday: Shape (batch, 7); 1 at the weekday (UTC) of the issue, Monday first.
        traits: Shape (batch, 3); scale relative to the level, the last day's mean, the usual level of the zone, both
            normalised as `past`.
    """

    past: torch.Tensor
    hidden: torch.Tensor
    weekend_past: torch.Tensor
    weekend_ahead: torch.Tensor
    hour: torch.Tensor
    weekday: torch.Tensor
    traits: torch.Tensor


class Network(nn.Module):
    """An encoder over past and coming days whose output corrects a linear forecast.

    Days as tokens follow Nie et al. (2023), "A Time Series is Worth 64 Words" (PatchTST); the linear skip follows Zeng et al.
    (2023), "Are Transformers Effective for Time Series Forecasting?" (NLinear): a transformer alone forgets a year of hours
    by heart. The skip is a weighted mean of the past days, plus a linear map of the last 24 h, plus a pull to the usual level.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self._shape = shape
        back, ahead, width = shape.days_back, shape.days_ahead, shape.width
        week = min(7, back)
        self.day_weights = nn.Parameter(
            torch.cat([torch.full((ahead, week), 1 / week), torch.zeros(ahead, back - week)], 1)
        )
        self.last_day = nn.Parameter(torch.zeros(ahead * DAY_H, DAY_H))
        self.reversion = nn.Parameter(torch.zeros(ahead))
        self.read_past = nn.Linear(3 * DAY_H, width)
        self.read_ahead = nn.Linear(DAY_H, width)
        self.read_traits = nn.Linear(TRAITS, width)
        self.place = nn.Parameter(0.02 * torch.randn(back + ahead, width))
        self.hour = nn.Parameter(0.02 * torch.randn(DAY_H, width))
        self.weekday = nn.Parameter(0.02 * torch.randn(7, width))
        layer = nn.TransformerEncoderLayer(
            width, shape.heads, 2 * width, shape.dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, shape.layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(width, DAY_H * (1 + len(LEVELS)))
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean, shape (batch, days ahead, 24), and the quantiles, (batch, days ahead, 24, levels), normalised.

        The quantiles do not decrease along the last axis.
        """
        output = self.head(self.dropout(self._tokens(batch))).view(-1, self._shape.days_ahead, DAY_H, 1 + len(LEVELS))
        mean = self._skip(batch) + output[..., 0]
        return mean, _ordered(mean + output[..., 1 + MEDIAN], output[..., 1:])

    def _skip(self, batch: WindowBatch) -> torch.Tensor:
        days = torch.einsum("ap,bph->bah", self.day_weights, batch.past)
        recent = (batch.past[:, 0] @ self.last_day.T).view(-1, self._shape.days_ahead, DAY_H)
        pull = self.reversion[:, None] * batch.traits[:, None, 2:]
        skip: torch.Tensor = days + recent + pull
        return skip

    def _tokens(self, batch: WindowBatch) -> torch.Tensor:
        past = self.read_past(torch.cat([batch.past, batch.hidden, batch.weekend_past], -1))
        ahead = self.read_ahead(batch.weekend_ahead)
        whole = batch.hour @ self.hour + batch.weekday @ self.weekday + self.read_traits(batch.traits)
        tokens = torch.cat([past, ahead], 1) + self.place + whole[:, None]
        encoded: torch.Tensor = self.encoder(self.dropout(tokens))
        return encoded[:, self._shape.days_back :]


def _ordered(median: torch.Tensor, raw: torch.Tensor) -> torch.Tensor:
    """Return quantiles built outwards from the median by positive steps; `raw` has the levels as its last axis."""
    steps = nn.functional.softplus(raw - 1.0)
    below = steps[..., :MEDIAN].flip(-1).cumsum(-1).flip(-1)
    above = steps[..., MEDIAN + 1 :].cumsum(-1)
    centre = median[..., None]
    return torch.cat([centre - below, centre, centre + above], -1)
