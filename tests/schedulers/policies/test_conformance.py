"""Every built-in policy keeps the contract of the interface."""

from __future__ import annotations

from datetime import timedelta

from schedulers.policies.carbon_blind import CarbonBlind
from schedulers.policies.proportional import Proportional
from schedulers.policies.threshold import Threshold
from schedulers.scheduler import Scheduler
from schedulers.testing import SchedulerConformance

SIX_HOURS = timedelta(hours=6)


class TestCarbonBlind(SchedulerConformance):
    max_wait = timedelta(0)

    def make(self) -> Scheduler:
        return CarbonBlind()


class TestFixedThreshold(SchedulerConformance):
    max_wait = SIX_HOURS

    def make(self) -> Scheduler:
        return Threshold(max_wait=SIX_HOURS, g_per_kwh=200.0)


class TestPercentileThreshold(SchedulerConformance):
    max_wait = SIX_HOURS

    def make(self) -> Scheduler:
        return Threshold(max_wait=SIX_HOURS, percentile=30.0)


class TestProportional(SchedulerConformance):
    max_wait = SIX_HOURS

    def make(self) -> Scheduler:
        return Proportional(max_wait=SIX_HOURS)
