"""What Prometheus reads, and what supervisors ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from carbon_sources.health import Health, HealthState
from carbonnas.daemon.control import DaemonView, TickTimes
from carbonnas.web.metrics import Metrics
from carbonnas.web.shelf import Shelf
from tests.carbonnas.web.sketch import DAEMON_BUDGET, SketchControl, World, daemon_view

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def read(control: SketchControl, shelf: Shelf) -> Samples:
    text = Metrics(control, shelf).text().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def samples(control: SketchControl, shelf: Shelf) -> Samples:
    return read(control, shelf)


def test_the_figures_of_the_view_are_told(samples: Samples, world: World, control: SketchControl) -> None:
    status, search, source = world.status, world.active.search_id, control.view().grids[0].name
    assert status.observation.current is not None
    expected: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {
        ("carbonnas_ready", ()): 1,
        ("carbonnas_slots", ()): 4,
        ("carbonnas_slots_granted", ()): 2,
        ("carbonnas_searches", (("phase", "running"),)): 1,
        ("carbonnas_decisions_total", (("reason", "clean"),)): 12,
        ("carbonnas_ticks_total", ()): 1000,
        ("carbonnas_tick_duration_seconds", (("quantile", "0.99"),)): 0.015,
        ("carbonnas_intensity_g_per_kwh", (("source", source),)): status.observation.current.g_per_kwh,
        ("carbonnas_forecast_error_ratio", (("source", source),)): 0.082,
        ("carbonnas_source_up", (("source", source),)): 1,
        ("carbonnas_source_health", (("source", source), ("state", "blind"))): 0,
        ("carbonnas_source_newest_value_age_seconds", (("source", source),)): 1200,
        ("carbonnas_search_emissions_grams", (("search", search),)): status.totals.emissions_g,
        ("carbonnas_search_energy_joules_total", (("search", search),)): status.totals.energy_j,
        ("carbonnas_trials", (("kind", "train"), ("state", "running"))): 2,
        ("carbonnas_trials", (("kind", "train"), ("state", "failed"))): 0,
        ("carbonnas_budget_limit_grams", (("budget", DAEMON_BUDGET),)): 2000,
        ("carbonnas_budget_spent_grams", (("budget", DAEMON_BUDGET),)): 1700,
        ("carbonnas_budget_reserved_grams", (("budget", DAEMON_BUDGET),)): 125,
        ("carbonnas_budget_remaining_grams", (("budget", DAEMON_BUDGET),)): 2000 - 1700 - 125,
    }
    assert {key: samples[key] for key in expected} == pytest.approx(expected)


def test_the_totals_hold_every_search_whether_it_has_ended_or_not(
    control: SketchControl, shelf: Shelf, world: World
) -> None:
    ended, live = shelf.details(world.ended).summary.totals, world.status.totals
    metrics = Metrics(control, shelf)
    for _ in range(2):
        assert f"\ncarbonnas_emissions_grams {ended.emissions_g + live.emissions_g}\n" in metrics.text().decode()
    total = ended.energy_j + live.energy_j
    assert read(control, shelf)["carbonnas_energy_joules_total", ()] == pytest.approx(total)
    control.cancel(world.active.search_id)
    left = shelf.details(world.active.search_id).summary.totals  # as its last step left it
    assert f"\ncarbonnas_emissions_grams {ended.emissions_g + left.emissions_g}\n" in metrics.text().decode()


def test_what_is_unknown_is_absent_and_never_zero(control: SketchControl, shelf: Shelf, world: World) -> None:
    grid = control.view().grids[0]
    blind = Health(HealthState.BLIND, (), None, None, 1, world.status.now, None)
    unknown = replace(grid.observation, current=None, forecast=None)

    def look_away(view: DaemonView) -> DaemonView:
        hidden = replace(grid, health=blind, observation=unknown, forecast_error=None)
        return replace(view, grids=(hidden,), searches=(replace(view.searches[0], status=None),))

    control.change(look_away)
    seen = read(control, shelf)
    names = {name for name, _ in seen}
    assert seen["carbonnas_source_up", (("source", grid.name),)] == 0
    assert names.isdisjoint(
        {
            "carbonnas_intensity_g_per_kwh",
            "carbonnas_forecast_error_ratio",
            "carbonnas_source_newest_value_age_seconds",
            "carbonnas_search_emissions_grams",
        }
    )


def test_names_and_units_follow_the_conventions(control: SketchControl, shelf: Shelf) -> None:
    text = Metrics(control, shelf).text().decode()
    for family in text_string_to_metric_families(text):
        assert re.fullmatch(r"(carbonnas|process)_[a-z0-9_]+", family.name), family.name
        assert family.documentation
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")


@pytest.mark.parametrize("name", ['"}\n# EOF\nevil 1', "\\", "<script>", "x" * 500, "\u2028\0"])
def test_a_hostile_name_stays_one_label_of_bounded_length(name: str, control: SketchControl, shelf: Shelf) -> None:
    def rename(view: DaemonView) -> DaemonView:
        first, second = (replace(view.grids[0], name=name + end) for end in ("a", "b"))
        return replace(view, grids=(first, second))

    control.change(rename)
    told = [dict(labels)["source"] for metric, labels in read(control, shelf) if metric == "carbonnas_source_up"]
    assert len(set(told)) == 2
    assert all(len(value) <= 120 for value in told)
    if len(name) < 100:
        assert set(told) == {name + "a", name + "b"}


def test_metrics_are_served_as_text(reader: httpx.Client) -> None:
    answer = reader.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "carbonnas_build_info{" in answer.text


@pytest.mark.parametrize(
    ("changes", "lives", "ready"),
    [
        ({}, 200, 200),
        ({"ready": False, "trouble": "it takes over", "ticks": TickTimes(0, 0.0, 0.0, 0.0)}, 200, 503),
        ({"ready": False, "trouble": "no tick for 90 s"}, 503, 503),
        ({"stopping": True}, 200, 503),
        ({"trouble": "the backup failed"}, 200, 200),
    ],
)
def test_supervisors_are_told_whether_it_lives_and_is_ready(
    changes: dict[str, object], lives: int, ready: int, reader: httpx.Client, control: SketchControl, world: World
) -> None:
    control.change(lambda _: replace(daemon_view(world), **changes))  # type: ignore[arg-type] # names of its fields
    answers = [reader.get("/healthz"), reader.get("/readyz")]
    assert [answer.status_code for answer in answers] == [lives, ready]
    for answer in answers:
        trouble = changes.get("trouble", "the daemon is stopping")
        assert answer.json() == ({"status": "ok"} if answer.status_code == 200 else {"detail": trouble})
