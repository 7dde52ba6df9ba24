"""What is read from an answer of Open Electricity, what it is divided into, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_sources.answers.open_electricity import Asked, parse
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import CarbonSourceError, SourceAnswerError
from carbon_sources.intensity import Basis, IntensityKind
from carbon_sources.providers.open_electricity import build_request
from tests.carbon_sources.fakes.api import NOW
from tests.carbon_sources.fakes.open_electricity import FakeOpenElectricity

HOUR = timedelta(hours=1)
NOON = NOW.replace(minute=0)
Value = float | None


def asked(zone: str = "NSW1", interval: str = "1h") -> Asked:
    return Asked(Identity("open_electricity", zone, IntensityKind.AVERAGE, Basis.DIRECT), interval)


def block(
    metric: str, groups: Mapping[str, Sequence[Value]], *, zone: str = "NSW1", **others: object
) -> dict[str, Any]:
    """A block with hourly values from 00:00 UTC on, which is 10:00 in the network's time."""
    return {
        "network_code": "NEM",
        "metric": metric,
        "unit": {"energy": "MWh", "emissions": "t"}.get(metric, "$"),
        "interval": "1h",
        "results": [
            {
                "columns": {"region": zone} | ({"fueltech_group": group} if group else {}),
                "data": [[f"2026-11-21T{10 + hour}:00:00+10:00", value] for hour, value in enumerate(values)],
            }
            for group, values in groups.items()
        ],
    } | others


def document(*blocks: object, **others: object) -> dict[str, Any]:
    created: dict[str, Any] = {"created_at": "2026-11-21T23:10:00+11:00", "success": True, "error": None}
    return created | {"data": list(blocks)} | others


def values(answer: object, zone: str = "NSW1") -> list[float]:
    return [sample.g_per_kwh for sample in parse(answer, asked(zone)).parsed.samples]


def remarks(answer: object, zone: str = "NSW1") -> str:
    return " ".join(parse(answer, asked(zone)).parsed.remarks)


def test_intensity_is_emissions_by_energy_of_what_generates() -> None:
    answer = document(
        block("energy", {"coal": [600.0], "wind": [300.0], "gas": [100.0], "battery_discharging": [500.0]}),
        block("emissions", {"coal": [540.0], "wind": [0.0], "gas": [50.0], "battery_discharging": [0.0]}),
    )
    # (540 + 50) t / (600 + 300 + 100) MWh = 0.59 t/MWh = 590 g/kWh; the battery is left out.
    assert values(answer) == pytest.approx([590.0])
    assert remarks(answer) == ""


def test_an_interval_that_is_not_over_is_left_out() -> None:
    answer = document(
        block("energy", {"coal": [100.0, 100.0]}),
        block("emissions", {"coal": [90.0, 90.0]}),
        created_at="2026-11-21T01:59:00Z",
    )
    assert values(answer) == [900.0]


@pytest.mark.parametrize(
    ("zone", "network", "start", "end"),
    [
        ("TAS1", "NEM", "2026-11-21T22:00:00", "2026-11-21T23:10:01"),  # +10:00
        ("WEM", "WEM", "2026-11-21T20:00:00", "2026-11-21T21:10:01"),  # +08:00
    ],
)
def test_dates_are_naive_and_in_the_networks_time(zone: str, network: str, start: str, end: str) -> None:
    request = build_request(
        "https://x.example/v4", asked(zone), NOW, NOW + HOUR + timedelta(milliseconds=1), headers={"Authorization": "x"}
    )
    assert request.url == f"https://x.example/v4/data/network/{network}"
    assert list(request.params) == [
        ("metrics", "energy"),
        ("metrics", "emissions"),
        ("interval", "1h"),
        ("date_start", start),
        ("date_end", end),
        ("network_region", zone),
        ("primary_grouping", "network_region"),
        ("secondary_grouping", "fueltech_group"),
    ]


def test_a_gap_of_either_metric_is_a_gap_once_it_has_settled() -> None:
    answer = document(
        block("energy", {"coal": [100.0, None, 100.0, 100.0]}), block("emissions", {"coal": [90.0, 90.0, None]})
    )
    assert values(answer) == [900.0]
    assert "values of coal are missing; these intervals are gaps (3 times)" in remarks(answer)
    assert remarks(answer | {"created_at": "2026-11-21T02:29:00Z"}).count("times") == 0, "the third ended a while ago"


def test_values_that_contradict_each_other_are_a_gap() -> None:
    energy = block("energy", {"coal": [100.0, 100.0]})
    energy["results"][0]["data"].append(["2026-11-21T10:00:00+10:00", 400.0])
    answer = document(energy, block("emissions", {"coal": [90.0, 80.0]}))
    assert values(answer) == [800.0]
    assert "with different values and were left out" in remarks(answer)


def test_a_group_that_is_missing_for_an_hour_makes_it_a_gap() -> None:
    answer = document(
        block("energy", {"coal": [100.0], "gas": [100.0, 50.0]}),
        block("emissions", {"coal": [90.0], "gas": [50.0, 25.0]}),
    )
    # 140 t / 200 MWh; the second hour would look clean without its coal.
    assert values(answer) == pytest.approx([700.0])


