from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonnas.objectives.objective import Objective
from carbonnas.strategies.fidelity_link import FidelityLink
from carbonnas.strategies.full_results import expected
from carbonnas.strategies.gaussian_process import GaussianProcess
from carbonnas.strategies.strategy import Candidate
from carbonnas.trials import FidelityName

NOTHING = np.array([])
BOTH = (Objective.parse("maximize accuracy"), Objective.parse("minimize energy"))


def test_a_process_learns_a_smooth_function_and_doubts_what_is_far_away() -> None:
    inputs = np.random.default_rng(0).normal(size=(60, 3))
    process = GaussianProcess.fit(inputs, np.sin(inputs[:, 0]) + inputs[:, 1])
    near = inputs[:10] * 0.98
    mean, doubt = process.predict(near)
    assert mean == pytest.approx(np.sin(near[:, 0]) + near[:, 1], abs=0.25)
    assert process.predict(np.full((1, 3), 9.0))[1][0] > 3 * doubt.max()


@pytest.mark.parametrize("targets", [[2.0], [2.0, 2.0, 2.0]])
def test_a_process_learns_from_a_single_or_a_constant_value(targets: list[float]) -> None:
    mean, doubt = GaussianProcess.fit(np.eye(3)[: len(targets)], np.array(targets)).predict(np.eye(3))
    assert mean == pytest.approx([2.0, 2.0, 2.0])
    assert np.isfinite(doubt).all()


def test_without_full_trainings_a_link_expects_what_the_short_ones_gave_and_doubts_it() -> None:
    short = np.array([1.0, 2.0, 4.0])
    link = FidelityLink.fit(short, NOTHING, NOTHING[:, None], NOTHING)
    assert link.mean(short, short[:, None]).tolist() == [1.0, 2.0, 4.0]
    assert (np.diag(link.covariance(short, short[:, None])) > 0.25).all()


@given(shift=st.floats(-3, 3))
@settings(max_examples=20)
def test_a_link_learns_by_how_much_full_trainings_are_better(shift: float) -> None:
    short = np.linspace(0.0, 4.0, 9)
    link = FidelityLink.fit(short, short[::2], short[::2, None], short[::2] + shift)
    assert link.mean(short, short[:, None]) == pytest.approx(short + shift, abs=0.25 + 0.05 * abs(shift))
    before = FidelityLink.fit(short, NOTHING, NOTHING[:, None], NOTHING)
    told, untold = (np.diag(each.covariance(short, short[:, None])) for each in (link, before))
    assert (told < untold).all()


@given(
    short=st.lists(st.floats(-3, 3), min_size=2, max_size=8, unique=True),
    done=st.integers(0, 4),
    seed=st.integers(0, 9),
)
@settings(max_examples=40)
def test_what_full_trainings_may_give_is_a_covariance(short: list[float], done: int, seed: int) -> None:
    values = np.array(short)
    inputs = np.random.default_rng(seed).standard_normal((len(values), 3))
    link = FidelityLink.fit(values, values[:done], inputs[:done], values[:done] + 1.0)
    covariance = link.covariance(values, inputs)
    assert covariance == pytest.approx(covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0.0


def _candidates(count: int, short: dict[int, float], full: dict[int, float]) -> list[Candidate]:
    told = ((FidelityName.SEARCH, short), (FidelityName.FULL, full))
    return [
        Candidate((i,), {"energy": 10.0 + i}, {name: {"accuracy": values[i]} for name, values in told if i in values})
        for i in range(count)
    ]


def test_what_is_known_is_expected_as_it_is_and_the_rest_with_doubt() -> None:
    candidates = _candidates(4, {0: 0.5, 1: 0.7, 2: 0.6}, {1: 0.9})
    outlook = expected(candidates, BOTH, np.linspace(-1, 1, 4)[:, None])
    values = outlook.at(range(4))
    assert values[1] == pytest.approx([0.9, -11.0])
    assert values[:, 1].tolist() == [-10.0, -11.0, -12.0, -13.0]
    assert 0.6 < values[2, 0] < 0.95  # between its short training and what the link adds
    assert outlook.doubt[:, 0].tolist()[:3] == [0.0, 0.0, 0.0]
    assert outlook.doubt[3, 0] > 0
    assert (outlook.at(range(4), doubts=9.0)[:, 0] <= 1.0).all()


def test_metrics_that_are_no_shares_are_learnt_as_they_are() -> None:
    objectives = (Objective.parse("minimize loss"),)
    candidates = [
        Candidate((i,), {}, {FidelityName.SEARCH: {"loss": value}}) for i, value in enumerate((3.0, 2.0, 250.0))
    ]
    outlook = expected(candidates, objectives, np.eye(3))
    assert outlook.shares == (False,)
    assert outlook.at([2])[0, 0] < outlook.at([0])[0, 0]


def test_draws_have_the_mean_that_is_expected_and_share_what_is_unknown_of_all() -> None:
    candidates = _candidates(6, {place: 0.5 + 0.05 * place for place in range(6)}, {})
    outlook = expected(candidates, BOTH, np.arange(6.0)[:, None])
    draws = outlook.draws([1, 4], 200, np.random.default_rng(0))
    assert draws.shape == (200, 2, 2)
    assert (draws[:, :, 1] == [-11.0, -14.0]).all()
    errors = np.log(1.005 - draws[:, :, 0])
    assert errors.mean(axis=0) == pytest.approx(np.log(1.005 - outlook.at([1, 4])[:, 0]), abs=0.01)
    # Nothing is known of how much full trainings gain, and that is the same for both.
    assert np.corrcoef(errors.T)[0, 1] > 0.5


def test_what_is_known_is_drawn_as_it_is() -> None:
    candidates = _candidates(3, {0: 0.5, 1: 0.6, 2: 0.7}, {0: 0.8})
    scores_only = (Objective.parse("minimize energy"),)
    outlook = expected(candidates, scores_only, np.arange(3.0)[:, None])
    assert (outlook.draws([1, 2], 4, np.random.default_rng(0)) == [[-11.0], [-12.0]]).all()
