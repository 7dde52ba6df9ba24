from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from carbon_sources.interval import Interval
from carbonnas.energy.constant_power import ConstantPowerMeter
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, EnergyMeter, Owner, StatedPowers, Usage
from carbonnas.energy.recorded import RecordedMeter
from carbonnas.errors import EnergyMeterError
from carbonnas.evaluation.evaluator import EvaluationRequest
from carbonnas.plugins import ENERGY_METERS
from carbonnas.testing.meters import START, EnergyMeterConformance, trial_j
from carbonnas.trials import PROXY, Fidelity, FidelityName, TrialKind

TRIAL = Owner(Account.TRIAL, 0, 1)
SEARCH = Fidelity(FidelityName.SEARCH, 2)


def usage(stream: str, seconds: float, request: EvaluationRequest | None, owner: Owner = TRIAL) -> Usage:
    return Usage(stream, 0, Interval(START, START + timedelta(seconds=seconds)), owner, request, seconds, None)


def request(kind: TrialKind, fidelity: Fidelity = SEARCH, architecture: tuple[int, ...] = (0, 1)) -> EvaluationRequest:
    return EvaluationRequest(architecture, kind, fidelity, 1)


class TestConstantPowerConforms(EnergyMeterConformance):
    def make_meter(self) -> EnergyMeter:
        return ConstantPowerMeter(self.slots, train=30.0, score=10.0, idle=5.0)


class TestRecordedConforms(EnergyMeterConformance):
    @pytest.fixture(autouse=True)
    def _table(self, tmp_path: Path) -> None:
        self.path = tmp_path / "energies.csv"
        self.path.write_text("architecture,kind,energy_j,seconds\n0-1,train,300,10\n")

    def make_meter(self) -> EnergyMeter:
        return RecordedMeter(self.slots, path=self.path, idle=5.0)


def test_each_kind_of_work_draws_its_power_on_top_of_the_idle_power() -> None:
    meter = ConstantPowerMeter(2, train=30.0, score=10.0, idle=5.0)
    meter.start(START)
    usages = (
        usage("a", 2, request(TrialKind.TRAIN)),
        usage("b", 3, request(TrialKind.SCORE, PROXY), Owner(Account.TRIAL, 1, 1)),
        usage("c", 4, None, OVERHEAD),
    )
    reading = meter.read(START + timedelta(seconds=4), usages)
    assert reading is not None
    # 30 W x 2 s, 10 W x 3 s, nothing for work without a request, and 5 W x 4 s for the node.
    assert {a.owner: a.sample.joules for a in reading.attributions} == {
        TRIAL: 60,
        Owner(Account.TRIAL, 1, 1): 30,
        IDLE: 20,
    }
    assert reading.joules == 110


@pytest.mark.parametrize("power", ["train", "score", "idle"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_power_that_is_none_is_refused(power: str, value: float) -> None:
    powers = {"train": 1.0, "score": 1.0, "idle": 1.0} | {power: value}
    with pytest.raises(ValueError, match=f"{power} must be finite"):
        ConstantPowerMeter(1, **powers)


def test_constant_power_is_a_plug_in_with_units() -> None:
    meter = ENERGY_METERS.create("constant_power", {"train": "30 W", "score": "10 W", "idle": "0.5 kW"}, {"slots": 1})
    assert dict(meter.measurement().details) == {"train_w": "30", "score_w": "10", "idle_w": "500", "slots": "1"}


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_recorded_energy_is_spread_over_its_recorded_time(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "architecture,kind,energy_j,seconds\n0-1,train,300,10\n0-1,score,4,1\n")
    meter = RecordedMeter(1, path=path)
    meter.start(START)
    first = meter.read(START + timedelta(seconds=4), (usage("a", 4, request(TrialKind.TRAIN)),))
    second = meter.read(START + timedelta(seconds=20), (usage("b", 6, request(TrialKind.TRAIN)),))
    assert first is not None
    assert second is not None
    # Suspended after 4 s of 10 s: 300 J / 10 s = 30 W, so 120 J, and 180 J for the rest.
    assert (trial_j(first), trial_j(second)) == (120, 180)


def test_a_row_for_a_fidelity_goes_before_one_for_any(tmp_path: Path) -> None:
    path = write(
        tmp_path / "e.csv",
        "architecture,kind,fidelity,energy_j,seconds\n0-1,train,,300,10\n0-1,train,full,500,10\n",
    )
    meter = RecordedMeter(1, path=path)
    assert meter.watts(usage("a", 1, request(TrialKind.TRAIN))) == 30
    assert meter.watts(usage("b", 1, request(TrialKind.TRAIN, Fidelity(FidelityName.FULL, 20)))) == 50
    assert meter.watts(usage("c", 1, None, OVERHEAD)) == 0


def test_a_missing_row_is_an_error_and_never_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "architecture,kind,energy_j,seconds\n0-1,train,300,10\n")
    meter = RecordedMeter(1, path=path)
    meter.start(START)
    with pytest.raises(EnergyMeterError, match="no energy for train of architecture 2-0 at fidelity search"):
        meter.read(START + timedelta(seconds=1), (usage("a", 1, request(TrialKind.TRAIN, architecture=(2, 0))),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture,kind,energy_j\n0-1,train,1\n", "lacks the column seconds"),
        ("", "lacks the column architecture, kind, energy_j, seconds"),
        ("architecture,kind,energy_j,seconds\n", "no rows"),
        ("architecture,kind,energy_j,seconds\n0-1,train,1,1\n0-1,train,2,1\n", "line 3: a row for the same work"),
        ("architecture,kind,energy_j,seconds\nx,train,1,1\n", "line 2: invalid literal"),
        ("architecture,kind,energy_j,seconds\n0,rest,1,1\n", "line 2: 'rest' is not a valid TrialKind"),
        ("architecture,kind,energy_j,seconds\n0,train,,1\n", "line 2: could not convert"),
        ("architecture,kind,energy_j,seconds\n0,train,1\n", "line 2: could not convert"),
        ("architecture,kind,energy_j,seconds\n0,train,1,0\n", "line 2: energy_j must be at least zero"),
        ("architecture,kind,energy_j,seconds\n0,train,-1,1\n", "line 2: energy_j must be at least zero"),
        ("architecture,kind,energy_j,seconds\n0,train,nan,1\n", "line 2: energy_j must be at least zero"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EnergyMeterError, match=message):
        RecordedMeter(1, path=write(tmp_path / "e.csv", text))


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EnergyMeterError, match="can't be read"):
        RecordedMeter(1, path=tmp_path / "none.csv")


def test_recorded_is_a_plug_in(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "architecture,kind,energy_j,seconds\n0-1,train,300,10\n")
    meter = ENERGY_METERS.create("recorded", {"path": str(path), "idle": "3 W"}, {"slots": 2})
    assert meter.measurement().details["rows"] == "1"
    assert meter.probe() is None


def test_a_model_knows_the_most_that_its_node_can_draw(tmp_path: Path) -> None:
    assert ConstantPowerMeter(3, train=30.0, score=40.0, idle=5.0).stated() == StatedPowers(30.0, 5.0, 5 + 3 * 40)
    path = write(tmp_path / "e.csv", "architecture,kind,energy_j,seconds\n0-1,train,300,10\n0-1,score,40,1\n")
    assert RecordedMeter(2, path=path, idle=7.0).stated() == StatedPowers(None, 7.0, 7 + 2 * 40)
