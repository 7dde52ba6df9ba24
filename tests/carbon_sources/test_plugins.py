"""Plug-ins found by entry points, as separate distributions bring them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from carbon_sources.errors import PluginError
from carbon_sources.plugins import PluginGroup
from carbon_sources.providers.constant import ConstantSource
from carbon_sources.source import CarbonSource

SOURCES = PluginGroup("carbonnas.carbon_sources", CarbonSource)

MODULE = """
from __future__ import annotations
from typing import TYPE_CHECKING
from carbon_sources.providers.constant import ConstantSource
if TYPE_CHECKING:
    from nowhere import Nothing

class Serviced(ConstantSource):
    def __init__(self, http, clock="none offered", *, model_g: float = 5.0):
        super().__init__(g_per_kwh=model_g)
        self.http, self.clock = http, clock

class Unreadable(ConstantSource):
    def __init__(self, *, option: Nothing):
        pass

class Stranger:
    pass
"""

ENTRY_POINTS = """
[carbonnas.carbon_sources]
serviced = test_plugin_module:Serviced
unreadable = test_plugin_module:Unreadable
stranger = test_plugin_module:Stranger
no_class = test_plugin_module:__doc__
absent = test_plugin_module:Absent
broken = test_plugin_broken:Anything
{more}
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution on the path with the plug-ins above."""
    (tmp_path / "test_plugin_module.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "test_plugin_broken.py").write_text("raise RuntimeError('no driver')", encoding="utf-8")
    _install(tmp_path, "one", ENTRY_POINTS.format(more=""))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "test_plugin_module", raising=False)
    return tmp_path


def _install(folder: Path, name: str, entry_points: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def test_the_built_ins_come_through_the_same_door() -> None:
    assert {"constant", "national_grid", "trace"} <= set(SOURCES.names())
    assert SOURCES.load("constant").__name__ == "ConstantSource"


def test_an_unknown_plugin_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(PluginError, match=r"unknown plug-in 'wind'.*constant"):
        SOURCES.load("wind")


def test_options_are_made_into_arguments() -> None:
    source = SOURCES.create("constant", {"g_per_kwh": 42.0, "kind": "marginal"}, {})
    assert isinstance(source, ConstantSource)
    assert source.kind.value == "marginal"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"g_per_kwh": 1, "colour": "green"}, "colour"),
        ({}, "g_per_kwh"),
        ({"g_per_kwh": -1}, "greater than or equal"),
        ({"g_per_kwh": 1, "kind": "guessed"}, "average"),
    ],
)
def test_a_wrong_option_is_an_error(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SOURCES.create("constant", options, {})


def test_services_are_handed_in_by_name(distribution: Path) -> None:
    source = SOURCES.create("serviced", {"model_g": 7.0}, {"clock": "c", "http": "h", "other": "o"})
    assert (vars(source)["http"], vars(source)["clock"]) == ("h", "c")
    assert vars(SOURCES.create("serviced", {}, {"http": "h"}))["clock"] == "none offered"


def test_a_service_that_is_not_offered_is_named(distribution: Path) -> None:
    with pytest.raises(PluginError, match="asks for http; offered are clock"):
        SOURCES.create("serviced", {}, {"clock": "c"})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stranger", "is not a CarbonSource"),
        ("no_class", "is not a CarbonSource"),
        ("absent", "can't be imported"),
        ("broken", "can't be imported: no driver"),
        ("unreadable", "annotation that can't be read"),
    ],
)
def test_a_plugin_that_is_none_is_an_error(distribution: Path, name: str, reason: str) -> None:
    with pytest.raises(PluginError, match=reason):
        SOURCES.options(name)


def test_two_plugins_of_one_name_are_an_error(distribution: Path) -> None:
    _install(distribution, "two", "[carbonnas.carbon_sources]\nconstant = test_plugin_module:Serviced\n")
    with pytest.raises(PluginError, match="more than once"):
        SOURCES.load("constant")
