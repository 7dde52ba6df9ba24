"""The reference of the configuration says what the code says: every setting, every option, every default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from carbon_sources.plugins import PluginGroup
from carbonnas.config import (
    AccountingSection,
    BudgetSection,
    ClockSection,
    ForecastingSection,
    GuidanceSection,
    RewardSection,
    SafetySection,
    SearchConfig,
    SearchSection,
)
from carbonnas.config_file import parse_config
from carbonnas.costs.settings import CostsSection, LimitSection, TargetSection
from carbonnas.plugins import EVALUATORS, GROUP_OF_TABLE, PluginChoice

DOCS = Path(__file__).parent.parent / "docs"
PROXIES_GROUP = "carbonnas.proxies"
GROUPS: tuple[PluginGroup[Any], ...] = tuple(dict.fromkeys(GROUP_OF_TABLE.values()))
SECTIONS: dict[str, type[BaseModel]] = {
    "`[search]`": SearchSection,
    "`[reward]`": RewardSection,
    "`[guidance]`": GuidanceSection,
    "`[costs]`": CostsSection,
    "`[[limits]]`": LimitSection,
    "`[[targets]]`": TargetSection,
    "`[[budgets]]`": BudgetSection,
    "`[safety]`": SafetySection,
    "`[accounting]`": AccountingSection,
    "`[forecasting]`": ForecastingSection,
    "`[clock]`": ClockSection,
}


@cache
def _text() -> str:
    return (DOCS / "configuration.md").read_text(encoding="utf-8")


def _part(level: str, title: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    found = re.search(
        rf"^{level} {re.escape(title)}$\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", _text(), re.MULTILINE | re.DOTALL
    )
    assert found, f"no heading {level} {title}"
    return found.group(1)


def _defaults(part: str) -> dict[str, str]:
    """Return the first table of a part: the cell of the default by name; every row has a unit or range and a meaning."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    assert all(len(meaning) > 5 for *_, meaning in rows)
    return {name: default for name, default, *_ in rows}


def _assert_told(model: type[BaseModel], part: str) -> None:
    told = _defaults(part)
    assert list(told) == list(model.model_fields)
    for name, field in model.model_fields.items():
        _assert_default(name, field, told[name])


def _assert_default(name: str, field: FieldInfo, cell: str) -> None:
    if cell == "**required**":
        assert field.is_required(), name
    elif cell == "*none*":
        assert not field.is_required(), name
        assert field.default is None, name
    else:
        assert not field.is_required(), name
        value = tomllib.loads(f"value = {cell.strip('`')}")["value"]
        assert _validated(field, value) == field.default, name


def _validated(field: FieldInfo, value: object) -> object:
    kind: Any = field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[kind, *field.metadata] if field.metadata else kind)
    return adapter.validate_python(value)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_setting_of_a_section_is_documented_with_its_default(title: str) -> None:
    _assert_told(SECTIONS[title], _part("##", title))


def test_every_table_of_a_configuration_is_documented() -> None:
    for name, field in SearchConfig.model_fields.items():
        if isinstance(field.default, PluginChoice):
            assert re.search(rf"^\| `\[{name}\]` \| `[\w.]+` \| `{field.default.use}` \|$", _text(), re.MULTILINE), name
        elif field.is_required() and name != "search":
            assert re.search(rf"^\| `\[{name}\]` \| `[\w.]+` \| \*\*required\*\* \|$", _text(), re.MULTILINE), name
        else:
            assert f"[{name}]" in _text(), name


def _plugins() -> Iterator[Any]:
    for group in GROUPS:
        for name in group.names():
            marks = [pytest.mark.torch] if group is EVALUATORS else []
            yield pytest.param(group, name, id=f"{group.group}:{name}", marks=marks)


def _heading(group: str) -> str:
    found = re.search(rf"^### (.*: `{re.escape(group)}`)$", _text(), re.MULTILINE)
    assert found, f"no heading for {group}"
    return found.group(1)


@pytest.mark.parametrize(("group", "name"), list(_plugins()))
def test_every_option_of_a_built_in_plugin_is_documented_with_its_default(group: PluginGroup[Any], name: str) -> None:
    part = _part("###", _heading(group.group))
    own = re.search(rf"^#### `{name}`$\n(.*?)(?=^#### |\Z)", part, re.MULTILINE | re.DOTALL)
    assert own, f"{name} is not documented"
    model = group.options(name)
    _assert_told(model, own.group(1))
    assert model.model_fields or "no options" in own.group(1).lower()


@pytest.mark.torch
def test_every_proxy_is_documented() -> None:
    from carbonnas.proxies.registry import PROXIES

    assert set(re.findall(r"^#### `(\w+)`$", _part("###", _heading(PROXIES_GROUP)), re.MULTILINE)) == set(
        PROXIES.names()
    )
    assert not any(PROXIES.options(name).model_fields for name in PROXIES.names())


def test_no_plugin_is_documented_that_does_not_exist() -> None:
    for group in GROUPS:
        told = re.findall(r"^#### `(\w+)`$", _part("###", _heading(group.group)), re.MULTILINE)
        assert sorted(told) == group.names()


@pytest.mark.torch
def test_the_smallest_configuration_of_the_reference_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", _text(), re.DOTALL)
    config = parse_config(example, "docs", tmp_path)
    assert config.search.name == "Smallest search"
