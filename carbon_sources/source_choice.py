"""A carbon source as a configuration names it inside another one's options."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from carbon_sources.errors import PluginError
from carbon_sources.groups import CARBON_SOURCES


class SourceChoice(BaseModel):
    """One of the sources: `use`, the name of a carbon source, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    use: str

    @property
    def options(self) -> dict[str, Any]:
        """The options of the plug-in, as written."""
        return dict(self.model_extra or {})

    def validated_options(self) -> BaseModel:
        """The options of the plug-in, validated: what is a path among them starts in the folder of the configuration."""
        return CARBON_SOURCES.options(self.use)(**self.options)

    @model_validator(mode="after")
    def _check_options(self) -> SourceChoice:
        if self.use == "failover":
            raise ValueError("failover can't stand inside failover: list all sources in one")
        try:
            self.validated_options()
        except PluginError as error:
            raise ValueError(str(error)) from error
        return self
