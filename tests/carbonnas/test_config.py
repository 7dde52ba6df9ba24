"""What a configuration may say, and what is said of its mistakes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from carbonnas.config import SearchConfig
from carbonnas.config_file import DEPENDING, config_from_choices, load_config, parse_config
from carbonnas.errors import ConfigError
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target
from carbonnas.plan import PlanShape
from carbonnas.proxies.fusion import DEFAULT
from carbonnas.search_spaces.space import TaskShape
from schedulers.budget import AtLimit, EmissionBudget, Window
from schedulers.safety import SafetyLimits

GOOD: dict[str, object] = {
    "[search]": ['name = "a"', "rounds = 3", "score_per_round = 4", "train_per_round = 2", "epochs = 5"],
    "[space]": ['use = "nasbench201"'],
    "[strategy]": ['use = "regularized_evolution"'],
    "[scoring]": ['use = "tabular"', 'path = "table.csv"'],
    "[training]": ['use = "tabular"', 'path = "~/table.csv"'],
    "[carbon_source]": ['use = "trace"', 'path = "bundled:DK_2019"'],
    "[scheduler]": ['use = "threshold"', "percentile = 40"],
    "[energy]": ['use = "constant_power"', 'train = "300 W"', 'score = "100 W"', 'idle = "50 W"'],
}

HUNDRED_YEARS = "a hundred years"


def text(changes: Mapping[str, object] | None = None, head: str = "") -> str:
    """Return a good configuration with some tables replaced; `None` leaves a table out."""
    tables = {**GOOD, **(changes or {})}
    parts = [head] if head else []
    for title, lines in tables.items():
        if isinstance(lines, list):
            parts.extend((title, *lines))
    return "\n".join(parts)


def search(*lines: str) -> dict[str, object]:
    """Return a good `[search]` table with keys replaced or added."""
    replaced = {line.split(" = ")[0] for line in lines}
    known = GOOD["[search]"]
    assert isinstance(known, list)
    return {"[search]": [line for line in known if line.split(" = ")[0] not in replaced] + list(lines)}


def parse(toml: str) -> SearchConfig:
    return parse_config(toml, "search.toml", Path("/configs"))


def problems(toml: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(toml)
    return list(caught.value.problems)


def test_a_good_configuration_is_read_with_its_defaults() -> None:
    config = parse(text())
    assert config.search.plan == PlanShape(3, 4, 2, 2)
    assert config.search.full_epochs is None
    assert config.executor.use == "process"
    assert config.clock.use == "system"
    assert config.accounting.poll_interval == timedelta(minutes=5)
    assert config.budgets == ()


def test_units_enums_and_instants_become_values() -> None:
    budgets = ['limit = "1.5 kg"', 'window = "month"', 'at_limit = "wait"', 'timezone = "Europe/Berlin"']
    clock = ['use = "replay"', "start = 2020-06-01T02:00:00+02:00", "speed = 60"]
    config = parse(text({**search('deadline = "3 d"'), "[[budgets]]": budgets, "[clock]": clock}))
    assert config.budgets[0].budget == EmissionBudget(1500.0, Window.MONTH, AtLimit.WAIT, 0.8, "Europe/Berlin")
    assert config.search.deadline == timedelta(days=3)
    assert config.clock.start == datetime(2020, 6, 1, tzinfo=UTC)


def test_relative_paths_start_at_the_folder_of_the_file_and_bundled_names_stay() -> None:
    config = parse(text())
    assert config.scoring.options == {"path": Path("/configs/table.csv")}
    assert config.training.options == {"path": Path("~/table.csv").expanduser()}
    assert config.carbon_source.options == {"path": "bundled:DK_2019"}


@pytest.mark.torch
@pytest.mark.parametrize("name", ["example.toml", "demo.toml"])
def test_the_shipped_configurations_are_good(name: str) -> None:
    shipped = (files("carbonnas.cli") / "configs" / name).read_text(encoding="utf-8")
    assert parse(shipped).search.name == tomllib.loads(shipped)["search"]["name"]


def test_the_configuration_to_start_from_asks_for_the_default_fusion() -> None:
    shipped = (files("carbonnas.cli") / "configs" / "example.toml").read_text(encoding="utf-8")
    assert tuple(tomllib.loads(shipped)["search"]["rank_by"]) == DEFAULT


@pytest.mark.torch
@pytest.mark.parametrize(
    ("asked", "scored", "ranked"),
    [
        (None, None, DEFAULT),
        (None, ["params", "snip"], ("params", "snip")),
        (None, ["zen", *DEFAULT], DEFAULT),
        (None, ["az_expressivity", "az_progressivity", "az_trainability", "macs", *DEFAULT[1:]], DEFAULT),
        (["snip"], ["params", "snip"], ("snip",)),
    ],
)
def test_candidates_are_ranked_by_the_default_fusion_or_by_what_is_scored_instead(
    asked: list[str] | None, scored: list[str] | None, ranked: tuple[str, ...]
) -> None:
    scoring = ['use = "proxies"', *([] if scored is None else [f"proxies = {json.dumps(scored)}"])]
    changes = {"[scoring]": scoring} | ({} if asked is None else search(f"rank_by = {json.dumps(asked)}"))
    assert parse(text(changes)).rank_by == ranked


def test_the_fingerprint_follows_what_is_said_and_not_how() -> None:
    plain = parse(text())
    assert parse(text(head="# a comment\n")).fingerprint == plain.fingerprint
    assert parse(text({"[executor]": ['use = "process"']})).fingerprint == plain.fingerprint
    assert parse(text(search("seed = 1"))).fingerprint != plain.fingerprint
    assert parse(text({"[scheduler]": ['use = "carbon_blind"']})).fingerprint != plain.fingerprint


def test_the_limits_around_every_scheduler_have_a_section_of_their_own() -> None:
    assert parse(text()).safety.limits == SafetyLimits()
    lines = [
        'max_wait = "18 h"',
        'wait_run = "2 h"',
        'min_run = "5 min"',
        'min_rest = "1 min"',
        "deadline_margin = 0.2",
    ]
    hours, minutes = timedelta(hours=1), timedelta(minutes=1)
    told = SafetyLimits(18 * hours, 2 * hours, 5 * minutes, minutes, 0.2)
    assert parse(text({"[safety]": lines})).safety.limits == told


def test_all_mistakes_are_listed_at_once_with_their_keys() -> None:
    scheduler = ['use = "threshold"', "percentile = 40", 'review = "15 parsec"']
    found = problems(text({**search("sede = 1"), "[strategy]": ['use = "nope"'], "[scheduler]": scheduler}))
    assert len(found) == 3
    assert "search.sede: unknown key" in found
    assert any(p.startswith("strategy.use: unknown plug-in 'nope'") and "reinforce" in p for p in found)
    assert any(p.startswith("scheduler.review: expected a number with a unit") and "parsec" in p for p in found)


def test_what_a_constructor_refuses_is_listed_with_the_other_mistakes() -> None:
    scheduler = ['use = "threshold"', "percentile = 40", "g_per_kwh = 100"]
    found = problems(
        text({**search("sede = 1"), "[scheduler]": scheduler, "[space]": ['use = "nasbench201"', "cells = 0"]})
    )
    assert found == [
        "search.sede: unknown key",
        "space: channels, cells and stages must be at least 1, got 16, 0, 3",
        "scheduler: give either g_per_kwh or percentile, and not both",
    ]


def test_a_strategy_is_tried_once_the_space_and_the_search_are_good() -> None:
    strategy = ['use = "regularized_evolution"', "population = 0"]
    assert [p.split(":")[0] for p in problems(text({"[strategy]": strategy}))] == ["strategy"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"[search]": None}, "search: missing"),
        ({"[space]": None}, "space: missing"),
        ({"[space]": []}, "space.use: missing; one of macro, mobile, nasbench201, nasnet, small_conv, transformer"),
        (
            {"[space]": ["use = 3"]},
            "space.use: expected a name, got 3; one of macro, mobile, nasbench201, nasnet, small_conv, transformer",
        ),
        ({"[typo]": ["x = 1"]}, "typo: unknown key"),
        ({"[scoring]": ['use = "tabular"']}, "scoring.path: missing"),
        ({"[scoring]": ['use = "tabular"', 'path = "t.csv"', "bogus = 1"]}, "scoring.bogus: unknown key"),
        (
            {"[scoring]": ['use = "tabular"', r'path = "a\u0000"']},
            r"scoring.path: a path can't hold a zero character, got 'a\x00'",
        ),
        (
            {"[scheduler]": ['use = "threshold"', "percentile = 40", 'window = "3000000 d"']},
            f"scheduler.window: longer than {HUNDRED_YEARS}, got '3000000 d'",
        ),
        (
            {"[scheduler]": ['use = "threshold"', "percentile = 40", 'max_wait = "24 h"']},
            "scheduler.max_wait: unknown key; it belongs to [safety]",
        ),
        ({"[safety]": ['max_wait = "3000000 d"']}, f"safety.max_wait: longer than {HUNDRED_YEARS}, got '3000000 d'"),
        (
            {"[safety]": ['wait_run = "0 s"']},
            f"safety.wait_run: expected a duration above zero and of at most {HUNDRED_YEARS}, got '0 s'",
        ),
        (
            {"[safety]": ["deadline_margin = -0.1"]},
            "safety.deadline_margin: input should be greater than or equal to 0, got -0.1",
        ),
        (
            {"[scheduler]": ['use = "oracle"']},
            (
                "scheduler: the oracle has to know the future, which only a simulation does: choose another scheduler, or"
                " compare with it in `carbonnas simulate`"
            ),
        ),
        (search("rounds = 0"), "search.rounds: input should be greater than or equal to 1, got 0"),
        (search("rounds = true"), "search.rounds: input should be a valid integer, got True"),
        (search('rounds = "3"'), "search.rounds: input should be a valid integer, got '3'"),
        (search("seed = 9223372036854775808"), None),
        (search("rank_by = []"), "search.rank_by: expected at least one, got []"),
        (search("objectives = []"), "search: objectives must name at least one, such as 'maximize val_accuracy'"),
        (search('objectives = ["best"]'), None),
        (search("train_per_round = 5"), None),
        (search('name = ""'), None),
        (search(f'name = "{"x" * 10_000}"'), None),
        (search(r'name = "a\nb"'), r"search.name: a name can't hold line breaks or control characters, got 'a\nb'"),
        (search(r'name = "\u001b[31m"'), None),
        (
            search('deadline = "40000 d"'),
            f"search.deadline: expected a duration above zero and of at most {HUNDRED_YEARS}, got '40000 d'",
        ),
        (
            search('trial_timeout = "0 s"'),
            f"search.trial_timeout: expected a duration above zero and of at most {HUNDRED_YEARS}, got '0 s'",
        ),
        ({"[[budgets]]": ["limit = 500"]}, None),
        ({"[[budgets]]": ['limit = "0 g"']}, "budgets.0.limit: input should be greater than 0, got 0.0"),
        (
            {"[[budgets]]": ['limit = "1 g"', 'timezone = "Europe"']},
            "budgets.0.timezone: no such time zone; write a name such as 'Europe/Berlin', got 'Europe'",
        ),
        ({"[[budgets]]": ['limit = "1 g"', f'timezone = "{"x" * 5000}"']}, None),
        ({"[[budgets]]": ['limit = "1 g"', 'at_limit = "explode"']}, None),
        ({"[accounting]": ["pue = nan"]}, None),
        ({"[accounting]": ["bound_g_per_kwh = inf"]}, None),
        ({"[accounting]": ['metering_interval = "6 s"']}, None),
        ({"[clock]": ['use = "replay"']}, "clock: clock 'replay' needs a start, such as '2020-06-01T00:00:00Z'"),
        ({"[clock]": ["start = 2020-06-01T00:00:00Z"]}, None),
        ({"[clock]": ['use = "replay"', "start = 2020-06-01T00:00:00"]}, None),
        ({"[clock]": ['use = "replay"', "start = 2020-06-01"]}, None),
        ({"[clock]": ['use = "replay"', "start = 12:00:00"]}, None),
        ({"[clock]": ['use = "replay"', 'start = "yesterday"']}, None),
        ({"[clock]": ['use = "replay"', 'start = "0001-01-01T00:00:00Z"']}, None),
        ({"[clock]": ['use = "replay"', 'start = "9999-12-31T00:00:00Z"']}, None),
        ({"[executor]": ['use = "simulated"']}, None),
    ],
)
def test_each_mistake_is_one_sentence(changes: Mapping[str, object], problem: str | None) -> None:
    found = problems(text(changes))
    assert len(found) == 1
    assert "\n" not in found[0]
    assert len(found[0]) < 250
    if problem is not None:
        assert found == [problem]


@pytest.mark.parametrize("key", ["search", "budgets", "accounting", "clock", "space", "energy"])
def test_a_table_of_the_wrong_type_is_said_to_be_one(key: str) -> None:
    tables = {f"[{key}]": None}
    (problem,) = problems(text(tables, head=f"{key} = 3"))
    assert problem.startswith(f"{key}: expected a ")


@pytest.mark.parametrize(
    ("sources", "sentences"),
    [
        ('[{use = "national_grid"}]', ["carbon_source.sources: expected at least 2, got a list of 1"]),
        ("[]", ["carbon_source.sources: expected at least 2, got []"]),
        ('[{use = "constant"}, {use = "national_grid"}]', ["carbon_source.sources.0.g_per_kwh: missing"]),
        (
            '[{use = "constant"}]',
            [
                "carbon_source.sources.0.g_per_kwh: missing",
                "carbon_source.sources: expected at least 2, got a list of 1",
            ],
        ),
    ],
)
def test_a_list_that_is_too_short_is_told_by_what_it_lacks(sources: str, sentences: list[str]) -> None:
    assert problems(text({"[carbon_source]": ['use = "failover"', f"sources = {sources}"]})) == sentences


def test_a_long_value_is_not_shown_whole() -> None:
    (problem,) = problems(text(search(f"seed = {list(range(100))}")))
    assert problem.endswith("got a list of 100")


def test_a_name_that_is_nearly_right_is_proposed() -> None:
    (problem,) = problems(text({"[carbon_source]": ['use = "national-grid"']}))
    assert problem.endswith("; did you mean national_grid?")


def test_a_mistake_in_a_table_does_not_make_another_of_the_whole() -> None:
    clock = ['use = "simulated"', "start = 2020-06-01T00:00:00Z"]
    (problem,) = problems(text({"[executor]": ['use = "simulatd"'], "[clock]": clock}))
    assert problem.startswith("executor.use: unknown plug-in")


@pytest.mark.parametrize(
    "toml",
    ["", "= 3", "[search", 'name = "', "x = " + "[" * 5000, "x = " + "9" * 5000, "x = 2020-13-45", "\x00"],
    ids=["empty", "no key", "open table", "open string", "deep", "huge number", "no date", "zero"],
)
def test_what_is_no_toml_is_refused_with_a_sentence(toml: str) -> None:
    found = problems(toml)
    if toml:
        assert len(found) == 1
        assert found[0].startswith("is no valid TOML: ")
    else:
        assert "search: missing" in found


def _missing(path: Path) -> None:
    """Leave the path as it is: nothing is there."""


def _binary(path: Path) -> None:
    path.write_bytes(b"name = '\xff\xfe'")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(_missing, "No such file or directory"), (Path.mkdir, "Is a directory"), (_binary, "is not UTF-8 text")],
    ids=["missing", "folder", "binary"],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / "search.toml"
    make(path)
    with pytest.raises(ConfigError, match=sentence):
        load_config(path)


def test_a_file_is_returned_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text(text(), encoding="utf-8")
    config, read = load_config(path)
    assert read == text()
    assert config.scoring.options == {"path": tmp_path / "table.csv"}


COSTS = {
    "[costs]": ['task = "1x8x8x10"', 'latency_table = "here.json"'],
    "[[limits]]": ['metric = "params"', "at_most = 1_000_000"],
    "[[targets]]": ['name = "phone"', 'table = "phone.json"', "at_most_ms = 20"],
}


def test_limits_targets_and_costs_are_read_with_paths_from_the_folder(tmp_path: Path) -> None:
    config = parse_config(text(COSTS), "test", tmp_path)
    assert config.hard_limits == (Limit("params", at_most=1e6),)
    assert config.devices == (Target("phone", "latency_ms.phone", 20.0),)
    plan = config.cost_plan
    assert plan.tables == {"latency_ms": tmp_path / "here.json", "latency_ms.phone": tmp_path / "phone.json"}
    assert plan.task == TaskShape(1, 8, 8, 10)
    assert {"params", "val_accuracy", "latency_ms", "latency_ms.phone"} <= plan.wanted


def test_a_configuration_without_costs_wants_none_beyond_its_objectives() -> None:
    assert parse(text()).cost_plan.measured == ()
    assert parse(text()).cost_plan.tables == {}


def test_paths_of_tables_are_kept_for_those_who_read_the_configuration_elsewhere(tmp_path: Path) -> None:
    config = parse_config(text(COSTS), "test", tmp_path)
    dumped = config.model_dump(mode="json")
    again = config_from_choices(text(COSTS), {key: dumped[key] for key in DEPENDING}, "test")
    assert again.cost_plan == config.cost_plan
    assert again.fingerprint == config.fingerprint


@pytest.mark.parametrize(
    ("table", "lines", "sentence"),
    [
        ("[[limits]]", ['metric = "params"'], "limits.0: a limit on params needs at_most or at_least"),
        ("[[limits]]", ['metric = "params"', "at_most = 1", "at_least = 2"], "limits.0: nothing is at least 2"),
        ("[[limits]]", ['metric = "two words"', "at_most = 1"], "limits.0.metric"),
        ("[[targets]]", ['name = "a phone"', 'table = "t"'], "targets.0.name"),
        ("[[targets]]", ['name = "phone"'], "targets.0.table: missing"),
        ("[[targets]]", ['name = "p"', 'table = "t"', "at_most_ms = 0"], "targets.0.at_most_ms"),
        ("[costs]", ['task = "8x8"'], "costs.task: expected channels, rows, columns and classes"),
        ("[costs]", ["latency_table = 3"], "costs.latency_table"),
    ],
)
def test_a_limit_target_or_cost_that_can_not_be_is_told(table: str, lines: list[str], sentence: str) -> None:
    found = problems(text({table: lines}))
    assert len(found) == 1
    assert sentence in found[0]


def test_two_targets_of_one_name_are_refused() -> None:
    lines = ['name = "phone"', 'table = "t"', "[[targets]]", 'name = "phone"', 'table = "u"']
    assert problems(text({"[[targets]]": lines})) == ["configuration: two targets have the same name"]
