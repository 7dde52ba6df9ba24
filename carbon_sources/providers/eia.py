"""Hourly generation by fuel of a balancing authority in the United States, from the Energy Information Administration, priced here.

Interface: https://www.eia.gov/opendata/documentation.php, route `electricity/rto/fuel-type-data` (free with a key; about 9,000
requests an hour). Megawatt-hours per hour, UTC, and `period` is the END of the hour. Numbers come as text, may be null, and are
negative while storage charges. Values arrive 1 to 24 hours late, fuel by fuel, and are revised for days without a mark. There is no
forecast. The intensity is an average of the generation inside the area; imports are ignored. See `carbon_sources.mix` for
the factors and `carbon_sources.answers.mix_hours` for which hours are priced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.answers.eia import FUELS, MAY_BE_NEGATIVE, MOST_ROWS, Page, gather, parse_page
from carbon_sources.answers.mix_hours import REFERENCE, Generation, MixPricer
from carbon_sources.answers.reading import Identity
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpRequest
from carbon_sources.intensity import Basis
from carbon_sources.interval import HOUR, pieces
from carbon_sources.mix import factors
from carbon_sources.mix_source import MixSource
from carbon_sources.secrets import Secret, Secrets

LONGEST_RANGE = timedelta(days=30)
"""About 10,000 rows, so two or three pages."""

_LOOK_BACK = timedelta(days=3)


def page_request(
    base_url: str, respondent: str, *, key: Secret, start: datetime, end: datetime, offset: int
) -> HttpRequest:
    """Return the request for the hours `start .. end` (full hours, UTC), from the row number `offset` on."""
    query = {
        "frequency": "hourly",
        "data[0]": "value",
        "facets[respondent][]": respondent,
        # Both ends count, and an hour is named by its end.
        "start": _stamp(start + HOUR),
        "end": _stamp(end),
        "sort[0][column]": "period",
        "sort[0][direction]": "asc",
        "offset": str(offset),
        "length": str(MOST_ROWS),
    }
    url = f"{base_url}/v2/electricity/rto/fuel-type-data/data/"
    return HttpRequest(url, tuple(query.items()), {"X-Api-Key": key.reveal()})


class EiaSource(MixSource):
    """Intensity of a balancing authority, calculated from its generation by fuel.

    Args:
        http: Client to ask with.
        secrets: Where the key is.
        zone: EIA's code of the respondent, such as CISO, ERCO, PJM, MISO, NYIS, ISNE or SWPP.
        basis: Whether the factors count the life cycle or combustion only.
        api_key_env: Environment variable that holds the key.
        base_url: Address of the interface.

    Raises:
        SourceAccessError: If there is no key.
    """

    names = frozenset({"eia"})
    usual_delay = timedelta(hours=24)

    def __init__(
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")],
        basis: Basis = Basis.LIFECYCLE,
        api_key_env: str = "EIA_API_KEY",
        base_url: str = "https://api.eia.gov",
    ) -> None:
        identity = Identity("eia", zone, self.kind, basis)
        super().__init__(MixPricer(identity, factors(basis), FUELS, may_be_negative=MAY_BE_NEGATIVE), _LOOK_BACK)
        self._http = http
        self._key = secrets.get(api_key_env)
        self._base_url = base_url.rstrip("/")

    def _ask(self, start: datetime, end: datetime) -> tuple[Generation, tuple[str, ...]]:
        """Return the generation of the hours `start .. end` and of the week before."""
        pages: list[Page] = []
        for piece in pieces(start - REFERENCE, end, LONGEST_RANGE):
            pages += self._pages(piece.start, piece.end)
        generation, remarks = gather(pages)
        if generation.newest is None:
            nothing = (
                f"no rows at all for {self.zone}: either an outage, or no respondent has this name; "
                "compare the option 'zone' with EIA's list of respondents"
            )
            return generation, (*remarks, nothing)
        return generation, remarks

    def _pages(self, start: datetime, end: datetime) -> Iterator[Page]:
        offset, total = 0, 1
        while offset < total:
            page = self._page(start, end, offset)
            offset, total = offset + len(page.rows), page.total
            if not page.rows and offset < total:
                yield replace(page, remarks=(*page.remarks, f"only {offset} of {total} rows came"))
                return
            yield page

    def _page(self, start: datetime, end: datetime, offset: int) -> Page:
        request = page_request(self._base_url, self.zone, key=self._key, start=start, end=end, offset=offset)
        return parse_page(self._http.get(request).json(), self.zone)


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H")
