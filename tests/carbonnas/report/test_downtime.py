from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from carbon_sources.interval import Interval
from carbonnas.energy.meter import IDLE, Account, EnergySample, Owner
from carbonnas.record import SearchRecord, SearchState, StopReason
from carbonnas.report.clean_share import clean_share
from carbonnas.report.comparison import idle_note, in_words
from carbonnas.report.counterfactuals import counterfactuals
from carbonnas.report.document import build_document
from carbonnas.report.downtime import downtimes
from carbonnas.report.figure_data import decision_rows, downtime_rows, in_force_rows, ms
from carbonnas.report.figures import figures
from carbonnas.report.headline import headline
from carbonnas.report.render import ReportFormat, render
from carbonnas.report.testing import START

MakeRecord = Callable[..., SearchRecord]

MINUTE = timedelta(minutes=1)


def span(start: float, end: float) -> Interval:
    """Minutes after `START`."""
    return Interval(START + start * MINUTE, START + end * MINUTE)


def lived(record: SearchRecord, metered: Sequence[tuple[float, float]], *, ended: float | None) -> SearchRecord:
    """Return a search on the machine's clock that was metered at some minutes."""
    return replace(
        record,
        clock=None,
        started_at=START,
        ended_at=None if ended is None else START + ended * MINUTE,
        state=SearchState.RUNNING if ended is None else SearchState.STOPPED,
        stop_reason=None if ended is None else StopReason.CANCELLED,
        measured=tuple(EnergySample(span(*minutes), 1.0, 0.0, 0.0) for minutes in metered),
    )


def interrupted(made_up: SearchRecord) -> SearchRecord:
    """Return the made-up search as if nobody had worked on it from 10:00 to 12:00, though its ledger says otherwise."""
    without = [s for s in made_up.measured if s.interval.intersection(span(240, 360)) is None]
    return replace(made_up, clock=None, measured=tuple(without))


@given(
    metered=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=12),
    ended=st.one_of(st.none(), st.integers(240, 300)),
)
def test_downtime_is_all_of_a_life_that_no_reading_covers(
    made_up: SearchRecord, metered: list[tuple[int, int]], ended: int | None
) -> None:
    readings = sorted((start, start + length) for start, length in metered)
    found = downtimes(lived(made_up, readings, ended=ended))
    end = ended if ended is not None else max((until for _, until in readings), default=0)
    covered = {minute for start, until in readings for minute in range(start, until)}
    bare = [minute for minute in range(end) if minute not in covered]
    shown = [minute for minute in range(end) if any(s.contains(START + minute * MINUTE) for s in found)]
    assert set(shown) <= set(bare)
    # What is bare and not shown is a minute with readings on both sides.
    assert all({m - 1, m + 1}.isdisjoint(bare) for m in set(bare) - set(shown))
    assert all(before.end < after.start for before, after in itertools.pairwise(found))
    assert all(stretch.duration > MINUTE for stretch in found)


def test_a_life_begins_with_the_search_and_ends_with_it_or_with_the_last_reading(made_up: SearchRecord) -> None:
    assert downtimes(lived(made_up, [(10, 20)], ended=None)) == (span(0, 10),)
    assert downtimes(lived(made_up, [(10, 20)], ended=50)) == (span(0, 10), span(20, 50))
    assert downtimes(lived(made_up, [], ended=None)) == ()
    assert downtimes(lived(made_up, [], ended=7)) == (span(0, 7),)


def test_a_minute_is_no_downtime(made_up: SearchRecord) -> None:
    assert downtimes(lived(made_up, [(0, 5), (6, 9)], ended=10)) == ()
    assert downtimes(lived(made_up, [(0, 5), (6.1, 9)], ended=10)) == (span(5, 6.1),)


def test_time_that_stands_still_while_nobody_works_has_no_downtime(made_up: SearchRecord) -> None:
    record = lived(made_up, [(0, 5), (60, 70)], ended=70)
    assert len(downtimes(record)) == 1
    assert downtimes(replace(record, clock="Recorded time, replayed.")) == ()


