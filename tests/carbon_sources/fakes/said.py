"""What each client has to say of each fault that its provider can be befallen by."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from carbon_sources.errors import SourceAccessError, SourceAnswerError
from tests.carbon_sources.fakes.api import FakeApi
from tests.carbon_sources.fakes.carbon_aware_sdk import FakeCarbonAwareSDK
from tests.carbon_sources.fakes.eia import KEY as EIA_KEY
from tests.carbon_sources.fakes.eia import FakeEia
from tests.carbon_sources.fakes.electricity_maps import TOKEN as ELECTRICITY_MAPS_TOKEN
from tests.carbon_sources.fakes.electricity_maps import FakeElectricityMaps
from tests.carbon_sources.fakes.energi_data import FakeEnergiData
from tests.carbon_sources.fakes.entsoe import TOKEN as ENTSOE_TOKEN
from tests.carbon_sources.fakes.entsoe import FakeEntsoe
from tests.carbon_sources.fakes.faults import Fault
from tests.carbon_sources.fakes.national_grid import FakeNationalGrid, FakeNationalGridRegion
from tests.carbon_sources.fakes.open_electricity import KEY as OPEN_ELECTRICITY_KEY
from tests.carbon_sources.fakes.open_electricity import FakeOpenElectricity
from tests.carbon_sources.fakes.watttime import PASSWORD, USERNAME, FakeWattTime


class Question(enum.Enum):
    """What a source can be asked."""

    HISTORY = "history"
    LATEST = "latest"
    FORECAST = "forecast"


ALL = frozenset(Question)
PAST = frozenset({Question.HISTORY, Question.LATEST})


@dataclass(frozen=True, slots=True)
class Asking:
    """How a client is asked.

    Attributes:
        spans: How many hours of the past; the first span is asked for where one is enough.
        values: How many values a healthy provider has for each of them.
        secrets: What may stand in no error and in no line of the log.
        remembers: Whether what it learned under a fault (a plan, a model) changes what it says for hours.
    """

    spans: tuple[int, ...]
    values: tuple[int, ...]
    secrets: tuple[str, ...] = ()
    remembers: bool = False


ASKING: dict[type[FakeApi], Asking] = {
    # From the hour of 12:00, a day before, to 9:00, when the last hour with all of its fuels ended; for ENTSO-E to 10:00.
    FakeEia: Asking((24,), (24 - 3,), (EIA_KEY,)),
    FakeEntsoe: Asking((24,), (24 - 2,), (ENTSOE_TOKEN,)),
    # The five minutes from 12:05 are known at 12:10; Denmark's take five minutes more.
    FakeCarbonAwareSDK: Asking((8,), (8 * 12,)),
    FakeEnergiData: Asking((3,), (3 * 12 - 1,)),
    # 12:10 lies within a half hour at each end; the two that end at 12:00 or later are not measured yet.
    FakeNationalGrid: Asking((24,), (24 * 2 + 1 - 2,)),
    FakeNationalGridRegion: Asking((24,), (24 * 2 + 1,)),
    FakeOpenElectricity: Asking((12,), (12,), (OPEN_ELECTRICITY_KEY,)),
    # Quarters, with one at each end that 12:10 lies within; the first span fits into the last day, the second does not.
    FakeElectricityMaps: Asking((6, 60), (6 * 4 + 1, 60 * 4 + 1), (ELECTRICITY_MAPS_TOKEN,), remembers=True),
    FakeWattTime: Asking((12,), (12 * 12,), (USERNAME, PASSWORD, "wt-secret"), remembers=True),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A fault after which a question has no answer but an error.

    Attributes:
        said: What the error says, as a regular expression.
        asked: The questions that end so; the others are answered truly.
    """

    fake: type[FakeApi]
    fault: Fault
    error: type[Exception]
    said: str
    asked: frozenset[Question] = ALL


@dataclass(frozen=True, slots=True)
class Odd:
    """A fault after which there is an answer, with less in it, and a remark.

    Attributes:
        said: What stands in the remarks.
        asked: The question that the remark is about.
        values: How many values the answer holds, where the table knows it.
    """

    fake: type[FakeApi]
    fault: Fault
    said: str
    asked: Question = Question.HISTORY
    values: int | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """What a provider tells otherwise the second time.

    Attributes:
        hours: How much of the past is asked for.
        values: How many values in it change.
        by: How much too high they were, g/kWh, where it is the same for all.
    """

    fake: type[FakeApi]
    hours: int
    values: int
    by: float | None = None


