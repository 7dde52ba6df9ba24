"""Plug-ins by entry point: the built-ins use the same door as everybody else."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from carbon_sources.errors import PluginError

T = TypeVar("T")


@dataclass(frozen=True)
class PluginGroup(Generic[T]):
    """The classes registered under one entry-point group.

    The constructor of a plug-in tells all that is needed: parameters before `*` are services that the program hands in by name
    (one with a default may be absent), keyword-only parameters are options that a user sets, with their types, units and
    defaults.

    Attributes:
        group: Name of the entry-point group, such as `carbonnas.carbon_sources`.
        interface: Base class that every plug-in of the group must have.
    """

    group: str
    interface: type[T]

    def names(self) -> list[str]:
        """Return the registered names in order; imports nothing."""
        return sorted({point.name for point in _entry_points(self.group, tuple(sys.path))})

    def load(self, name: str) -> type[T]:
        """Import the plug-in and return its class.

        Raises:
            PluginError: If it is unknown, registered twice, can't be imported, or is not a subclass of the interface.
        """
        loaded = _import(self._entry_point(name))
        if not (isinstance(loaded, type) and issubclass(loaded, self.interface)):
            raise PluginError(f"plug-in {name!r} of {self.group} is not a {self.interface.__name__}")
        return loaded

    def options(self, name: str) -> type[BaseModel]:
        """Return a model of the plug-in's options: its keyword-only parameters. Unknown options are errors.

        Raises:
            PluginError: As `load`, and if an annotation of the constructor can't be resolved at run time.
        """
        try:
            return _options_of(self.load(name))  # type: ignore[arg-type] # classes are hashable
        except NameError as error:
            raise PluginError(
                f"plug-in {name!r} of {self.group} has an annotation that can't be read: {error}"
            ) from error

    def create(self, name: str, options: Mapping[str, object], services: Mapping[str, object]) -> T:
        """Validate `options` and construct the plug-in with those `services` that its constructor names.

        Raises:
            PluginError: As `load`, and if the constructor names a service that is not offered.
            pydantic.ValidationError: If an option is unknown, missing or invalid.
        """
        model = self.options(name)(**options)
        cls = self.load(name)
        wanted = [
            parameter
            for parameter in inspect.signature(cls).parameters.values()
            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        missing = [p.name for p in wanted if p.name not in services and p.default is inspect.Parameter.empty]
        if missing:
            raise PluginError(
                f"plug-in {name!r} of {self.group} asks for {', '.join(missing)}; offered are {', '.join(services)}"
            )
        handed = {p.name: services[p.name] for p in wanted if p.name in services}
        return cls(**handed, **{key: getattr(model, key) for key in type(model).model_fields})

    def _entry_point(self, name: str) -> EntryPoint:
        points = {point for point in _entry_points(self.group, tuple(sys.path)) if point.name == name}
        if not points:
            raise PluginError(f"unknown plug-in {name!r} of {self.group}; there are: {', '.join(self.names())}")
        if len({point.value for point in points}) > 1:
            owners = ", ".join(sorted(point.value for point in points))
            raise PluginError(f"plug-in {name!r} of {self.group} is registered more than once: {owners}")
        return points.pop()


@functools.cache
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; looking through all distributions takes milliseconds, so once for each `sys.path`."""
    del path
    return tuple(entry_points(group=group))


def _import(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise PluginError(f"plug-in {point.name!r} ({point.value}) can't be imported: {error}") from error


@functools.cache
def _options_of(cls: type[object]) -> type[BaseModel]:
    """Return a model of the keyword-only parameters of a constructor; making one takes milliseconds, so once for each class.

    Raises:
        NameError: If an annotation can't be resolved at run time.
    """
    hints = get_type_hints(cls.__init__, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (
            hints.get(parameter.name, Any),
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(f"{cls.__name__}Options", __config__=config, **fields)
