from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Owner
from carbonnas.record import SearchRecord, SearchState
from carbonnas.report.document import build_document, changes, to_json
from carbonnas.report.findings import best
from carbonnas.report.markdown import to_markdown
from carbonnas.report.testing import made_up_record
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialState

MakeRecord = Callable[..., SearchRecord]

_OWNERS = st.one_of(
    st.just(OVERHEAD), st.just(IDLE), st.builds(Owner, st.just(Account.TRIAL), st.integers(0, 4), st.integers(1, 3))
)


@given(
    values=st.lists(st.one_of(st.none(), st.floats(0, 900)), min_size=6, max_size=6),
    drawn=st.lists(st.tuples(_OWNERS, st.integers(0, 5), st.floats(0, 5)), max_size=30),
)
def test_parts_sum_to_the_whole(
    make_record: MakeRecord,
    made_up: SearchRecord,
    values: list[float | None],
    drawn: list[tuple[Owner, int, float]],
) -> None:
    record = make_record(values, [(owner, hour, hour + 1, kwh) for owner, hour, kwh in drawn], slots=2, hours=6)
    template = made_up.trials[0]
    report = build_document(replace(record, trials=tuple(replace(template, number=n) for n in range(5))))
    sums = report.totals
    assert sums.trials_g + sums.overhead_g + sums.idle_g == pytest.approx(sums.emissions_g, rel=1e-9)
    assert math.fsum(trial.emissions_g or 0.0 for trial in report.trials) == pytest.approx(sums.trials_g, rel=1e-9)
    assert sums.energy_kwh == pytest.approx(report.measurement.measured_kwh, rel=1e-9)
    priced = report.provenance
    assert math.fsum(line.emissions_g for line in priced.priced) == pytest.approx(sums.emissions_g, rel=1e-9)
    whole_kwh = math.fsum(line.energy_kwh for line in priced.priced) + priced.unpriced_kwh
    assert whole_kwh == pytest.approx(sums.energy_kwh, rel=1e-9)


def test_a_trial_of_which_nothing_is_priced_has_no_emissions(make_record: MakeRecord, made_up: SearchRecord) -> None:
    drawn = [(Owner(Account.TRIAL, 0, 1), 0, 1, 0.1), (Owner(Account.TRIAL, 1, 1), 1, 2, 0.1)]
    template = made_up.trials[0]
    trials = tuple(replace(template, number=n) for n in range(3))
    lines = build_document(replace(make_record([100, None], drawn, hours=2), trials=trials)).trials
    assert [line.emissions_g for line in lines] == [pytest.approx(10.0), None, 0.0]
    assert [line.unpriced_kwh for line in lines] == [0.0, pytest.approx(0.1), 0.0]


def test_json_holds_every_trial_and_decision_and_the_promised_keys(made_up: SearchRecord) -> None:
    report = json.loads(to_json(build_document(made_up)))
    assert set(report) == {
        *("format", "search", "totals", "budget", "best", "pareto", "counterfactuals", "measurement", "provenance"),
        *("trials", "decisions", "downtime", "overrides", "targets", "limits"),
    }
    assert len(report["trials"]) == len(made_up.trials)
    assert len(report["decisions"]) == len(made_up.decisions)
    assert report["search"]["started_at"] == "2024-05-01T06:00:00Z"
    assert report["search"]["stop_reason"] == "plan_done"
    assert report["counterfactuals"]["clairvoyant_g"] < report["totals"]["emissions_g"]
    assert report["totals"]["emissions_g"] < report["counterfactuals"]["carbon_blind_g"]


def test_numbers_that_are_not_finite_become_null(made_up: SearchRecord) -> None:
    trials = (replace(made_up.trials[0], metrics={"a": math.nan, "b": math.inf, "c": 1.0}),)
    report = json.loads(to_json(build_document(replace(made_up, trials=trials))))
    assert report["trials"][0]["metrics"] == {"a": None, "b": None, "c": 1.0}


def test_epochs_of_a_learning_curve_that_are_not_finite_become_null(made_up: SearchRecord) -> None:
    trials = (replace(made_up.trials[0], curve={"val_loss": [0.5, math.nan]}), *made_up.trials[1:])
    text = to_json(build_document(replace(made_up, trials=trials)))
    assert json.loads(text)["trials"][0]["curve"] == {"val_loss": [0.5, None]}


