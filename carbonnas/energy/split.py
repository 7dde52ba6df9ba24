"""Who pays for energy: pure splits of samples over accounts, each of which conserves energy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carbon_sources.interval import Interval
from carbonnas.energy.meter import IDLE, OVERHEAD, Account, Attribution, EnergySample, Owner, Usage

_CRUMB = 1e-12
"""A remainder below this share of the sample is rounding and no account of its own."""


def portions(total: float, shares: Sequence[float]) -> tuple[float, ...]:
    """Return `total` in parts of the given shares; the last takes what is left, so that the parts sum to `total`.

    Args:
        total: Amount to split, at least zero.
        shares: Share of each part, at least zero, at least one of them; the last is not read, it is what the others leave.
    """
    parts: list[float] = []
    left = total
    for share in shares[:-1]:
        parts.append(min(total * share, left))
        left = max(0.0, total - math.fsum(parts))
    return (*parts, left)


def divide(sample: EnergySample, pieces: Sequence[tuple[Interval, float]]) -> tuple[EnergySample, ...]:
    """Return `sample` in pieces: each has its interval and its share of every component, the last takes what is left."""
    shares = [share for _, share in pieces]
    components = (portions(joules, shares) for joules in (sample.cpu_j, sample.gpu_j, sample.ram_j))
    return tuple(
        EnergySample(interval, cpu_j, gpu_j, ram_j)
        for (interval, _), cpu_j, gpu_j, ram_j in zip(pieces, *components, strict=True)
    )


def split(sample: EnergySample, weights: Sequence[tuple[Owner, float]], rest: Owner) -> tuple[Attribution, ...]:
    """Split a sample over its owners; each component is conserved to rounding.

    Args:
        sample: The energy.
        weights: Owners and the share of the sample that each of them used, finite and at least zero. The shares of one owner are
            added up; shares that sum to more than 1 are scaled down to 1.
        rest: Who pays for what the shares leave over.

    Returns:
        One attribution for each owner with a share above zero, in order of first appearance, `rest` last.

    Raises:
        ValueError: If a share is negative or not finite.
    """
    shares: dict[Owner, float] = {}
    for owner, share in weights:
        if not (math.isfinite(share) and share >= 0):
            raise ValueError(f"a share must be finite and at least zero, got {share} for {owner}")
        if share > 0:
            shares[owner] = shares.get(owner, 0.0) + share
    total = math.fsum(shares.values())
    scaled = {owner: share / max(1.0, total) for owner, share in shares.items()}
    if 1 - total > _CRUMB:
        own_share = scaled.pop(rest, 0.0)
        scaled[rest] = own_share + 1 - min(total, 1.0)
    pieces = divide(sample, [(sample.interval, share) for share in scaled.values()])
    return tuple(Attribution(owner, piece) for owner, piece in zip(scaled, pieces, strict=True))


def merge(attributions: Iterable[Attribution]) -> tuple[Attribution, ...]:
    """Add up what one owner pays for one interval and drop what is no energy at all; order of first appearance."""
    groups: dict[tuple[Owner, Interval], list[EnergySample]] = {}
    for attribution in attributions:
        groups.setdefault((attribution.owner, attribution.sample.interval), []).append(attribution.sample)
    merged = (Attribution(owner, _sum(interval, samples)) for (owner, interval), samples in groups.items())
    return tuple(attribution for attribution in merged if attribution.sample.joules > 0)


def _sum(interval: Interval, samples: Sequence[EnergySample]) -> EnergySample:
    if len(samples) == 1:
        return samples[0]
    return EnergySample(
        interval,
        cpu_j=math.fsum(sample.cpu_j for sample in samples),
        gpu_j=math.fsum(sample.gpu_j for sample in samples),
        ram_j=math.fsum(sample.ram_j for sample in samples),
    )


@dataclass(frozen=True, slots=True)
class NodeWork:
    """What a node did between two readings, seen by the process that runs the search.

    Attributes:
        usages: Usage reported since the reading before; its interval may lie before it (late), it counts with its full time.
        slots: Slots of the node.
        cores: Logical processors of the node.
        real_s: Length in real seconds, above zero (the clock of the search may run faster).
        own_cpu_s: Processor time that this process used, in real seconds.
    """

    usages: tuple[Usage, ...]
    slots: int
    cores: int
    real_s: float
    own_cpu_s: float

    @property
    def inline_cpu_s(self) -> float:
        """Processor time of usages that ran in this process."""
        return math.fsum(usage.cpu_seconds for usage in self.usages if usage.inline)


def split_processes(sample: EnergySample, work: NodeWork) -> tuple[Attribution, ...]:
    """Split what was measured of this process alone, plus memory and accelerators of the node.

    Processor energy goes to usages that ran in this process by their share of its processor time, the rest is overhead.
    What workers measured with their own probes is no part of `sample` and is not split here.
    """
    own_s = max(work.own_cpu_s, work.inline_cpu_s)
    weights = [(u.owner, u.cpu_seconds / own_s) for u in work.usages if u.inline and u.cpu_seconds > 0]
    processor = EnergySample(sample.interval, sample.cpu_j, 0.0, 0.0)
    return merge((*split(processor, weights, OVERHEAD), *_split_slots(sample, work)))


def split_machine(sample: EnergySample, work: NodeWork) -> tuple[Attribution, ...]:
    """Split what was measured of the whole node.

    Processor energy goes by processor time: to each usage's owner, to overhead for what else this process did, and to idle for all
    other core-seconds (which includes the work of strangers on the node).
    """
    overhead_s = max(0.0, work.own_cpu_s - work.inline_cpu_s)
    worked = [*((u.owner, u.cpu_seconds) for u in work.usages), (OVERHEAD, overhead_s)]
    core_s = max(work.cores * work.real_s, math.fsum(seconds for _, seconds in worked))
    weights = [(owner, seconds / core_s) for owner, seconds in worked]
    processor = EnergySample(sample.interval, sample.cpu_j, 0.0, 0.0)
    return merge((*split(processor, weights, IDLE), *_split_slots(sample, work)))


def _split_slots(sample: EnergySample, work: NodeWork) -> tuple[Attribution, ...]:
    """Split memory over the slots and accelerators over the trials by time in a slot; the rest is idle.

    Memory draws the same whether used or not, so an empty slot's share is idle. An accelerator draws for whom it works, so only time
    beyond that of all trials together is idle.
    """
    stays = [(u.owner, u.interval.seconds) for u in work.usages if u.owner.account is Account.TRIAL]
    stayed_s = math.fsum(seconds for _, seconds in stays)
    slot_s = max(work.slots * sample.interval.seconds, stayed_s)
    busy_s = max(sample.interval.seconds, stayed_s)
    memory = EnergySample(sample.interval, 0.0, 0.0, sample.ram_j)
    accelerators = EnergySample(sample.interval, 0.0, sample.gpu_j, 0.0)
    return (
        *split(memory, [(owner, seconds / slot_s) for owner, seconds in stays], IDLE),
        *split(accelerators, [(owner, seconds / busy_s) for owner, seconds in stays], IDLE),
    )
