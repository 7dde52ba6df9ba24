"""The trained networks of the transformer forecaster and the forecast that they make together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from carbon_sources.forecasting.gaps import Filled
from carbon_sources.forecasting.hourly import Array
from carbon_sources.forecasting.transformer_network import MEDIAN, Network, NetworkShape
from carbon_sources.forecasting.transformer_windows import Windows, cut


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside, and as many as before outside: these tensors are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """What training found.

    Attributes:
        networks: At least one, ready to predict.
        widths: Shape (days ahead, levels); factor of each quantile's distance from the median.
        usual: Mean of the history learnt from, g/kWh.
    """

    networks: tuple[Network, ...]
    widths: Array
    usual: float

    @torch.no_grad()
    def forecast(self, past: Filled, shape: NetworkShape) -> tuple[Array, Array]:
        """Return the average of what the networks expect of the hours after the end of a history, its lag included.

        Returns:
            The mean, shape (hours,), and the quantiles, (hours, levels), in g/kWh, both as the networks give them: some may lie
            below zero, some quantiles below a lower one.
        """
        windows = Windows.of(past, shape, self.usual)
        lag = torch.tensor([past.lag])
        with one_thread():
            scaled = cut(windows, lag + len(past.values), lag)
            outputs = [network(scaled.batch) for network in self.networks]
        mean, quantiles = (torch.stack(parts).mean(0)[0].double().numpy() for parts in zip(*outputs, strict=True))
        median = quantiles[..., MEDIAN, None]
        quantiles = median + self.widths[:, None] * (quantiles - median)
        level, scale = scaled.level.item(), scaled.scale.item()
        return level + scale * mean.reshape(-1), level + scale * quantiles.reshape(-1, quantiles.shape[-1])
