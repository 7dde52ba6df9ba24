"""What an operator may write, what is said of mistakes, and what a reload does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.daemon.config import DaemonConfig, Flags, load_daemon_config
from carbonnas.daemon.log_format import LogFormat
from carbonnas.daemon.reload import changes_on_reload, reload_daemon_config
from carbonnas.errors import ConfigError
from schedulers.budget import AtLimit, EmissionBudget, Window

FULL = """
[daemon]
slots = 6
host = "0.0.0.0"
port = 0
allowed_hosts = ["carbon.example.org", "carbon.example.org:8443", "[::1]:8765"]
tick = "2 s"
stop_timeout = "1 min"
heartbeat = "10 s"
log = "json"
quantum = "1 h"

[backup]
every = "6 h"
keep = 3
folder = "copies"

[retention]
intensities = "52 weeks"

[energy]
use = "constant_power"
train = "300 W"
score = "100 W"
idle = "50 W"

[clock]
use = "replay"
start = 2020-06-01T00:00:00Z
speed = 60

[carbon_source]
use = "trace"
path = "bundled:DK_2019"

[forecaster]
use = "seasonal"

[[budgets]]
name = "daily"
limit = "500 g"
window = "day"
timezone = "Europe/Berlin"

[[budgets]]
name = "vision-2026"
limit = "20 kg"
at_limit = "stop"
label = "Vision, 3rd floor"
"""


def load(folder: Path, text: str) -> DaemonConfig:
    (folder / "daemon.toml").write_text(text, encoding="utf-8")
    return load_daemon_config(folder / "daemon.toml")


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    assert str(caught.value).startswith(str(folder / "daemon.toml"))
    return list(caught.value.problems)


def test_without_a_file_the_defaults_hold() -> None:
    config = load_daemon_config(None)
    assert config.daemon.slots == len(os.sched_getaffinity(0))
    assert (config.daemon.host, config.daemon.port, config.daemon.log) == ("127.0.0.1", 8765, LogFormat.TEXT)
    assert (config.daemon.tick, config.daemon.stop_timeout) == (timedelta(seconds=5), timedelta(seconds=30))
    assert (config.backup.every, config.backup.keep, config.backup.folder) == (timedelta(days=1), 7, None)
    assert (config.energy.use, config.clock.use, config.carbon_source) == ("codecarbon", "system", None)
    assert config.budgets == ()


def test_everything_that_may_be_written_is_read_with_its_unit(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    assert (config.daemon.slots, config.daemon.port, config.daemon.log) == (6, 0, LogFormat.JSON)
    assert config.daemon.quantum == timedelta(hours=1)
    assert config.backup.folder == tmp_path / "copies"
    assert config.retention.intensities == timedelta(days=364)
    assert config.clock.start == datetime(2020, 6, 1, tzinfo=UTC)
    assert config.carbon_source is not None
    daily, vision = config.budgets
    assert daily.budget == EmissionBudget(500.0, Window.DAY, AtLimit.WAIT, 0.8, "Europe/Berlin")
    assert vision.budget == EmissionBudget(20_000.0, Window.TOTAL, AtLimit.STOP)
    assert (daily.label, vision.label) == (None, "Vision, 3rd floor")


def test_all_mistakes_are_told_at_once_with_their_keys(tmp_path: Path) -> None:
    text = """
