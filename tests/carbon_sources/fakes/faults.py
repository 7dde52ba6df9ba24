"""The faults that providers have been seen with, and those among them that any server can play."""

from __future__ import annotations

import enum
import gzip
from collections.abc import Mapping
from dataclasses import replace

from carbon_sources.testing_server import Reply


class Fault(enum.Enum):
    """What is wrong with a provider. Each was seen in the wild."""

    PLAN_NOT_COVERED = "1a refused, because the plan does not cover the zone"
    BAD_TOKEN = "1b refused, because the token is wrong"  # noqa: S105 -- a description
    HTML_REFUSAL = "2 an HTML page with 403 instead of JSON"
    THROTTLED = "3a 429 without a hint when to come back"
    THROTTLED_RETRY_AFTER = "3b 429 with Retry-After"
    EMPTY_OBJECT = "4a 200 with {}"
    EMPTY_DATA = "4b 200 with an empty list"
    SERVER_ERROR = "5 500 with a JSON error"
    ZEROS = "6 zeros for hours with 200"
    NULLS = "7 null in the middle of a series"
    STALE = "8 the newest value does not change for three hours"
    REVISED = "9 a value changes after the fact"
    SHORT_FORECAST = "10 a forecast that is shorter than asked for"
    COARSER = "11 a coarser granularity than asked for"
    OTHER_ZONE = "12 the answer of another zone"
    DISORDER = "13 duplicate and out-of-order rows"
    TEXT_NUMBERS = "14a numbers as text"
    MISSING_VALUE = "14b a row without its value"
    CURVE_GAPS = "15a an A03 curve that omits repeated values"
    ACKNOWLEDGED = "15b an acknowledgement document with 200"
    ZIPPED = "16a a ZIP archive in place of the document"
    TRUNCATED = "16b a chunked body that ends too early"
    WRONG_TYPE = "16c a wrong Content-Type"
    BYTE_ORDER_MARK = "16d a byte order mark"
    BROKEN_GZIP = "16e a gzip body that is broken"
    SLOW_DRIP = "17a a header now and the body much later"
    RESET = "17b a connection that is reset"
    SKEWED_CLOCK = "18a a server whose clock is ten minutes ahead"
    FORECAST_FROM_PAST = "18b a forecast whose first rows are in the past"
    TOKEN_EXPIRES = "19 a token that expires between two pages"  # noqa: S105 -- a description
    PAGE_DUPLICATES = "20 rows that come again on the next page"
    OTHER_UNIT = "21a another unit"
    OTHER_MODEL = "21b another model"
    ABSURD = "22 negative and absurd values"
    UNKNOWN_CODE = "23 an unknown fuel or estimation method"
    MOVED = "24 a redirect to a new host"


TRANSPORT: Mapping[Fault, Reply | None] = {
    Fault.THROTTLED: Reply.json({"message": "slow down"}, 429),
    Fault.THROTTLED_RETRY_AFTER: Reply(b"", 429, {"Retry-After": "600"}),
    Fault.SERVER_ERROR: Reply.json({"error": {"code": "500 Internal Server Error", "message": "outage"}}, 500),
    Fault.RESET: Reply(reset=True),
    Fault.MOVED: Reply(b"", 308, {"Location": "https://new-host.example/"}),
    Fault.TRUNCATED: None,
    Fault.WRONG_TYPE: None,
    Fault.BYTE_ORDER_MARK: None,
    Fault.BROKEN_GZIP: None,
    Fault.SLOW_DRIP: None,
}
"""Faults that are the same for every provider; `None` where they are made from the healthy reply."""

SERIES_FAULTS = frozenset(
    {
        Fault.HTML_REFUSAL,
        Fault.EMPTY_DATA,
        Fault.ZEROS,
        Fault.NULLS,
        Fault.STALE,
        Fault.REVISED,
        Fault.DISORDER,
        Fault.MISSING_VALUE,
        Fault.ABSURD,
    }
)
"""Faults that befall every provider of a series, each in its own format."""

JSON_FAULTS = SERIES_FAULTS | {Fault.EMPTY_OBJECT, Fault.TEXT_NUMBERS}
"""Faults that befall every provider that answers with a series in JSON."""

FORECAST_FAULTS = frozenset({Fault.SHORT_FORECAST, Fault.FORECAST_FROM_PAST})
"""Faults that befall every provider that forecasts."""

FORBIDDEN_PAGE = Reply(b"<html><body>Forbidden</body></html>", 403, {"Content-Type": "text/html"})
"""The page that a gateway sends in the provider's place."""

HARMLESS = frozenset({Fault.WRONG_TYPE, Fault.BYTE_ORDER_MARK})
"""Faults that a client has to read through without a word."""


def spoil(fault: Fault, healthy: Reply) -> Reply:
    """Return what the server sends under one of the faults of `TRANSPORT`."""
    match fault:
        case Fault.TRUNCATED:
            return replace(healthy, truncated=True)
        case Fault.WRONG_TYPE:
            return replace(healthy, headers={"Content-Type": "text/html"})
        case Fault.BYTE_ORDER_MARK:
            return replace(healthy, body=b"\xef\xbb\xbf" + healthy.body)
        case Fault.BROKEN_GZIP:
            return replace(
                healthy, body=gzip.compress(healthy.body)[:-9] + b"rubbish!!", headers={"Content-Encoding": "gzip"}
            )
        case Fault.SLOW_DRIP:
            return replace(healthy, drip_s=5.0)
        case _:
            reply = TRANSPORT[fault]
            if reply is None:
                raise ValueError(f"{fault} can't be played by every server")
            return reply
