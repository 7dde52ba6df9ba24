"""The names of costs among the metrics, and when each of them is known."""

from __future__ import annotations

from typing import Final

PARAMS: Final = "params"
"""Trainable scalars."""
MACS: Final = "macs"
"""Multiply-accumulate operations of one inference of one input."""
PEAK_MEMORY: Final = "peak_memory"
"""Bytes that weights and activations take at the worst moment of one inference of one input."""
LATENCY: Final = "latency_ms"
"""Milliseconds of one inference of one input, measured on this machine or summed from a table."""
ENERGY: Final = "inference_j"
"""Joules of one inference of one input."""
TRAINING_ENERGY: Final = "training_j"
"""Joules that the ledger charges to a training."""
TRAINING_EMISSIONS: Final = "training_g"
"""Grams of CO2 equivalent that the ledger charges to a training."""

COUNTED: Final = frozenset({PARAMS, MACS, PEAK_MEMORY})
"""What is known of a network without running it."""
ACCOUNTED: Final = frozenset({TRAINING_ENERGY, TRAINING_EMISSIONS})
"""What only the ledger knows, after a training."""
MEASURED: Final = frozenset({LATENCY, ENERGY})
"""What is measured after a training, unless a table tells it."""


def target_metric(name: str) -> str:
    """Return the metric that holds the latency on a target, in ms."""
    return f"{LATENCY}.{name}"


def is_latency(metric: str) -> bool:
    """Say whether a metric is the latency on this machine or on a target."""
    return metric == LATENCY or metric.startswith(f"{LATENCY}.")


def may_lack(metric: str) -> bool:
    """Say whether a training may end without this metric: measurements can be unstable, prices and blocks unknown."""
    return metric in MEASURED or metric in ACCOUNTED or is_latency(metric)
