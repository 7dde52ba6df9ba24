"""The guide to search spaces tells the truth: its own space works as printed, and so do its genotype and its figures."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carbonnas.plugins import SEARCH_SPACES
from carbonnas.search_spaces.space import SearchSpace
from carbonnas.testing.spaces import SearchSpaceConformance

GUIDE = (Path(__file__).parent.parent / "docs" / "search-spaces.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(re.findall(r"^`([\w./]+)`.*?:\n\n```python\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL))
(ENTRY,) = re.findall(r"```toml\n(\[project\.entry-points.*?)```", GUIDE, re.DOTALL)


def _module(name: str, code: str) -> ModuleType:
    spec = spec_from_loader(name, loader=None)
    assert spec is not None
    module = module_from_spec(spec)
    exec(compile(code, name, "exec"), module.__dict__)  # noqa: S102 # the guide's own code is what is tested
    return module


class _Modules:
    """The guide's modules, importable while a test runs; the networks are made when they are first imported."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        from importlib.machinery import ModuleSpec

        file = f"{name.replace('.', '/')}.py"
        if name == "my_spaces":
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type] # a loader by its methods
        return ModuleSpec(name, self) if file in FILES else None  # type: ignore[arg-type] # as above

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(FILES.get(f"{module.__name__.replace('.', '/')}.py", ""), module.__dict__)  # noqa: S102 # as above


@pytest.fixture(autouse=True)
def _importable() -> Iterator[None]:
    finder: Any = _Modules()
    sys.meta_path.append(finder)
    yield
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_spaces"]:
        del sys.modules[name]


class TestLadders(SearchSpaceConformance):
    """What the guide says of its space: it passes the suite."""

    def make_space(self) -> SearchSpace:
        (point,) = tomllib.loads(ENTRY)["project"]["entry-points"]["carbonnas.search_spaces"].values()
        module, _, name = point.partition(":")
        space = getattr(__import__(module, fromlist=[name]), name)()
        assert isinstance(space, SearchSpace)
        return space


def test_the_space_of_the_guide_has_fewer_than_40_lines() -> None:
    assert len(FILES["my_spaces/ladders.py"].splitlines()) < 40


def test_the_table_of_the_guide_has_every_space_and_its_size() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .+? \| (.+?) \| .+? \|$", GUIDE, re.MULTILINE))
    assert sorted(rows) == sorted(SEARCH_SPACES.names())
    for name, told in rows.items():
        size = SEARCH_SPACES.create(name, {}, {}).size
        if "·" in told:
            mantissa, exponent = told.split(" · 10")
            digits = exponent.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
            assert size == pytest.approx(float(mantissa) * 10 ** int(digits), rel=0.05)
        else:
            assert told.partition(", ")[0] == f"{size:,}"


@pytest.mark.torch
def test_the_published_genotype_of_the_guide_is_read_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "parse" in block]
    _module("genotype_of_the_guide", code)
    assert capsys.readouterr().out.startswith("Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ")
