"""The bidding zones of Europe by name and by their energy identification codes (EIC)."""

from __future__ import annotations

from carbon_sources.errors import UnknownZoneError

EIC = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N",
    "DE_LU": "10Y1001A1001A82H",
    "DK_1": "10YDK-1--------W",
    "DK_2": "10YDK-2--------M",
    "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U",
    "FR": "10YFR-RTE------C",
    "GB": "10YGB----------A",
    "GR": "10YGR-HTSO-----Y",
    "HU": "10YHU-MAVIR----U",
    "IE_SEM": "10Y1001A1001A59C",
    "IT_NORD": "10Y1001A1001A73I",
    "NL": "10YNL----------L",
    "NO_1": "10YNO-1--------2",
    "NO_2": "10YNO-2--------T",
    "NO_3": "10YNO-3--------J",
    "NO_4": "10YNO-4--------9",
    "NO_5": "10Y1001A1001A48H",
    "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W",
    "RO": "10YRO-TEL------P",
    "SE_1": "10Y1001A1001A44P",
    "SE_2": "10Y1001A1001A45N",
    "SE_3": "10Y1001A1001A46L",
    "SE_4": "10Y1001A1001A47J",
    "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}
"""Zones by name. GB has sent nothing since it left the market; the source `national_grid` knows it."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_LENGTH = 16


def eic_of(zone: str) -> str:
    """Return the code of a zone that is given by name or as a code.

    Raises:
        UnknownZoneError: If it is neither a known name nor a code whose check character is right.
    """
    if zone in EIC:
        return EIC[zone]
    if is_eic(zone):
        return zone
    raise UnknownZoneError(
        f"ENTSO-E has no zone {zone!r}; known by name are {', '.join(EIC)}; any other is given by its EIC of 16 characters"
    )


def is_eic(text: str) -> bool:
    """Say whether a text is an identification code, by its check character (ENTSO-E, EIC reference manual)."""
    if len(text) != _LENGTH or not set(text) <= set(_DIGITS):
        return False
    weighted = sum(_DIGITS.index(character) * (_LENGTH - place) for place, character in enumerate(text[:-1]))
    return text[-1] == _DIGITS[36 - (weighted - 1) % 37]