REFUSED = [
    Refused(FakeEia, Fault.BAD_TOKEN, SourceAccessError, "API_KEY_INVALID", PAST),
    Refused(FakeEia, Fault.TOKEN_EXPIRES, SourceAccessError, "API_KEY_INVALID", PAST),
    Refused(FakeEia, Fault.HTML_REFUSAL, SourceAccessError, "403", PAST),
    Refused(FakeEia, Fault.EMPTY_OBJECT, SourceAnswerError, "'response' should be an object", PAST),
    Refused(FakeEia, Fault.OTHER_ZONE, SourceAnswerError, "'PJM' instead of CISO", PAST),
    Refused(FakeEia, Fault.OTHER_UNIT, SourceAnswerError, "'gigawatthours' instead of megawatthours", PAST),
    Refused(FakeEia, Fault.COARSER, SourceAnswerError, "'daily' instead of hourly", PAST),
    Refused(FakeEntsoe, Fault.BAD_TOKEN, SourceAccessError, "401", PAST),
    Refused(FakeEntsoe, Fault.HTML_REFUSAL, SourceAccessError, "403", PAST),
    Refused(FakeEntsoe, Fault.OTHER_ZONE, SourceAnswerError, "'10YFR-RTE------C' instead of 10Y1001A1001A82H", PAST),
    Refused(FakeEntsoe, Fault.OTHER_UNIT, SourceAnswerError, "'KWT' instead of MAW", PAST),
    Refused(FakeCarbonAwareSDK, Fault.PLAN_NOT_COVERED, SourceAccessError, "the plan does not cover this zone"),
    Refused(FakeCarbonAwareSDK, Fault.BAD_TOKEN, SourceAccessError, "Invalid auth-token"),
    Refused(FakeCarbonAwareSDK, Fault.HTML_REFUSAL, SourceAccessError, "answered 403"),
    Refused(FakeCarbonAwareSDK, Fault.EMPTY_OBJECT, SourceAnswerError, "should be a list"),
    Refused(FakeCarbonAwareSDK, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number"),
    Refused(
        FakeCarbonAwareSDK,
        Fault.OTHER_ZONE,
        SourceAnswerError,
        "for 'westus' but its forecast is of 'eastus'",
        frozenset({Question.FORECAST}),
    ),
    Refused(FakeNationalGrid, Fault.HTML_REFUSAL, SourceAccessError, "refuses this caller"),
    Refused(FakeNationalGrid, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number", PAST),
    Refused(FakeNationalGridRegion, Fault.HTML_REFUSAL, SourceAccessError, "refuses this caller"),
    Refused(FakeNationalGridRegion, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number", PAST),
    Refused(
        FakeNationalGridRegion,
        Fault.OTHER_ZONE,
        SourceAnswerError,
        r"asked for region 1 \(North Scotland\) but answered for 13",
    ),
    Refused(FakeEnergiData, Fault.HTML_REFUSAL, SourceAccessError, "403"),
    Refused(FakeEnergiData, Fault.EMPTY_OBJECT, SourceAnswerError, "'records'"),
    Refused(FakeEnergiData, Fault.OTHER_ZONE, SourceAnswerError, "asked for DK1 and answered with 'NO2'"),
    Refused(FakeEnergiData, Fault.TEXT_NUMBERS, SourceAnswerError, "'CO2Emission' of energi_data should be a number"),
    Refused(FakeOpenElectricity, Fault.PLAN_NOT_COVERED, SourceAccessError, "plan does not cover", PAST),
    Refused(FakeOpenElectricity, Fault.BAD_TOKEN, SourceAccessError, r"Invalid API key \*\*\*", PAST),
    Refused(FakeOpenElectricity, Fault.HTML_REFUSAL, SourceAccessError, "403", PAST),
    Refused(FakeOpenElectricity, Fault.EMPTY_OBJECT, SourceAnswerError, "'created_at' of open_electricity", PAST),
    Refused(FakeOpenElectricity, Fault.OTHER_ZONE, SourceAnswerError, "asked for NSW1 and answered with 'VIC1'", PAST),
    Refused(FakeOpenElectricity, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number", PAST),
    Refused(FakeOpenElectricity, Fault.OTHER_UNIT, SourceAnswerError, "emissions in 'kt' instead of t", PAST),
    Refused(
        FakeOpenElectricity, Fault.COARSER, SourceAnswerError, "asked for intervals of 1h and answered with '1d'", PAST
    ),
    Refused(FakeElectricityMaps, Fault.BAD_TOKEN, SourceAccessError, "not accept the token in ELECTRICITY_MAPS_TOKEN"),
    Refused(FakeElectricityMaps, Fault.HTML_REFUSAL, SourceAccessError, "refuses this caller: it answered 403"),
    Refused(FakeElectricityMaps, Fault.EMPTY_OBJECT, SourceAnswerError, "should be a (text|list) but is missing"),
    Refused(FakeElectricityMaps, Fault.OTHER_ZONE, SourceAnswerError, "for zone FR, not for DE"),
    Refused(FakeElectricityMaps, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number"),
    Refused(FakeWattTime, Fault.PLAN_NOT_COVERED, SourceAccessError, "not covered by the plan"),
    Refused(FakeWattTime, Fault.BAD_TOKEN, SourceAccessError, "check the account|check name and password"),
    Refused(FakeWattTime, Fault.HTML_REFUSAL, SourceAccessError, "403 right after a login"),
    Refused(FakeWattTime, Fault.EMPTY_OBJECT, SourceAnswerError, "should be an? (list|object) but is missing"),
    Refused(FakeWattTime, Fault.OTHER_ZONE, SourceAnswerError, "for region PJM_DC, not for CAISO_NORTH"),
    Refused(FakeWattTime, Fault.TEXT_NUMBERS, SourceAnswerError, "should be a number"),
    Refused(FakeWattTime, Fault.OTHER_UNIT, SourceAnswerError, "in kg_co2_per_mwh, not in lbs_co2_per_mwh"),
]

_GRID = [
    (Fault.EMPTY_OBJECT, "no values came for 2026-11-20 12:10", Question.HISTORY),
    (Fault.EMPTY_DATA, "there is no recent value", Question.LATEST),
    (Fault.ZEROS, "zeros stand", Question.HISTORY),
    (Fault.NULLS, "before the newest value have none", Question.HISTORY),
    (Fault.STALE, "newest value is old", Question.LATEST),
    (Fault.SHORT_FORECAST, "of the 48 h that were asked for", Question.FORECAST),
    (Fault.DISORDER, "came twice with different values", Question.HISTORY),
    (Fault.MISSING_VALUE, "before the newest value have none", Question.HISTORY),
    (Fault.FORECAST_FROM_PAST, "begins in the past", Question.FORECAST),
    (Fault.ABSURD, "can't be true, such as 4366 g/kWh", Question.HISTORY),
]

ODD = [
    # Of the five disturbed hours, those from 6:00 to 10:00, three had appeared with all of their fuels.
    Odd(FakeEia, Fault.ZEROS, "zeros stand where values are missing", values=21 - 3),
    Odd(FakeEia, Fault.NULLS, "without fuels that they usually have (NG)", values=21 - 3 + 1),
    Odd(FakeEia, Fault.ABSURD, "can't be true", values=21 - 3),
    Odd(FakeEia, Fault.MISSING_VALUE, "null or missing", values=21 - 1),
    Odd(FakeEia, Fault.UNKNOWN_CODE, "unknown fuel 'XYZ'", values=21),
    Odd(FakeEia, Fault.DISORDER, "rows came twice", values=21),
    Odd(FakeEia, Fault.PAGE_DUPLICATES, "rows came twice", values=21),
    Odd(FakeEia, Fault.EMPTY_DATA, "no respondent has this name", values=0),
    Odd(FakeEia, Fault.STALE, "a delay of 24 h is usual", Question.LATEST),
    # Of the disturbed hours, from 6:00 on, the four until 10:00 had appeared with all of their types.
    Odd(FakeEntsoe, Fault.ZEROS, "zeros stand where values are missing", values=22 - 4),
    Odd(FakeEntsoe, Fault.NULLS, "without fuels that they usually have (B02)", values=22 - 1),
    Odd(FakeEntsoe, Fault.MISSING_VALUE, "missing or no numbers", values=22 - 1),
    Odd(FakeEntsoe, Fault.ABSURD, "can't be true", values=22 - 4),
    Odd(FakeEntsoe, Fault.UNKNOWN_CODE, "unknown fuel 'B99'", values=22),
    Odd(FakeEntsoe, Fault.DISORDER, "values came twice", values=22),
    Odd(FakeEntsoe, Fault.COARSER, "'P1D' can't be cut into hours", values=0),
    Odd(FakeEntsoe, Fault.EMPTY_DATA, "no data at all for DE_LU (10Y1001A1001A82H)", values=0),
    Odd(FakeEntsoe, Fault.ACKNOWLEDGED, "no data at all for DE_LU (10Y1001A1001A82H)", values=0),
    Odd(FakeEntsoe, Fault.STALE, "a delay of 3 h is usual", Question.LATEST),
    Odd(FakeCarbonAwareSDK, Fault.EMPTY_DATA, "no values came for"),
    Odd(FakeCarbonAwareSDK, Fault.ZEROS, "zeros stand"),
    Odd(FakeCarbonAwareSDK, Fault.NULLS, "without a value"),
    Odd(FakeCarbonAwareSDK, Fault.STALE, "newest value is old", Question.LATEST),
    Odd(FakeCarbonAwareSDK, Fault.SHORT_FORECAST, "reaches only 6.0 h ahead", Question.FORECAST),
    Odd(FakeCarbonAwareSDK, Fault.COARSER, "intervals of 1:00:00, but usually 0:05:00"),
    Odd(FakeCarbonAwareSDK, Fault.OTHER_ZONE, "the grid 'CAISO_SOUTH', but usually 'CAISO_NORTH'"),
    Odd(FakeCarbonAwareSDK, Fault.DISORDER, "came twice with different values"),
    Odd(FakeCarbonAwareSDK, Fault.MISSING_VALUE, "without a value"),
    Odd(FakeCarbonAwareSDK, Fault.SKEWED_CLOCK, "clock of the service is ahead", Question.FORECAST),
    Odd(FakeCarbonAwareSDK, Fault.FORECAST_FROM_PAST, "begins before its issue; 12 values", Question.FORECAST),
    Odd(FakeCarbonAwareSDK, Fault.ABSURD, "can't be true"),
    *(Odd(FakeNationalGrid, *row) for row in _GRID),
    *(Odd(FakeNationalGridRegion, *row) for row in _GRID),
    Odd(FakeNationalGridRegion, Fault.UNKNOWN_CODE, "'tidal', a fuel that is not documented"),
    Odd(FakeEnergiData, Fault.EMPTY_DATA, "no rows", values=0),
    Odd(FakeEnergiData, Fault.ZEROS, "zeros stand where values are missing"),
    Odd(FakeEnergiData, Fault.NULLS, "rows without a value"),
    Odd(FakeEnergiData, Fault.MISSING_VALUE, "rows without a value"),
    Odd(FakeEnergiData, Fault.STALE, "the newest value is old: it ended at 2026-11-21 09:05 UTC", Question.LATEST),
    Odd(FakeEnergiData, Fault.COARSER, "every 60 min instead of every 5"),
    Odd(FakeEnergiData, Fault.DISORDER, "more than once"),
    Odd(
        FakeEnergiData,
        Fault.SKEWED_CLOCK,
        "values measured until 2026-11-21 12:15 UTC came before that time",
        Question.LATEST,
    ),
    Odd(FakeEnergiData, Fault.ABSURD, "values that can't be true"),
    Odd(FakeEnergiData, Fault.EMPTY_DATA, "no prognosis at the moment", Question.FORECAST, 0),
    Odd(FakeEnergiData, Fault.COARSER, "every 60 min instead of every 5", Question.FORECAST, 24),
    Odd(
        FakeEnergiData,
        Fault.SHORT_FORECAST,
        "reaches 3.0 h ahead, less than the 9 h promised",
        Question.FORECAST,
        3 * 12,
    ),
    Odd(
        FakeEnergiData,
        Fault.FORECAST_FROM_PAST,
        "begins in the past; 24 values were left out",
        Question.FORECAST,
        24 * 12,
    ),
    Odd(FakeOpenElectricity, Fault.EMPTY_DATA, "no values for the time asked for", values=0),
    Odd(FakeOpenElectricity, Fault.ZEROS, "zeros stand where values are missing"),
    Odd(FakeOpenElectricity, Fault.NULLS, "values of coal are missing"),
    Odd(FakeOpenElectricity, Fault.MISSING_VALUE, "values of coal are missing"),
    Odd(FakeOpenElectricity, Fault.STALE, "the newest value is old: it ended at 2026-11-21 08:00 UTC", Question.LATEST),
    Odd(FakeOpenElectricity, Fault.DISORDER, "more than once"),
    Odd(FakeOpenElectricity, Fault.SKEWED_CLOCK, "10 min ahead", Question.LATEST),
    Odd(FakeOpenElectricity, Fault.ABSURD, "can't be true"),
    Odd(FakeOpenElectricity, Fault.UNKNOWN_CODE, "the fuel group 'hydrogen' is unknown"),
    Odd(FakeElectricityMaps, Fault.PLAN_NOT_COVERED, "plan does not cover", Question.FORECAST),
    Odd(FakeElectricityMaps, Fault.EMPTY_DATA, "no recent value", Question.LATEST),
    Odd(FakeElectricityMaps, Fault.ZEROS, "zeros stand where"),
    Odd(FakeElectricityMaps, Fault.NULLS, "rows without a value"),
    Odd(FakeElectricityMaps, Fault.STALE, "the newest value is old", Question.LATEST),
    Odd(
        FakeElectricityMaps,
        Fault.SHORT_FORECAST,
        "shorter than asked for: it ends at 2026-11-22 13:15",
        Question.FORECAST,
    ),
    Odd(FakeElectricityMaps, Fault.COARSER, "values are hourly, not 15_minutes"),
    Odd(FakeElectricityMaps, Fault.DISORDER, "rows came more than once"),
    Odd(FakeElectricityMaps, Fault.MISSING_VALUE, "rows without a value"),
    Odd(FakeElectricityMaps, Fault.SKEWED_CLOCK, "10 minutes after now", Question.FORECAST),
    Odd(FakeElectricityMaps, Fault.FORECAST_FROM_PAST, "begins before it was made", Question.FORECAST),
    Odd(FakeElectricityMaps, Fault.ABSURD, "can't be true, such as"),
    Odd(FakeElectricityMaps, Fault.UNKNOWN_CODE, "CRYSTAL_BALL is not known"),
    Odd(FakeWattTime, Fault.EMPTY_DATA, "no recent value", Question.LATEST),
    Odd(FakeWattTime, Fault.ZEROS, "outage of April 2026"),
    Odd(FakeWattTime, Fault.NULLS, "points without a value"),
    Odd(FakeWattTime, Fault.STALE, "the newest value is old", Question.LATEST),
    Odd(FakeWattTime, Fault.REVISED, "values were imputed"),
    Odd(FakeWattTime, Fault.SHORT_FORECAST, "shorter than asked for: it ends at 2026-11-22 13:15", Question.FORECAST),
    Odd(FakeWattTime, Fault.DISORDER, "points came more than once"),
    Odd(FakeWattTime, Fault.MISSING_VALUE, "points without a value"),
    Odd(FakeWattTime, Fault.SKEWED_CLOCK, "10 minutes after now", Question.FORECAST),
    Odd(FakeWattTime, Fault.FORECAST_FROM_PAST, "begins before it was made", Question.FORECAST),
    Odd(FakeWattTime, Fault.TOKEN_EXPIRES, "logged in again", Question.LATEST),
    Odd(FakeWattTime, Fault.OTHER_MODEL, "model 2026-11-01, earlier ones from model 2024-08-01"),
    Odd(FakeWattTime, Fault.ABSURD, "can't be true, such as"),
]

REVISED = [
    Revised(FakeEia, 24, 3),
    Revised(FakeEntsoe, 24, 4),
    # From 08:10 to 11:10, both ends included.
    Revised(FakeCarbonAwareSDK, 6, 3 * 12 + 1, by=9),
    # 07:10 to 10:10, in which 07:30 to 10:00 begin.
    Revised(FakeNationalGrid, 24, 6, by=9),
    Revised(FakeNationalGridRegion, 24, 6, by=9),
    Revised(FakeEnergiData, 1, 12 - 1, by=37),
    Revised(FakeOpenElectricity, 1, 1),
]
