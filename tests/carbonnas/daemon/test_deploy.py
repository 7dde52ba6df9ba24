"""What an operator copies: the unit, the image, the dashboard and what their guide says fit the program."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from carbon_sources.units import parse_duration
from carbonnas.daemon.config import CommonBudgetSection, DaemonConfig, load_daemon_config
from carbonnas.daemon.control import DaemonView, TickTimes
from carbonnas.daemon.reload import changes_on_reload
from carbonnas.storage.paths import store_path
from carbonnas.storage.store import Store
from carbonnas.web.metrics import Metrics
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import SketchControl

DEPLOY = Path(__file__).parents[3] / "docs" / "deploy"
_NAME = re.compile(r"\b(?:carbonnas|process)_[a-z_]+\b")


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign] # keys keep their capitals
    parser.read(DEPLOY / "carbonnas.service")
    return parser


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def guide() -> str:
    return (DEPLOY / "README.md").read_text(encoding="utf-8")


def duration(text: str) -> timedelta:
    return parse_duration(re.sub(r"(\d)([a-z])", r"\1 \2", text))


def test_the_service_manager_waits_longer_than_the_daemon_takes_to_stop(unit: configparser.ConfigParser) -> None:
    service, config = unit["Service"], DaemonConfig()
    assert service["Type"] == "notify"
    assert service["KillMode"] == "mixed"
    assert duration(service["TimeoutStopSec"]) > config.daemon.stop_timeout
    # Looks are 5 s apart, and a daemon that missed three ticks is not alive: it must have time to say so and to recover.
    assert duration(service["WatchdogSec"]) >= 6 * config.daemon.tick
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_unit_gives_the_daemon_no_more_rights_than_it_needs(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert service["User"] == "carbonnas"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert (service["ProtectSystem"], service["StateDirectory"], service["UMask"]) == ("strict", "carbonnas", "0077")
    assert f"/var/lib/{service['StateDirectory']}" in service["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_to_complain_of(unit: configparser.ConfigParser, tmp_path: Path) -> None:
    text = (DEPLOY / "carbonnas.service").read_text(encoding="utf-8")
    copy = tmp_path / "carbonnas.service"
    copy.write_text(text.replace(unit["Service"]["ExecStart"].split()[0], "/bin/true"), encoding="utf-8")
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60
    )
    assert [row for row in answer.stderr.splitlines() if "carbonnas" in row] == []


def _instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    whole = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [cast("tuple[str, str]", tuple(row.split(" ", 1))) for row in whole.splitlines() if row]


def test_the_image_runs_as_nobody_special_keeps_its_state_and_says_how_it_is() -> None:
    found = _instructions()
    said = dict(found)
    assert said["USER"] == "carbonnas"
    assert said["VOLUME"] == said["ENV"].removeprefix("CARBONNAS_STATE=") == "/var/lib/carbonnas"
    assert "http://127.0.0.1:8765/healthz" in said["HEALTHCHECK"]
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(said["ENTRYPOINT"]) == ["carbonnas", "daemon"]
    names = [name for name, _ in found]
    assert names.index("USER") > max(index for index, name in enumerate(names) if name in {"RUN", "COPY"})


def test_the_image_holds_all_packages_of_the_wheel() -> None:
    project = tomllib.loads((DEPLOY.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    copied = {rest.split()[0] for name, rest in _instructions() if name == "COPY"}
    assert packages <= copied


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    path = store_path(tmp_path_factory.mktemp("state"))
    Store(path).close()
    at = datetime(2026, 3, 1, tzinfo=UTC)
    idle = DaemonView(
        version=1,
        now=at,
        started_at=at,
        ready=True,
        stopping=False,
        trouble=None,
        clock=None,
        slots=2,
        searches=(),
        budgets=(),
        grids=(),
        measurement=None,
        decisions={},
        ticks=TickTimes(1, 0.001, 0.002, 0.001),
    )
    with closing(Shelf(path)) as shelf:
        return set(re.findall(r"^# TYPE (\S+)", Metrics(SketchControl(idle), shelf).text().decode(), re.MULTILINE))


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are(
    dashboard: dict[str, Any], guide: str, metrics: set[str]
) -> None:
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [note["expr"] for note in dashboard["annotations"]["list"]]
    asked += [variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable]
    in_dashboard = {name for text in asked for name in _NAME.findall(text)}
    assert len(in_dashboard) >= 20
    assert in_dashboard | set(re.findall(r"\bcarbonnas_[a-z_]+", guide)) <= metrics


def test_each_panel_has_a_place_of_its_own_and_the_chosen_data_source(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert taken.isdisjoint(cells)
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_the_commented_configuration_says_what_holds_without_it() -> None:
    told, default = load_daemon_config(DEPLOY / "daemon.toml"), load_daemon_config(None)
    assert changes_on_reload(default, told) == []


def test_the_commented_configuration_shows_every_key_of_a_right_one(tmp_path: Path) -> None:
    text = (DEPLOY / "daemon.toml").read_text(encoding="utf-8")
    (tmp_path / "daemon.toml").write_text(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE), encoding="utf-8")
    config = load_daemon_config(tmp_path / "daemon.toml")
    assert config.carbon_source is not None
    assert len(config.budgets) == 2
    for section in (config.daemon, config.backup, config.retention):
        assert section.model_fields_set == set(type(section).model_fields)
    shown = config.budgets[0].model_fields_set | config.budgets[1].model_fields_set
    assert shown == set(CommonBudgetSection.model_fields)


def test_the_guide_names_what_there_is(guide: str) -> None:
    section = DaemonConfig().daemon
    toml = re.search(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert toml is not None
    assert DaemonConfig.model_validate(tomllib.loads(toml[1])).daemon.read_needs_token
    assert f"127.0.0.1:{section.port}" in guide
    assert f"{section.stop_timeout.total_seconds():g} s unless configured" in guide
    for linked in re.findall(r"\]\(([a-zA-Z.]+)\)", guide):
        assert (DEPLOY / linked).exists()
