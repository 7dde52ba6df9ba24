"""A search whose grid is unknown for hours: it acts on the forecast, says so, and prices nothing by it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from carbonnas.driver import run_search
from carbonnas.record import SearchRecord, StopReason
from carbonnas.testing.searches import STARTS_AT, write_simulated_search
from schedulers.decision import ReasonCode

HOUR = timedelta(hours=1)
GAP = (STARTS_AT + 6 * HOUR, STARTS_AT + 20 * HOUR)


def run_with_gap(folder: Path, forecaster: str) -> SearchRecord:
    """Run a search on a trace that follows the sun and knows nothing from 6:00 to 20:00 of the first day."""
    path = write_simulated_search(folder, rounds=8, forecaster={"use": forecaster})
    trace = folder / "trace.csv"
    header, *rows = trace.read_text(encoding="utf-8").splitlines()
    first, last = (f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in GAP)
    kept = [row for row in rows if not first <= row.split(",")[0] < last]
    trace.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return run_search(path.read_text(encoding="utf-8"), folder / "state", folder=folder)


def test_while_blind_decisions_follow_the_forecast_and_say_so(tmp_path: Path) -> None:
    record = run_with_gap(tmp_path, "seasonal")
    assert record.stop_reason is StopReason.PLAN_DONE
    blind = [made for made in record.decisions if GAP[0] <= made.time < GAP[1]]
    assert {made.intensity_g_per_kwh for made in blind} == {None}
    assert all("(unknown; forecast: seasonal)" in made.decision.reason.text for made in blind)
    # The week before had 100 g/kWh at noon, so training is as welcome there as if it were known.
    assert {ReasonCode.CLEAN, ReasonCode.DIRTY} <= {made.decision.reason.code for made in blind}
    noon = [made for made in blind if made.time.hour in {11, 12, 13}]
    assert all(made.decision.reason.code is ReasonCode.CLEAN for made in noon)


def test_energy_drawn_while_blind_is_never_priced_with_a_forecast(tmp_path: Path) -> None:
    record = run_with_gap(tmp_path, "seasonal")
    inside = [e for e in record.entries if GAP[0] <= e.priced.sample.interval.start < GAP[1]]
    assert inside
    assert {e.emissions_g for e in inside} == {None}
    priced = [e.priced.intensity for e in record.entries if e.priced.intensity is not None]
    assert not any(sample.source.startswith("forecast") for sample in priced)


def test_a_forecaster_changes_nothing_while_the_grid_is_known(tmp_path: Path) -> None:
    records = []
    for name in ("seasonal", "persistence"):
        folder = tmp_path / name
        path = write_simulated_search(folder, forecaster={"use": name})
        records.append(run_search(path.read_text(encoding="utf-8"), folder / "state", folder=folder))
    one, other = records
    assert one.decisions == other.decisions
    assert [e.emissions_g for e in one.entries] == [e.emissions_g for e in other.entries]
