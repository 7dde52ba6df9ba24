from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import vl_convert

from carbonnas.emissions import totals
from carbonnas.objectives.objective import Objective
from carbonnas.record import SearchRecord
from carbonnas.report.charts import front
from carbonnas.report.document import build_document, trial_lines
from carbonnas.report.figure_data import (
    MOST_MARKS,
    cumulative_rows,
    front_rows,
    intensity_rows,
    lane_rows,
    ms,
    progress_rows,
    shown,
    trial_rows,
)
from carbonnas.report.figures import figures
from carbonnas.report.slot_time import stays
from carbonnas.report.testing import made_up_record
from carbonnas.trials import FidelityName, TrialState


def _begun(record: SearchRecord) -> SearchRecord:
    return replace(record, ended_at=None, trials=(), decisions=(), entries=(), measured=(), budgets=())


@pytest.mark.parametrize("begun", [False, True], ids=["done", "begun"])
def test_every_figure_compiles(*, made_up: SearchRecord, begun: bool) -> None:
    drawn = figures(_begun(made_up) if begun else made_up)
    assert [figure.name for figure in drawn] == ["timeline", "emissions", "progress", "front", "trials"]
    for figure in drawn:
        assert vl_convert.vegalite_to_vega(figure.chart.to_dict())["marks"]


def test_figures_are_the_same_each_time(made_up: SearchRecord) -> None:
    once, again = ([json.dumps(f.chart.to_dict()) for f in figures(made_up)] for _ in range(2))
    assert once == again


def test_one_objective_has_no_front(made_up: SearchRecord) -> None:
    single = replace(made_up, objectives=(Objective.parse("maximize val_accuracy"),))
    assert "front" not in [figure.name for figure in figures(single)]
    with pytest.raises(ValueError, match="needs two objectives"):
        front(single)


def test_cumulative_emissions_end_at_the_total_and_never_fall(made_up: SearchRecord) -> None:
    rows = cumulative_rows(made_up)
    last = max(str(row["at"]) for row in rows)
    at_end = sum(float(str(row["g"])) for row in rows if str(row["at"]) == last)
    assert at_end == pytest.approx(totals(made_up.entries).emissions_g, rel=1e-9)
    for account in ("trainings", "scorings", "overhead", "idle"):
        values = [float(str(row["g"])) for row in rows if row["account"] == account]
        assert values == sorted(values)


def _drawn(record: SearchRecord, name: str) -> tuple[str, str]:
    (figure,) = (figure for figure in figures(record) if figure.name == name)
    return json.dumps(figure.chart.to_dict()["layer"] if name == "progress" else figure.chart.to_dict()), figure.caption


def test_a_legend_names_only_what_is_drawn(made_up: SearchRecord) -> None:
    spec, caption = _drawn(made_up, "progress")
    assert '"domain": ["search", "full"]' in spec
    assert "Final trainings" in caption
    candidates = tuple(t for t in made_up.trials if t.fidelity.name is not FidelityName.FULL)
    spec, caption = _drawn(replace(made_up, trials=candidates), "progress")
    assert '"domain": ["search"]' in spec
    assert "Final trainings" not in caption
    assert "failures" in _drawn(made_up, "trials")[1]
    done = tuple(t for t in made_up.trials if t.state is not TrialState.FAILED)
    spec, caption = _drawn(replace(made_up, trials=done), "trials")
    assert "failed" not in spec
    assert "failures" not in caption


def test_hours_that_cross_midnight_have_dates(made_up: SearchRecord) -> None:
    assert "utcFormat(datum.value, '%-d %b')" in _drawn(made_up, "timeline")[0]
    assert "utcFormat" not in _drawn(made_up_record(hours=12), "timeline")[0]


def test_the_caption_says_what_passed_before_the_first_decision_on_a_clock_that_is_not_the_machines(
    made_up: SearchRecord,
) -> None:
    late = replace(made_up, decisions=tuple(replace(d, time=d.time + timedelta(hours=2)) for d in made_up.decisions))
    assert "The 2 h 0 min before the first decision passed" in _drawn(late, "timeline")[1]
    assert "before the first" not in _drawn(replace(late, clock=None), "timeline")[1]
    assert "before the first" not in _drawn(made_up, "timeline")[1]


def test_a_gap_in_the_intensity_starts_a_new_line(made_up: SearchRecord) -> None:
    samples = made_up.intensities.samples
    gapped = replace(made_up, intensities=type(made_up.intensities)((*samples[:5], *samples[8:])))
    assert {row["run"] for row in intensity_rows(made_up)} == {0}
    assert {row["run"] for row in intensity_rows(gapped)} == {0, 1}


def test_the_best_so_far_follows_the_direction_of_the_objective(made_up: SearchRecord) -> None:
    smallest = replace(made_up, objectives=(Objective.parse("minimize params"),))
    line = [float(str(row["best"])) for row in progress_rows(smallest) if "best" in row]
    assert line == sorted(line, reverse=True)
    assert line[-1] == min(t.metrics["params"] for t in made_up.trials if t.fidelity.name == "search" and t.metrics)


def test_bars_of_very_many_trials_are_put_together_without_losing_a_gram(made_up: SearchRecord) -> None:
    lines = trial_lines(made_up)
    many = tuple(replace(lines[n % len(lines)], id=n) for n in range(5 * MOST_MARKS))
    rows = trial_rows(many)
    assert len(rows) <= 3 * MOST_MARKS
    drawn = sum(float(str(row["high"])) - float(str(row["low"])) for row in rows)
    assert drawn == pytest.approx(sum(line.emissions_g or 0.0 for line in many))


def test_a_search_without_prices_is_drawn_over_time() -> None:
    record = made_up_record(hours=12, unpriced=True)
    (chart,) = (figure.chart for figure in figures(record) if figure.name == "progress")
    assert "time (UTC)" in json.dumps(chart.to_dict())
    assert trial_rows(trial_lines(record)) == []


def test_decisions_at_the_very_end_are_not_drawn_backwards(made_up: SearchRecord) -> None:
    late = replace(made_up.decisions[-1], time=made_up.decisions[-1].time + timedelta(days=1))
    record = replace(made_up, decisions=(*made_up.decisions, late))
    for figure in figures(record):
        assert vl_convert.vegalite_to_vega(figure.chart.to_dict())["marks"]


def test_very_many_stays_are_glued_over_the_whole_time_and_points_thinned_but_for_the_best() -> None:
    record = made_up_record(hours=24 * 8, slots=5)
    lanes, points, plane = lane_rows(record), progress_rows(record), front_rows(record)
    assert len(stays(record.entries)) > MOST_MARKS > len(lanes)
    assert max(int(str(row["until"])) for row in lanes) == ms(shown(record).end)
    assert sum(row["front"] == "Pareto front" for row in plane) == len(build_document(record).pareto)
    best = max(trial.metrics.get("val_accuracy", 0.0) for trial in record.trials if trial.fidelity.name == "search")
    assert best in [row["value"] for row in points]
