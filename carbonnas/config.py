"""The configuration of a search: what a user writes in TOML, validated.

Durations, masses and powers are written with their unit (`"15 min"`, `"500 g"`, `"65 W"`). Every table that chooses a plug-in has
`use`, its name; all other keys of that table are the plug-in's options.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    field_validator,
    model_validator,
)

from carbon_sources.forecasting.desk import ForecastTimes
from carbon_sources.forecasting.hourly import LONGEST_HISTORY
from carbon_sources.groups import DEFAULT_FORECASTER
from carbon_sources.interval import parse_instant
from carbon_sources.units import Duration, Grams
from carbonnas.costs.names import LATENCY
from carbonnas.costs.plan import CostPlan, parse_task
from carbonnas.costs.settings import CostsSection, LimitSection, TargetSection
from carbonnas.energy.meter import ProbeFactory
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.objective import Objective
from carbonnas.objectives.target import Target
from carbonnas.plan import PlanShape
from carbonnas.plugin_workbench import PluginWorkbench
from carbonnas.plugins import PluginChoice
from carbonnas.proxies.fusion import DEFAULT, expand
from carbonnas.strategies.reward import Reward, RewardKind, make_reward
from carbonnas.trials import Fidelity, FidelityName
from schedulers.budget import AtLimit, EmissionBudget, Window
from schedulers.safety import SafetyLimits

_FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=36525)
"""A hundred years: no duration of a search is longer, and no instant that is reckoned with it leaves the calendar."""


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        value = value.isoformat()
    if not isinstance(value, str):
        raise ValueError(f"expected an instant such as '2020-06-01T00:00:00Z', got {value!r}")  # noqa: TRY004 - for pydantic
    instant = parse_instant(value)
    if not _FIRST_INSTANT <= instant < _LAST_INSTANT:
        raise ValueError(f"expected an instant in the years 1970 to 2199, got {value!r}")
    return instant


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write a name such as 'Europe/Berlin'") from None
    return name


def _positive(duration: timedelta) -> timedelta:
    if not timedelta(0) < duration <= LONGEST:
        raise ValueError("expected a duration above zero and of at most a hundred years")
    return duration


def _possible(duration: timedelta) -> timedelta:
    if duration > LONGEST:
        raise ValueError("longer than a hundred years")
    return duration


def _printable(name: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        raise ValueError("a name can't hold line breaks or control characters")
    return name


def _objective(text: str) -> str:
    Objective.parse(text)
    return text


Instant = Annotated[datetime, BeforeValidator(_instant)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Count = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]


_MOST = 10**6
"""Of rounds, of pieces of work in a round, and of epochs."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchSection(_Section):
    """`[search]`: how much is searched for what."""

    name: Annotated[str, AfterValidator(_printable)] = Field(min_length=1, max_length=200)
    """What the report calls the search."""
    seed: Count = Field(default=0, ge=0, lt=2**63)
    """Same seed, same architectures in the same order."""
    slots: Count = Field(default=2, ge=1, le=1024)
    """Pieces of work at a time; one worker process with one thread each."""
    rounds: Count = Field(ge=1, le=_MOST)
    score_per_round: Count = Field(ge=1, le=_MOST)
    train_per_round: Count = Field(ge=0)
    full_per_round: Count = Field(default=0, ge=0)
    """Full trainings in each round, chosen among those trained so far; 0: only the winner is trained in full, at the end."""
    lookahead_rounds: Count = Field(default=2, ge=0, le=_MOST)
    """Rounds that scoring may run ahead of training: what dirty hours have to do."""
    epochs: Count = Field(ge=1, le=_MOST)
    """Epochs of a training that ranks candidates."""
    full_epochs: Annotated[Count, Field(ge=1, le=_MOST)] | None = None
    """Epochs of the full training of the winner, whose test accuracy is reported; absent: none is done."""
    objectives: tuple[Annotated[str, AfterValidator(_objective)], ...] = ("maximize val_accuracy", "minimize params")
    """What is searched for; the first ranks, all span the Pareto front."""
    rank_by: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Scores that are fused to rank candidates; absent: see `SearchConfig.rank_by`."""
    deadline: PositiveDuration | None = None
    """Longest duration of the search; absent: none."""
    training_time: PositiveDuration | None = None
    """How long a training of `epochs` is expected to hold a slot; until one has finished plans go by it."""
    trial_timeout: PositiveDuration = timedelta(hours=6)
    """Real time after which a trial is killed and recorded as failed."""

    @model_validator(mode="after")
    def _check_counts(self) -> SearchSection:
        if self.train_per_round > self.score_per_round:
            raise ValueError("train_per_round can't exceed score_per_round: only scored architectures are trained")
        if self.full_per_round > (self.train_per_round or self.score_per_round):
            raise ValueError("full_per_round can't exceed train_per_round: only what was trained is trained in full")
        if self.full_per_round and self.full_epochs is None:
            raise ValueError("full_per_round needs full_epochs, the length of a full training")
        if not self.train_per_round + self.full_per_round:
            raise ValueError("nothing would be trained: set train_per_round or full_per_round")
        if self._all_trainings_s > LONGEST.total_seconds():
            raise ValueError(f"all trainings would take more than {LONGEST.days} days: lower training_time or rounds")
        if not self.objectives:
            raise ValueError("objectives must name at least one, such as 'maximize val_accuracy'")
        return self

    @property
    def _all_trainings_s(self) -> float:
        one_s = 0.0 if self.training_time is None else self.training_time.total_seconds()
        full_s = one_s * (self.full_epochs or 0) / self.epochs
        return self.rounds * (self.train_per_round * one_s + self.full_per_round * full_s) + full_s

    @property
    def training_s(self) -> dict[Fidelity, float]:
        """What is expected of a training, in slot seconds by fidelity."""
        if self.training_time is None:
            return {}
        return {Fidelity(FidelityName.SEARCH, self.epochs): self.training_time.total_seconds()}

    @property
    def plan(self) -> PlanShape:
        """The plan's shape."""
        return PlanShape(
            self.rounds, self.score_per_round, self.train_per_round, self.lookahead_rounds, self.full_per_round
        )


