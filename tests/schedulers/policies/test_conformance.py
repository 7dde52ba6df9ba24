"""Every built-in policy keeps the contract of the interface, alone and inside the limits of a search."""

from __future__ import annotations

from datetime import timedelta

from schedulers.policies.budget_pacing import BudgetPacing
from schedulers.policies.carbon_blind import CarbonBlind
from schedulers.policies.lookahead import Lookahead
from schedulers.policies.lowest_window import LowestWindow
from schedulers.policies.oracle import Oracle
from schedulers.policies.proportional import Proportional
from schedulers.policies.suspend_resume import SuspendResume
from schedulers.policies.threshold import Threshold
from schedulers.scheduler import Scheduler
from schedulers.testing import NOW, SchedulerConformance, hourly


class TestCarbonBlind(SchedulerConformance):
    def make(self) -> Scheduler:
        return CarbonBlind()


class TestFixedThreshold(SchedulerConformance):
    def make(self) -> Scheduler:
        return Threshold(g_per_kwh=200.0)


class TestPercentileThreshold(SchedulerConformance):
    def make(self) -> Scheduler:
        return Threshold(percentile=30.0)


class TestProportional(SchedulerConformance):
    def make(self) -> Scheduler:
        return Proportional()


class TestSuspendResume(SchedulerConformance):
    def make(self) -> Scheduler:
        return SuspendResume()


class TestLowestWindow(SchedulerConformance):
    def make(self) -> Scheduler:
        return LowestWindow()


class TestBudgetPacing(SchedulerConformance):
    def make(self) -> Scheduler:
        return BudgetPacing()


class TestLookahead(SchedulerConformance):
    def make(self) -> Scheduler:
        return Lookahead(quantile=0.9, risk=0.5, min_run=timedelta(hours=2))


class TestOracle(SchedulerConformance):
    def make(self) -> Scheduler:
        return Oracle(hourly(NOW - timedelta(days=1), [float(hour * 37 % 500) for hour in range(72)]))
