"""`intensity now`, and which grid a command asks about."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from carbonnas.testing.commands import carbonnas
from carbonnas.testing.searches import write_simulated_search
from tests.carbon_sources.fakes.api import wave
from tests.carbon_sources.fakes.national_grid import half_hour_of
from tests.carbonnas.cli.intensity.asking import HALF, Commands, Grid


def test_now_is_told_with_all_that_is_known_of_it(grid: Grid) -> None:
    answer = grid.ask("now", "--json")
    document = answer.json
    half = half_hour_of(datetime.fromisoformat(document["now"]))
    assert answer.status == 0
    assert (document["zone"], document["kind"], document["basis"]) == ("GB", "average", "direct")
    # The running half hour is told as the provider's estimate, 7 g/kWh above what will be measured.
    assert document["current"] == {
        "start": half.isoformat().replace("+00:00", "Z"),
        "end": (half + HALF).isoformat().replace("+00:00", "Z"),
        "g_per_kwh": wave(half) + 7,
        "provenance": "estimated",
        "source": "national_grid",
        "method": "",
    }
    assert document["state"] == "ok"
    assert document["age_s"] == 0
    assert document["remarks"] == ["the present value is an estimate and may be revised"]
    shown = grid.ask("now")
    assert f"{wave(half) + 7:.1f} g/kWh" in shown.out
    assert "estimated" in shown.out
    assert "may be revised" in shown.out


def test_an_unknown_present_is_said_to_be_unknown(traced: Commands) -> None:
    answer = traced("now", "--json")
    assert answer.status == 1
    assert (answer.json["state"], answer.json["current"]) == ("blind", None)
    assert answer.json["newest"]["g_per_kwh"] == 200.0
    shown = traced("now")
    assert shown.status == 1
    assert "unknown" in shown.out
    assert "the newest value ended at 2026-03-01 04:00 UTC" in shown.out
    assert "the recording ended at 2026-03-01 04:00 UTC; --at shows a time within it" in shown.out


def test_now_can_be_asked_of_another_instant(traced: Commands) -> None:
    assert traced("now", "--json", "--at", "2026-03-01T01:30Z").json["current"]["g_per_kwh"] == 300.0
    assert traced("now", "--at", "2026-03-01T02:30Z").status == 1


def test_an_instant_that_has_not_come_is_refused(traced: Commands) -> None:
    answer = traced("now", "--at", "2199-01-01")
    assert (answer.status, answer.out) == (2, "")
    assert "2199-01-01 has not come yet" in answer.err


def test_the_source_may_be_that_of_a_configuration_in_its_time(tmp_path: Path) -> None:
    config = write_simulated_search(tmp_path / "s", strategy={"use": "telepathy"})
    answer = carbonnas("intensity", "now", "--config", config, "--state", tmp_path / "state", "--json")
    # The simulated clock stands at its start; a mistake in another table is no matter here.
    assert answer.status == 0
    assert answer.json["now"] == answer.json["current"]["start"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name a configuration with --config, or one of these with --source: .*national_grid"),
        (["--config", "CONFIG", "--source", "constant"], "name one of the two"),
        (["--config", "CONFIG", "--option", "a=1"], "goes with --source"),
        (["--config", "missing.toml"], "can't be read"),
        (["--source", "nobody"], "carbon_source.use: unknown plug-in 'nobody'"),
        (["--source", "national-grid"], r"did you mean national_grid\?$"),
        (["--source", "constant"], "carbon_source.g_per_kwh: missing"),
        (["--source", "constant", "--option", "g_per_kwh"], "expected KEY=VALUE, got 'g_per_kwh'"),
        (["--source", "constant", "--option", "=3"], "expected KEY=VALUE, got '=3'"),
        (["--source", "constant", "--option", "use=trace"], "expected KEY=VALUE, got 'use=trace'"),
        (["--source", "constant", "--option", "g_per_kwh=-1"], "carbon_source.g_per_kwh"),
        (["--source", "constant", "--option", "g_per_kwh=1", "--option", "g=1"], "carbon_source.g: unknown key"),
        (["--source", "trace", "--option", "path=no.csv"], "no.csv: there is no such file"),
    ],
)
def test_a_source_that_is_not_clear_is_refused(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    config = str(write_simulated_search(tmp_path / "s"))
    words = [config if word == "CONFIG" else word for word in arguments]
    answer = carbonnas("intensity", "now", *words, "--state", tmp_path / "state")
    assert (answer.status, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 2
    assert re.search(sentence, answer.err)


@pytest.mark.parametrize(
    ("value", "zone"), [("DK", "DK"), ('"DK 1"', "DK 1"), ("a b\ng_per_kwh = 7", "a b\ng_per_kwh = 7"), ("x=y", "x=y")]
)
def test_an_option_is_toml_or_a_bare_word(tmp_path: Path, value: str, zone: str) -> None:
    options = ("--option", "g_per_kwh=5", "--option", f"zone={value}")
    answer = Commands(tmp_path, ("--source", "constant", *options))("now", "--json")
    assert (answer.json["zone"], answer.json["current"]["g_per_kwh"]) == (zone, 5.0)
