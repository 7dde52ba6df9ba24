"""What is read from an answer of WattTime, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carbon_sources.answers.reading import Identity
from carbon_sources.answers.watttime import Question, Signal, parse_forecast, parse_points
from carbon_sources.errors import SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind, Provenance

MINUTE = timedelta(minutes=1)


QUESTION = Question(
    Identity("watttime", "CAISO_NORTH", IntensityKind.MARGINAL, Basis.DIRECT), Signal.CO2_MOER, "2024-08-01"
)
META = {
    "region": "CAISO_NORTH",
    "signal_type": "co2_moer",
    "units": "lbs_co2_per_mwh",
    "data_point_period_seconds": 300,
    "model": {"date": "2024-08-01"},
}
POINT = {"point_time": "2026-11-21T12:05:00+00:00", "value": 870.4}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"signal_type": "health_damage"}, "signal health_damage, not with co2_moer"),
        ({"units": "percentile"}, "percentile"),
        ({"units": None}, "'units'"),
        ({"model": {"date": "2026-11-01"}}, "model 2026-11-01, not with 2024-08-01"),
        ({"model": None}, "model None"),
        ({"model": "2024-08-01"}, "'model'"),
        ({"data_point_period_seconds": 86400}, "points of 86400"),
        ({"data_point_period_seconds": None}, "points of None"),
        ({"warnings": "many"}, "'warnings'"),
        ({"generated_at": "soon"}, "'generated_at'"),
    ],
    ids=str,
)
def test_an_answer_outside_the_contract_is_refused(change: dict[str, object], reason: str) -> None:
    meta = {**META, "generated_at": "2026-11-21T12:05:00+00:00", **change}
    with pytest.raises(SourceAnswerError, match=reason):
        parse_forecast({"data": [POINT], "meta": meta}, QUESTION)


def test_points_that_hold_longer_are_taken_as_they_are_and_remarked_on() -> None:
    parsed = parse_points({"data": [POINT], "meta": META | {"data_point_period_seconds": 900}}, QUESTION)
    assert parsed.samples[0].interval.duration == 15 * MINUTE
    assert any("900 s, not for the usual 300 s" in remark for remark in parsed.remarks)


def test_an_answer_without_points_and_meta_is_no_value() -> None:
    assert parse_points({"data": []}, QUESTION).samples == ()


def test_pounds_per_megawatt_hour_become_grams_per_kilowatt_hour() -> None:
    document = {"data": [{"point_time": "2026-11-21T12:05:00+00:00", "value": 870.4}], "meta": META}
    sample = parse_points(document, QUESTION).samples[0]
    # 870.4 lb/MWh * 453.59237 g/lb / 1000 kWh/MWh
    assert sample.g_per_kwh == pytest.approx(394.806799, abs=1e-6)
    assert (sample.provenance, sample.method) == (Provenance.ESTIMATED, "model 2024-08-01")
    assert sample.interval.duration == 5 * MINUTE
