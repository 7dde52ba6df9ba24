"""`intensity forecast`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.carbon_sources.fakes.api import wave
from tests.carbonnas.cli.intensity.asking import HALF, HOUR, START, Commands, Grid, write_trace


def test_a_forecast_says_when_and_by_whom_it_was_made(waves: Commands, tmp_path: Path) -> None:
    output = tmp_path / "forecast.svg"
    arguments = ("--forecaster", "persistence", "--at", "2026-03-21T00:20Z", "--horizon", "6 h", "--output", output)
    answer = waves("forecast", *arguments, "--json")
    document = answer.json
    assert answer.status == 0
    assert document["forecaster"] == "persistence"
    assert document["issued_at"] == "2026-03-21T00:20:00Z"
    assert document["horizon_s"] == 6 * 3600
    # From the full hour before the issue to six hours after it.
    assert [row["start"] for row in document["expected"]] == [f"2026-03-21T{hour:02}:00:00Z" for hour in range(7)]
    for row in document["expected"]:
        assert len(row["quantiles_g_per_kwh"]) == len(document["levels"])
        assert row["quantiles_g_per_kwh"] == sorted(row["quantiles_g_per_kwh"])
    assert b"mark-area" in output.read_bytes()
    ET.fromstring(output.read_bytes())  # noqa: S314 - our own file
    assert f"Picture: {output}" in answer.err
    shown = waves("forecast", *arguments)
    assert "issued at 2026-03-21 00:20 UTC by persistence" in shown.out
    assert "band 5 to 95 %" in shown.out
    assert "Learning from 480 hours" in shown.err


def test_a_forecast_sees_nothing_that_came_after_its_issue(waves: Commands, tmp_path: Path) -> None:
    arguments = ("--forecaster", "persistence", "--at", "2026-03-21", "--horizon", "6 h", "--json")
    before = waves("forecast", *arguments).json
    changed = {n: wave(START + n * HOUR) if n < 480 else 1.0 for n in range(720)}
    write_trace(tmp_path / "waves.csv", changed)
    assert waves("forecast", *arguments).json == before


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--forecaster", "crystal_ball"], 2, "unknown plug-in 'crystal_ball'"),
        (["--horizon", "-1 h"], 2, "at least zero"),
        (["--horizon", "0 h"], 2, "above zero"),
        (["--horizon", "1000 d"], 2, "of at most 744 h, got '1000 d'"),
        (["--horizon", "99999 d"], 2, "of at most 744 h, got '99999 d'"),
        (["--horizon", "5 kg"], 2, "expected a number with a unit"),
        (["--output", "f.csv"], 2, "the ending must be one of .html"),
        (["--at", "2020-01-01", "--forecaster", "persistence"], 1, "nothing is known of the 400 days before"),
    ],
)
def test_a_forecast_that_can_not_be_made_is_refused(
    waves: Commands, arguments: list[str], status: int, sentence: str
) -> None:
    answer = waves("forecast", *arguments)
    assert (answer.status, answer.out) == (status, "")
    assert sentence in answer.err


def test_the_forecast_of_the_provider_itself_is_passed_on(grid: Grid, tmp_path: Path) -> None:
    config = tmp_path / "grid.toml"
    config.write_text(
        f'[carbon_source]\nuse = "national_grid"\nbase_url = "{grid.server.url}"\n'
        '[forecaster]\nuse = "provider"\n[forecasting]\nhistory = "3 days"\nhorizon = "4 h"\n',
        encoding="utf-8",
    )
    ask = Commands(tmp_path / "state", ("--config", str(config)))
    answer = ask("forecast", "--json")
    assert answer.status == 0
    hour = grid.api.now.replace(minute=0, second=0, microsecond=0) + HOUR
    told = {row["start"]: row["g_per_kwh"] for row in answer.json["expected"]}
    # Seven above the mean of the two half hours of the next full hour.
    expected = (wave(hour) + wave(hour + HALF)) / 2 + 7
    assert told[hour.isoformat().replace("+00:00", "Z")] == pytest.approx(expected)
    # Its quantiles are all the expected value, which makes no band.
    assert all(set(row["quantiles_g_per_kwh"]) == {row["g_per_kwh"]} for row in answer.json["expected"])
    output = tmp_path / "f.svg"
    shown = ask("forecast", "--output", output)
    assert shown.status == 0
    assert "band" not in shown.out
    assert "mark-area" not in output.read_text(encoding="utf-8")


def test_a_provider_is_asked_for_its_forecast_only_by_who_uses_it(grid: Grid, tmp_path: Path) -> None:
    def asked(forecaster: str) -> bool:
        before = len(grid.server.paths)
        config = tmp_path / "grid.toml"
        config.write_text(
            f'[carbon_source]\nuse = "national_grid"\nbase_url = "{grid.server.url}"\n'
            f'[forecaster]\nuse = "{forecaster}"\n[forecasting]\nhistory = "3 days"\nhorizon = "4 h"\n',
            encoding="utf-8",
        )
        assert Commands(tmp_path / "state", ("--config", str(config)))("forecast").status == 0
        return any("fw48h" in path for path in grid.server.paths[before:])

    assert not asked("persistence")
    assert asked("provider")


def test_of_a_recording_that_has_ended_a_forecast_says_so(waves: Commands) -> None:
    # Thirty days from March 1.
    sentence = "the recording ended at 2026-03-31 00:00 UTC; --at shows a time within it"
    late = waves("forecast", "--at", "2026-04-10", "--forecaster", "persistence", "--horizon", "2 h", "--json")
    assert (late.status, sentence in late.json["remarks"]) == (0, True)
    config = waves("forecast", "--at", "2026-03-31T01:00Z", "--forecaster", "persistence", "--horizon", "2 h", "--json")
    assert sentence not in config.json["remarks"]


def test_nothing_known_of_a_recording_that_ended_long_ago_is_told_with_its_end(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "t.csv", {n - 24 * 800: 5.0 for n in range(24)})
    ask = Commands(tmp_path / "state", ("--source", "trace", "--option", f"path={path}"))
    answer = ask("forecast", "--at", "2026-03-01", "--forecaster", "persistence")
    assert answer.status == 1
    # 59 + 365 + 366 + 10 = 800 days before March 1, 2026 is December 22, 2023, and that is its only day.
    ended = "the recording ended at 2023-12-23 00:00 UTC; --at shows a time within it"
    assert f"nothing is known of the 400 days before 2026-03-01 00:00 UTC; {ended}" in answer.err


def test_a_horizon_of_the_configuration_beyond_the_limit_is_refused_as_well(grid: Grid, tmp_path: Path) -> None:
    config = tmp_path / "grid.toml"
    config.write_text(
        f'[carbon_source]\nuse = "national_grid"\nbase_url = "{grid.server.url}"\n[forecasting]\nhorizon = "40 d"\n',
        encoding="utf-8",
    )
    answer = Commands(tmp_path / "state", ("--config", str(config)))("forecast")
    assert (answer.status, answer.out) == (2, "")
    assert "of at most 744 h, got 40 d 0 h; choose a shorter one with --horizon" in answer.err
