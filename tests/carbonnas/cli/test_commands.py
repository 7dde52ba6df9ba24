"""Every command: results on standard output, messages on standard error, and the exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from carbonnas.cli.app import app
from carbonnas.cli.intensity.commands import intensity
from carbonnas.config_file import load_config
from carbonnas.testing.commands import EndedSearch, carbonnas
from carbonnas.testing.searches import write_simulated_search

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined] # a group
PARTS = sorted(typer.main.get_command(intensity).commands)  # type: ignore[attr-defined] # a group


def test_there_is_a_command_for_everything() -> None:
    own = [
        "backtest",
        "demo",
        "doctor",
        "init",
        "intensity",
        "latency-table",
        "list",
        "report",
        "run",
        "score",
        "show",
        "simulate",
    ]
    of_the_daemon = ["budgets", "cancel", "daemon", "pause", "priority", "resume", "submit", "watch"]
    assert sorted([*own, *of_the_daemon]) == COMMANDS
    assert PARTS == ["forecast", "history", "import", "now", "record"]


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), *(["intensity", part] for part in PARTS)], ids=" ".join
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(command: list[str], flag: str) -> None:
    answer = carbonnas(*command, flag)
    assert (answer.status, answer.err) == (0, "")
    assert "Usage: " in answer.out
    assert len(answer.out.splitlines()) > 5


def test_no_help_loses_what_stands_in_brackets() -> None:
    # They are markup there: "[costs]" would show as nothing.
    groups = (typer.main.get_command(app), typer.main.get_command(intensity))
    for command in (each for group in groups for each in group.commands.values()):  # type: ignore[attr-defined] # a group
        texts = [command.help or "", *((getattr(each, "help", None) or "") for each in command.params)]
        assert [text for text in texts if re.search(r"(?<!\\)\[", text)] == []


HEAVY = {"torch", "pandas", "numpy", "sqlalchemy", "altair", "pydantic", "codecarbon", "sklearn", "alembic", "requests"}


@pytest.mark.parametrize(
    "command", [[], ["backtest"], ["daemon"], ["submit"], ["intensity"], ["intensity", "forecast"]], ids=" ".join
)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['carbonnas', *{command}, '--help']\n"
        "from carbonnas.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    # typer itself loads pydantic to read the arguments of a command
    allowed = {"pydantic"} if command else set()
    assert HEAVY & set(answer.stdout.splitlines()[-1].split()) <= allowed


def test_the_version_is_a_result() -> None:
    answer = carbonnas("--version")
    assert (answer.status, answer.out, answer.err) == (0, "0.1.0\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["run"],
        ["run", "--fast", "x.toml"],
        ["report", "--format", "docx"],
        ["report", "--json", "--format", "csv"],
        ["list", "extra"],
        ["pause"],
        ["submit", "x.toml", "--priority", "200"],
        ["daemon", "--port", "70000"],
        ["daemon", "--log", "xml"],
        ["daemon", "--json", "--log", "text"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_a_message(arguments: list[str]) -> None:
    answer = carbonnas(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert "Usage: " in answer.err


def test_a_search_runs_to_its_end_and_prints_its_report_as_json(ended: EndedSearch) -> None:
    assert ended.answer.status == 0
    document = ended.answer.json
    assert document["search"]["state"] == "completed"
    assert Path(document["report"]).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "kept in" in ended.answer.err
    assert "trained;" in ended.answer.err


def test_running_an_ended_search_again_reports_it_and_new_begins_another(ended: EndedSearch) -> None:
    again = carbonnas("run", ended.config, "--state", ended.state, "--json")
    assert (again.status, again.json["search"]["id"]) == (0, ended.search_id)
    assert "has ended already; --new begins another one" in again.err
    another = carbonnas("run", ended.config, "--state", ended.state, "--json", "--new")
    assert (another.status, another.json["search"]["id"]) == (0, f"{ended.search_id}-2")
    listed = carbonnas("list", "--state", ended.state, "--json").json
    assert [row["id"] for row in listed["searches"]] == [ended.search_id, f"{ended.search_id}-2"]
    energies = {row["energy_kwh"] for row in listed["searches"]}
    assert len(energies) == 1, "the same seed does the same work"


def test_a_run_without_json_prints_the_headline_and_where_the_report_is(ended: EndedSearch) -> None:
    answer = carbonnas("run", ended.config, "--state", ended.state)
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["search", f"{ended.search_id}:", "Ended", "[red]<script>"]
    assert lines[-1] == f"Report: {ended.state / 'searches' / ended.search_id / 'report.html'}"


def test_the_list_is_a_table_and_a_document(ended: EndedSearch) -> None:
    answer = carbonnas("list", "--state", ended.state)
    assert answer.status == 0
    header, row = answer.out.splitlines()
    assert header.split()[:3] == ["id", "state", "started"]
    assert row.split()[:2] == [ended.search_id, "completed"]
    (listed,) = carbonnas("list", "--state", ended.state, "--json").json["searches"]
    shown = carbonnas("show", "--state", ended.state, "--json").json["search"]
    assert {key: listed[key] for key in ("started_at", "ended_at")} == {
        key: shown[key] for key in ("started_at", "ended_at")
    }
    assert listed["id"] == ended.search_id
    assert listed["name"] == "Ended [red]<script>"
    # Two rounds of five scorings and two trainings, and the winner's.
    assert (listed["scored"], listed["trained"]) == (10, 5)
    assert listed["emissions_g"] == pytest.approx(ended.answer.json["totals"]["emissions_g"])


def test_the_newest_search_is_shown_and_any_by_the_beginning_of_its_id(ended: EndedSearch) -> None:
    newest = carbonnas("show", "--state", ended.state)
    assert newest.status == 0
    assert "completed (plan done)" in newest.out
    assert carbonnas("show", ended.search_id[:5], "--state", ended.state).out == newest.out
    document = carbonnas("show", "--state", ended.state, "--json").json
    assert set(document) == {"search", "totals", "budget", "best", "targets", "limits", "measurement", "daemon"}
    assert document["daemon"] is None
    assert document["totals"] == ended.answer.json["totals"]


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_search_that_is_not_there_is_refused_with_those_that_are(ended: EndedSearch, command: str) -> None:
    answer = carbonnas(command, "nope", "--state", ended.state)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == f"error: there is no search 'nope'; known are: {ended.search_id}\n"


def test_an_ambiguous_beginning_is_refused_with_what_it_may_mean(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for seed in (1, 2):
        config = write_simulated_search(tmp_path / f"s{seed}", seed=seed, search={"deadline": "1 min"})
        assert carbonnas("run", config, "--state", state).status == 0
    answer = carbonnas("show", "simulated", "--state", state)
    assert answer.status == 1
    assert "several searches match 'simulated'; known are: simulated-" in answer.err


@pytest.mark.parametrize("command", ["show", "report"])
def test_without_a_search_the_way_to_one_is_shown(tmp_path: Path, command: str) -> None:
    answer = carbonnas(command, "--state", tmp_path)
    assert (answer.status, answer.out) == (1, "")
    assert "`carbonnas demo` runs one" in answer.err
    assert carbonnas("list", "--state", tmp_path, "--json").json == {"searches": []}
    assert "`carbonnas demo` runs one" in carbonnas("list", "--state", tmp_path).out


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        ([], "<!DOCTYPE html>"),
        (["--format", "markdown"], "# "),
        (["--json"], "{"),
        (["--json", "--format", "json"], "{"),
        (["--format", "csv"], ""),
    ],
    ids=["html", "markdown", "json", "json twice", "csv"],
)
def test_a_report_goes_to_standard_output(ended: EndedSearch, arguments: list[str], begins: str) -> None:
    answer = carbonnas("report", "--state", ended.state, *arguments)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(begins)
    if begins == "{":
        assert answer.json["search"]["id"] == ended.search_id


@pytest.mark.parametrize("name", ["r.HTML", "r.md", "r.json", "r.csv"])
def test_a_report_goes_to_a_file_in_the_format_of_its_ending(ended: EndedSearch, name: str) -> None:
    path = ended.state / name
    answer = carbonnas("report", "--state", ended.state, "--output", path)
    assert (answer.status, answer.out, answer.err) == (0, f"{path}\n", "")
    assert path.stat().st_size > 500


def test_a_report_into_a_missing_folder_or_of_an_unknown_ending_is_refused(ended: EndedSearch) -> None:
    missing = carbonnas("report", "--state", ended.state, "-o", ended.state / "no" / "r.html")
    assert missing.status == 2
    assert "there is no folder" in missing.err
    unknown = carbonnas("report", "--state", ended.state, "-o", ended.state / "r.docx")
    assert unknown.status == 2
    assert "r.docx: can't tell the format from its ending (.csv, .htm, .html, .json, .md); add --format" in unknown.err
    assert carbonnas("report", "--state", ended.state, "-o", ended.state / "r.docx", "--format", "csv").status == 0


@pytest.mark.torch
def test_init_writes_a_configuration_that_is_good_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = carbonnas("init")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out == "Wrote search.toml. Edit it, then: carbonnas run search.toml\n"
    config, text = load_config(tmp_path / "search.toml")
    assert config.search.name == "My first search"
    (tmp_path / "search.toml").write_text("mine", encoding="utf-8")
    refused = carbonnas("init", "--json")
    assert (refused.status, refused.out) == (2, "")
    assert "exists already; choose another name, or overwrite it with --force" in refused.err
    assert (tmp_path / "search.toml").read_text(encoding="utf-8") == "mine"
    assert carbonnas("init", "--force", "--json").json == {"config": "search.toml"}
    assert (tmp_path / "search.toml").read_text(encoding="utf-8") == text


def test_init_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    answer = carbonnas("init", tmp_path / "no" / "search.toml")
    assert answer.status == 1
    assert answer.err == f"error: {tmp_path / 'no' / 'search.toml'}: No such file or directory\n"


@pytest.mark.torch
def test_the_doctor_looks_at_everything(tmp_path: Path) -> None:
    answer = carbonnas("doctor", "--state", tmp_path, "--json")
    assert answer.status == 0
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert {"processor", "plug-ins", "energy", "bundled trace", "fashion_mnist", "storage"} <= set(checks)
    assert all(set(check) == {"name", "health", "message", "remedy"} for check in checks.values())
    assert checks["storage"]["message"] == f"{tmp_path}, 0 searches"
    (tmp_path / "file").touch()
    sick = carbonnas("doctor", "--state", tmp_path / "file")
    assert sick.status == 1
    assert "failed" in sick.out
    assert "choose another folder with --state" in sick.out


def test_the_state_folder_is_an_option_a_variable_or_the_users_state_home(
    ended: EndedSearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carbonnas("list", "--json").json == {"searches": []}
    assert (tmp_path / "state-home" / "carbonnas" / "carbonnas.db").exists()
    monkeypatch.setenv("CARBONNAS_STATE", str(ended.state))
    assert len(carbonnas("list", "--json").json["searches"]) == 1
    assert carbonnas("list", "--json", "--state", tmp_path / "other").json == {"searches": []}


def test_the_module_is_the_command(ended: EndedSearch) -> None:
    command = [sys.executable, "-m", "carbonnas", "list", "--json", "--state", str(ended.state)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(answer.stdout)["searches"][0]["id"] == ended.search_id
    assert answer.stderr == ""
