"""What is wrong with a source is said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carbon_sources.health import Health, HealthState, Outage, assess
from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, IntensitySeries, Provenance
from carbon_sources.interval import Interval

NOON = datetime(2021, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(values: list[float | None], provenance: Provenance = Provenance.MEASURED) -> IntensitySeries:
    """Hours that end with the one from 12 to 13; `None` is a gap."""
    first = NOON - (len(values) - 1) * HOUR
    return IntensitySeries(
        tuple(
            IntensitySample(
                Interval(first + i * HOUR, first + (i + 1) * HOUR),
                value,
                "Z",
                IntensityKind.AVERAGE,
                Basis.DIRECT,
                provenance,
                "fake",
            )
            for i, value in enumerate(values)
            if value is not None
        )
    )


def health(
    known: IntensitySeries, hours: float = 0.5, outage: Outage | None = None, remarks: tuple[str, ...] = ()
) -> Health:
    return assess(known, NOON + hours * HOUR, HOUR, outage=outage, remarks=remarks)


def test_a_source_that_tells_the_present_is_well() -> None:
    found = health(series([100.0, 120.0, 110.0]))
    assert (found.state, found.sentences) == (HealthState.OK, ())
    assert (found.newest_end, found.age, found.active_source) == (NOON + HOUR, timedelta(0), "fake")
    assert (found.failures, found.failing_since) == (0, None)


def test_a_source_without_any_value_leaves_us_blind() -> None:
    found = health(series([]))
    assert found.state is HealthState.BLIND
    assert found.sentences == ("the present intensity is unknown: the source has told no value yet",)
    assert (found.newest_end, found.age, found.active_source) == (None, None, None)


def test_a_source_that_always_comes_late_is_well_while_it_is_no_later() -> None:
    # The newest hour ended at 13:00; it usually is there an hour later, and each lasts an hour: until 15:00 nothing is late.
    found = health(series([100.0, 90.0]), 3)
    assert found.state is HealthState.OK
    assert found.sentences == (
        "the newest value ended 2.0 h ago, as is usual for this source: the present is expected, not known",
    )
    assert "ended 15 min ago" in health(series([100.0, 90.0]), 1.25).sentences[0]


def test_a_late_value_leaves_us_blind_and_its_age_is_told() -> None:
    found = health(series([100.0, 90.0]), 5)
    assert found.state is HealthState.BLIND
    assert found.age == 4 * HOUR
    assert found.sentences == (
        "the present intensity is unknown: the newest value ended at 2021-01-10 13:00 UTC",
        "the newest value is 2.0 h later than usual; the source may be stuck",
    )


def test_a_gap_at_present_is_not_called_late() -> None:
    found = assess(series([100.0, None, 90.0]), NOON - HOUR / 2, HOUR, outage=None, remarks=())
    assert found.state is HealthState.BLIND
    assert found.sentences == ("the present intensity is unknown: there is a gap in what the source tells",)


def test_failures_are_counted_and_dated() -> None:
    outage = Outage(NOON - HOUR, 3, "it answered 503")
    found = health(series([100.0, 120.0]), outage=outage)
    assert found.state is HealthState.DEGRADED
    assert found.sentences == ("the source failed 3 times since 2021-01-10 11:00 UTC: it answered 503",)
    assert (found.failures, found.failing_since) == (3, NOON - HOUR)
    assert "failed once" in health(series([1.0, 2.0]), outage=Outage(NOON, 1, "x")).sentences[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([100.0, 90.0, 90.0, 90.0], "the source has told the same 90 g/kWh for 3.0 h"),
        ([100.0, 0.0, 0.0], "zero for 2.0 h after 100 g/kWh: zeros may stand where values are missing"),
    ],
)
def test_values_that_stop_moving_are_noticed(values: list[float | None], said: str) -> None:
    found = health(series(values))
    assert (found.state, found.sentences) == (HealthState.DEGRADED, (said,))


@pytest.mark.parametrize(
    "quiet",
    [
        series([100.0, 90.0, 90.0]),
        series([100.0, 0.0]),
        series([3.0, 0.0, 0.0]),
        series([0.0, 0.0, 0.0, 0.0]),
    ],
    ids=["two equal hours", "one zero", "zeros after next to nothing", "always zero"],
)
def test_what_a_grid_may_do_is_not_called_odd(quiet: IntensitySeries) -> None:
    assert health(quiet).state is HealthState.OK


def test_an_assumed_value_is_never_passed_off_as_live() -> None:
    found = health(series([300.0] * 9, Provenance.ASSUMED))
    assert (found.state, found.sentences) == (HealthState.OK, ("the present value is assumed, not live",))


def test_an_estimate_is_called_one() -> None:
    found = health(series([300.0, 310.0], Provenance.ESTIMATED))
    assert (found.state, found.sentences) == (
        HealthState.OK,
        ("the present value is an estimate and may be revised",),
    )


def test_the_remarks_of_the_source_are_passed_on() -> None:
    found = health(series([1.0, 2.0]), remarks=("fake: zeros were left out",))
    assert (found.state, found.sentences) == (HealthState.DEGRADED, ("fake: zeros were left out",))