[daemon]
slots = 0
tick = "6 s"
colour = "green"
host = "a b"
log = "xml"
[backup]
keep = 1.5
[energy]
use = "codecarbn"
[web]
[[budgets]]
name = "Daily"
limit = 5
window = "search"
label = "a\\nb"
"""
    assert problems(tmp_path, text) == [
        (
            "energy.use: unknown plug-in 'codecarbn' of carbonnas.energy_meters; there are: codecarbon, constant_power, recorded;"
            " did you mean codecarbon?"
        ),
        "daemon.slots: input should be greater than or equal to 1, got 0",
        "daemon.host: expected an address or a name, such as '127.0.0.1', got 'a b'",
        "daemon.tick: can't exceed 5 s: that much energy may be lost when the machine dies, got '6 s'",
        "daemon.log: input should be 'json' or 'text', got 'xml'",
        "daemon.colour: unknown key",
        "backup.keep: input should be a valid integer, got 1.5",
        "budgets.0.limit: expected a number with a unit (mg, g, kg, t) such as '500 g', got 5",
        (
            "budgets.0.window: belongs to the configuration of a search; a budget over all of them has 'day', 'week', 'month' or 'total',"
            " got 'search'"
        ),
        "budgets.0.name: expected small letters, digits, '-' and '_', 64 at most, such as 'daily', got 'Daily'",
        "budgets.0.label: a label can't hold line breaks or control characters, got 'a\\nb'",
        "web: unknown key",
    ]


def test_two_budgets_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    budget = '[[budgets]]\nname = "daily"\nlimit = "1 kg"\n'
    assert problems(tmp_path, budget * 2) == ["budgets: each needs a name of its own, got more than one 'daily'"]


@pytest.mark.parametrize("table", ['[forecaster]\nuse = "seasonal"', "[forecasting]"])
def test_what_belongs_to_a_grid_needs_one(tmp_path: Path, table: str) -> None:
    (sentence,) = problems(tmp_path, table)
    assert "has no effect without [carbon_source]" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[daemon", "is no valid TOML"),
        ("daemon = 3", "daemon: expected a table, got 3"),
        ("energy = 3", "energy: expected a table with `use`"),
        ("[energy]", "energy.use: missing; one of codecarbon, constant_power, recorded"),
        ("budgets = 3", "budgets: expected a list, got 3"),
        ("[daemon]\nport = 70000", "daemon.port: input should be less than or equal to 65535, got 70000"),
        (
            '[daemon]\nallowed_hosts = ["https://carbon.example.org/"]',
            "daemon.allowed_hosts.0: expected a name such as 'carbon.example.org'",
        ),
    ],
)
def test_one_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (told,) = problems(tmp_path, text)
    assert told.startswith(sentence)


def test_a_file_that_is_missing_or_no_text_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file or directory; without a configuration"):
        load_daemon_config(tmp_path / "nowhere.toml")
    (tmp_path / "daemon.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_daemon_config(tmp_path / "daemon.toml")


def test_the_command_line_counts_more_than_the_file_and_is_checked_as_well(tmp_path: Path) -> None:
    (tmp_path / "daemon.toml").write_text(FULL)
    said = Flags("127.0.0.1", 9000, LogFormat.TEXT)
    section = load_daemon_config(tmp_path / "daemon.toml", said).daemon
    assert (section.host, section.port, section.log, section.slots) == ("127.0.0.1", 9000, LogFormat.TEXT, 6)
    assert load_daemon_config(None, Flags(port=0)).daemon.port == 0
    with pytest.raises(ConfigError, match=r"the command line: 1 mistake\n  daemon\.port: input should be less"):
        load_daemon_config(None, Flags(port=70000))


def test_a_reload_tells_what_changes(tmp_path: Path) -> None:
    old = load(tmp_path, FULL)
    text = FULL.replace("slots = 6", "slots = 8").replace('"500 g"', '"700 g"').replace('"1 h"', '"30 min"')
    (tmp_path / "daemon.toml").write_text(text.replace('name = "vision-2026"', 'name = "sound"'))
    new = reload_daemon_config(tmp_path / "daemon.toml", None, old)
    changes = changes_on_reload(old, new)
    assert changes[:2] == ["budgets.daily.limit: 500.0 -> 700.0", "budgets.sound.at_limit: nothing -> 'stop'"]
    assert changes[-2:] == ["daemon.quantum: 3600 s -> 1800 s", "daemon.slots: 6 -> 8"]
    assert "budgets.vision-2026.label: 'Vision, 3rd floor' -> nothing" in changes


def test_a_reload_takes_all_or_nothing(tmp_path: Path) -> None:
    old = load(tmp_path, FULL)
    path = tmp_path / "daemon.toml"
    path.write_text(
        FULL.replace("slots = 6", "slots = 8").replace("port = 0", "port = 80").replace('"300 W"', '"200 W"')
    )
    with pytest.raises(ConfigError) as refused:
        reload_daemon_config(path, None, old)
    assert refused.value.problems == (
        "daemon.port: can't change while the daemon runs (0 -> 80); restart it, or change it back",
        "energy.train: can't change while the daemon runs ('300 W' -> '200 W'); restart it, or change it back",
    )
    path.write_text(FULL.replace("slots = 6", "slots = 0"))
    with pytest.raises(ConfigError, match=r"daemon\.slots"):
        reload_daemon_config(path, None, old)


def test_a_reload_with_the_same_command_line_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "daemon.toml").write_text(FULL)
    said = Flags("127.0.0.1", 9000, LogFormat.TEXT)
    old = load_daemon_config(tmp_path / "daemon.toml", said)
    new = reload_daemon_config(tmp_path / "daemon.toml", said, old)
    assert new == old
    assert changes_on_reload(old, new) == []


@given(st.integers(1, 1024), st.integers(1, 1024), st.integers(1, 1000), st.integers(1, 1000))
def test_there_is_a_sentence_for_each_difference_and_for_nothing_else(
    slots: int, new_slots: int, keep: int, new_keep: int
) -> None:
    old, new = (
        DaemonConfig.model_validate({"daemon": {"slots": s}, "backup": {"keep": k}})
        for s, k in ((slots, keep), (new_slots, new_keep))
    )
    assert len(changes_on_reload(old, new)) == (slots != new_slots) + (keep != new_keep)
