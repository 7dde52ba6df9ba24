"""What plans believe of the time to come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from carbon_sources.intensity import Forecast, IntensitySeries
from schedulers.decision import Progress, SchedulingContext
from schedulers.outlook import Outlook, Risk
from schedulers.testing import NOW, hourly, sample

HOUR = timedelta(hours=1)
FAR = NOW + 100 * HOUR


def context(**changes: Any) -> SchedulingContext:
    values: dict[str, Any] = {
        "now": NOW + HOUR / 4,
        "slots": 1,
        "intensity": sample(NOW, HOUR, 300.0),
        "history": IntensitySeries(()),
        "forecast": Forecast(NOW, hourly(NOW, [300.0, 200.0, 100.0])),
        "budgets": (),
        "progress": Progress(1, 0, 0, 0, None, NOW),
        "previous": None,
    }
    return SchedulingContext(**(values | changes))


def test_the_present_is_known_to_its_end_and_the_forecast_speaks_after_it() -> None:
    outlook = Outlook.of(context(), FAR)
    assert outlook == Outlook((2700.0, 3600.0, 3600.0), (300.0, 200.0, 100.0))
    assert outlook.covered_s == 9900.0


def test_it_ends_with_what_is_planned_for() -> None:
    assert Outlook.of(context(), NOW + 1.5 * HOUR) == Outlook((2700.0, 1800.0), (300.0, 200.0))
    assert Outlook.of(context(), NOW + HOUR / 2) == Outlook((900.0,), (300.0,))


def test_while_the_present_is_unknown_the_forecast_speaks_of_it() -> None:
    told = Forecast(NOW, hourly(NOW, [1.0, 200.0, 100.0]))
    unknown = context(intensity=None, forecast=told)
    assert Outlook.of(unknown, NOW + 2 * HOUR) == Outlook((2700.0, 3600.0), (1.0, 200.0))


def test_what_a_forecast_missed_of_the_present_is_expected_of_the_next_hours_too() -> None:
    low = Forecast(NOW, hourly(NOW, [280.0, 200.0]))
    present, following = Outlook.of(context(forecast=low), FAR).g_per_kwh
    assert present == 300.0
    assert 219.0 < following < 220.0


def test_plans_count_with_averages_where_a_forecast_tells_them() -> None:
    skewed = Forecast(NOW, hourly(NOW, [300.0, 200.0, 100.0]), averages=(320.0, 230.0, 110.0))
    assert Outlook.of(context(forecast=skewed, intensity=None), FAR).g_per_kwh == (320.0, 230.0, 110.0)
    # All that is known of the present is what the forecast says of it: its average is what compares with the others.
    own = skewed.series.samples[0]
    assert Outlook.of(context(forecast=skewed, intensity=own), FAR).g_per_kwh == (320.0, 230.0, 110.0)


def test_what_an_average_missed_of_the_present_is_expected_of_the_next_hours_too() -> None:
    skewed = Forecast(NOW, hourly(NOW, [250.0, 200.0]), averages=(280.0, 230.0))
    present, following = Outlook.of(context(forecast=skewed), FAR).g_per_kwh
    assert present == 300.0
    assert 249.0 < following < 250.0  # 230 and nearly all of 300 - 280


def test_nothing_is_made_up_beyond_a_gap() -> None:
    late = Forecast(NOW, IntensitySeries((sample(NOW + HOUR, HOUR, 200.0), sample(NOW + 3 * HOUR, HOUR, 100.0))))
    assert Outlook.of(context(forecast=late), FAR) == Outlook((2700.0, 3600.0), (300.0, 200.0))
    assert Outlook.of(context(forecast=late, intensity=None), FAR) == Outlook((), ())


def test_without_a_forecast_the_same_hours_of_past_days_are_expected_for_two_days() -> None:
    days = hourly(NOW - 48 * HOUR, [float(hour) for hour in range(24)] + [float(hour + 10) for hour in range(24)])
    outlook = Outlook.of(context(forecast=None, history=days), FAR)
    # The hour of 13:00 was at 1 and at 11 g/kWh, that of 14:00 at 2 and 12; the history begins at noon.
    assert outlook.g_per_kwh[:3] == (300.0, 6.0, 7.0)
    assert outlook.covered_s == 48 * 3600
    assert "no forecast" in outlook.note


def test_an_hour_that_no_past_day_tells_of_ends_what_is_expected() -> None:
    known = hourly(NOW - 22 * HOUR, [5.0] * 2)  # 14:00 and 15:00 of the day before
    assert Outlook.of(context(forecast=None, history=known), FAR) == Outlook((2700.0,), (300.0,))
    nothing = context(forecast=None, intensity=None)
    assert Outlook.of(nothing, FAR) == Outlook((), ())


def test_days_longer_ago_than_a_week_tell_nothing() -> None:
    old = hourly(NOW - 200 * HOUR, [5.0] * 20)
    assert Outlook.of(context(forecast=None, history=old), FAR) == Outlook((2700.0,), (300.0,))


def test_a_risk_moves_hours_towards_their_quantile() -> None:
    unsure = Forecast(
        NOW, hourly(NOW, [300.0, 200.0]), (0.1, 0.8, 0.95), ((300.0, 300.0, 300.0), (150.0, 240.0, 300.0))
    )
    hesitant = context(forecast=unsure)
    assert Outlook.of(hesitant, FAR, Risk(0.8, 0.5)).g_per_kwh == (300.0, 220.0)
    assert Outlook.of(hesitant, FAR, Risk(0.9, 1.0)).g_per_kwh == (300.0, 300.0)
    assert Outlook.of(hesitant, FAR, Risk(0.99, 1.0)).g_per_kwh == (300.0, 300.0)
    assert Outlook.of(context(), FAR, Risk(0.9, 1.0)).g_per_kwh == (300.0, 200.0, 100.0)


def test_a_series_speaks_up_to_its_first_gap() -> None:
    series = IntensitySeries((*hourly(NOW, [1.0, 2.0]), sample(NOW + 3 * HOUR, HOUR, 4.0)))
    assert Outlook.of_series(series, NOW + HOUR / 2, FAR) == Outlook((1800.0, 3600.0), (1.0, 2.0))
    assert Outlook.of_series(series, NOW + 2.5 * HOUR, FAR) == Outlook((), ())


def test_a_load_over_an_outlook_emits_its_energy_times_the_intensities() -> None:
    # 1 kW for half an hour at 300 and for an hour at 200 g/kWh.
    assert Outlook((1800.0, 3600.0), (300.0, 200.0)).grams(1000.0) == pytest.approx(350.0)
    assert Outlook((1800.0, 3600.0), (300.0, 200.0)).until(3600.0) == Outlook((1800.0, 1800.0), (300.0, 200.0))


def test_an_outlook_goes_on_with_its_last_day() -> None:
    day = Outlook((3600.0, 12 * 3600.0, 12 * 3600.0), (900.0, 300.0, 200.0))
    longer = day.gone_on(45 * 3600.0)
    assert longer.lengths_s == (*day.lengths_s, 12 * 3600.0, 8 * 3600.0)
    assert longer.g_per_kwh == (900.0, 300.0, 200.0, 300.0, 200.0)
    assert "last day" in longer.note
    assert day.gone_on(3600.0) is day
    hour = Outlook((3600.0,), (5.0,))
    assert hour.gone_on(9000.0) == Outlook((3600.0, 3600.0, 1800.0), (5.0, 5.0, 5.0), longer.note)
    # A minute tells nothing of a month, and would make it as many pieces.
    assert Outlook((60.0,), (5.0,)).gone_on(3e6) == Outlook((60.0,), (5.0,))
    assert Outlook((), ()).gone_on(60.0) == Outlook((), ())


@pytest.mark.parametrize(("quantile", "weight"), [(0.0, 0.5), (1.0, 0.5), (0.9, -0.1), (0.9, 1.1)])
def test_a_risk_that_makes_no_sense_is_refused(quantile: float, weight: float) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        Risk(quantile, weight)