def test_every_format_but_csv_says_how_long_nobody_worked_on_it(made_up: SearchRecord) -> None:
    # 2 h 30 min without a reading in three stretches: 40 + 90 + 20 minutes
    record = lived(made_up, [(0, 100), (140, 200), (290, 300)], ended=320)
    sentence = (
        "Nobody worked on it for 2 h 30 min in 3 stretches, the longest from 2024-05-01 09:20:00 UTC to 2024-05-01 10:50:00 UTC; "
        "nothing was drawn or counted then."
    )
    assert sentence in render(record, ReportFormat.MARKDOWN)
    assert sentence in render(record, ReportFormat.HTML)
    downtime = json.loads(render(record, ReportFormat.JSON))["downtime"]
    assert downtime["hours"] == 2.5
    assert downtime["stretches"][1] == {"start": "2024-05-01T09:20:00Z", "end": "2024-05-01T10:50:00Z"}
    rows = list(csv.DictReader(io.StringIO(render(record, ReportFormat.CSV))))
    assert len(rows) == len(record.trials)


def test_one_stretch_is_told_without_counting(made_up: SearchRecord) -> None:
    status = headline(build_document(lived(made_up, [(0, 100), (120, 200)], ended=200))).status
    assert status == (
        "Stopped on 2024-05-01 09:20:00 UTC after 3 h 20 min: a person cancelled it. Nobody worked on it for 20 min 0 s from "
        "2024-05-01 07:40:00 UTC to 2024-05-01 08:00:00 UTC; nothing was drawn or counted then."
    )


def test_a_search_that_was_always_worked_on_says_nothing_of_it(made_up: SearchRecord) -> None:
    record = replace(made_up, clock=None)
    assert "Nobody worked" not in render(record, ReportFormat.MARKDOWN)
    assert json.loads(render(record, ReportFormat.JSON))["downtime"] == {"hours": 0.0, "stretches": []}
    timeline = figures(record)[0]
    assert "shaded" not in timeline.caption
    assert '"rect"' not in json.dumps(timeline.chart.to_dict())


def test_the_other_schedules_say_that_they_have_no_downtime(made_up: SearchRecord) -> None:
    record = interrupted(made_up)
    found = counterfactuals(record)
    gone_on = "It goes on through the 2 h 0 min in which nobody worked on this search."
    assert gone_on in found.clairvoyant.how
    assert gone_on in found.carbon_blind.how
    assert "not its scheduler's alone" in in_words(build_document(record))
    assert "The 2 h 0 min in which nobody worked on it count as time without energy." in clean_share(record).how
    always = replace(made_up, clock=None)
    assert "nobody worked" not in counterfactuals(always).clairvoyant.how
    assert "alone." not in in_words(build_document(always))


def test_downtime_after_the_carbon_blind_schedule_is_none_of_its_business(make_record: MakeRecord) -> None:
    # one hour of work at once, then two hours of nothing
    record = make_record([100, 100, 100], [(Owner(Account.TRIAL, 0, 1), 0, 1, 0.1)], hours=3)
    found = counterfactuals(replace(record, clock=None))
    assert "nobody worked" not in found.carbon_blind.how
    assert "It goes on through the 2 h 0 min" in found.clairvoyant.how


def test_idle_energy_that_downtime_saved_is_not_said_to_be_saved_by_never_waiting(make_record: MakeRecord) -> None:
    # an hour of training after an hour of rest; then nobody, until it was cancelled two hours later
    drawn = [(IDLE, 0, 1, 0.01), (Owner(Account.TRIAL, 0, 1), 1, 2, 0.1)]
    rested = make_record([100] * 4, drawn, hours=2)
    assert "would have done the work by 2024-05-01 07:00:00 UTC" in idle_note(
        build_document(replace(rested, clock=None))
    )
    worked = make_record([100] * 4, drawn[1:], hours=4)
    # of four hours three are downtime: who never waits would have needed as long
    assert "may end sooner" in idle_note(build_document(replace(worked, clock=None)))


def test_the_timeline_shades_downtime_and_shows_no_plan_in_it(made_up: SearchRecord) -> None:
    record = interrupted(made_up)
    start, end = ms(START + 240 * MINUTE), ms(START + 360 * MINUTE)
    assert [(row["at"], row["until"]) for row in downtime_rows(record)] == [(start, end)]
    strips = [(int(str(row["at"])), int(str(row["until"]))) for row in in_force_rows(record)]
    assert all(until <= start or at >= end for at, until in strips)
    whole = [(int(str(row["at"])), int(str(row["until"]))) for row in decision_rows(record)]
    assert sum(until - at for at, until in strips) == sum(until - at for at, until in whole) - (end - start)
    timeline = figures(record)[0]
    assert "While it is shaded nobody worked on the search." in timeline.caption
    assert '"rect"' in json.dumps(timeline.chart.to_dict())
