from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from carbonnas.errors import ConfigError
from carbonnas.search_spaces.space import Choice
from carbonnas.strategies.lstm_policy import LstmPolicy
from carbonnas.strategies.policy import IndependentPolicy, Policy
from carbonnas.strategies.policy_file import start_from, write_policy
from carbonnas.strategies.policy_search import PolicyKind
from carbonnas.strategies.ppo import Ppo
from carbonnas.strategies.transformer_policy import TransformerPolicy
from carbonnas.testing.strategies import OBJECTIVES, Letters, trained

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

CHOICES = (Choice("a", ("skip", "conv", "pool")), Choice("b", ("skip",)), Choice("c", ("1", "2", "conv", "4")))
EVERY = torch.tensor(list(itertools.product(range(3), range(1), range(4))))
ALL = torch.ones(len(EVERY), 3, dtype=torch.bool)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def lstm(layers: int = 1) -> Policy:
    return LstmPolicy(CHOICES, 8, layers, spread=1.0, generator=generator())


def transformer(choices: tuple[Choice, ...] = CHOICES) -> Policy:
    policy = TransformerPolicy(choices, 8, 2, heads=4, generator=generator())
    with torch.no_grad():
        policy.answers.normal_(0, 0.5, generator=generator())
    return policy


def independent() -> Policy:
    policy = IndependentPolicy(CHOICES)
    with torch.no_grad():
        for weights in policy.weights:
            weights.normal_(generator=generator())
    return policy


MAKERS = [lstm, lambda: lstm(2), transformer, independent]
each_policy = pytest.mark.parametrize("make", MAKERS, ids=["lstm", "two layers", "transformer", "independent"])


@each_policy
def test_the_policy_is_a_distribution_over_the_space(make: Callable[[], Policy]) -> None:
    log_probability, _ = make()(EVERY, ALL)
    assert float(log_probability.exp().sum().detach()) == pytest.approx(1.0, abs=1e-6)


@each_policy
def test_the_expected_entropy_is_that_of_the_distribution(make: Callable[[], Policy]) -> None:
    policy = make()
    log_probability, entropy = (value.detach().double() for value in policy(EVERY, ALL))
    p = log_probability.exp()
    assert float((p * entropy).sum()) == pytest.approx(float(-(p * log_probability).sum()), abs=1e-6)
    assert float(entropy.max()) <= math.log(3 * 1 * 4) == pytest.approx(float(policy.uniform_entropy(ALL)[0]))


@each_policy
def test_what_is_drawn_follows_the_policy(make: Callable[[], Policy]) -> None:
    policy, draws = make(), 2000
    drawn = Counter(policy.draw(draws, np.random.default_rng(0)))
    with torch.no_grad():
        expected = policy(EVERY, ALL)[0].exp()
    for row, p in zip(EVERY.tolist(), expected.tolist(), strict=True):
        # Five standard deviations of a share.
        assert drawn[tuple(row)] / draws == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / draws))


@each_policy
def test_choices_that_do_not_matter_count_for_nothing(make: Callable[[], Policy]) -> None:
    policy, active = make(), ALL.clone()
    active[:, 2] = False
    with torch.no_grad():
        log_probability, _ = policy(EVERY, active)
    by_first = log_probability.reshape(3, 4)
    assert torch.equal(by_first, by_first[:, :1].expand(3, 4))
    assert float(by_first[:, 0].exp().sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("make", "differs"), [(lstm, True), (transformer, True), (independent, False)])
def test_later_choices_depend_on_earlier_ones(make: Callable[[], Policy], *, differs: bool) -> None:
    with torch.no_grad():
        log_probability, _ = make()(EVERY, ALL)
    conditional = log_probability.reshape(3, 4).log_softmax(1)
    assert torch.allclose(conditional[0], conditional[1], atol=1e-6) != differs


@each_policy
def test_decisions_do_not_depend_on_later_ones(make: Callable[[], Policy]) -> None:
    policy = make()
    with torch.no_grad():
        prefix, whole = policy.logits(EVERY[:, :1]), policy.logits(EVERY)
    for short, long in zip(prefix, whole, strict=False):
        assert torch.allclose(short, long, atol=1e-6)


def test_a_transformer_begins_uniform() -> None:
    policy = TransformerPolicy(CHOICES, 8, 1, heads=2, generator=generator())
    with torch.no_grad():
        assert torch.allclose(policy(EVERY, ALL)[0], torch.tensor(-math.log(12)))


def test_the_width_of_a_transformer_fits_its_heads() -> None:
    with pytest.raises(ValueError, match="hidden must be a multiple of the 4 heads, got 6"):
        Ppo(Letters(), OBJECTIVES, 0, policy=PolicyKind.TRANSFORMER, hidden=6)


def test_making_a_policy_leaves_torchs_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = float(torch.rand(()))
    torch.manual_seed(1)
    for make in MAKERS:
        make()
    assert float(torch.rand(())) == expected


@each_policy
def test_a_policy_that_was_written_can_be_started_from(make: Callable[[], Policy], tmp_path: Path) -> None:
    written, other = make(), make()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    write_policy(written, tmp_path / "policy")
    start_from(other, tmp_path / "policy")
    for name, weights in written.state_dict().items():
        assert torch.equal(weights, other.state_dict()[name]), name


def test_a_policy_of_another_space_hands_on_what_has_the_same_name(tmp_path: Path) -> None:
    before = transformer()
    after = transformer((Choice("c", ("conv", "attention")), Choice("d", ("skip", "conv"))))
    write_policy(before, tmp_path / "policy")
    start_from(after, tmp_path / "policy")
    was, now = before.state_dict(), after.state_dict()
    # Words in their order: before 1, 2, 4, conv, pool, skip; after attention, conv, skip.
    assert torch.equal(now["words.weight"][1:], was["words.weight"][[3, 5]])
    assert torch.equal(now["places.weight"][0], was["places.weight"][2])
    assert torch.equal(now["norm.weight"], was["norm.weight"])
    fresh = transformer((Choice("c", ("conv", "attention")), Choice("d", ("skip", "conv")))).state_dict()
    assert torch.equal(now["words.weight"][0], fresh["words.weight"][0])


