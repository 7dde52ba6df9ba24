from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.energy.meter import IDLE
from carbonnas.record import SearchRecord
from carbonnas.report.clean_share import clean_share

MakeRecord = Callable[..., SearchRecord]


def test_the_cleaner_half_of_four_hours_is_the_two_cleanest(make_record: MakeRecord) -> None:
    drawn = [(IDLE, 0, 1, 0.1), (IDLE, 1, 2, 0.2), (IDLE, 2, 3, 0.3), (IDLE, 3, 4, 0.4)]
    # 100 and 150 g/kWh: (0.2 + 0.4) / 1.0
    assert clean_share(make_record([400, 150, 300, 100], drawn, hours=4)).share == pytest.approx(0.6)


def test_the_hour_on_the_border_counts_in_proportion(make_record: MakeRecord) -> None:
    drawn = [(IDLE, 0, 1, 0.5), (IDLE, 1, 2, 0.2), (IDLE, 2, 3, 0.3)]
    # half of three hours: the hour of 100 and half of the hour of 200 g/kWh: 0.5 + 0.2 / 2
    assert clean_share(make_record([100, 200, 300], drawn, hours=3)).share == pytest.approx(0.6)


@given(values=st.lists(st.floats(0, 800), min_size=1, max_size=8))
def test_constant_power_gives_one_half(make_record: MakeRecord, values: list[float]) -> None:
    drawn = [(IDLE, hour, hour + 1, 0.1) for hour in range(len(values))]
    assert clean_share(make_record(values, drawn, hours=len(values))).share == pytest.approx(0.5, rel=1e-9)


def test_an_hour_of_unknown_intensity_gives_a_reason_and_no_figure(make_record: MakeRecord) -> None:
    found = clean_share(make_record([100, None], [(IDLE, 0, 1, 0.1)], hours=2))
    assert found.share is None
    assert found.how == "Not known: the intensity of the hour from 2024-05-01 07:00 UTC is unknown."


def test_no_energy_has_no_share(make_record: MakeRecord) -> None:
    assert clean_share(make_record([100], [], hours=1)).share is None
