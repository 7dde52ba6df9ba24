"""Fronts of devices, and what became of limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.record import SearchRecord
from carbonnas.report.document import build_document
from carbonnas.report.render import ReportFormat, render
from carbonnas.trials import FidelityName, Trial, TrialKind, TrialState

PHONE, SERVER = Target("phone", "latency_ms.phone", 5.0), Target("server", "latency_ms.server")


def training(template: Trial, number: int, accuracy: float, **latencies: float) -> Trial:
    metrics = {"val_accuracy": accuracy, **{f"latency_ms.{name}": value for name, value in latencies.items()}}
    return replace(
        template, number=number, key=f"network {number}", metrics=metrics, state=TrialState.COMPLETED, failure=None
    )


@pytest.fixture
def fleet(made_up: SearchRecord) -> SearchRecord:
    """Five trainings for two devices."""
    template = next(t for t in made_up.trials if t.kind is TrialKind.TRAIN and t.fidelity.name is FidelityName.SEARCH)
    trials = (
        training(template, 0, 0.9, phone=9.0, server=1.0),
        training(template, 1, 0.8, phone=4.0, server=2.0),
        training(template, 2, 0.7, phone=3.0, server=3.0),
        training(template, 3, 0.6, phone=4.0, server=0.5),
        training(template, 4, 0.95),
    )
    return replace(
        made_up,
        trials=trials,
        objectives=(Objective.parse("maximize val_accuracy"), Objective.parse("minimize latency_ms.server")),
        targets=(PHONE, SERVER),
        limits=(Limit("val_accuracy", at_most=0.94),),
        pruned={"the latency limit of any target": 7},
    )


def test_each_device_has_a_front_of_its_own_within_its_limit(fleet: SearchRecord) -> None:
    phone, server = build_document(fleet).targets
    # On the phone network 0 is too slow, and network 3 is beaten by network 1, which takes as long.
    assert [line.trial for line in phone.front] == [1, 2]
    assert dict(phone.front[0].objectives) == {"val_accuracy": 0.8, "latency_ms.phone": 4.0}
    assert [line.trial for line in server.front] == [0, 3]
    assert (phone.unknown, server.unknown) == (1, 1)


def test_what_breaks_a_limit_is_neither_best_nor_on_a_front(fleet: SearchRecord) -> None:
    document = build_document(fleet)
    assert document.best is not None
    assert document.best.trial == 0  # network 4 is more accurate than the limit allows
    assert [line.trial for line in document.pareto] == [0, 3]
    free = build_document(replace(fleet, limits=()))
    assert free.best is not None
    assert free.best.trial == 4


@pytest.mark.parametrize("metric", ["latency_ms.server", "latency_ms"])
def test_a_hard_limit_on_a_latency_holds_on_the_front_of_each_device(fleet: SearchRecord, metric: str) -> None:
    trials = tuple(
        replace(t, metrics={**t.metrics, "latency_ms": t.metrics.get("latency_ms.server", 1.0)}) for t in fleet.trials
    )
    limited = replace(fleet, trials=trials, limits=(*fleet.limits, Limit(metric, at_most=2.5)))
    phone, server = build_document(limited).targets
    # Network 2, which takes 3 ms on the server, is out; the limit of 5 ms on the phone is the phone's alone.
    assert [line.trial for line in phone.front] == [1]
    assert [line.trial for line in server.front] == [0, 3]


def test_limits_tell_what_they_dropped_and_what_broke_them(fleet: SearchRecord) -> None:
    document = json.loads(render(fleet, ReportFormat.JSON))
    assert document["limits"] == [
        {"limit": "val_accuracy at most 0.94", "pruned": 0, "broken": 1},
        {"limit": "the latency limit of any target", "pruned": 7, "broken": 0},
    ]


@pytest.mark.parametrize("kind", [ReportFormat.HTML, ReportFormat.MARKDOWN])
def test_fronts_and_limits_stand_in_what_people_read(fleet: SearchRecord, kind: ReportFormat) -> None:
    text = render(fleet, kind)
    for shown in ("Pareto front on phone", "At most 5 ms.", "Pareto front on server", "Limits", "network 3"):
        assert shown in text
    without = render(replace(fleet, targets=(), limits=(), pruned={}), kind)
    assert "Pareto front on" not in without
    assert ">Limits<" not in without
    assert "## Limits" not in without


def test_a_device_for_which_nothing_qualifies_says_so(fleet: SearchRecord) -> None:
    text = render(replace(fleet, targets=(replace(PHONE, at_most_ms=1.0),)), ReportFormat.HTML)
    assert "At most 1 ms. The latency of 1 training on it is unknown. No training qualifies." in text


def test_what_a_training_lacks_stands_beside_what_it_measured(fleet: SearchRecord) -> None:
    lacking = replace(fleet.trials[0], failure="latency_ms <is> unstable")
    text = render(replace(fleet, trials=(lacking,)), ReportFormat.HTML)
    assert "90.00 %" in text
    assert "latency_ms &lt;is&gt; unstable" in text
