"""What Prometheus reads: names follow its conventions, values come from the daemon's newest view.

Only searches that have not ended have figures of their own, so that their number stays bounded. Emissions are gauges: a revised
intensity may lower them, which a counter would tell as a restart. What is unknown is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from carbon_sources.health import HealthState
from carbonnas.architecture import stable_hash
from carbonnas.daemon.control import Control, DaemonView
from carbonnas.trials import TrialKind, TrialState
from carbonnas.web.api_answers import release
from carbonnas.web.shelf import Shelf

CONTENT_TYPE = CONTENT_TYPE_LATEST
_MOST_LABEL = 120
"""Longest value of a label, in characters."""


class Metrics:
    """The metrics of one daemon."""

    def __init__(self, control: Control, shelf: Shelf) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Views(control, shelf))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return all metrics in the text format."""
        return generate_latest(self._registry)


class _Views(Collector):
    def __init__(self, control: Control, shelf: Shelf) -> None:
        self._control = control
        self._shelf = shelf
        self._rest: tuple[frozenset[str], tuple[float, float]] | None = None

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: registering is no reason to look at the daemon."""
        return []

    def collect(self) -> Iterator[Metric]:
        view = self._control.view()
        for family in (_daemon, _ticks, _sources, _searches, _trials, _budgets):
            yield from family(view)
        yield from self._totals(view)

    def _totals(self, view: DaemonView) -> Iterator[Metric]:
        """Return the sums over all searches of the store; those that have ended are summed again when another one has."""
        live = {search.header.search_id: search.status.totals for search in view.searches if search.status is not None}
        ids = frozenset(live)
        if self._rest is None or self._rest[0] != ids:
            self._rest = ids, self._shelf.totals(without=ids)
        energy_j, emissions_g = self._rest[1]
        grams = emissions_g + sum(totals.emissions_g for totals in live.values())
        joules = energy_j + sum(totals.energy_j for totals in live.values())
        yield GaugeMetricFamily("carbonnas_emissions_grams", "Grams of CO2 equivalent of all searches ever.", grams)
        yield CounterMetricFamily("carbonnas_energy_joules", "Energy of all searches ever.", joules)


def _daemon(view: DaemonView) -> Iterator[Metric]:
    yield InfoMetricFamily("carbonnas_build", "Release of carbonnas.", {"version": release()})
    yield GaugeMetricFamily("carbonnas_ready", "Whether the daemon is ready and ticks on time.", float(view.ready))
    started = view.started_at.timestamp()
    yield GaugeMetricFamily("carbonnas_start_time_seconds", "When the daemon started, Unix time.", started)
    yield GaugeMetricFamily("carbonnas_slots", "Slots of the machine.", float(view.slots))
    granted = float(sum(search.granted for search in view.searches))
    yield GaugeMetricFamily("carbonnas_slots_granted", "Slots that searches may use at the moment.", granted)
    phases = GaugeMetricFamily("carbonnas_searches", "Searches that have not ended, by phase.", labels=["phase"])
    for phase, number in Counter(search.phase for search in view.searches).items():
        phases.add_metric([phase.value], number)
    yield phases
    decisions = CounterMetricFamily(
        "carbonnas_decisions", "Decisions of schedulers since the start, by reason.", labels=["reason"]
    )
    for reason, number in view.decisions.items():
        decisions.add_metric([_label(reason)], number)
    yield decisions


def _ticks(view: DaemonView) -> Iterator[Metric]:
    yield CounterMetricFamily("carbonnas_ticks", "Ticks since the start.", float(view.ticks.count))
    durations = GaugeMetricFamily(
        "carbonnas_tick_duration_seconds", "How long the newest ticks took, at most a thousand.", labels=["quantile"]
    )
    durations.add_metric(["0.5"], view.ticks.median_s)
    durations.add_metric(["0.99"], view.ticks.p99_s)
    yield durations


def _sources(view: DaemonView) -> Iterator[Metric]:
    intensity = _by_source("carbonnas_intensity_g_per_kwh", "Present carbon intensity; absent while unknown.")
    error = _by_source(
        "carbonnas_forecast_error_ratio",
        "Mean absolute percentage error of the day-ahead forecast over 24 h, 0.1 is 10 %.",
    )
    up = _by_source("carbonnas_source_up", "Whether the source serves as it should: 1, or 0.")
    health = _by_source("carbonnas_source_health", "1 for the state of health that holds, 0 for the others.", "state")
    age = _by_source("carbonnas_source_newest_value_age_seconds", "Since when the newest value has been over.")
    for grid in view.grids:
        name = _label(grid.name)
        if grid.observation.current is not None:
            intensity.add_metric([name], grid.observation.current.g_per_kwh)
        if grid.forecast_error is not None:
            error.add_metric([name], grid.forecast_error)
        up.add_metric([name], float(grid.health.state is HealthState.OK))
        for state in HealthState:
            health.add_metric([name, state.value], float(grid.health.state is state))
        if grid.health.age is not None:
            age.add_metric([name], grid.health.age.total_seconds())
    yield from (intensity, error, up, health, age)


def _by_source(name: str, help_text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, labels=["source", *more])


def _searches(view: DaemonView) -> Iterator[Metric]:
    emissions = GaugeMetricFamily(
        "carbonnas_search_emissions_grams", "Grams of CO2 equivalent of a search's priced energy.", labels=["search"]
    )
    energy = CounterMetricFamily("carbonnas_search_energy_joules", "Energy of a search.", labels=["search"])
    unpriced = GaugeMetricFamily(
        "carbonnas_search_unpriced_energy_joules", "Energy of a search whose intensity is unknown.", labels=["search"]
    )
    known = [(search.header.search_id, search.status.totals) for search in view.searches if search.status is not None]
    for search_id, totals in known:
        emissions.add_metric([_label(search_id)], totals.emissions_g)
        energy.add_metric([_label(search_id)], totals.energy_j)
        unpriced.add_metric([_label(search_id)], totals.unpriced_j)
    yield from (emissions, energy, unpriced)


def _trials(view: DaemonView) -> Iterator[Metric]:
    numbers: Counter[tuple[TrialKind, TrialState]] = Counter()
    for search in view.searches:
        if search.status is not None:
            numbers.update(dict(search.status.counts))
    trials = GaugeMetricFamily(
        "carbonnas_trials", "Trials of the searches that have not ended, by kind and state.", labels=["kind", "state"]
    )
    for kind in TrialKind:
        for state in TrialState:
            trials.add_metric([kind.value, state.value], numbers[kind, state])
    yield trials


def _budgets(view: DaemonView) -> Iterator[Metric]:
    grams: tuple[tuple[str, str, Callable[..., float]], ...] = (
        ("limit", "What may be emitted in the budget's window.", lambda state: state.budget.limit_g),
        (
            "spent",
            "Emissions in the window; unpriced energy counts with what is expected at most.",
            lambda s: s.spent_g,
        ),
        ("reserved", "Upper estimates of the work that is running.", lambda state: state.reserved_g),
        ("remaining", "Surely neither spent nor reserved; below zero after an overshoot.", lambda s: s.remaining_g),
    )
    for name, help_text, value in grams:
        family = GaugeMetricFamily(f"carbonnas_budget_{name}_grams", help_text, labels=["budget"])
        for budget in view.budgets:
            family.add_metric([_label(budget.name)], value(budget.state))
        yield family


def _label(value: str) -> str:
    """Return a name as it is, or its beginning and a hash: two that begin alike must stay apart."""
    return value if len(value) <= _MOST_LABEL else f"{value[: _MOST_LABEL - 17]}~{stable_hash(value):016x}"
