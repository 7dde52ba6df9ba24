"""`backtest` as a user sees it: what it reads, what it scores, what it writes and what it refuses."""

from __future__ import annotations

import csv
import gzip
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carbon_sources.groups import DEFAULT_FORECASTER, FORECASTERS
from carbonnas.testing.commands import Answer, carbonnas

START = datetime(2021, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 40
ARCHIVES = Path(__file__).parents[5] / "shared" / "data" / "carbon"
MEASURES = ("mape_by_day", "mae_by_day", "rmse_by_day", "pinball_by_day", "rank_correlation_by_day", "skill_by_day")


def value(hour: int) -> float:
    """Return a made-up intensity: days, and a slow swell."""
    return round(300 + 100 * math.sin(hour * math.tau / 24) + 50 * math.sin(hour / 31), 2)


def write(path: Path, header: str, rows: Iterable[Sequence[object]]) -> Path:
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Return a recording of forty days by the hour."""
    rows = ((utc(START + hour * HOUR), value(hour)) for hour in range(24 * DAYS))
    return write(tmp_path / "ZZ.csv.gz", "UTC time,carbon_intensity", rows)


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """Return six days of forecasts of four days each, issued at 06:00, with the actual values."""
    rows = []
    for day in range(10, 16):
        issued = 24 * day + 6
        for lead in range(96):
            error = (1 + lead // 24) * (-3.5 if (lead + day) % 2 else 4.25)
            times = utc(START + issued * HOUR), lead, utc(START + (issued + lead) * HOUR)
            rows.append((*times, round(value(issued + lead) + error, 2), value(issued + lead)))
    return write(tmp_path / "archive.csv.gz", "issue_utc,lead_h,target_utc,forecast,actual", rows)


def own_errors(path: Path) -> list[float]:
    """Return what an archive itself says about its mean absolute percentage error by day, percent."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [(int(r["lead_h"]), float(r["forecast"]), float(r["actual"])) for r in csv.DictReader(file)]
    days = max(lead for lead, _, _ in rows) // 24 + 1
    errors = [[abs(f - a) / a for lead, f, a in rows if lead // 24 == day] for day in range(days)]
    return [100 * sum(day) / len(day) for day in errors]


def backtest(*arguments: str | Path, status: int = 0) -> Answer:
    answer = carbonnas("backtest", *map(str, arguments))
    assert answer.status == status, answer.err
    return answer


def test_the_json_has_the_shape_that_is_documented(trace: Path) -> None:
    told = backtest("--trace", trace, "--forecaster", "persistence", "--train-until", "2021-03-21", "--json").json
    assert told["default"] == DEFAULT_FORECASTER
    assert told["train_until"] == "2021-03-21T00:00:00Z"
    assert (told["first_issue"], told["last_issue"]) == ("2021-03-21T00:00:00Z", "2021-04-09T00:00:00Z")
    assert (told["horizon_h"], told["issue_every_h"]) == (96, 24)
    assert told["trace"] == {
        "path": str(trace),
        "zone": "ZZ",
        "kind": "average",
        "basis": "lifecycle",
        "start": "2021-03-01T00:00:00Z",
        "end": "2021-04-10T00:00:00Z",
        "hours": 24 * DAYS,
        "unknown_hours": 0,
    }
    (scores,) = told["forecasters"].values()
    assert {len(scores[measure]) for measure in MEASURES} == {4}
    assert {share: len(days) for share, days in scores["coverage_by_day"].items()} == {"90": 4, "80": 4}
    # twenty issues; the last ones reach beyond the recording
    assert scores["hours_by_day"] == [24 * 20, 24 * 19, 24 * 18, 24 * 17]
    assert (scores["issues"], scores["issues_without_forecast"]) == (20, 0)
    assert scores["fit_seconds"] >= 0
    assert scores["predict_seconds"] >= 0


def test_persistence_scores_what_can_be_worked_out_from_the_recording(trace: Path) -> None:
    told = backtest(
        "--trace", trace, "--forecaster", "persistence", "--train-until", "2021-03-21", "--horizon", "24h", "--json"
    ).json
    errors = [
        abs(value(hour) - value(24 * day - 1)) for day in range(20, DAYS) for hour in range(24 * day, 24 * day + 24)
    ]
    assert told["forecasters"]["persistence"]["mae_by_day"] == [pytest.approx(sum(errors) / len(errors))]


def test_an_archive_reproduces_its_own_errors(archived: Path) -> None:
    told = backtest("--trace", archived, "--forecaster", "provider", "--json").json
    scores = told["forecasters"]["provider"]
    assert scores["mape_by_day"] == pytest.approx(own_errors(archived), abs=1e-9)
    assert scores["hours_by_day"] == [6 * 24] * 4
    # at their own issues, at six in the morning
    assert (told["first_issue"], told["issue_every_h"]) == ("2021-03-11T06:00:00Z", None)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["CISO", "DE", "PL", "SE"])
def test_a_published_archive_reproduces_its_own_errors(zone: str) -> None:
    path = ARCHIVES / f"{zone}_carboncast_forecast96h_Jul_Dec_2021.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name}, which is not redistributed")
    told = backtest("--trace", path, "--forecaster", "provider", "--json").json
    assert told["forecasters"]["provider"]["mape_by_day"] == pytest.approx(own_errors(path), abs=0.01)


def test_an_archive_in_a_second_file_is_compared_with_forecasters_up_to_its_last_issue(
    trace: Path, archived: Path
) -> None:
    told = backtest(
        "--trace", trace, "--forecasts", archived, "--forecaster", "provider", "--forecaster", "seasonal", "--train-until",
        "2021-03-12", "--json",
    ).json  # fmt: skip
    # archived at 06:00 until the 16th, so the newest at midnight of the 17th is of the day before
    assert (told["first_issue"], told["last_issue"]) == ("2021-03-12T00:00:00Z", "2021-03-17T00:00:00Z")
    assert told["forecasters"]["provider"]["issues"] == told["forecasters"]["seasonal"]["issues"] == 6
    # what was issued 18 h earlier says nothing of the last 18 of 96 hours
    assert told["forecasters"]["provider"]["hours_by_day"] == [144, 144, 144, 36]


def test_without_a_cut_half_of_the_recording_is_learnt_from(trace: Path) -> None:
    told = backtest("--trace", trace, "--forecaster", "persistence", "--json").json
    # 20 of 40 days from March 1
    assert told["train_until"] == "2021-03-21T00:00:00Z"


def test_without_a_cut_the_first_archived_issue_is_one_where_enough_lies_before_it(tmp_path: Path, trace: Path) -> None:
    rows = [
        (utc(START + 24 * day * HOUR), lead, utc(START + (24 * day + lead) * HOUR), 300, 300)
        for day in (30, 31)
        for lead in range(24)
    ]
    path = write(tmp_path / "late.csv", "issue_utc,lead_h,target_utc,forecast,actual", rows)
    told = backtest("--trace", trace, "--forecasts", path, "--forecaster", "seasonal", "--json").json
    assert told["train_until"] == "2021-03-31T00:00:00Z"


BROKEN = """
import numpy as np
from carbon_sources.forecasting.forecaster import Forecaster
from carbon_sources.forecasting.hourly import LEVELS, HourlyForecast


class Unmade(Forecaster):
    def __init__(self) -> None:
        raise RuntimeError("no licence")

    def fit(self, history): ...

    def predict(self, history, hours): ...


class Told(Forecaster):
    value = 0.0

    def fit(self, history): ...

    def predict(self, history, hours):
        return HourlyForecast(np.full(hours, self.value), np.full((hours, len(LEVELS)), self.value))


class Negative(Told):
    value = -1.0


class Complex(Told):
    value = 1 + 1j


class Huge(Told):
    value = 1e300


class Corrects(Told):
    def __init__(self, issues) -> None:
        self.issues = issues

    def fit(self, history):
        self.value = history.values[-1]
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install forecasters that break what every forecaster promises, one of them under a hostile name."""
    info = tmp_path / "site" / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", encoding="utf-8")
    classes = {"unmade": "Unmade", "negative": "Negative", "complex": "Complex", "<b>[red]huge[/red]": "Huge"}
    classes["corrects"] = "Corrects"
    points = [f"{name} = broken_forecasters:{made}" for name, made in classes.items()]
    (info / "entry_points.txt").write_text("\n".join(["[carbonnas.forecasters]", *points]) + "\n", encoding="utf-8")
    (tmp_path / "site" / "broken_forecasters.py").write_text(BROKEN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "broken_forecasters", raising=False)


@pytest.mark.usefixtures("broken")
def test_a_broken_forecaster_is_told_by_name_and_the_others_go_on(trace: Path) -> None:
    names = ("unmade", "negative", "complex", "seasonal")
    chosen = [part for name in names for part in ("--forecaster", name)]
    answer = backtest("--trace", trace, "--train-until", "2021-03-21", *chosen, "--json", status=1)
    told = answer.json["forecasters"]
    assert told["unmade"]["error"] == "failed when it was made: RuntimeError: no licence"
    assert "at least zero" in told["negative"]["error"]
    assert "real numbers" in told["complex"]["error"]
    assert told["seasonal"]["mape_by_day"][0] > 0
    assert "unmade failed" in answer.err


@pytest.mark.usefixtures("broken")
def test_a_forecaster_of_somebody_else_that_needs_archived_forecasts_is_treated_like_our_own(
    trace: Path, archived: Path
) -> None:
    common = ("--trace", trace, "--forecaster", "corrects", "--train-until", "2021-03-12", "--json")
    missing = backtest(*common, status=1).json["forecasters"]["corrects"]["error"]
    assert missing.startswith("needs archived forecasts: give them with --forecasts")
    told = backtest(*common, "--forecasts", archived).json
    # It is asked every day, not at the issues of the archive, and until the archive ends; it learnt the last value before the cut.
    assert (told["issue_every_h"], told["last_issue"]) == (24, "2021-03-17T00:00:00Z")
    errors = [abs(value(hour) - value(24 * 11 - 1)) for day in range(11, 17) for hour in range(24 * day, 24 * day + 24)]
    assert told["forecasters"]["corrects"]["mae_by_day"][0] == pytest.approx(sum(errors) / len(errors))


@pytest.mark.usefixtures("broken")
def test_whatever_is_expected_and_whatever_came_the_json_holds_numbers_only(tmp_path: Path) -> None:
    rows = ((utc(START + hour * HOUR), 1e-310 if hour == 500 else value(hour)) for hour in range(24 * DAYS))
    path = write(tmp_path / "tiny.csv", "UTC time,carbon_intensity", rows)
    huge = "<b>[red]huge[/red]"
    answer = backtest("--trace", path, "--forecaster", huge, "--forecaster", "seasonal", "--json")
    assert "Infinity" not in answer.out
    assert answer.json["forecasters"][huge]["rmse_by_day"] == [None] * 4
    assert answer.json["forecasters"]["seasonal"]["mape_by_day"][0] is None


@pytest.mark.torch
@pytest.mark.slow
def test_every_forecaster_runs_unless_there_is_nothing_for_it_to_pass_on(trace: Path, tmp_path: Path) -> None:
    # too short to learn anything, so that it is quick
    rows = ((utc(START + hour * HOUR), value(hour)) for hour in range(24 * 8))
    short = write(tmp_path / "short.csv", "UTC time,carbon_intensity", rows)
    answer = carbonnas("backtest", "--trace", str(short), "--horizon", "24 h", "--json")
    assert set(answer.json["forecasters"]) == set(FORECASTERS.names()) - {"provider"}
    assert answer.json["left_out"] == ["provider"]
    assert "provider: left out" in answer.err
    failed = [name for name, scores in answer.json["forecasters"].items() if "error" in scores]
    assert answer.status == (1 if failed else 0)


def test_a_provider_that_was_asked_for_and_has_nothing_fails_while_the_others_go_on(trace: Path) -> None:
    answer = backtest("--trace", trace, "--forecaster", "provider", "--forecaster", "persistence", "--json", status=1)
    error = answer.json["forecasters"]["provider"]["error"]
    assert error.startswith("needs archived forecasts: give them with --forecasts, or a trace that holds them")
    assert answer.json["forecasters"]["persistence"]["mape_by_day"][0] > 0
    assert "provider failed" in answer.err


def test_the_column_decides_and_is_life_cycle_unless_said_otherwise(tmp_path: Path) -> None:
    rows = (
        (utc(START + hour * HOUR), "ZZ", value(hour) / 2, value(hour), 40, 30, "x", False, "")
        for hour in range(24 * DAYS)
    )
    header = (
        "datetime_utc,zone,ci_direct_g_per_kwh,ci_lca_g_per_kwh,low_carbon_pct,renewable_pct,source,estimated,"
        "estimation_method"
    )
    path = write(tmp_path / "both.csv", header, rows)
    common = ("--trace", path, "--forecaster", "persistence", "--json")
    both, direct = backtest(*common).json, backtest(*common, "--column", "ci_direct_g_per_kwh").json
    by_basis = backtest(*common, "--basis", "direct").json
    assert (both["trace"]["basis"], direct["trace"]["basis"]) == ("lifecycle", "direct")
    errors = [told["forecasters"]["persistence"]["mae_by_day"] for told in (both, direct, by_basis)]
    assert errors[1] == errors[2] == pytest.approx([error / 2 for error in errors[0]])


def test_local_time_across_the_change_of_clocks_changes_nothing(tmp_path: Path, trace: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    instants = [START + hour * HOUR for hour in range(24 * DAYS)]
    rows = ((f"{at.astimezone(berlin):%Y-%m-%d %H:%M}", value(hour)) for hour, at in enumerate(instants))
    local = write(tmp_path / "local.csv", "time,carbon_intensity", rows)
    common = ("--forecaster", "seasonal", "--train-until", "2021-03-21", "--json")
    told = backtest("--trace", local, "--time-zone", "Europe/Berlin", *common).json
    expected = backtest("--trace", trace, *common).json
    for measure in MEASURES:
        assert told["forecasters"]["seasonal"][measure] == expected["forecasters"]["seasonal"][measure]


@pytest.mark.parametrize("minutes", [15, 30])
def test_shorter_rows_count_as_means_of_hours(tmp_path: Path, trace: Path, minutes: int) -> None:
    each = 60 // minutes
    rows = (
        (utc(START + part * timedelta(minutes=minutes)), value(part // each) + (part % each - (each - 1) / 2))
        for part in range(24 * DAYS * each)
    )
    fine = write(tmp_path / "fine.csv", "UTC time,carbon_intensity", rows)
    common = ("--forecaster", "persistence", "--train-until", "2021-03-21", "--json")
    told, expected = backtest("--trace", fine, *common).json, backtest("--trace", trace, *common).json
    assert told["trace"]["hours"] == 24 * DAYS
    for measure in ("mape_by_day", "mae_by_day", "hours_by_day"):
        scores, others = (document["forecasters"]["persistence"][measure] for document in (told, expected))
        assert scores == pytest.approx(others)


def test_gaps_and_zeros_are_counted_and_left_out(tmp_path: Path) -> None:
    def row(hour: int) -> tuple[str, object]:
        return utc(START + hour * HOUR), "" if hour in {490, 491} else 0 if hour == 500 else value(hour)

    path = write(tmp_path / "gaps.csv", "UTC time,carbon_intensity", map(row, range(24 * DAYS)))
    told = backtest(
        "--trace", path, "--forecaster", "persistence", "--train-until", "2021-03-21", "--horizon", "24 h", "--json"
    ).json
    scores = told["forecasters"]["persistence"]
    assert told["trace"]["unknown_hours"] == 2
    assert (scores["hours_by_day"], scores["zero_hours_by_day"]) == ([24 * 20 - 2], [1])


def test_nothing_after_until_is_used(trace: Path, tmp_path: Path) -> None:
    rows = ((utc(START + hour * HOUR), value(hour)) for hour in range(24 * 30))
    shorter = write(tmp_path / "shorter.csv", "UTC time,carbon_intensity", rows)
    common = ("--forecaster", "seasonal", "--train-until", "2021-03-21", "--json")
    told = backtest("--trace", trace, "--until", "2021-03-31", *common).json
    expected = backtest("--trace", shorter, *common).json
    assert told["forecasters"]["seasonal"]["mae_by_day"] == expected["forecasters"]["seasonal"]["mae_by_day"]
    assert told["last_issue"] == expected["last_issue"] == "2021-03-30T00:00:00Z"


def test_issues_can_be_more_frequent_and_the_horizon_shorter(trace: Path) -> None:
    told = backtest(
        "--trace", trace, "--forecaster", "persistence", "--train-until", "2021-04-08T06:00Z", "--issue-every", "6h",
        "--horizon", "30 h", "--json",
    ).json  # fmt: skip
    assert (told["first_issue"], told["last_issue"]) == ("2021-04-09T00:00:00Z", "2021-04-09T18:00:00Z")
    assert len(told["forecasters"]["persistence"]["mape_by_day"]) == 2


def test_people_see_a_table_with_the_best_marked(trace: Path) -> None:
    answer = backtest("--trace", trace, "--forecaster", "persistence", "--forecaster", "seasonal")
    assert "mean absolute percentage error" in answer.out
    assert "day 4" in answer.out
    (seasonal, *_) = [line for line in answer.out.splitlines() if line.strip().startswith("seasonal")]
    assert seasonal.count("*") == 4
    assert "persistence: 20 forecasts" in answer.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "begins"), [("p.html", b"<!DOCTYPE html>"), ("p.svg", b"<svg"), ("p.png", b"\x89PNG")]
)
def test_a_picture_is_written_in_the_format_of_its_ending(
    trace: Path, tmp_path: Path, name: str, begins: bytes
) -> None:
    backtest("--trace", trace, "--forecaster", "seasonal", "--json", "--output", tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert content.startswith(begins)
    if name.endswith(".html"):
        assert b"http://" not in content.replace(b"http://www.w3.org", b"").split(b"<script>")[0]
        assert b'src="' not in content.split(b"<script>")[0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--train-until", "2021-03-21", "--until", "2021-03-20"], "leaves nothing to score"),
        (["--train-until", "2021-03-21", "--until", "2021-03-21"], "leaves nothing to score"),
        (["--train-until", "2021-02-01"], "leaves nothing to learn from"),
        (["--train-until", "2022-02-01"], "leaves nothing to score"),
        (["--until", "2021-01-01"], "nothing is left before it"),
        (["--train-until", "2021-04-09T12:00Z"], "no forecast is issued"),
        (["--train-until", "yesterday"], "expected a date or an instant"),
        (["--until", "2021-04-09T12:00"], "has no UTC offset"),
        (["--horizon", "96"], "expected a number with a unit"),
        (["--horizon", "90 min"], "expected whole hours"),
        (["--horizon", "0 h"], "expected whole hours"),
        (["--horizon", "9999 d"], "expected whole hours"),
        (["--issue-every", "0 h"], "expected whole hours"),
        (["--forecaster", "tea_leaves"], "there is none named 'tea_leaves'; there are"),
        (["--forecaster", "seasnal"], "did you mean seasonal?"),
        (["--kind", "mean"], "expected one of average, marginal"),
        (["--unit", "stone"], "expected one of g/kWh"),
        (["--output", "picture.gif"], "the ending must be one of .html"),
        (["--output", "nowhere/picture.png"], "there is no folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_not_be_is_refused_in_a_sentence(trace: Path, arguments: list[str], complaint: str) -> None:
    chosen = [] if "--forecaster" in arguments else ["--forecaster", "persistence"]
    answer = backtest("--trace", trace, *chosen, *arguments, status=2)
    assert answer.out == ""
    assert complaint in answer.err


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    answer = backtest("--trace", tmp_path / "none.csv", status=1)
    assert "there is no such file" in answer.err


def test_a_file_of_forecasts_alone_needs_a_recording(tmp_path: Path) -> None:
    rows = ((utc(START + hour * HOUR), 300) for hour in range(96))
    path = write(tmp_path / "alone.csv", "datetime (UTC),carbon_intensity_forecast", rows)
    answer = backtest("--trace", path, status=2)
    assert "holds forecasts alone" in answer.err


def test_a_bundled_trace_can_be_named() -> None:
    told = backtest("--trace", "bundled:DK_2019", "--forecaster", "persistence", "--until", "2019-03-01", "--json").json
    assert told["trace"]["path"] == "bundled:DK_2019"
    assert told["forecasters"]["persistence"]["mape_by_day"][0] > 0
