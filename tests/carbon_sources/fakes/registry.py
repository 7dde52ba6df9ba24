"""All fake providers."""

from __future__ import annotations

from tests.carbon_sources.fakes.api import FakeApi
from tests.carbon_sources.fakes.carbon_aware_sdk import FakeCarbonAwareSDK
from tests.carbon_sources.fakes.eia import FakeEia
from tests.carbon_sources.fakes.electricity_maps import FakeElectricityMaps
from tests.carbon_sources.fakes.energi_data import FakeEnergiData
from tests.carbon_sources.fakes.entsoe import FakeEntsoe
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid, FakeNationalGridRegion
from tests.carbon_sources.fakes.open_electricity import FakeOpenElectricity
from tests.carbon_sources.fakes.watttime import FakeWattTime

FAKES: list[type[FakeApi]] = [
    FakeElectricityMaps,
    FakeWattTime,
    FakeNationalGrid,
    FakeNationalGridRegion,
    FakeEnergiData,
    FakeEia,
    FakeEntsoe,
    FakeOpenElectricity,
    FakeCarbonAwareSDK,
]
