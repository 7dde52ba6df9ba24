"""`carbonnas score`: its answers, and what it refuses."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carbon_sources.clock import Clock, SimulatedClock
from carbonnas.cli.score.answer import score_json, score_table
from carbonnas.cli.score.plan import ScoreOptions, ScorePlan, make_plan
from carbonnas.cli.score.scoring import Scored, score_all
from carbonnas.energy.constant_power import ConstantPowerMeter
from carbonnas.errors import ArchitectureError, ConfigError
from carbonnas.proxies.fusion import DEFAULT, expand, fuse
from carbonnas.search_spaces.small_conv import SmallConv
from carbonnas.testing.commands import carbonnas

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

ONE, OTHER = "w8,conv,conv,k3,d1,residual,max,relu", "w4,identity,identity,k1,d1,plain,max,relu"
START = datetime(2026, 3, 1, tzinfo=UTC)


def options(**changed: Any) -> ScoreOptions:
    usual: dict[str, Any] = {"space": "small_conv", "sample": None, "architectures": (), "seed": 0, "proxies": None}
    usual |= {"batch": 4, "task": "1x8x8x10", "dataset": None, "data_path": None}
    return ScoreOptions(**{**usual, **changed})


def scored(plan: ScorePlan, *names: str) -> list[Scored]:
    return [Scored(name, dict.fromkeys(expand(plan.asked), float(i)), None, 0.5, 2.0) for i, name in enumerate(names)]


def test_the_command_prints_architectures_with_their_proxies() -> None:
    arguments = ("--architecture", ONE, "--architecture", OTHER, "--proxies", "params,synflow", "--task", "1x8x8x10")
    answer = carbonnas("score", "--space", "small_conv", *arguments, "--json")
    assert answer.status == 0, answer.err
    document = json.loads(answer.out)
    assert list(document) == ["architectures"]
    first, second = document["architectures"]
    assert list(first) == ["architecture", "proxies", "fusion", "seconds", "energy_j"]
    assert [first["architecture"], second["architecture"]] == [ONE, OTHER]
    assert first["proxies"]["params"] == 3_346
    assert set(first["proxies"]) == {"params", "macs", "synflow"}
    assert first["fusion"] == 0.0 > second["fusion"]
    assert first["seconds"] > 0
    assert first["energy_j"] >= 0
    assert "2 of 2 scored" in answer.err


def test_the_same_seed_draws_the_same_different_networks() -> None:
    space = SmallConv()
    one, again, other = (make_plan(options(sample=30, seed=seed)).architectures for seed in (7, 7, 8))
    assert one == again != other
    assert len({space.key(architecture) for architecture in one}) == 30


def test_equal_networks_have_equal_seeds() -> None:
    plan = make_plan(options(architectures=(OTHER, OTHER.replace("d1", "d3"), ONE)))
    seeds = [plan.seed_of(architecture) for architecture in plan.architectures]
    assert seeds[0] == seeds[1] != seeds[2]


def test_given_architectures_come_before_drawn_ones() -> None:
    plan = make_plan(options(architectures=(ONE,), sample=2))
    assert len(plan.architectures) == 3
    assert plan.space.format(plan.architectures[0]) == ONE
    assert len(make_plan(options()).architectures) == 10


def test_the_fusion_is_that_of_the_default_where_all_of_it_was_scored() -> None:
    assert make_plan(options()).fused == DEFAULT
    assert make_plan(options(proxies=",".join(("snip", *DEFAULT)))).fused == DEFAULT
    assert make_plan(options(proxies="snip, zico")).fused == ("snip", "zico")


def test_an_ensemble_stands_among_the_proxies_with_its_fused_ranks() -> None:
    plan = make_plan(options(proxies="az_nas", architectures=(ONE, OTHER)))
    rows = score_json(plan, results := scored(plan, ONE, OTHER))["architectures"]
    assert [row["proxies"]["az_nas"] for row in rows] == fuse([one.metrics for one in results], ("az_nas",))


def test_an_architecture_that_failed_has_no_fusion_and_changes_no_other() -> None:
    plan = make_plan(options(proxies="snip", architectures=(ONE, OTHER)))
    whole = scored(plan, ONE, OTHER)
    rows = score_json(plan, [*whole, Scored("broken", {}, "it is broken", 0.1, 0.2)])["architectures"]
    assert rows[:2] == score_json(plan, whole)["architectures"]
    assert rows[2]["fusion"] is None
    assert rows[2]["failure"] == "it is broken"
    assert score_table(plan, [*whole, Scored("broken", {}, "it is broken", 0.1, 0.2)]).row_count == 3


def test_each_scoring_is_charged_what_the_meter_says_of_it() -> None:
    class Ticking(SimulatedClock):
        """Goes on by a second each time it is asked."""

        _seconds = itertools.count()

        def now(self) -> datetime:
            return START + timedelta(seconds=next(self._seconds))

    plan = make_plan(options(proxies="params", architectures=(ONE, OTHER)))
    clock: Clock = Ticking(START)
    told: list[str] = []
    found = score_all(plan, clock, ConstantPowerMeter(1, train=0.0, score=30.0, idle=5.0), told.append)
    assert [one.seconds for one in found] == [1.0, 1.0]
    assert [one.energy_j for one in found] == [30.0, 30.0]
    assert told == [ONE, OTHER]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"task": "3x32x32"}, "--task"),
        ({"task": "3x0x32x10"}, "--task"),
        ({"proxies": " , "}, "names no proxy"),
    ],
)
def test_an_option_that_can_not_be_read_is_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make_plan(options(**changed))


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(ArchitectureError):
        make_plan(options(architectures=("w8,conv",)))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"proxies": "magic"}, "unknown plug-in 'magic'"), ({"dataset": "magic"}, "dataset")],
)
def test_what_the_evaluator_refuses_is_told(changed: dict[str, Any], complaint: str) -> None:
    arguments = [word for name, value in changed.items() for word in (f"--{name}", value)]
    answer = carbonnas("score", "--space", "small_conv", "--sample", "1", *arguments)
    assert answer.status in {1, 2}
    assert complaint in answer.err
    assert "Traceback" not in answer.err
