"""What is read from an answer of Electricity Maps, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carbon_sources.answers.electricity_maps import Granularity, Question, parse_forecast, parse_latest, parse_rows
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance

HOUR = timedelta(hours=1)


QUESTION = Question(Identity("electricity_maps", "DE", IntensityKind.AVERAGE, Basis.DIRECT), True, Granularity.HOURLY)  # noqa: FBT003
ROW = {"zone": "DE", "carbonIntensity": 75, "datetime": "2026-08-22T17:00:00.000Z", "emissionFactorType": "direct"}


@pytest.mark.parametrize(
    ("row", "provenance"),
    [
        ({"isEstimated": False}, Provenance.MEASURED),
        ({"isEstimated": False, "estimationMethod": "MEASURED"}, Provenance.MEASURED),
        ({"isEstimated": False, "estimationMethod": "TIME_SLICER_AVERAGE"}, Provenance.ESTIMATED),
        ({"isEstimated": True}, Provenance.ESTIMATED),
        ({"isEstimated": "false"}, Provenance.ESTIMATED),
        ({}, Provenance.ESTIMATED),
    ],
    ids=str,
)
def test_only_a_clear_no_to_estimated_makes_a_value_measured(row: dict[str, object], provenance: Provenance) -> None:
    assert [s.provenance for s in parse_latest(ROW | row, QUESTION).parsed.samples] == [provenance]


def test_an_old_row_without_granularity_is_an_hour_where_hours_were_asked_for() -> None:
    sample = parse_rows({"zone": "DE", "history": [ROW]}, QUESTION).parsed.samples[0]
    assert sample.interval.duration == HOUR
    finer = Question(QUESTION.identity, True, Granularity.FIVE_MINUTES)  # noqa: FBT003 -- flow-traced
    with pytest.raises(SourceAnswerError, match="temporalGranularity"):
        parse_rows({"zone": "DE", "data": [ROW]}, finer)


def test_an_answer_that_does_not_say_what_it_counts_is_remarked_on() -> None:
    row = {key: value for key, value in ROW.items() if key != "emissionFactorType"}
    production = Question(QUESTION.identity, False, Granularity.HOURLY)  # noqa: FBT003 -- flow-traced
    remarks = parse_latest(row, production).parsed.remarks
    assert any("direct" in remark for remark in remarks)
    assert any("imports" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"emissionFactorType": "lifecycle"}, "with lifecycle emissions, not with direct"),
        ({"flowTraced": False}, "flowTraced False, not True"),
        ({"temporalGranularity": "daily"}, "daily, not hourly"),
        ({"temporalGranularity": ["hourly"]}, "should be a text"),
        ({"datetime": "2026-08-22T17:00:00"}, "should be an instant"),
        ({"datetime": "9999-12-31T23:30:00Z"}, "impossible"),
        ({"carbonIntensity": 10**400}, "too large"),
        ({"updatedAt": 7}, "should be a text"),
        ({"zone": None}, "'zone'"),
    ],
    ids=str,
)
def test_an_answer_outside_the_contract_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse_latest(ROW | change, QUESTION)


def test_a_forecast_that_does_not_say_when_it_was_made_is_refused() -> None:
    with pytest.raises(SourceAnswerError, match="updatedAt"):
        parse_forecast({"zone": "DE", "forecast": []}, QUESTION)


def test_hours_that_overlap_are_refused() -> None:
    rows = [ROW, ROW | {"datetime": "2026-08-22T17:05:00.000Z"}]
    with pytest.raises(SourceAnswerError, match="overlap"):
        parse_rows({"zone": "DE", "data": rows}, QUESTION)