class RewardSection(_Section):
    """`[reward]`: what a result is worth to a strategy that maximises one number."""

    use: RewardKind = RewardKind.FIRST
    targets: Mapping[str, Number] = {}
    """Wanted costs by metric, in the metric's unit."""
    exponent: Number = Field(default=-0.07, lt=0)
    """How much a cost counts."""

    def make(self, objectives: tuple[Objective, ...], seed: int) -> Reward:
        """Return the reward; `ValueError` if targets and objectives do not go together."""
        return make_reward(self.use, objectives, seed, targets=self.targets, exponent=self.exponent)


class GuidanceSection(_Section):
    """`[guidance]`: how proxies help the strategy to choose what is trained."""

    compete: Annotated[Count, Field(ge=1)] | None = None
    """Of so many proposals the best by `rank_by` is trained; absent: the strategy chooses, or the best of all that were scored is."""
    warm_start: Count = Field(default=0, ge=0, le=_MOST)
    """Trainings at the beginning that are drawn by what proxies tell."""
    entropy_floor: Number = Field(default=0.7, gt=0, le=1)
    """Share of the entropy that a warm start keeps."""

    @property
    def active(self) -> bool:
        """Whether proxies guide at all."""
        return self.compete is not None or self.warm_start > 0


class BudgetSection(_Section):
    """`[[budgets]]`: a limit that is never exceeded in silence."""

    limit: Grams = Field(gt=0)
    window: Window = Window.SEARCH
    at_limit: AtLimit = AtLimit.STOP
    warn_at: Number = Field(default=0.8, ge=0, le=1)
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: Window) -> Window:
        if window is Window.TOTAL:
            raise ValueError("a budget over many searches belongs to the daemon's configuration; write 'search'")
        return window

    @property
    def budget(self) -> EmissionBudget:
        """The budget."""
        return EmissionBudget(self.limit, self.window, self.at_limit, self.warn_at, self.timezone)


class SafetySection(_Section):
    """`[safety]`: what holds whatever the scheduler decides."""

    max_wait: Annotated[Duration, AfterValidator(_possible)] | None = None
    """Longest time that training waits; absent: 24 h, or with a deadline as long as that allows."""
    wait_run: PositiveDuration = timedelta(hours=1)
    """How long training goes on once it started because of `max_wait`."""
    min_run: Annotated[Duration, AfterValidator(_possible)] = timedelta(minutes=15)
    """How long training goes on once it was allowed."""
    min_rest: Annotated[Duration, AfterValidator(_possible)] = timedelta(0)
    """How long training stays away once it was stopped."""
    deadline_margin: Number = Field(default=0.1, ge=0, le=10)
    """Time that is kept free before a deadline, as a share of what all trainings take without a pause."""

    @property
    def limits(self) -> SafetyLimits:
        """The limits."""
        return SafetyLimits(self.max_wait, self.wait_run, self.min_run, self.min_rest, self.deadline_margin)


class AccountingSection(_Section):
    """`[accounting]`: from energy to emissions."""

    pue: Number = Field(default=1.0, ge=1, le=10)
    """Power usage effectiveness of the building; 1 counts nothing besides the machine."""
    bound_g_per_kwh: Number = Field(default=1050.0, gt=0)
    """Intensity that budgets assume while the real one is unknown. The default is life-cycle lignite, IPCC AR5 as used by most
    grid APIs, the dirtiest common source."""
    metering_interval: PositiveDuration = timedelta(seconds=5)
    """Longest real time between two readings of the energy meter; at most 5 s."""
    poll_interval: PositiveDuration = timedelta(minutes=5)
    """Shortest time between two questions to the carbon source."""
    lookback: PositiveDuration = timedelta(days=8)
    """How much of the grid's past the scheduler sees."""

    @model_validator(mode="after")
    def _check_metering(self) -> AccountingSection:
        if self.metering_interval > timedelta(seconds=5):
            raise ValueError("metering_interval can't exceed 5 s: that much energy may be lost when the machine dies")
        return self


