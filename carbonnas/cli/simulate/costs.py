"""What a simulation charges: the powers of the file and the time that switching takes, or what the released CE-NAS charged."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from carbon_sources.units import parse_duration
from carbonnas.config import SearchConfig
from carbonnas.energy.power_model import PowerModelMeter
from carbonnas.errors import ConfigError
from carbonnas.plugins import ENERGY_METERS, PluginChoice
from carbonnas.simulation.setting import Costs

_SWITCHING = "30 s"
"""What writing or loading a checkpoint takes where nobody says it: an assumption, shown with the results."""

_CE_NAS = PluginChoice("constant_power", {"train": "1000 W", "score": "0 W", "idle": "0 W"})
"""Zhao and Guo 2024: the released code charges 1 kW for each busy training slot, and nothing else."""


class Charged(Protocol):
    """What the options say of costs."""

    @property
    def ce_nas(self) -> bool: ...

    @property
    def suspend_cost(self) -> str | None: ...

    @property
    def resume_cost(self) -> str | None: ...


def costs_of(options: Charged, config: SearchConfig) -> Costs:
    """Return what is charged.

    Raises:
        ConfigError: If the file's meter knows no powers, or a duration can't be read.
    """
    usual = "0 s" if options.ce_nas else _SWITCHING
    stated = config.executor.options if config.executor.use == "simulated" else {}
    executor = {} if options.ce_nas else dict(stated)
    for name, written, option in (
        ("suspend_cost", options.suspend_cost, "--suspend-cost"),
        ("resume_cost", options.resume_cost, "--resume-cost"),
    ):
        if written is not None:
            executor[name] = _duration(written, option)
        executor.setdefault(name, usual)
    if options.ce_nas:
        return Costs(_CE_NAS, executor, 1.0)
    if not issubclass(ENERGY_METERS.load(config.energy.use), PowerModelMeter):
        sentence = (
            f"{config.energy.use!r} measures, and nothing runs here: state powers with 'constant_power' or 'recorded'"
        )
        raise ConfigError("energy.use", (sentence,))
    return Costs(config.energy, executor, None)


def _duration(text: str, option: str) -> str:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise ConfigError(option, (str(error),)) from error
    if duration < timedelta(0):
        raise ConfigError(option, (f"expected a duration of at least zero, got {text!r}",))
    return text
