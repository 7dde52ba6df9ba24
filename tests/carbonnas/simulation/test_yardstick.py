"""What the hypervolume of a table is, and how a search's grows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.errors import ConfigError
from carbonnas.objectives.hypervolume import hypervolume
from carbonnas.objectives.objective import Objective
from carbonnas.simulation.yardstick import Yardstick
from carbonnas.trials import Fidelity, FidelityName

OBJECTIVES = (Objective.parse("maximize a"), Objective.parse("minimize b"))
STICK = Yardstick(OBJECTIVES, Fidelity(FidelityName.SEARCH, 12), {"a": 0.0, "b": 10.0}, 50.0, 3)
POINTS = st.lists(st.tuples(st.floats(0, 5), st.floats(-10, 0)), max_size=12)


def test_the_reference_point_is_turned_so_that_larger_is_better() -> None:
    assert STICK.origin == (0.0, -10.0)


def test_shares_grow_with_the_area_that_points_add() -> None:
    # 2 x 6 of 50, then a point that is dominated, then 3 x 4 of which 2 x 4 were there.
    places, shares = zip(*STICK.shares([(2.0, -4.0), (1.0, -5.0), (3.0, -6.0)]), strict=True)
    assert places == (0, 2)
    assert shares == pytest.approx((0.24, 0.32))


@given(POINTS)
def test_the_last_share_is_the_hypervolume_of_all_points(points: list[tuple[float, float]]) -> None:
    shares = [share for _, share in STICK.shares(points)]
    assert shares == sorted(shares)
    assert (shares[-1] if shares else 0.0) == pytest.approx(hypervolume(points, STICK.origin) / 50.0, abs=1e-12)


def test_the_reference_point_is_zero_where_more_is_better_and_the_worst_of_the_table_where_less_is(
    make: Callable[..., object],
) -> None:
    stick = make("threshold").tournament.setting.yardstick  # type: ignore[attr-defined]
    # The worst of made-up sizes: 1000 + 900 * 6 scalars.
    assert stick.reference == {"val_accuracy": 0.0, "params": 6400.0}
    assert stick.rows == 6466


def test_the_reference_point_can_be_chosen(make: Callable[..., object]) -> None:
    stick = make("threshold", reference="params=7000").tournament.setting.yardstick  # type: ignore[attr-defined]
    assert stick.reference == {"val_accuracy": 0.0, "params": 7000.0}


def test_a_reference_point_that_nothing_exceeds_is_refused(make: Callable[..., object]) -> None:
    with pytest.raises(ConfigError, match="no row of the table is better than val_accuracy=0, params=1 in every"):
        make("threshold", reference="params=1")


def test_an_objective_that_trainings_do_not_measure_is_refused(make: Callable[..., object]) -> None:
    with pytest.raises(ConfigError, match="nothing measures latency at fidelity search; there are: macs"):
        make("threshold", search={"objectives": ["maximize val_accuracy", "minimize latency"]})
