"""What the pages say in sentences: why a search does what it does, what a grid is like, how a budget stands."""

from __future__ import annotations

from datetime import datetime, timedelta

from carbon_sources.health import HealthState
from carbon_sources.intensity import Forecast, IntensitySample
from carbonnas.daemon.control import BudgetView, EndedWindow, GridView, Phase, SearchView
from carbonnas.record import SearchState, StopReason
from carbonnas.report.formatting import UNKNOWN, grams, percent, spent
from carbonnas.report.headline import STOPPED
from schedulers.budget import AtLimit, Window
from schedulers.decision import Decision

_AHEAD = timedelta(days=1)
_ROUNDED = 1 + 1e-9

PHASES = {
    Phase.QUEUED: "waiting for a slot",
    Phase.OPENING: "opening",
    Phase.RUNNING: "running",
    Phase.PAUSED: "paused",
    Phase.FAILING: "failing",
    Phase.ENDED: "ended",
}

_BESIDE_DECISIONS = {
    Phase.QUEUED: "It waits for a slot of the machine.",
    Phase.OPENING: "It is made ready: plug-ins are imported and workers started.",
    Phase.PAUSED: "A person has paused it.",
}

HEALTHS = {HealthState.OK: "serves well", HealthState.DEGRADED: "needs a look", HealthState.BLIND: "blind"}

_WINDOWS = {
    Window.SEARCH: "for the whole search",
    Window.DAY: "a day",
    Window.WEEK: "a week",
    Window.MONTH: "a month",
    Window.TOTAL: "in total",
}

_AT_LIMIT = {
    AtLimit.STOP: "At the limit work stops for good.",
    AtLimit.SCORE_ONLY: "At the limit trainings end and scorings spend what is left.",
    AtLimit.WAIT: "At the limit work waits for the next window.",
}


def sentence(text: str) -> str:
    """Return a text that begins with a capital letter and ends with a stop."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def lasting(span: timedelta) -> str:
    """Return a length of time in its two largest units, seconds only below a minute."""
    seconds = max(0, round(span.total_seconds()))
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    first = next((place for place, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return f"{seconds} s"
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def action(decision: Decision) -> str:
    """Return what a decision lets the slots do."""
    parts = [
        f"{verb} on up to {count} {'slot' if count == 1 else 'slots'}"
        for verb, count in (("trains", decision.train_slots), ("scores", decision.score_slots))
        if count
    ]
    return sentence(" and ".join(parts) or "rests")[:-1]


def why(view: SearchView) -> str:
    """Return what a search that has not ended does, and why."""
    if view.phase is Phase.FAILING:
        return f"It can't run and is tried again. {sentence(view.problem or 'the reason is unknown')}"
    if view.phase is Phase.QUEUED and view.granted:
        return "It waits until other searches have been opened."
    if view.phase in _BESIDE_DECISIONS:
        return _BESIDE_DECISIONS[view.phase]
    if view.status is None:
        return "It is about to begin."
    decision = view.status.decision
    if decision is None:
        return "Nothing was decided yet."
    told = sentence(f"{action(decision)}: {decision.reason.text}")
    plan = view.status.looking or view.status.exhausted
    return told if plan is None else f"{told} {plan}"


def ended(state: SearchState, reason: StopReason | None) -> str:
    """Return how a search ended."""
    word = "Completed" if state is SearchState.COMPLETED else "Stopped"
    return f"{word}: {STOPPED[reason]}." if reason else f"{word}."


def intensity(sample: IntensitySample | None) -> str:
    """Return an intensity with its unit, or that it is unknown."""
    return UNKNOWN if sample is None else f"{sample.g_per_kwh:.0f} g/kWh"


def provenance(sample: IntensitySample) -> str:
    """Return what kind of value an intensity is, where, and who says so."""
    return f"{sample.provenance.value}, {sample.kind.value}, {sample.basis.value}, zone {sample.zone}, told by {sample.source}"


def age(grid: GridView) -> str:
    """Return how old the newest value is."""
    if grid.health.age is None:
        return "There is no value yet."
    if grid.health.age <= timedelta(0):
        return "The newest value covers the present."
    return f"The newest value ended {lasting(grid.health.age)} ago."


def expectation(grid: GridView) -> str:
    """Return what is expected of the next day: the band, and its cleanest hour."""
    observation = grid.observation
    ahead = _ahead(observation.forecast, observation.now)
    if not ahead:
        return "Nothing is known of the hours to come."
    low, high = min(each[1] for each in ahead), max(each[2] for each in ahead)
    cleanest = min(ahead, key=lambda each: each[0].g_per_kwh)[0]
    band = f"{low:.0f} g/kWh" if round(low) == round(high) else f"{low:.0f} to {high:.0f} g/kWh"
    told = f"Expected in the next 24 h: {band}"
    if round(cleanest.g_per_kwh) == round(max(each[0].g_per_kwh for each in ahead)):
        return f"{told}, the same at all hours."
    start = max(cleanest.interval.start, observation.now)
    return f"{told}; the cleanest stretch begins at {start:%H:%M} UTC with about {cleanest.g_per_kwh:.0f} g/kWh."


def _ahead(forecast: Forecast | None, now: datetime) -> list[tuple[IntensitySample, float, float]]:
    """Return the samples of the next day with their lowest and highest quantile, or themselves where there are none."""
    if forecast is None:
        return []
    return [
        (each, *((ends[0], ends[-1]) if ends else (each.g_per_kwh, each.g_per_kwh)))
        for each, ends in zip(forecast.series, forecast.quantiles or ((),) * len(forecast.series), strict=True)
        if each.interval.end > now and each.interval.start < now + _AHEAD
    ]


def forecast_error(share: float | None) -> str:
    """Return how wrong forecasts were."""
    if share is None:
        return "unknown: nothing can be compared yet"
    return f"{percent(share)} on average over the last 24 h, as forecast a day before"


def limit(view: BudgetView) -> str:
    """Return the limit of a budget with its window."""
    return f"{grams(view.state.budget.limit_g)} {_WINDOWS[view.state.budget.window]}"


def scope(view: BudgetView) -> str:
    """Return whose emissions a budget counts."""
    if view.search_id is not None:
        return "one search"
    return "all searches" if view.label is None else f"searches with the label {view.label}"


def why_over(window: EndedWindow) -> str:
    """Return why more was emitted in a window that has ended than was allowed, as far as the daemon knows."""
    state, at_end_g = window.state, window.at_end_g
    counted_g, unsure_g = state.spent_g + state.doubt_g, state.unpriced_g + state.doubt_g
    if at_end_g is None:
        told = "The daemon did not run when it ended, or was started anew since: how it stood then is not known."
    elif at_end_g <= state.budget.limit_g:
        told = f"Prices came later: when it ended, {spent(at_end_g, state.budget.limit_g)} counted."
    elif at_end_g * _ROUNDED < counted_g:
        told = f"It was over when it ended, with {grams(at_end_g)}, and prices that came later added to that."
    else:
        told = "It was over when it ended."
    if unsure_g > 0:
        told += f" Up to {grams(unsure_g)} of it are for energy that has no price yet."
    return told


def at_limit(view: BudgetView) -> str:
    """Return what happens at the limit of a budget."""
    return _AT_LIMIT[view.state.budget.at_limit]