class ForecastingSection(_Section):
    """`[forecasting]`: when and how far `[forecaster]` looks ahead."""

    horizon: PositiveDuration = timedelta(hours=96)
    """How far ahead."""
    history: PositiveDuration = LONGEST_HISTORY
    """How much of the grid's past is learnt from; what was once fetched or imported is kept in the state folder."""
    refit_every: PositiveDuration = timedelta(days=1)
    """How often the forecaster learns anew."""

    @property
    def times(self) -> ForecastTimes:
        """When and how far."""
        return ForecastTimes(self.horizon, self.history, self.refit_every)


class ClockSection(_Section):
    """`[clock]`: the machine's time, recorded time replayed faster, or simulated time."""

    use: Literal["system", "replay", "simulated"] = "system"
    start: Instant | None = None
    """First instant of a replayed or simulated clock."""
    speed: Number = Field(default=1.0, gt=0, le=1e6)
    """Recorded seconds per real second of a replayed clock."""

    @model_validator(mode="after")
    def _check_start(self) -> ClockSection:
        if (self.use == "system") != (self.start is None):
            needs = "takes no" if self.use == "system" else "needs a"
            raise ValueError(f"clock {self.use!r} {needs} start, such as '2020-06-01T00:00:00Z'")
        return self

    @property
    def description(self) -> str | None:
        """One sentence on a clock that is not the machine's."""
        if self.use == "replay":
            return f"Recorded time from {self.start:%Y-%m-%d %H:%M} UTC, replayed {self.speed:g} times as fast as real time."
        if self.use == "simulated":
            return f"Simulated time from {self.start:%Y-%m-%d %H:%M} UTC; no work was really done."
        return None


class SearchConfig(_Section):
    """A whole configuration; plug-in tables are validated against their plug-ins by `config_file.parse_config`."""

    search: SearchSection
    space: PluginChoice
    strategy: PluginChoice
    scoring: PluginChoice
    training: PluginChoice
    carbon_source: PluginChoice
    scheduler: PluginChoice = PluginChoice("suspend_resume")
    forecaster: PluginChoice = PluginChoice(DEFAULT_FORECASTER)
    energy: PluginChoice = PluginChoice("codecarbon")
    executor: PluginChoice = PluginChoice("process")
    reward: RewardSection = RewardSection()
    guidance: GuidanceSection = GuidanceSection()
    costs: CostsSection = CostsSection()
    limits: tuple[LimitSection, ...] = ()
    targets: tuple[TargetSection, ...] = ()
    budgets: tuple[BudgetSection, ...] = ()
    safety: SafetySection = SafetySection()
    accounting: AccountingSection = AccountingSection()
    forecasting: ForecastingSection = ForecastingSection()
    clock: ClockSection = ClockSection()

    @model_validator(mode="after")
    def _check_clock(self) -> SearchConfig:
        if (self.clock.use == "simulated") != (self.executor.use == "simulated"):
            raise ValueError(
                "a simulated clock goes with the simulated executor and with no other: set both or neither"
            )
        return self

    @model_validator(mode="after")
    def _check_targets(self) -> SearchConfig:
        names = [section.name for section in self.targets]
        if len(set(names)) < len(names):
            raise ValueError("two targets have the same name")
        return self

    @property
    def rank_by(self) -> tuple[str, ...]:
        """Scores that are fused to rank candidates: by default the default fusion, or the `proxies` of the scoring that lack part of it."""
        if self.search.rank_by is not None:
            return self.search.rank_by
        named = self.scoring.options.get("proxies", DEFAULT)
        scored = tuple(map(str, named)) if isinstance(named, list | tuple) else ()
        return scored if scored and not {*expand(DEFAULT)} <= {*expand(scored)} else DEFAULT

    @property
    def hard_limits(self) -> tuple[Limit, ...]:
        """What networks must keep."""
        return tuple(section.limit for section in self.limits)

    @property
    def devices(self) -> tuple[Target, ...]:
        """The devices that networks are searched for."""
        return tuple(section.target for section in self.targets)

    @property
    def cost_plan(self) -> CostPlan:
        """Which costs of networks have to be found, and how."""
        costs = self.costs
        objectives = {Objective.parse(text).metric for text in self.search.objectives}
        limited = {section.metric for section in self.limits}
        tables = {section.target.metric: section.table for section in self.targets}
        if costs.latency_table is not None:
            tables[LATENCY] = costs.latency_table
        task = None if costs.task is None else parse_task(costs.task)
        return CostPlan(
            frozenset(objectives | limited | tables.keys()), task, costs.device, tables, costs.unstable_above
        )

    def workbench(self, probe: ProbeFactory | None = None) -> PluginWorkbench:
        """Return what makes the evaluators; `probe` makes what measures the energy of a worker."""
        search = self.search
        return PluginWorkbench(self.space, self.scoring, self.training, search.seed, self.cost_plan, probe)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the search depends on; what is left to a default is left out, so that new keys change nothing."""
        text = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