@pytest.mark.parametrize("text", [b"", b"no policy at all", b"\x10" + bytes(30)])
def test_what_is_no_policy_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "policy"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match="can't be read as a policy"):
        start_from(lstm(), path)


def test_a_policy_of_another_kind_or_size_is_refused(tmp_path: Path) -> None:
    write_policy(independent(), tmp_path / "independent")
    with pytest.raises(ConfigError, match="holds no LstmPolicy, but 'IndependentPolicy'"):
        start_from(lstm(), tmp_path / "independent")
    foreign = IndependentPolicy((Choice("x", ("1",)), Choice("y", ("2",))))
    with pytest.raises(ConfigError, match="nothing in it fits"):
        start_from(foreign, tmp_path / "independent")


def written(path: Path, tensors: dict[str, torch.Tensor], labels: str = "{}") -> Path:
    """Write a file as somebody might who means ill, or has made a mistake."""
    path.write_bytes(save(tensors, {"policy": "IndependentPolicy", "labels": labels}))
    return path


WEIGHTS = torch.zeros(3)


@pytest.mark.parametrize(
    ("tensors", "labels", "sentence"),
    [
        ({"weights.0": WEIGHTS}, "[" * 100_000, "recursion"),
        ({"weights.0": WEIGHTS}, "[]", "its labels are no lists of texts by name"),
        ({"weights.0": WEIGHTS}, '{"weights.0": "abc"}', "its labels are no lists of texts by name"),
        ({"weights.0": WEIGHTS}, '{"weights.0": [["skip"], 1, null]}', "its labels are no lists of texts by name"),
        ({"weights.0": WEIGHTS}, '{"a": ["' + "x" * 2_000_000 + '"]}', "characters long, more than"),
        ({"weights.0": WEIGHTS}, '{"weights.0": ["skip"]}', "weights.0 has 3 rows and 1 labels"),
        ({"weights.0": WEIGHTS + math.nan}, "{}", "weights.0 holds weights that are no finite numbers"),
        ({"weights.0": WEIGHTS.to(torch.int64)}, "{}", "weights.0 holds weights that are no finite numbers"),
        ({"weights.0": WEIGHTS.double() + 1e300}, "{}", "weights.0 holds weights .* numbers up to 1,000"),
        ({"weights.0": WEIGHTS - 3e38}, "{}", "weights.0 holds weights .* numbers up to 1,000"),
        ({"weights.0": (WEIGHTS + math.nan).to(torch.float8_e4m3fn)}, "{}", "no finite numbers"),
        ({"weights.0": torch.tensor(1.0)}, "{}", "nothing in it fits"),
        ({"weights.0": torch.zeros(3, 3)}, "{}", "nothing in it fits"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_sentence_and_changes_nothing(
    tensors: dict[str, torch.Tensor], labels: str, sentence: str, tmp_path: Path
) -> None:
    policy, before = independent(), independent().state_dict()
    with pytest.raises(ConfigError, match=sentence) as caught:
        start_from(policy, written(tmp_path / "policy", tensors, labels))
    assert len(caught.value.problems) == 1
    assert len(str(caught.value)) < 1000
    for name, weights in policy.state_dict().items():
        assert torch.equal(weights, before[name])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn], ids=str)
def test_weights_of_any_precision_are_taken_over(dtype: torch.dtype, tmp_path: Path) -> None:
    weights = torch.tensor([0.5, -1.0, 2.0])  # powers of two are the same in each
    policy = independent()
    start_from(policy, written(tmp_path / "policy", {"weights.0": weights.to(dtype)}))
    assert torch.equal(policy.state_dict()["weights.0"], weights)


def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't be read as a policy: .*name too long"):
        start_from(independent(), tmp_path / ("x" * 300))


def test_where_there_is_no_file_the_search_does_not_begin(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError, match="there is no such file"):
            Ppo(Letters(), OBJECTIVES, 1, hidden=8, layers=1, start_from=path).state_dict()


def test_a_search_that_goes_on_needs_its_file_no_more_and_does_not_hear_of_its_changes(tmp_path: Path) -> None:
    path = tmp_path / "policy"

    def started() -> Ppo:
        return Ppo(Letters(), OBJECTIVES, 1, hidden=8, layers=1, start_from=path)

    write_policy(Ppo(Letters(), OBJECTIVES, 0, hidden=8, layers=1).policy, path)
    begun = started()
    state = begun.state_dict()
    write_policy(Ppo(Letters(), OBJECTIVES, 7, hidden=8, layers=1).policy, path)
    changed = started()
    changed.load_state_dict(state)
    path.unlink()
    moved = started()
    moved.load_state_dict(state)
    proposals = [begun.ask() for _ in range(4)]
    for resumed in (changed, moved):
        assert [resumed.ask() for _ in range(4)] == proposals


def test_a_search_hands_its_policy_to_the_next(tmp_path: Path) -> None:
    first = Ppo(Letters(), OBJECTIVES, 0, hidden=8, layers=1, batch=2)
    for _ in range(6):
        first.tell(trained(first.ask()))
    write_policy(first.policy, tmp_path / "policy")
    second = Ppo(Letters(), OBJECTIVES, 1, hidden=8, layers=1, batch=2, start_from=tmp_path / "policy")
    for name, weights in first.policy.state_dict().items():
        assert torch.equal(weights, second.policy.state_dict()[name]), name
