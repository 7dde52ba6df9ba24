"""The file that keeps what the transformer forecaster learnt: safetensors with a header, nothing pickled."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from carbon_sources.forecasting.hourly import LEVELS, HourlyIntensity
from carbon_sources.forecasting.transformer_members import Members
from carbon_sources.forecasting.transformer_network import Network
from carbon_sources.forecasting.transformer_training import TrainingSettings

_FORMAT = 1
_LOG = logging.getLogger(__name__)


def write_members(path: Path, members: Members, settings: TrainingSettings, history: HourlyIntensity) -> None:
    """Put the members in place of the file's former content, atomically: after a crash one of the two is there, whole.

    Args:
        path: The file; its folder is made if need be.
        members: What was learnt.
        settings: From what settings.
        history: From what history; its begin and end are kept for the reader.

    Raises:
        OSError: If it can't be written.
    """
    tensors = {
        f"{index}.{name}": tensor
        for index, network in enumerate(members.networks)
        for name, tensor in network.state_dict().items()
    }
    header = {
        "settings": _described(settings),
        "usual_g_per_kwh": repr(members.usual),
        "trained_from": history.start.isoformat(),
        "trained_to": history.end.isoformat(),
    }
    fresh = path.with_name(f"{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with fresh.open("wb") as file:
        file.write(save(tensors | {"widths": torch.tensor(members.widths)}, header))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_members(path: Path, settings: TrainingSettings) -> Members | None:
    """Return what the file holds; None if there is no such file, it is damaged, or its settings are others.

    Raises:
        OSError: If the file is there and can't be read.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("settings") != _described(settings):
                _LOG.warning("%s was not learnt with these settings: learning anew", path)
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except SafetensorError as error:
        _LOG.warning("%s is no whole safetensors file (%s): learning anew", path, error)
        return None
    networks = tuple(_network(tensors, index, settings) for index in range(settings.members))
    return Members(networks, tensors["widths"].numpy(), float(header["usual_g_per_kwh"]))


def _network(tensors: Mapping[str, torch.Tensor], index: int, settings: TrainingSettings) -> Network:
    with torch.random.fork_rng(devices=[]):
        network = Network(settings.shape)
    prefix = f"{index}."
    network.load_state_dict({name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)})
    return network.eval()


def _described(settings: TrainingSettings) -> str:
    return json.dumps({"format": _FORMAT, "levels": LEVELS, **asdict(settings)}, sort_keys=True)
