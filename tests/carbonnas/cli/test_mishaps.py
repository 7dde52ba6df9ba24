"""What goes wrong is said in sentences: never a traceback, and the right exit status."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from carbonnas.storage.store import Store
from carbonnas.testing.commands import EndedSearch, carbonnas
from carbonnas.testing.searches import write_simulated_search

COMMAND = [sys.executable, "-m", "carbonnas"]


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


def in_process_of_its_own(*arguments: str | Path, limited: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=limit_files if limited else None,
    )


def test_three_mistakes_are_listed_with_their_keys(tmp_path: Path) -> None:
    config = write_simulated_search(
        tmp_path, search={"sede": 4}, safety={"max_wait": "24 kg"}, strategy={"use": "telepathy"}
    )
    answer = in_process_of_its_own("run", config)
    assert (answer.returncode, answer.stdout) == (2, "")
    lines = answer.stderr.splitlines()
    assert lines[0] == f"error: {config}: 3 mistakes"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == [
        "safety.max_wait",
        "search.sede",
        "strategy.use",
    ]


@pytest.mark.parametrize("name", ["missing.toml", ".", "folder/x.toml", "x" * 300])
def test_a_configuration_that_can_not_be_read_is_refused(tmp_path: Path, name: str) -> None:
    answer = carbonnas("run", tmp_path / name)
    assert (answer.status, answer.out) == (2, "")
    assert re.fullmatch(r"error: .*: 1 mistake\n  can't be read: .*; `carbonnas init` writes an example\n", answer.err)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"path": "no.csv"}, r"no\.csv"),
        ({"zone": "XX"}, "XX"),
        ({"column": "nope"}, "nope"),
        ({"path": "bundled:NOPE"}, "NOPE"),
        ({"path": "."}, ""),
        ({"kind": "both"}, r"carbon_source\.kind"),
    ],
)
def test_a_trace_that_is_not_there_is_refused(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    config = write_simulated_search(tmp_path / "s", carbon_source=changes)
    answer = carbonnas("run", config, "--state", tmp_path / "state")
    assert (answer.status, answer.out) == (2, "")
    assert re.match(rf"error: .*: 1 mistake\n  .*{sentence}.*\n$", answer.err)
    assert carbonnas("list", "--state", tmp_path / "state", "--json").json == {"searches": []}


def _replace(number: int, before: str, after: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        assert before in lines[number]
        lines[number] = lines[number].replace(before, after, 1)

    return change


def _swap(lines: list[str]) -> None:
    lines[5], lines[6] = lines[6], lines[5]


def _repeat(lines: list[str]) -> None:
    lines.insert(6, lines[5])


def _naive(lines: list[str]) -> None:
    lines[5] = lines[5].replace("Z", "")


@pytest.mark.parametrize(
    "damage",
    [_replace(5, "400.000", "inf"), _replace(5, "400.000", "-1"), _replace(5, "400.000", "x"), _swap, _repeat, _naive],
    ids=["infinite", "negative", "no number", "unsorted", "duplicate", "naive"],
)
def test_a_doubtful_trace_is_refused_with_the_line(tmp_path: Path, damage: Callable[[list[str]], None]) -> None:
    config = write_simulated_search(tmp_path / "s")
    trace = config.parent / "trace.csv"
    lines = trace.read_text(encoding="utf-8").splitlines()
    damage(lines)
    trace.write_text("\n".join(lines), encoding="utf-8")
    answer = carbonnas("run", config, "--state", tmp_path / "state")
    assert (answer.status, answer.out) == (2, "")
    assert re.match(r"error: \[carbon_source\]: 1 mistake\n  .*trace\.csv:[67]: ", answer.err)


def test_a_gap_in_the_trace_stays_unpriced_and_visible(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "s", rounds=1)
    trace = config.parent / "trace.csv"
    lines = trace.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("2021-01-08T03", "2021-01-08T04"))]
    trace.write_text("\n".join(kept), encoding="utf-8")
    answer = carbonnas("run", config, "--state", tmp_path / "state", "--json")
    assert answer.status == 0
    # Nothing trains or scores in these two hours: 2 h at 50 W idle.
    assert answer.json["totals"]["unpriced_kwh"] == pytest.approx(0.1)
    assert "+ unpriced" in carbonnas("list", "--state", tmp_path / "state").out
    assert "not priced yet" in carbonnas("show", "--state", tmp_path / "state").out


@pytest.mark.parametrize("state", ["/proc/nothing", "/dev/null/state"])
@pytest.mark.parametrize("command", [["list"], ["show"], ["report"], ["run", "CONFIG"]], ids=" ".join)
def test_a_state_folder_that_can_not_be_written_is_refused(tmp_path: Path, command: list[str], state: str) -> None:
    config = str(write_simulated_search(tmp_path))
    answer = carbonnas(*[config if word == "CONFIG" else word for word in command], "--state", state)
    assert (answer.status, answer.out) == (1, "")
    assert re.fullmatch(
        rf"error: can't use {state}/carbonnas\.db: .*; choose another folder with --state\n", answer.err
    )


def test_a_damaged_store_is_refused(ended: EndedSearch) -> None:
    (ended.state / "carbonnas.db").write_bytes(b"garbage " * 1000)
    for suffix in ("-wal", "-shm"):
        (ended.state / f"carbonnas.db{suffix}").unlink(missing_ok=True)
    answer = carbonnas("list", "--state", ended.state)
    assert (answer.status, answer.out) == (1, "")
    assert "is damaged or no store of carbonnas" in answer.err


def test_a_store_of_a_newer_release_is_refused(ended: EndedSearch) -> None:
    connection = sqlite3.connect(ended.state / "carbonnas.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    answer = carbonnas("run", ended.config, "--state", ended.state)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.endswith("was written by a newer release of carbonnas (schema 9999); update carbonnas\n")


def test_a_full_disk_ends_the_run_and_the_search_goes_on_later(tmp_path: Path) -> None:
    config, state = write_simulated_search(tmp_path / "s", rounds=2), tmp_path / "state"
    full = in_process_of_its_own("run", config, "--state", state, limited=True)
    assert (full.returncode, full.stdout) == (1, "")
    assert "the disk is full or failing" in full.stderr
    assert "Traceback" not in full.stderr
    assert carbonnas("list", "--state", state, "--json").json["searches"][0]["state"] == "paused"
    later = carbonnas("run", config, "--state", state, "--json")
    assert (later.status, later.json["search"]["state"]) == (0, "completed")


def test_a_search_can_not_be_run_twice_at_once_and_pauses_on_interrupt(tmp_path: Path) -> None:
    config, state = write_simulated_search(tmp_path / "s", rounds=200), tmp_path / "state"
    command = [*COMMAND, "run", str(config), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        assert "kept in" in first.stderr.readline()
        assert "training" in first.stderr.readline()
        first.send_signal(signal.SIGSTOP)  # or it might be done before the other one has begun
        second = carbonnas("run", config, "--state", state)
        first.send_signal(signal.SIGINT)
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=300)
    assert (second.status, second.out) == (1, "")
    assert f"is being worked on by process {first.pid}: wait for it, or interrupt it first" in second.err
    assert (first.returncode, out) == (1, "")
    assert err.endswith("Paused. Run the same command again and the search goes on where it was.\n")
    (row,) = carbonnas("list", "--state", state, "--json").json["searches"]
    assert row["state"] == "paused"


HOSTILE = (
    "../../etc/x [red]y[/] [/nope] <script>alert(1)</script> %s {0} \\ \U0001f30d\U0001f3fd a'; DROP TABLE trials --"
)


@pytest.mark.parametrize("name", [HOSTILE, "-"], ids=["hostile", "dash"])
def test_a_hostile_name_is_only_text(tmp_path: Path, name: str) -> None:
    config = write_simulated_search(tmp_path / "s", rounds=1, search={"name": name, "deadline": "2 min"})
    state = tmp_path / "[state]"
    answer = carbonnas("run", config, "--state", state)
    assert answer.status == 0
    assert f"kept in {state}" in answer.err
    (row,) = carbonnas("list", "--state", state, "--json").json["searches"]
    assert row["name"] == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["id"])
    assert (state / "searches" / row["id"] / "report.html").is_file()
    assert name in carbonnas("show", "--state", state).out
    assert row["id"] in carbonnas("list", "--state", state).out
    assert "<script>alert(1)" not in carbonnas("report", "--state", state).out


def test_a_budget_that_ends_a_search_is_shown_with_what_it_cost(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "s", budgets=[{"limit": "20 g"}])
    answer = carbonnas("run", config, "--state", tmp_path / "state")
    assert answer.status == 0
    assert "stopped (budget exhausted)" in answer.out
    assert "budget: " in answer.err


def test_what_a_closed_pipe_leaves_is_no_traceback(ended: EndedSearch) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, "list", "--json", "--state", str(ended.state)]
    answer = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=300)
    os.close(write)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr


def test_two_configurations_that_differ_in_a_comment_are_one_search(tmp_path: Path) -> None:
    config, state = write_simulated_search(tmp_path / "s", search={"deadline": "1 min"}), tmp_path / "state"
    carbonnas("run", config, "--state", state)
    config.write_text("# mine\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    carbonnas("run", config, "--state", state)
    store = Store(state / "carbonnas.db")
    assert len(store.ids()) == 1
    store.close()
