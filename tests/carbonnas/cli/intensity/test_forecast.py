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
    ET.fromstring(output.read_bytes())  # noqa: S314 - our own file
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
        (["--horizon", "5 kg"], 2, "expected a number with a unit"),
        (["--output", "f.csv"], 2, "the ending must be one of .html"),
        (["--at", "2020-01-01", "--forecaster", "persistence"], 1, "nothing is known of"),
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