def test_the_same_record_gives_the_same_report(made_up: SearchRecord) -> None:
    assert to_json(build_document(made_up)) == to_json(build_document(made_up_record()))


def test_a_search_that_has_just_begun_has_a_report(made_up: SearchRecord) -> None:
    begun = replace(made_up, state=SearchState.RUNNING, ended_at=None, trials=(), decisions=(), entries=(), measured=())
    report = json.loads(to_json(build_document(begun)))
    assert report["best"] is None
    assert report["pareto"] == []
    assert report["totals"]["emissions_g"] == 0
    assert report["measurement"]["pue"] is None


def test_a_search_without_any_intensity_counts_energy_and_no_grams() -> None:
    report = build_document(made_up_record(hours=6, unpriced=True))
    assert report.totals.unpriced_kwh == report.totals.energy_kwh > 0
    assert report.counterfactuals.carbon_blind_g is None
    assert report.totals.clean_share is None


def test_changes_leave_out_decisions_that_repeat(made_up: SearchRecord) -> None:
    lines = changes(build_document(made_up).decisions)
    slots = [(line.train_slots, line.score_slots) for line in lines]
    assert all(before != after for before, after in itertools.pairwise(slots))


def _trained(made_up: SearchRecord, number: int, key: str, fidelity: str, **metrics: float) -> Trial:
    template = next(t for t in made_up.trials if "val_accuracy" in t.metrics)
    return replace(
        template,
        number=number,
        key=key,
        fidelity=Fidelity(FidelityName(fidelity), 12),
        metrics={"params": 1.0, **metrics},
        state=TrialState.COMPLETED,
    )


def test_the_best_is_chosen_by_validation_and_never_by_test_accuracy(made_up: SearchRecord) -> None:
    trials = (
        _trained(made_up, 0, "a", "search", val_accuracy=0.90),
        _trained(made_up, 1, "b", "search", val_accuracy=0.92),
        _trained(made_up, 2, "a", "full", val_accuracy=0.99, test_accuracy=0.99),
        _trained(made_up, 3, "b", "full", val_accuracy=0.93, test_accuracy=0.80),
    )
    found = best(trials, made_up.objectives)
    assert found is not None
    assert (found.trial, found.architecture, found.metrics["test_accuracy"]) == (3, "b", 0.80)
    before = best(trials[:2], made_up.objectives)
    assert before is not None
    assert (before.trial, "test_accuracy" in before.metrics) == (1, False)


def test_the_front_holds_search_fidelity_only_and_leaves_out_values_that_are_not_numbers(made_up: SearchRecord) -> None:
    trials = (
        _trained(made_up, 0, "a", "search", val_accuracy=0.90, params=2.0),
        _trained(made_up, 1, "b", "search", val_accuracy=0.80, params=1.0),
        _trained(made_up, 2, "c", "search", val_accuracy=0.79, params=1.5),
        _trained(made_up, 3, "d", "search", val_accuracy=math.nan, params=0.5),
        _trained(made_up, 4, "a", "full", val_accuracy=0.95, params=0.1),
    )
    report = build_document(replace(made_up, trials=trials))
    assert [line.trial for line in report.pareto] == [0, 1]
    assert report.pareto[0].objectives == {"val_accuracy": 0.90, "params": 2.0}


def test_the_factors_that_a_mix_was_priced_with_are_named(make_record: MakeRecord) -> None:
    record = make_record([100, 200], [(OVERHEAD, 0, 1, 0.5), (OVERHEAD, 1, 2, 0.25)], hours=2)
    entries = []
    for entry in record.entries:
        said = entry.priced.intensity
        assert said is not None
        method = "IPCC AR5" if said.g_per_kwh == 100 else ""
        entries.append(replace(entry, priced=replace(entry.priced, intensity=replace(said, method=method))))
    report = build_document(replace(record, entries=tuple(entries)))
    assert {line.method: line.energy_kwh for line in report.provenance.priced} == {
        "IPCC AR5": pytest.approx(0.5),
        "": pytest.approx(0.25),
    }
    assert "(IPCC AR5)" in to_markdown(report)
