"""What holds for every provider under every fault: it is said, nothing untrue is taken, and when it is over all is as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from carbon_sources.errors import SourceAnswerError, SourceUnavailableError
from carbon_sources.intensity import Forecast, IntensitySample, IntensitySeries
from carbon_sources.source import CarbonSource
from carbon_sources.testing_server import fake_provider
from tests.carbon_sources.fakes.api import NOW, FakeApi, client
from tests.carbon_sources.fakes.electricity_maps import FakeElectricityMaps
from tests.carbon_sources.fakes.energi_data import FakeEnergiData
from tests.carbon_sources.fakes.faults import HARMLESS, TRANSPORT, Fault
from tests.carbon_sources.fakes.open_electricity import FakeOpenElectricity
from tests.carbon_sources.fakes.registry import FAKES
from tests.carbon_sources.fakes.said import ASKING, ODD, REFUSED, REVISED, Odd, Question, Refused, Revised

HOUR = timedelta(hours=1)
Answer = IntensitySeries | IntensitySample | Forecast | None


@dataclass
class Told:
    """All answers to one round of questions, and the remarks after each."""

    answers: dict[Question, Answer] = field(default_factory=dict)
    remarks: dict[Question, str] = field(default_factory=dict)

    def samples(self) -> list[IntensitySample]:
        return [sample for answer in self.answers.values() for sample in samples_of(answer)]


def samples_of(answer: Answer) -> list[IntensitySample]:
    match answer:
        case None:
            return []
        case IntensitySample():
            return [answer]
        case Forecast():
            return list(answer.series)
    return list(answer)


def questions(source: CarbonSource, hours: float, now: datetime) -> dict[Question, Callable[[], Answer]]:
    return {
        Question.HISTORY: lambda: source.history(now - hours * HOUR, now),
        Question.LATEST: lambda: source.latest(now),
        Question.FORECAST: lambda: source.forecast(now),
    }


def ask(source: CarbonSource, hours: float, now: datetime = NOW, *, but: frozenset[Question] = frozenset()) -> Told:
    """Ask everything once, in the order of the questions; no error is caught."""
    told = Told()
    for question, asked in questions(source, hours, now).items():
        if question not in but:
            told.answers[question] = asked()
            told.remarks[question] = " | ".join(source.remarks())
    return told


@contextmanager
def played(fake: FakeApi) -> Iterator[CarbonSource]:
    with fake_provider(fake.reply) as server:
        yield fake.source(client(), server.url)
    assert fake.violations == []


def expect_true(fake: FakeApi, told: Told, now: datetime) -> None:
    """Check that what was told is what the world was like, and when it was."""
    assert [sample for sample in told.samples() if not fake.is_true(sample)] == []
    latest, forecast = (told.answers.get(question) for question in (Question.LATEST, Question.FORECAST))
    if isinstance(latest, IntensitySample):
        assert latest.interval.start <= now
    if isinstance(forecast, Forecast):
        assert forecast.issued_at <= now
        assert all(sample.interval.end > forecast.issued_at for sample in forecast.series)


def name_of(case: Refused | Odd | Revised) -> str:
    parts = [case.fake.name.replace(" ", "_")]
    if not isinstance(case, Revised):
        parts.append(case.fault.name)
    if isinstance(case, Odd) and case.asked is not Question.HISTORY:
        parts.append(case.asked.value)
    return "-".join(parts)


@pytest.mark.parametrize("fake", FAKES, ids=lambda fake: fake.name)
def test_every_fault_is_tested(fake: type[FakeApi]) -> None:
    tested = {case.fault for case in REFUSED if case.fake is fake} | {case.fault for case in ODD if case.fake is fake}
    # Electricity Maps says which values it revises, so that it has a test of its own.
    if fake is FakeElectricityMaps or fake in {case.fake for case in REVISED}:
        tested.add(Fault.REVISED)
    assert tested | fake.harmless == fake.own_faults


@pytest.mark.parametrize("asked_before", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_what_can_not_be_trusted_is_an_error_without_a_secret(
    case: Refused, *, asked_before: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    fake, asking = case.fake(), ASKING[case.fake]
    with played(fake) as source:
        if asked_before:
            assert source.latest(NOW) is not None
        fake.fault = case.fault
        for hours in asking.spans:
            for question, asked in questions(source, hours, NOW).items():
                if question in case.asked:
                    with pytest.raises(case.error, match=case.said) as caught:
                        asked()
                    error = caught.value
                    shown = f"{error} {error!r} {error.__cause__!r} {source!r} {caplog.text}"
                    assert not any(secret in shown for secret in asking.secrets)
                else:
                    assert all(fake.is_true(sample) for sample in samples_of(asked()))
        fake.fault = None
        assert source.latest(NOW) is not None


@pytest.mark.parametrize("case", [case for case in ODD if not ASKING[case.fake].remembers], ids=name_of)
def test_what_is_odd_is_left_out_and_said_and_afterwards_all_is_as_before(case: Odd) -> None:
    fake, asking = case.fake(), ASKING[case.fake]
    refused = next((r.asked for r in REFUSED if (r.fake, r.fault) == (case.fake, case.fault)), frozenset())
    with played(fake) as source:
        healthy = ask(source, asking.spans[0])
        assert len(samples_of(healthy.answers[Question.HISTORY])) == asking.values[0]
        assert set(healthy.remarks.values()) == {""}
        fake.fault = case.fault
        odd = ask(source, asking.spans[0], but=refused)
        fake.fault = None
        healed = ask(source, asking.spans[0])
        assert healed.answers == healthy.answers
        assert source.remarks() == ()
    expect_true(fake, odd, NOW)
    assert case.said in odd.remarks[case.asked]
    assert case.values in {None, len(samples_of(odd.answers[case.asked]))}
    assert case.fault is not Fault.STALE or odd.answers[Question.LATEST] is not None


@pytest.mark.parametrize(
    ("case", "span"),
    [
        pytest.param(case, span, id=f"{name_of(case)}-{ASKING[case.fake].spans[span]} h")
        for case in ODD
        if ASKING[case.fake].remembers
        for span in range(len(ASKING[case.fake].spans))
    ],
)
def test_what_turns_odd_after_an_hour_is_left_out_and_said_and_later_the_truth_is_told(case: Odd, span: int) -> None:
    fake, asking = case.fake(), ASKING[case.fake]
    hours = asking.spans[span]
    with played(fake) as source:
        source.history(NOW - hours * HOUR, NOW)
        fake.fault, fake.now = case.fault, NOW + HOUR
        odd = ask(source, hours, fake.now)
        assert case.said in odd.remarks[case.asked]
        if case.fault is not Fault.REVISED:
            expect_true(fake, odd, fake.now)
        fake.fault, fake.now = None, NOW + 3 * HOUR
        series = source.history(fake.now - hours * HOUR, fake.now)
        # What a plan refused is asked for again only hours later; until then the last day is all there is.
        remembered = case.fault is Fault.PLAN_NOT_COVERED and hours > 24
        assert len(series) == (24 * 4 if remembered else asking.values[span])
        assert all(fake.is_true(sample) for sample in series)
        assert source.latest(fake.now) is not None


@pytest.mark.parametrize(
    ("fake_class", "fault"), [(fake, fault) for fake in FAKES for fault in Fault if fault in fake.harmless]
)
def test_what_the_contract_allows_is_read_without_a_word(fake_class: type[FakeApi], fault: Fault) -> None:
    fake = fake_class()
    with played(fake) as source:
        healthy = ask(source, ASKING[fake_class].spans[0])
        fake.fault = fault
        assert ask(source, ASKING[fake_class].spans[0]) == healthy
    assert healthy.samples()
    assert set(healthy.remarks.values()) == {""}


@pytest.mark.parametrize("case", REVISED, ids=name_of)
def test_a_revised_value_replaces_the_old_one(case: Revised) -> None:
    fake = case.fake()
    fake.fault = Fault.REVISED
    with played(fake) as source:
        before = source.history(NOW - case.hours * HOUR, NOW)
        fake.fault = None
        after = source.history(NOW - case.hours * HOUR, NOW)
    assert [a.interval for a in before] == [b.interval for b in after]
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == case.values
    assert not any(fake.is_true(a) for a, _ in changed)
    assert all(fake.is_true(sample) for sample in after)
    if case.by is not None:
        assert [a.g_per_kwh - b.g_per_kwh for a, b in changed] == pytest.approx([case.by] * case.values)


@pytest.mark.parametrize("fault", [f for f in TRANSPORT if f is not Fault.SLOW_DRIP], ids=lambda f: f.name)
@pytest.mark.parametrize(
    ("fake_class", "values", "path"),
    # Eleven rows of five minutes, since the twelfth comes late; one hour.
    [(FakeEnergiData, 11, "/dataset/CO2Emis"), (FakeOpenElectricity, 1, "/v4/data/network/NEM")],
    ids=["energi_data", "open_electricity"],
)
def test_a_broken_connection_gives_an_error_or_the_truth(
    fake_class: type[FakeApi], values: int, path: str, fault: Fault
) -> None:
    fake = fake_class()
    fake.fault = fault
    with played(fake) as source:
        if fault in HARMLESS:
            series = source.history(NOW - HOUR, NOW)
            assert len(series) == values
            assert all(fake.is_true(sample) for sample in series)
        else:
            with pytest.raises((SourceUnavailableError, SourceAnswerError), match=path) as caught:
                source.history(NOW - HOUR, NOW)
            assert not any(secret in str(caught.value) for secret in ASKING[fake_class].secrets)
