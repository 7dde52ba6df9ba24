"""Generation by type of a European bidding zone, from ENTSO-E's transparency platform, priced here.

Interface: https://transparency.entsoe.eu (REST interface, free with a token that is asked for by mail; 400 requests a minute, above that a
ban of about ten minutes). Document A75, mean megawatts per quarter, half or full hour in UTC, as XML. One zone mixes
these lengths, and they change, so everything is averaged to full hours: no energy is lost by that, and an hour counts only with all of
its quarters. Values arrive 1 to 3 hours late, type by type, and are restated for days. There is no forecast of the mix.
The intensity is an average of the generation inside the zone; imports are ignored. See `carbon_sources.mix` for the
factors and `carbon_sources.answers.mix_hours` for which hours are priced.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from carbon_sources.answers.entsoe import Acknowledgement, Quarters, acknowledgement, read_documents, read_generation
from carbon_sources.answers.entsoe_zones import eic_of
from carbon_sources.answers.mix_hours import REFERENCE, Generation, MixPricer
from carbon_sources.answers.reading import Identity
from carbon_sources.errors import SourceAnswerError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpRequest
from carbon_sources.intensity import Basis
from carbon_sources.interval import clock_text, pieces
from carbon_sources.mix import Fuel, factors
from carbon_sources.mix_source import MixSource
from carbon_sources.secrets import Secret, Secrets

FUELS: Mapping[str, Fuel] = {
    "B01": Fuel.BIOMASS,
    "B02": Fuel.LIGNITE,
    "B03": Fuel.COAL_GAS,
    "B04": Fuel.GAS,
    "B05": Fuel.HARD_COAL,
    "B06": Fuel.OIL,
    "B07": Fuel.OIL_SHALE,
    "B08": Fuel.PEAT,
    "B09": Fuel.GEOTHERMAL,
    "B10": Fuel.STORAGE,
    "B11": Fuel.HYDRO,
    "B12": Fuel.HYDRO,
    "B13": Fuel.MARINE,
    "B14": Fuel.NUCLEAR,
    "B15": Fuel.OTHER_RENEWABLE,
    "B16": Fuel.SOLAR,
    "B17": Fuel.WASTE,
    "B18": Fuel.WIND_OFFSHORE,
    "B19": Fuel.WIND_ONSHORE,
    "B20": Fuel.OTHER,
    "B25": Fuel.STORAGE,
}

LONGEST_RANGE = timedelta(days=31)
"""Far below the provider's limit of a year: a month of quarter hours is some megabytes of XML."""

SHORTEST_RANGE = timedelta(days=1)

_LOOK_BACK = timedelta(days=2)
_BAD_REQUEST = 400


def generation_request(base_url: str, eic: str, *, token: Secret, start: datetime, end: datetime) -> HttpRequest:
    """Return the request for the generation by type from `start` to `end` (full hours, UTC)."""
    query = {
        "documentType": "A75",
        "processType": "A16",
        "in_Domain": eic,
        "periodStart": f"{start:%Y%m%d%H%M}",
        "periodEnd": f"{end:%Y%m%d%H%M}",
    }
    headers = {"SECURITY_TOKEN": token.reveal(), "Accept": "application/xml, application/zip"}
    return HttpRequest(f"{base_url}/api", tuple(query.items()), headers)


def parse(body: bytes, eic: str, into: Quarters) -> Acknowledgement | None:
    """Read an answer, and return what the provider says where it does not simply answer.

    Args:
        body: XML, or an archive of it.
        eic: Code of the zone that was asked for.
        into: Where the values go.

    Raises:
        SourceAnswerError: If the answer can't be read, or speaks of another zone or unit.
    """
    said = None
    into.begin_answer()
    for root in read_documents(body):
        found = acknowledgement(root)
        if found is None:
            read_generation(root, eic, into)
        elif said is None or said.no_data:
            said = found
    return said


class EntsoeSource(MixSource):
    """Intensity of a bidding zone, calculated from its generation by type.

    Args:
        http: Client to ask with.
        secrets: Where the token is.
        zone: A name such as DE_LU, FR or NO_1, or the zone's EIC.
        basis: Whether the factors count the life cycle or combustion only.
        token_env: Environment variable that holds the token.
        base_url: Address of the interface.

    Raises:
        UnknownZoneError: If there is no such zone.
        SourceAccessError: If there is no token.
    """

    names = frozenset({"entsoe"})
    usual_delay = timedelta(hours=3)

    def __init__(
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: str,
        basis: Basis = Basis.LIFECYCLE,
        token_env: str = "ENTSOE_TOKEN",  # noqa: S107 -- a variable's name
        base_url: str = "https://web-api.tp.entsoe.eu",
    ) -> None:
        super().__init__(MixPricer(Identity("entsoe", zone, self.kind, basis), factors(basis), FUELS), _LOOK_BACK)
        self._http = http
        self._eic = eic_of(zone)
        self._token = secrets.get(token_env)
        self._base_url = base_url.rstrip("/")

    def _ask(self, start: datetime, end: datetime) -> tuple[Generation, tuple[str, ...]]:
        """Return the generation of the hours `start .. end` and of the week before."""
        quarters = Quarters()
        for piece in pieces(start - REFERENCE, end, LONGEST_RANGE):
            self._ask_piece(piece.start, piece.end, quarters)
        generation = quarters.hours()
        if generation.newest is not None:
            return generation, ()
        return generation, (f"no data at all for {self.zone} ({self._eic}) since {clock_text(start - REFERENCE)}",)

    def _ask_piece(self, start: datetime, end: datetime, into: Quarters) -> None:
        said = self._answer(start, end, into)
        if said is None or said.no_data:
            return
        if not said.too_much:
            raise SourceAnswerError(f"ENTSO-E refuses the question: {said.code} {said.text[:160]}")
        days = (end - start) // SHORTEST_RANGE
        if days <= 1:
            raise SourceAnswerError(f"ENTSO-E refuses even a day as too much: {said.text[:160]}")
        middle = start + days // 2 * SHORTEST_RANGE
        self._ask_piece(start, middle, into)
        self._ask_piece(middle, end, into)

    def _answer(self, start: datetime, end: datetime, into: Quarters) -> Acknowledgement | None:
        request = generation_request(self._base_url, self._eic, token=self._token, start=start, end=end)
        answer = self._http.get(request, reads={_BAD_REQUEST})
        if not answer.body.strip():
            raise SourceAnswerError(f"{request.shown} answered {answer.status} with an empty body")
        said = parse(answer.body, self._eic, into)
        if said is None and answer.status == _BAD_REQUEST:
            raise SourceAnswerError(f"{request.shown} answered 400: {answer.excerpt}")
        return said
