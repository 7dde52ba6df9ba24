"""What the doctor says of packages and plug-ins: nothing is well that was not looked at."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from carbon_sources.plugins import PluginGroup
from carbonnas.cli.doctor import PACKAGES, Health, check_packages, check_plugins
from carbonnas.plugins import SCHEDULERS
from carbonnas.search_spaces.space import SearchSpace

OURS = {package: ["carbonnas"] for package in PACKAGES}


def test_packages_that_are_ours_alone_are_well() -> None:
    (check,) = check_packages(OURS)
    assert (check.name, check.health) == ("packages", Health.OK)
    assert check.message == "carbonnas, schedulers, carbon_sources belong to carbonnas alone"


@pytest.mark.parametrize("owners", [{}, {**OURS, "schedulers": []}], ids=["none named", "one not named"])
def test_nothing_is_said_of_packages_whose_owner_is_unknown(owners: Mapping[str, list[str]]) -> None:
    assert list(check_packages(owners)) == []


def test_a_package_that_another_distribution_brings_too_is_a_failure_that_names_it() -> None:
    (check,) = check_packages({**OURS, "schedulers": ["schedulers", "carbonnas", "schedulers"]})
    assert (check.name, check.health, check.message) == (
        "package schedulers",
        Health.FAILED,
        "is claimed by schedulers",
    )
    assert check.remedy == "install carbonnas in a virtual environment of its own"


def test_a_foreign_owner_is_found_where_our_own_is_unknown() -> None:
    (check,) = check_packages({"schedulers": ["schedulers"]})
    assert (check.name, check.health) == ("package schedulers", Health.FAILED)


def test_plugins_are_well_if_all_of_them_can_be_loaded() -> None:
    (check,) = check_plugins([SCHEDULERS])
    assert (check.name, check.health, check.message) == (
        "plug-ins",
        Health.OK,
        f"{len(SCHEDULERS.names())} can be loaded",
    )


def test_plugins_are_not_well_if_one_of_them_can_not_be_loaded() -> None:
    # Asked for search spaces, the schedulers are none.
    wrong: PluginGroup[SearchSpace] = PluginGroup("carbonnas.schedulers", SearchSpace)
    checks = list(check_plugins([SCHEDULERS, wrong]))
    assert [check.health for check in checks] == [Health.FAILED] * len(SCHEDULERS.names())
    assert [check.name for check in checks] == [f"plug-in {name}" for name in SCHEDULERS.names()]
    assert "plug-in 'carbon_blind' of carbonnas.schedulers is not a SearchSpace" in [check.message for check in checks]
