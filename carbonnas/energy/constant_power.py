"""A stated power for each kind of work: for simulations, tests and machines whose draw is known from a wattmeter."""

from __future__ import annotations

from carbon_sources.units import Watts
from carbonnas.energy.meter import Measurement, StatedPowers, Usage
from carbonnas.energy.power_model import PowerModelMeter, checked_watts
from carbonnas.trials import TrialKind


class ConstantPowerMeter(PowerModelMeter):
    """Charges work a constant power by its kind.

    Args:
        slots: Slots of the node; the powers of work are for one slot.
        train: Watts of a slot while it trains, on top of `idle`.
        score: Watts of a slot while it scores, on top of `idle`.
        idle: Watts of the node all the time. Work without a request (starting a worker) draws no more than this.

    Raises:
        ValueError: If a power is negative or not finite.
    """

    def __init__(self, slots: int, *, train: Watts, score: Watts, idle: Watts) -> None:
        super().__init__(idle)
        self._slots = slots
        self._watts = {
            TrialKind.TRAIN: checked_watts(train, "train"),
            TrialKind.SCORE: checked_watts(score, "score"),
        }

    def watts(self, usage: Usage) -> float:
        return 0.0 if usage.request is None else self._watts[usage.request.kind]

    def stated(self) -> StatedPowers:
        most_w = self._idle_w + self._slots * max(self._watts.values())
        return StatedPowers(self._watts[TrialKind.TRAIN], self._idle_w, most_w)

    def measurement(self) -> Measurement:
        return Measurement(
            meter="constant_power",
            method="Nothing was measured: each kind of work was charged a constant power that was configured.",
            details={
                "train_w": f"{self._watts[TrialKind.TRAIN]:g}",
                "score_w": f"{self._watts[TrialKind.SCORE]:g}",
                "idle_w": f"{self._idle_w:g}",
                "slots": str(self._slots),
            },
            caveat="All of the energy is modelled: it follows time alone, so it is only as good as the configured powers.",
            modelled=True,
        )