def test_what_burns_nothing_needs_no_emissions_but_its_block_must_have_come() -> None:
    energy = block("energy", {"coal": [100.0], "wind": [300.0], "hydro": [100.0]})
    # 100 t / 500 MWh.
    assert values(document(energy, block("emissions", {"coal": [100.0], "wind": [None]}))) == [200.0]
    water = block("energy", {"hydro": [100.0]}, zone="TAS1")
    assert values(document(water), "TAS1") == []


def test_zero_is_true_where_water_and_wind_suffice() -> None:
    blocks = (block("energy", {"hydro": [900.0]}, zone="TAS1"), block("emissions", {"hydro": [0.0]}, zone="TAS1"))
    assert values(document(*blocks), "TAS1") == [0.0]


@pytest.mark.parametrize("energy", [0.0, -5.0])
def test_no_generation_is_a_gap(energy: float) -> None:
    answer = document(block("energy", {"coal": [energy]}), block("emissions", {"coal": [0.0]}))
    assert values(answer) == []
    assert "generation of zero or less" in remarks(answer)


def test_totals_are_taken_where_there_are_no_groups_and_said() -> None:
    answer = document(block("energy", {"": [1000.0]}), block("emissions", {"": [500.0]}))
    assert values(answer) == [500.0]
    assert "not split by fuel" in remarks(answer)


def test_another_length_is_taken_as_the_provider_gives_it() -> None:
    answer = document(block("energy", {"coal": [100.0]}), block("emissions", {"coal": [90.0]}))
    parsed = parse(answer, asked(interval="5m")).parsed
    assert [s.interval.duration for s in parsed.samples] == [HOUR]
    assert "intervals of 1h came instead of 5m" in " ".join(parsed.remarks)


def test_other_regions_are_left_out_where_ours_came_too() -> None:
    answer = document(
        block("energy", {"coal": [100.0]}),
        block("emissions", {"coal": [90.0]}),
        block("energy", {"coal": [1.0]}, zone="VIC1"),
        block("price", {"": [80.0]}),
    )
    assert values(answer) == [900.0]
    assert "values of 'VIC1' came besides" in remarks(answer)
    assert "the metric 'price' was not asked for" in remarks(answer)


def test_the_older_name_of_the_region_and_utc_are_read() -> None:
    answer = document(block("energy", {"coal": [100.0]}), block("emissions", {"coal": [90.0]}))
    for part in answer["data"]:
        part["results"][0]["columns"] = {"network_region": "NSW1", "fueltech_group": "coal"}
        part["results"][0]["data"][0][0] = "2026-11-20T13:00:00Z"
    (sample,) = parse(answer, asked()).parsed.samples
    assert sample.interval.start == datetime(2026, 11, 20, 13, tzinfo=UTC)


ENERGY, EMISSIONS = block("energy", {"coal": [100.0]}), block("emissions", {"coal": [90.0]})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "should be an object"),
        (document() | {"created_at": "2026-11-21T23:10:00"}, "'created_at'"),
        (document() | {"data": {}}, "'data' of open_electricity should be a list"),
        (document(7), "a block of open_electricity"),
        (document(ENERGY, error="broken"), "answered that it failed"),
        (document(ENERGY, success="no"), "answered that it failed"),
        (document(ENERGY | {"unit": "GWh"}), "energy in 'GWh' instead of MWh"),
        (document(ENERGY | {"network_code": "WEM"}), "asked for network NEM and answered with 'WEM'"),
        (document(ENERGY, EMISSIONS | {"interval": "5m"}), "'1h', '5m'"),
        (document(block("energy", {"coal": [1.0], "": [2.0]}), EMISSIONS), "sums beside the fuel groups"),
        (document(ENERGY | {"results": [{"columns": {"region": "NSW1"}, "data": [[]]}]}), "the time of a row"),
        (document(ENERGY | {"results": [{"columns": {}, "data": []}]}), "the region of a result"),
        (
            document(ENERGY | {"results": [{"columns": {"region": "NSW1"}, "data": [["2026-11-21T10:00:00", 1]]}]}),
            "instant",
        ),
    ],
)
def test_an_answer_outside_the_contract_is_refused(answer: object, reason: str) -> None:
    with pytest.raises(SourceAnswerError, match=reason):
        parse(answer, asked())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just("9999-12-31T23:59:00-10:00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

Place = Literal["document", "block", "result", "columns", "row"]


@given(place=st.sampled_from(["document", "block", "result", "columns", "row"]), which=st.integers(0, 9), value=JSON)
@settings(max_examples=150, deadline=None)
def test_no_answer_raises_anything_but_our_errors(place: Place, which: int, value: object) -> None:
    answer = FakeOpenElectricity().document(NOON - 3 * HOUR, NOW)
    part = answer["data"][which % 2]
    result = part["results"][which % 4]
    targets: dict[Place, Any] = {
        "document": answer,
        "block": part,
        "result": result,
        "columns": result["columns"],
        "row": dict(enumerate(result["data"][0])),
    }
    target = targets[place]
    target[list(target)[which % len(target)]] = value
    if place == "row":
        result["data"][0] = list(target.values())
    try:
        parsed = parse(answer, asked()).parsed
    except CarbonSourceError:
        return
    assert all(0 < s.g_per_kwh <= 2000 for s in parsed.samples)
