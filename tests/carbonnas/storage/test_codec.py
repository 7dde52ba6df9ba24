"""What is written is what is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect

from carbon_sources.intensity import Basis, IntensityKind, IntensitySample, Provenance
from carbon_sources.interval import Interval
from carbonnas.energy.meter import EnergySample, Measurement
from carbonnas.record import DecisionRecord
from carbonnas.storage import codec
from carbonnas.storage.tables import Instant
from carbonnas.trials import Fidelity, FidelityName, Trial, TrialKind, TrialState
from schedulers.budget import AtLimit, EmissionBudget, Window
from schedulers.decision import Decision, Reason, ReasonCode

INSTANT = Instant()
SQLITE = dialect()

instants = st.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
intervals = st.builds(
    lambda start, us: Interval(start, start + timedelta(microseconds=us)), instants, st.integers(1, 10**12)
)
amounts = st.floats(0, 1e12)
names = st.text(max_size=30)
metrics = st.dictionaries(names, st.floats(allow_nan=False), max_size=4)
counts = st.integers(0, 10**6)
architectures = st.lists(st.integers(0, 9), max_size=8).map(tuple)
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"])

samples = st.builds(EnergySample, intervals, amounts, amounts, amounts)
intensities = st.builds(
    IntensitySample,
    intervals,
    amounts,
    names,
    st.sampled_from(IntensityKind),
    st.sampled_from(Basis),
    st.sampled_from(Provenance),
    names,
)
trials = st.builds(
    Trial,
    counts,
    counts,
    st.sampled_from(TrialKind),
    st.builds(Fidelity, st.sampled_from(FidelityName), counts),
    architectures,
    names,
    st.integers(0, 2**63 - 1),
    instants,
    state=st.sampled_from(TrialState),
    attempt=st.integers(1, 9),
    started_at=st.none() | instants,
    ended_at=st.none() | instants,
    metrics=metrics,
    failure=st.none() | names,
)
decisions = st.builds(
    DecisionRecord,
    instants,
    st.none() | amounts,
    st.builds(Decision, counts, counts, st.builds(Reason, st.sampled_from(ReasonCode), names), instants),
)
budgets = st.builds(
    EmissionBudget,
    st.floats(1e-6, 1e12),
    st.sampled_from(Window),
    st.sampled_from(AtLimit),
    st.floats(0, 1),
    zones,
)
measurements = st.builds(Measurement, names, names, st.dictionaries(names, names, max_size=3), names, st.booleans())


@given(instants, st.integers(-14, 14))
def test_an_instant_is_kept_to_the_microsecond_whatever_its_zone(instant: datetime, hours: int) -> None:
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    text = INSTANT.process_bind_param(elsewhere, SQLITE)
    assert INSTANT.process_result_value(text, SQLITE) == instant


@given(instants, instants)
def test_the_order_of_the_texts_is_the_order_of_time(one: datetime, other: datetime) -> None:
    texts = [INSTANT.process_bind_param(instant, SQLITE) or "" for instant in (one, other)]
    assert (texts[0] < texts[1]) == (one < other)


@given(trials)
def test_a_trial_survives(trial: Trial) -> None:
    row = codec.trial_row("s", trial)
    row["metrics"] = json.loads(json.dumps(row["metrics"]))
    row["architecture"] = json.loads(json.dumps(row["architecture"]))
    assert codec.trial_from(row) == trial


@given(decisions)
def test_a_decision_survives(record: DecisionRecord) -> None:
    assert codec.decision_from(codec.decision_row("s", record)) == record


@given(intensities)
def test_an_intensity_survives(sample: IntensitySample) -> None:
    assert codec.intensity_from(codec.intensity_row(sample)) == sample


@given(samples)
def test_an_energy_sample_survives(sample: EnergySample) -> None:
    assert codec.energy_from(codec.energy_row(sample)) == sample


@given(budgets)
def test_a_budget_survives(budget: EmissionBudget) -> None:
    assert codec.budget_from(json.loads(json.dumps(codec.budget_json(budget)))) == budget


@given(measurements)
def test_a_measurement_survives(measurement: Measurement) -> None:
    assert codec.measurement_from(json.loads(json.dumps(codec.measurement_json(measurement)))) == measurement
