"""How the learned allocator learns: advantage actor-critic over whole searches in the light simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from schedulers.policies.actor_critic_network import CLASSES, Actor
from schedulers.policies.actor_critic_state import MONOTONE, OTHERS, observe
from schedulers.policies.actor_critic_world import World

_HIDDEN = 32
_LEAST = 1e-8


@dataclass(frozen=True, slots=True)
class Training:
    """How to train.

    Attributes:
        updates: Updates of the networks, at least 1.
        hours: Hours that each search advances between two updates, at least 1.
        rate: Learning rate at the begin; it falls to zero in a cosine.
        trace_decay: Lambda of generalised advantage estimation, 0..1.
        entropy: Weight of the entropy at the begin; it falls to zero in a line, so that the allocator ends decided.
    """

    updates: int = 1000
    hours: int = 32
    rate: float = 3e-3
    trace_decay: float = 0.97
    entropy: float = 0.003


class ActorNetwork(nn.Module):
    """The network of `Actor` with free parameters: softplus makes those positive that have to be."""

    def __init__(self) -> None:
        super().__init__()
        self.other_first = nn.Linear(OTHERS, _HIDDEN)
        self.dirty_first = nn.Parameter(torch.randn(MONOTONE, _HIDDEN) * 0.5 - 1)
        self.first_second = nn.Parameter(torch.randn(_HIDDEN, _HIDDEN) * 0.5 - 3)
        self.other_second = nn.Linear(OTHERS, _HIDDEN)
        self.second_last = nn.Parameter(torch.randn(_HIDDEN) * 0.5 - 2)
        self.other_last = nn.Linear(OTHERS, 1)
        self.dirty_last = nn.Parameter(torch.full((MONOTONE,), -2.0))
        self.first_threshold = nn.Parameter(torch.tensor([-2.0]))
        self.steps = nn.Parameter(torch.zeros(CLASSES - 2) - 0.5)

    def forward(self, dirtiness: Tensor, others: Tensor) -> Tensor:
        """Return the log-probabilities of the actions, shape (n, `CLASSES`)."""
        first = torch.tanh(self.other_first(others) - dirtiness @ softplus(self.dirty_first))
        second = torch.tanh(first @ softplus(self.first_second) + self.other_second(others))
        level = second @ softplus(self.second_last) - dirtiness @ softplus(self.dirty_last)
        logits = level[:, None] + self.other_last(others) - self._thresholds()
        at_least = torch.sigmoid(logits)
        edge = torch.ones_like(at_least[:, :1])
        return torch.log(torch.cat((edge, at_least), 1) - torch.cat((at_least, 0 * edge), 1) + _LEAST)

    def learnt(self) -> Actor:
        """Return what was learnt, in numpy."""
        return Actor(
            other_first=_array(self.other_first.weight.T),
            dirty_first=_array(softplus(self.dirty_first)),
            bias_first=_array(self.other_first.bias),
            first_second=_array(softplus(self.first_second)),
            other_second=_array(self.other_second.weight.T),
            bias_second=_array(self.other_second.bias),
            second_last=_array(softplus(self.second_last)),
            other_last=_array(self.other_last.weight[0]),
            dirty_last=_array(softplus(self.dirty_last)),
            bias_last=_array(self.other_last.bias),
            thresholds=_array(self._thresholds()),
        )

    def _thresholds(self) -> Tensor:
        return self.first_threshold + torch.cat((torch.zeros(1), softplus(self.steps).cumsum(0)))


def critic_network() -> nn.Module:
    """Return the network that expects the sum of the rewards to come from the whole state."""
    return nn.Sequential(
        nn.Linear(MONOTONE + OTHERS, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1), nn.Flatten(0)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rollout:
    """What happened in `hours` hours of `count` searches: tensors of shape (hours, count, ...)."""

    dirtiness: Tensor
    others: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor
    values: Tensor
    """Shape (hours + 1, count): what the critic expected, after the last hour too."""


def train(
    world: World,
    *,
    training: Training,
    seed: int,
    after: Callable[[int, float], None] = lambda _update, _reward: None,
) -> Actor:
    """Return what an actor learns in a world; the same seeds give the same actor on one machine with one thread.

    Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", in its synchronous form, with the advantages of
    Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage Estimation". Rewards are not discounted
    within a search: a gram emitted later is no smaller, and earliness is paid for by the reward itself.

    Args:
        world: Where it acts.
        training: How it learns.
        seed: Of the initial weights and the actions.
        after: Told the number of each update and the mean reward per search and hour in it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        actor, critic = ActorNetwork(), critic_network()
        parameters = [*actor.parameters(), *critic.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=training.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.updates)
        for update in range(training.updates):
            rollout = _act(world, actor, critic, training.hours)
            entropy = training.entropy * (1 - update / training.updates)
            loss = _loss(rollout, actor, critic, trace_decay=training.trace_decay, entropy=entropy)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch's own gap
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            after(update, float(rollout.rewards.mean()))
        return actor.learnt()


@torch.no_grad()
def _act(world: World, actor: nn.Module, critic: nn.Module, hours: int) -> _Rollout:
    seen, actions, rewards, ended, values = [], [], [], [], []
    for _ in range(hours):
        dirtiness, others = _observed(world)
        action = torch.multinomial(actor(dirtiness, others).exp(), 1)[:, 0]
        reward, end = world.step(action.numpy())
        seen.append((dirtiness, others))
        actions.append(action)
        rewards.append(torch.from_numpy(reward.astype(np.float32)))
        ended.append(torch.from_numpy(end))
        values.append(critic(torch.cat((dirtiness, others), 1)))
    values.append(critic(torch.cat(_observed(world), 1)))
    firsts, seconds = zip(*seen, strict=True)
    return _Rollout(*(torch.stack(x) for x in (firsts, seconds, actions, rewards, ended, values)))


def _observed(world: World) -> tuple[Tensor, Tensor]:
    dirtiness, others = observe(world.situations())
    return torch.from_numpy(dirtiness.astype(np.float32)), torch.from_numpy(others.astype(np.float32))


def _loss(rollout: _Rollout, actor: nn.Module, critic: nn.Module, *, trace_decay: float, entropy: float) -> Tensor:
    advantages = _advantages(rollout, trace_decay)
    returns = (advantages + rollout.values[:-1]).flatten()
    scaled = ((advantages - advantages.mean()) / (advantages.std() + _LEAST)).flatten()
    dirtiness, others = rollout.dirtiness.flatten(0, 1), rollout.others.flatten(0, 1)
    log_chances = actor(dirtiness, others)
    taken = log_chances.gather(1, rollout.actions.flatten()[:, None])[:, 0]
    spread = -(log_chances.exp() * log_chances).sum(1).mean()
    misjudged = (critic(torch.cat((dirtiness, others), 1)) - returns).square().mean()
    loss: Tensor = -(taken * scaled).mean() - entropy * spread + misjudged
    return loss


def _advantages(rollout: _Rollout, trace_decay: float) -> Tensor:
    """Return how much better each action turned out than the critic expected; shape (hours, count)."""
    goes_on = (~rollout.ended).float()
    surprises = rollout.rewards + goes_on * rollout.values[1:] - rollout.values[:-1]
    advantages = torch.zeros_like(surprises)
    later = torch.zeros_like(surprises[0])
    for hour in reversed(range(len(surprises))):
        later = surprises[hour] + trace_decay * goes_on[hour] * later
        advantages[hour] = later
    return advantages


def _array(tensor: Tensor) -> np.typing.NDArray[np.float64]:
    return tensor.detach().numpy().astype(np.float64)
