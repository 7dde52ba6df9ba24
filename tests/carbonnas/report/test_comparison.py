from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from carbonnas.emissions import EmissionEntry
from carbonnas.energy.meter import IDLE, Account, Owner
from carbonnas.record import SearchRecord
from carbonnas.report.cells import trial_emissions, trial_energy
from carbonnas.report.comparison import idle_note, in_words, schedules, trials_alone
from carbonnas.report.document import build_document, trial_lines
from carbonnas.report.headline import headline
from carbonnas.report.model import ReportDocument
from carbonnas.report.render import ReportFormat, render
from carbonnas.trials import TrialState

MakeRecord = Callable[..., SearchRecord]


def _waited(make: MakeRecord) -> ReportDocument:
    # waited an hour at 400 g/kWh and worked at 100 g/kWh, drawing 0.1 kWh of idle energy in the first hour
    drawn = [(IDLE, 0, 1, 0.1), (Owner(Account.TRIAL, 0, 1), 1, 2, 0.1)]
    return build_document(make([400, 100], drawn, hours=2))


def test_the_percentages_compare_the_trials_alone(make_record: MakeRecord) -> None:
    # trials: 0.1 kWh * 100 here, 0.1 kWh * 400 carbon-blind; with idle energy (40 g) it would be 50 g against 80 g
    document = _waited(make_record)
    assert trials_alone(document) == (
        "Trials alone: 10.0 g here, 40.0 g carbon-blind (75.0 % less here), 10.0 g with perfect foresight (as much here)."
    )
    blind, clairvoyant = headline(document).facts[3:5]
    assert (blind.value, blind.note) == ("40.0 g", "10.0 g here, 75.0 % less")
    assert (clairvoyant.value, clairvoyant.note) == ("10.0 g", "10.0 g here, as much")
    assert [(row.trials, row.whole) for row in schedules(document)] == [
        ("10.0 g", "50.0 g"),
        ("40.0 g", "80.0 g"),
        ("10.0 g", "50.0 g"),
    ]


def test_the_idle_energy_of_waiting_is_said_with_the_end_of_a_search_that_never_waits(make_record: MakeRecord) -> None:
    assert idle_note(_waited(make_record)) == (
        "Idle energy (40.0 g) is the same in all three schedules, although a search that never waits would have done the work by "
        "2024-05-01 07:00:00 UTC and drawn less of it."
    )


def test_no_end_is_named_for_a_search_that_never_waited(make_record: MakeRecord) -> None:
    document = build_document(make_record([100], [(Owner(Account.TRIAL, 0, 1), 0, 1, 0.1)], hours=1))
    assert "UTC" not in idle_note(document)


def test_without_prices_nothing_is_compared(make_record: MakeRecord) -> None:
    document = build_document(make_record([None], [(Owner(Account.TRIAL, 0, 1), 0, 1, 0.1)], hours=1))
    assert in_words(document) == "No comparison can be made; the table says why."
    assert [fact.value for fact in headline(document).facts[3:5]] == ["unknown", "unknown"]


def test_modelled_energy_is_not_called_measured(made_up: SearchRecord) -> None:
    counted = replace(made_up, measurement=replace(made_up.measurement, modelled=False))
    notes = [headline(build_document(record)).facts[2].note for record in (made_up, counted)]
    assert notes == ["modelled, not read from counters", "measured"]


def test_completed_work_without_energy_was_too_short_for_the_meter_and_not_free(made_up: SearchRecord) -> None:
    done = replace(next(t for t in trial_lines(made_up) if t.state is TrialState.COMPLETED), energy_kwh=0.0)
    assert (trial_energy(done), trial_emissions(done)) == ("below the meter's resolution", "–")
    queued = replace(done, state=TrialState.QUEUED, emissions_g=0.0)
    assert (trial_energy(queued), trial_emissions(queued)) == ("0 kWh", "0 g")
    record = replace(made_up, entries=())
    assert "below the meter's resolution" in render(record, ReportFormat.MARKDOWN)
    assert "below the meter&#39;s resolution" in render(record, ReportFormat.HTML)


@pytest.mark.parametrize("format_", [ReportFormat.HTML, ReportFormat.MARKDOWN])
def test_the_line_of_energy_without_intensity_is_shown_only_if_there_is_any(
    made_up: SearchRecord, format_: ReportFormat
) -> None:
    assert "no intensity known" not in render(made_up, format_)
    assert "no intensity known" in render(replace(made_up, entries=_unpriced(made_up)), format_)


def _unpriced(record: SearchRecord) -> tuple[EmissionEntry, ...]:
    last = record.entries[-1]
    return (*record.entries[:-1], replace(last, priced=replace(last.priced, intensity=None)))
