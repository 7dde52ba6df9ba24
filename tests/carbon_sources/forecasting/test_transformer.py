"""The transformer forecaster: what it promises whatever it learnt, what it keeps, and what it does when it can't learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from carbon_sources.errors import ForecastError
from carbon_sources.forecasting.gaps import filled
from carbon_sources.forecasting.hourly import LEVELS, Array, HourlyForecast, HourlyIntensity
from carbon_sources.forecasting.seasonal import Seasonal
from carbon_sources.forecasting.transformer import Transformer
from carbon_sources.forecasting.transformer_network import NetworkShape
from carbon_sources.forecasting.transformer_training import TrainingSettings, fold
from carbon_sources.forecasting.transformer_windows import Windows, cut, origins, targets

pytestmark = pytest.mark.torch

START = datetime(2021, 3, 1, tzinfo=UTC)  # a Monday
WEEK_H = 168
SHAPE = NetworkShape(days_back=3, days_ahead=4, width=8, layers=1, heads=4, dropout=0.0)


def tiny(*, seed: int = 0, steps: int = 10, checkpoint: Path | None = None) -> Transformer:
    return Transformer(lookback_days=3, width=8, layers=1, members=2, steps=steps, seed=seed, checkpoint=checkpoint)


def wavy(weeks: int, *, seed: int = 0) -> Array:
    """Return a course of the day of 100 g/kWh around 300, with noise of 20 that no forecast can know."""
    hours = np.arange(weeks * WEEK_H)
    noise = np.random.default_rng(seed).normal(0, 20, len(hours))
    return 300 + 100 * np.sin(2 * np.pi * hours / 24) + noise


HISTORY = HourlyIntensity(START, wavy(8))


@pytest.fixture(scope="module")
def trained() -> Transformer:
    forecaster = tiny(steps=60)
    forecaster.fit(HISTORY)
    return forecaster


@pytest.fixture(scope="module")
def expected() -> HourlyForecast:
    """What a tiny transformer with seed 0 expects after the history that it learnt from."""
    forecaster = tiny()
    forecaster.fit(HISTORY)
    return forecaster.predict(HISTORY, 96)


def same(one: HourlyForecast, other: HourlyForecast) -> bool:
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.quantiles, other.quantiles)


@settings(max_examples=20, deadline=None)
@given(
    first=st.integers(0, 200),
    hours=st.integers(150, 400),
    lag=st.integers(0, 60),
    gap=st.tuples(st.integers(0, 100), st.integers(0, 60)),
    factor=st.sampled_from([0.0, 1e-4, 1.0, 20.0]),
    ahead=st.integers(1, 240),
)
def test_every_forecast_is_finite_not_negative_and_ordered(
    trained: Transformer, first: int, hours: int, lag: int, gap: tuple[int, int], factor: float, ahead: int
) -> None:
    values = factor * HISTORY.values[first : first + hours]
    values[gap[0] : gap[0] + gap[1]] = np.nan
    values[len(values) - lag :] = np.nan
    forecast = trained.predict(HourlyIntensity(START + first * timedelta(hours=1), values), ahead)
    assert forecast.mean.shape == (ahead,)
    assert forecast.quantiles.shape == (ahead, len(LEVELS))
    assert np.isfinite(forecast.mean).all()
    assert np.isfinite(forecast.quantiles).all()
    assert min(forecast.mean.min(), forecast.quantiles.min()) >= 0
    assert (np.diff(forecast.quantiles, axis=1) >= 0).all()


def test_it_forecasts_weeks_it_has_not_seen_better_than_yesterday_would(trained: Transformer) -> None:
    values = wavy(12, seed=1)
    error = {trained: 0.0, Seasonal(): 0.0}
    inside = []
    for day in range(60, 70):
        past, truth = HourlyIntensity(START, values[: 24 * day]), values[24 * day : 24 * (day + 4)]
        for forecaster in error:
            error[forecaster] += float(np.abs(forecaster.predict(past, 96).mean - truth).mean())
        bounds = trained.predict(past, 96).quantiles
        inside.append((truth >= bounds[:, 0]) & (truth <= bounds[:, -1]))
    of_transformer, of_yesterday = error.values()
    assert (
        of_transformer < 0.9 * of_yesterday
    )  # the mean of several days has less noise: sqrt(1 + 1/3) / sqrt(2) = 0.82
    assert 0.8 <= np.mean(inside) <= 0.99


def test_the_last_learnt_day_is_repeated_beyond_four_days(trained: Transformer) -> None:
    forecast = trained.predict(HISTORY, 150)
    assert np.array_equal(forecast.mean[96:120], forecast.mean[72:96])
    assert np.array_equal(forecast.quantiles[120:144], forecast.quantiles[72:96])


def test_a_shorter_forecast_is_the_begin_of_a_longer_one(trained: Transformer) -> None:
    assert np.array_equal(trained.predict(HISTORY, 30).mean, trained.predict(HISTORY, 96).mean[:30])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_forecast_and_another_seed_another(expected: HourlyForecast, seed: int) -> None:
    forecaster = tiny(seed=seed)
    forecaster.fit(HISTORY)
    assert same(forecaster.predict(HISTORY, 96), expected) is (seed == 0)


@pytest.mark.usefixtures("two_threads")
def test_torch_keeps_its_random_state_and_its_threads(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    for _ in range(2):  # learns, then loads
        forecaster = tiny(checkpoint=tmp_path / "weights.safetensors")
        forecaster.fit(HISTORY)
        forecaster.predict(HISTORY, 24)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == 2


def test_a_checkpoint_of_the_same_settings_is_taken_instead_of_learning(tmp_path: Path) -> None:
    path = tmp_path / "zone" / "weights.safetensors"
    first, second = tiny(checkpoint=path), tiny(checkpoint=path)
    first.fit(HISTORY)
    written = path.read_bytes()
    second.fit(HourlyIntensity(START, wavy(9, seed=5)))
    assert path.read_bytes() == written
    assert same(first.predict(HISTORY, 96), second.predict(HISTORY, 96))
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


OTHER = save({"widths": torch.zeros(4, 7)}, {"settings": "others"})
FORMER = {"other settings": OTHER, "damaged": b"not a safetensors file", "cut off": OTHER[:-10]}


@pytest.mark.parametrize("former", FORMER)
def test_a_checkpoint_that_does_not_fit_is_replaced(tmp_path: Path, former: str, expected: HourlyForecast) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(FORMER[former])
    forecaster, again = tiny(checkpoint=path), tiny(checkpoint=path)
    forecaster.fit(HISTORY)
    again.fit(HourlyIntensity(START, np.full(5, np.nan)))
    assert same(forecaster.predict(HISTORY, 96), expected)
    assert same(again.predict(HISTORY, 96), expected)


@pytest.mark.parametrize("hours", [0, 5, 3 * WEEK_H])
def test_with_too_little_to_learn_from_a_day_is_like_yesterday(hours: int) -> None:
    forecaster = tiny()
    forecaster.fit(HourlyIntensity(START, HISTORY.values[:hours]))
    assert same(forecaster.predict(HISTORY, 96), Seasonal().predict(HISTORY, 96))


def cases() -> list[tuple[str, Array]]:
    half_unknown = HISTORY.values[-200:].copy()
    half_unknown[-70:-30] = np.nan
    late = HISTORY.values.copy()
    late[-49:] = np.nan
    return [("short", HISTORY.values[-71:]), ("unknown", half_unknown), ("late", late)]


@pytest.mark.parametrize("values", [case for _, case in cases()], ids=[name for name, _ in cases()])
def test_with_too_little_to_go_by_a_day_is_like_yesterday(trained: Transformer, values: Array) -> None:
    past = HourlyIntensity(START, values)
    assert same(trained.predict(past, 96), Seasonal().predict(past, 96))


def test_a_lag_of_two_days_is_still_for_the_networks(trained: Transformer) -> None:
    values = HISTORY.values.copy()
    values[-48:] = np.nan
    past = HourlyIntensity(START, values)
    assert not same(trained.predict(past, 96), Seasonal().predict(past, 96))


def test_a_history_without_any_value_is_an_error(trained: Transformer) -> None:
    with pytest.raises(ForecastError, match="no intensity is known"):
        trained.predict(HourlyIntensity(START, np.full(500, np.nan)), 24)


@pytest.mark.parametrize(
    ("option", "value"), [("lookback_days", 2), ("width", 6), ("layers", 0), ("members", 1), ("steps", 9), ("seed", -1)]
)
def test_a_number_out_of_its_range_is_refused(option: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"a transformer needs .* {value}"):
        Transformer(**{option: value})  # type: ignore[arg-type]


def windows(values: Array) -> Windows:
    return Windows.of(filled(HourlyIntensity(START, values)), SHAPE, usual=300.0)


def test_the_last_published_day_stands_in_for_hours_that_are_late() -> None:
    values = np.arange(240.0) + 100
    scaled = cut(windows(values), torch.tensor([200]), torch.tensor([30]))
    past = (scaled.level + scaled.scale * scaled.batch.past)[0].double().numpy()
    # Hours 170 to 199 are late: 176 (first of the last day) looks like 152, 199 like 199 - 48 = 151, 170 like 146.
    assert past[0, 0] == pytest.approx(252)
    assert past[0, 23] == pytest.approx(251)
    assert past[1, 18] == pytest.approx(246)
    assert past[1, 17] == pytest.approx(269)
    assert int(scaled.batch.hidden.sum()) == 30


def test_nothing_after_the_issue_is_in_a_window() -> None:
    values = wavy(3)
    changed = values.copy()
    changed[200:] *= 2
    at, lag = torch.tensor([200]), torch.tensor([0])
    before, after = (cut(windows(hours), at, lag).batch.past for hours in (values, changed))
    assert torch.equal(before, after)


def test_unknown_hours_are_no_targets() -> None:
    values = wavy(3)
    values[210:220] = np.nan
    _, known = targets(windows(values), torch.tensor([200]))
    assert known.sum() == 96 - 10
    assert not known.flatten()[10:20].any()


def test_weeks_left_out_are_in_no_target_of_the_member() -> None:
    at = origins(windows(wavy(12)))
    training = TrainingSettings(SHAPE, members=3, steps=10, batch=8, learning_rate=1e-3, seed=0)
    for member in range(3):
        learnt, held = fold(at, member, training, 300)
        hours = {hour for issue in learnt for hour in range(issue, issue + 96)}
        assert len(held)
        assert not hours & {hour for issue in held for hour in range(issue, issue + 96)}
