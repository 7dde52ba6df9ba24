"""`simulate` as a user sees it: what it takes, what it says and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from carbonnas.testing.commands import Answer, carbonnas
from carbonnas.testing.searches import write_simulated_search

ONE = ("--seeds", "1", "--processes", "1")


@pytest.fixture
def search(tmp_path: Path) -> Path:
    return write_simulated_search(tmp_path, rounds=1)


def mistakes(answer: Answer) -> str:
    assert answer.status == 2
    assert answer.out == ""
    return answer.err


def test_it_compares_what_was_asked_for_with_both_baselines(search: Path) -> None:
    answer = carbonnas("simulate", search, "--scheduler", "threshold:g_per_kwh=200, hysteresis=0.1", *ONE, "--json")
    assert answer.status == 0
    names = ["carbon_blind", "threshold:g_per_kwh=200, hysteresis=0.1", "oracle"]
    assert list(answer.json["schedulers"]) == names
    assert answer.json["schedulers"][names[1]]["options"] == {"g_per_kwh": 200, "hysteresis": 0.1}
    assert answer.json["schedulers"]["carbon_blind"]["saving"]["kg"]["median"] == 0.0
    assert list(answer.json["kg_to_quality"]) == ["0.95", "0.98", "0.99"]


def test_the_bare_name_of_the_files_scheduler_stands_for_it_with_its_options(search: Path) -> None:
    answer = carbonnas("simulate", search, "--scheduler", "threshold", *ONE, "--json")
    assert answer.json["schedulers"]["threshold"]["options"] == {"percentile": 50}


def test_tables_say_in_words_what_was_simulated(search: Path) -> None:
    answer = carbonnas("simulate", search, "--scheduler", "carbon_blind", *ONE)
    assert answer.status == 0
    assert "2 schedulers with 1 seeds each on 2 slots in SUN" in answer.out
    assert re.search(r"^ ?carbon_blind .* 0 of 1", answer.out, flags=re.MULTILINE)


def test_progress_goes_to_standard_error(search: Path) -> None:
    answer = carbonnas("simulate", search, "--scheduler", "carbon_blind", *ONE, "--json")
    assert "1 of 2 searches: carbon_blind, seed 1" in answer.err


def test_seeds_count_up_from_that_of_the_file(tmp_path: Path) -> None:
    search = write_simulated_search(tmp_path, rounds=1, seed=7)
    answer = carbonnas("simulate", search, "--scheduler", "carbon_blind", "--seeds", "2", "--processes", "1", "--json")
    assert answer.json["seeds"] == [7, 8]
    assert [run["seed"] for run in answer.json["schedulers"]["oracle"]["runs"]] == [7, 8]


@pytest.mark.slow
def test_the_answer_is_the_same_byte_for_byte_on_one_process_and_on_two(tmp_path: Path) -> None:
    search = write_simulated_search(tmp_path, rounds=3, budgets=[{"limit": "1 kg"}])
    told = ("--scheduler", "threshold", "--scheduler", "suspend_resume", "--forecaster", "seasonal", "--hours", "48")
    answers = [
        carbonnas("simulate", search, *told, "--seeds", "2", "--processes", processes, "--json")
        for processes in ("1", "2")
    ]
    assert answers[0].status == 0, answers[0].err
    assert answers[0].out == answers[1].out


def test_the_report_is_one_file_that_asks_for_nothing_else(search: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    answer = carbonnas(
        "simulate", search, "--scheduler", "threshold:percentile=30", *ONE, "--output", page, "--quality", "0.5"
    )
    assert answer.status == 0, answer.err
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "threshold:percentile=30" in text
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"?https?:", text)
    found = re.search(r'id="specifications">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    assert list(json.loads(found[1])) == ["emissions", "hypervolume", "progress", "schedule"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scheduler", "treshold"), "did you mean threshold"),
        (("--scheduler", "threshold:percentile"), "'percentile' is no option: write KEY=VALUE"),
        (("--scheduler", "threshold:percentile=400"), "percentile must lie between 0 and 100, got 400"),
        (("--scheduler", "threshold:colour=red"), "scheduler.colour: unknown key"),
        (("--start", "2019-01-01"), "2019-01-01 00:00 UTC is not in the trace"),
        (("--hours", "9999"), "the trace ends at 2021-01-31 00:00 UTC, 552 h after the start"),
        (("--hours", "0"), "expected hours above zero, got 0"),
        (("--reference", "weight=3"), "expected METRIC=VALUE with one of val_accuracy, params"),
        (("--reference", "params=many"), "params: expected a number, got 'many'"),
        (("--forecaster", "crystal"), "unknown plug-in 'crystal'"),
        (("--zone", "SUN"), "name the trace of which the other options speak"),
        (("--suspend-cost", "soon"), "--suspend-cost"),
        (("--output", "page.pdf"), "the ending must be one of .html, .htm"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(
    search: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in mistakes(carbonnas("simulate", search, *arguments, *ONE))


def test_a_meter_that_really_measures_is_refused(tmp_path: Path) -> None:
    search = write_simulated_search(tmp_path, energy={"use": "codecarbon", "train": None, "score": None, "idle": None})
    assert "state powers with 'constant_power' or 'recorded'" in mistakes(carbonnas("simulate", search, *ONE))


def test_a_search_that_really_trains_is_refused(tmp_path: Path) -> None:
    keys = ("path", "score_seconds", "full_seconds_factor")
    search = write_simulated_search(tmp_path, training={"use": "training", **dict.fromkeys(keys)})
    assert "only what a table knows can be simulated" in mistakes(carbonnas("simulate", search, *ONE))


def test_another_trace_and_another_start_can_be_given(search: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ZZ.csv"
    rows = [f"2022-05-{1 + hour // 24:02}T{hour % 24:02}:00:00Z,{100 + hour}" for hour in range(96)]
    trace.write_text("\n".join(["time,g_per_kwh", *rows]) + "\n", encoding="utf-8")
    told = ("--trace", trace, "--start", "2022-05-02", "--hours", "24", "--scheduler", "carbon_blind")
    answer = carbonnas("simulate", search, *told, *ONE, "--json")
    assert answer.status == 0, answer.err
    assert answer.json["trace"]["path"] == str(trace)
    assert answer.json["grid"]["g_per_kwh"][0] == 124.0
