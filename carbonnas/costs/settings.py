"""What a user may write about costs: `[costs]`, `[[limits]]` and `[[targets]]`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator

from carbonnas.costs.names import target_metric
from carbonnas.costs.plan import UNSTABLE_ABOVE, parse_task
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target

Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]


def _task(text: str) -> str:
    parse_task(text)
    return text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CostsSection(_Section):
    """`[costs]`: how costs of networks are found."""

    task: Annotated[str, AfterValidator(_task)] | None = None
    """Channels, rows, columns and classes that networks are built for; absent: those of the data set."""
    device: Annotated[str, Field(min_length=1, max_length=40)] = "cpu"
    """Torch device on which latency and energy are measured."""
    latency_table: Path | None = None
    """Table that tells `latency_ms`; absent: it is measured on this machine."""
    unstable_above: Number = Field(default=UNSTABLE_ABOVE, gt=0, le=1)
    """Spread from which a measured latency is rejected, as a share of its median."""


class LimitSection(_Section):
    """`[[limits]]`: what a network must keep to be of any use."""

    metric: Annotated[str, Field(pattern=r"^\S{1,200}$")]
    at_most: Number | None = None
    at_least: Number | None = None

    @property
    def limit(self) -> Limit:
        """The limit; `ValueError` if it can't be one."""
        return Limit(
            self.metric,
            -math.inf if self.at_least is None else self.at_least,
            math.inf if self.at_most is None else self.at_most,
        )

    @model_validator(mode="after")
    def _check_range(self) -> LimitSection:
        _ = self.limit
        return self


class TargetSection(_Section):
    """`[[targets]]`: a device that networks are searched for."""

    name: Word
    table: Path
    """Its latency table."""
    at_most_ms: Annotated[Number, Field(gt=0)] | None = None
    """Latency from which a network is of no use on it."""

    @property
    def target(self) -> Target:
        """The target."""
        return Target(self.name, target_metric(self.name), self.at_most_ms)
