"""Marginal intensity of the regions of WattTime, with an account.

Interface: https://docs.watttime.org (`v3`). Points of five minutes named by their start in UTC; pounds of CO2 per MWh, which are
converted to g/kWh; direct emissions. `co2_moer` is marginal, `co2_aoer` average. Values are modelled, so all count as
estimates. A model is named by its date, and values of two models can't be compared.

Zero counts as a missing value. In April 2026 hours of zeros came with status 200 during an outage; that a curtailed wind or solar
plant is marginal, so that zero is true, can't be told from that.

A free account has values and forecasts of `CAISO_NORTH` only. At most 3,000 requests in five minutes, 100 of them logins. A
login holds for 30 minutes; this client logs in again after 25, and once more when it is refused earlier.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from carbon_sources.answers.reading import Identity, Parsed, Remarks
from carbon_sources.answers.timeliness import clock_remarks, forecast_at, newest_remarks
from carbon_sources.answers.watttime import (
    Outlook,
    Question,
    Signal,
    names_no_region,
    parse_forecast,
    parse_points,
    parse_token,
    refuses_plan,
)
from carbon_sources.errors import SourceAccessError, SourceAnswerError, UnknownZoneError
from carbon_sources.http import HttpClient
from carbon_sources.http_exchange import HttpAnswer, HttpRequest
from carbon_sources.intensity import Basis, Forecast, IntensitySample, IntensitySeries
from carbon_sources.interval import clock_text, full_hour, pieces, require_span, require_utc
from carbon_sources.secrets import Secret, Secrets
from carbon_sources.source import CarbonSource

LONGEST_RANGE = timedelta(days=30)
"""Two days below the provider's limit of 32 days, because it counts the points at both ends."""

LOGIN_HOLDS = timedelta(minutes=25)
"""Five minutes below the life of a token."""

_LOOK_BACK = timedelta(hours=3)
_STALE = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)
_REFUSALS = frozenset({401, 403})


def question_params(question: Question) -> tuple[tuple[str, str], ...]:
    """Return the query that all requests for data have."""
    params = (("region", question.identity.zone), ("signal_type", question.signal.value))
    return params if question.model is None else (*params, ("model", question.model))


def login_request(base_url: str, username: Secret, password: Secret) -> HttpRequest:
    """Return the request for a token, with name and password in its header."""
    pair = base64.b64encode(f"{username.reveal()}:{password.reveal()}".encode()).decode("ascii")
    return HttpRequest(f"{base_url}/login", headers={"Authorization": f"Basic {pair}"})


def range_pieces(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the spans, both ends included, that hold every point overlapping `start .. end`, no point in two of them."""
    begin = full_hour(start)
    minute = end.replace(second=0, microsecond=0)
    last = minute if minute == end else minute + _MINUTE
    return [(piece.start, piece.end - timedelta(seconds=1)) for piece in pieces(begin, last, LONGEST_RANGE)]


class WattTimeSource(CarbonSource):
    """Intensity of one region, marginal unless the average is asked for.

    The newest value is the provider's forecast for the running five minutes; what it says of the past is more accurate and
    replaces it. `forecast` answers `None` for a time before the newest one was made.

    Args:
        http: Client to ask with.
        secrets: Where name and password are.
        zone: The provider's region, such as `CAISO_NORTH`.
        signal: Marginal or average.
        model: Date of the model whose values are wanted, such as `2024-08-01`; the newest if not given.
        horizon_hours: How far the forecast reaches, in hours.
        username_env: Environment variable with the name of the account.
        password_env: Environment variable with its password.
        base_url: Address of the interface, without the version.

    Raises:
        SourceAccessError: If name or password are missing.
    """

    names = frozenset({"watttime"})
    basis = Basis.DIRECT
    revised_for = timedelta(days=2)
    usual_delay = timedelta(minutes=10)

    def __init__(  # noqa: PLR0913 -- options of the configuration
        self,
        http: HttpClient,
        secrets: Secrets,
        *,
        zone: Annotated[str, Field(min_length=1)],
        signal: Signal = Signal.CO2_MOER,
        model: Annotated[str, Field(min_length=1)] | None = None,
        horizon_hours: Annotated[int, Field(ge=1, le=72)] = 72,
        username_env: str = "WATTTIME_USERNAME",
        password_env: str = "WATTTIME_PASSWORD",  # noqa: S107 -- the name of a variable
        base_url: str = "https://api.watttime.org",
    ) -> None:
        self.zone, self.kind = zone, signal.kind
        self._http = http
        self._question = Question(Identity("watttime", zone, self.kind, self.basis), signal, model)
        self._horizon = timedelta(hours=horizon_hours)
        self._base_url = base_url.rstrip("/")
        self._account = f"{username_env} and {password_env}"
        self._username, self._password = secrets.get(username_env), secrets.get(password_env)
        self._token: tuple[datetime, Secret] | None = None
        self._first_model = ""
        self._remarks = Remarks()

    def latest(self, now: datetime) -> IntensitySample | None:
        """Return the running five minutes as forecast just now, else the newest value of the last three hours."""
        require_utc(now, "now")
        outlook = self._outlook("latest", 0, now)
        remarks = [*outlook.parsed.remarks, *self._question.identity.say(*clock_remarks(outlook.generated_at, now))]
        begun = [sample for sample in outlook.parsed.samples if sample.interval.start <= now]
        if not begun:
            past = self._past("latest", now - _LOOK_BACK, now)
            begun = list(past.samples)
            remarks += [*self._question.identity.say("there is no value for the running five minutes"), *past.remarks]
        remarks += self._on_models(begun)
        newest = begun[-1] if begun else None
        remarks += self._question.identity.say(*newest_remarks(newest, now, _STALE))
        self._remarks.note("latest", remarks)
        return newest

    def history(self, start: datetime, end: datetime) -> IntensitySeries:
        require_span(start, end)
        if start == end:
            return IntensitySeries(())
        parsed = self._past("history", start, end)
        remarks = [*parsed.remarks, *self._on_models(parsed.samples)]
        if not parsed.samples:
            remarks += self._question.identity.say(
                f"no values are known from {start:%Y-%m-%d %H:%M} to {clock_text(end)}"
            )
        self._remarks.note("history", remarks)
        return parsed.series

    def forecast(self, now: datetime) -> Forecast | None:
        require_utc(now, "now")
        outlook = self._outlook("forecast", round(self._horizon / timedelta(hours=1)), now)
        forecast, odd = forecast_at(outlook.parsed, outlook.generated_at, now, horizon=self._horizon, stale=_STALE)
        remarks = [*outlook.parsed.remarks, *self._question.identity.say(*odd)]
        remarks += () if forecast is None else self._on_models(forecast.series.samples)
        self._remarks.note("forecast", remarks)
        return forecast

    def remarks(self) -> tuple[str, ...]:
        return self._remarks.all()

    def _outlook(self, asker: str, horizon_hours: int, now: datetime) -> Outlook:
        answer = self._ask(asker, "forecast", now, ("horizon_hours", str(horizon_hours)))
        return parse_forecast(answer.json(), self._question)

    def _past(self, asker: str, start: datetime, end: datetime) -> Parsed:
        samples: list[IntensitySample] = []
        remarks: list[str] = []
        for begin, until in range_pieces(start, end):
            params = (("start", begin.isoformat()), ("end", until.isoformat()), ("include_imputed_marker", "true"))
            part = parse_points(self._ask(asker, "historical", end, *params).json(), self._question)
            samples += part.samples
            remarks += part.remarks
        series = IntensitySeries.newest_wins(samples).between(start, end)
        return Parsed(series.samples, tuple(dict.fromkeys(remarks)))

    def _ask(self, asker: str, path: str, told: datetime, *params: tuple[str, str]) -> HttpAnswer:
        """Return an answer with 200, after a second login if the first was refused before its time.

        Raises:
            SourceAccessError: If the account is refused, or its plan does not cover the request.
            UnknownZoneError: If the region does not exist.
            SourceAnswerError: If the provider finds anything else wrong with the request.
        """
        query = (*question_params(self._question), *params)
        token, is_new = self._login(told)
        answer = self._send(path, query, token)
        again = answer.status in _REFUSALS and not refuses_plan(answer.body) and not is_new
        self._remarks.note(
            f"login of {asker}",
            self._question.identity.say("a login was refused before its time; this client logged in again")
            if again
            else (),
        )
        if again:
            self._token = None
            answer = self._send(path, query, self._login(told)[0])
        self._check(answer)
        return answer

    def _send(self, path: str, query: tuple[tuple[str, str], ...], token: Secret) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        return self._http.get(HttpRequest(f"{self._base_url}/v3/{path}", query, headers), reads={400, *_REFUSALS})

    def _check(self, answer: HttpAnswer) -> None:
        shown, region = answer.request.shown, self.zone
        if answer.status in _REFUSALS and refuses_plan(answer.body):
            raise SourceAccessError(
                f"{shown} is not covered by the plan of the account in {self._account} for region {region} ({answer.excerpt}); "
                "a free one has CAISO_NORTH only"
            )
        if answer.status in _REFUSALS:
            raise SourceAccessError(
                f"{shown} refuses this caller with {answer.status} right after a login: check the account in {self._account}"
            )
        if answer.status == 400 and names_no_region(answer.body):
            raise UnknownZoneError(f"WattTime does not accept region {region}: {answer.excerpt}")
        if answer.status == 400:
            raise SourceAnswerError(f"{shown} answered 400: {answer.excerpt}")

    def _login(self, told: datetime) -> tuple[Secret, bool]:
        """Return a token and whether it is new; its age is measured by the times that this source is told."""
        if self._token is not None and told - self._token[0] <= LOGIN_HOLDS:
            return self._token[1], False
        answer = self._http.get(login_request(self._base_url, self._username, self._password), reads=_REFUSALS)
        if answer.status in _REFUSALS:
            raise SourceAccessError(
                f"WattTime refused the login with {answer.status}: check name and password in {self._account}"
            )
        token = Secret(parse_token(answer.json()))
        self._token = (told, token)
        return token, True

    def _on_models(self, samples: Sequence[IntensitySample]) -> tuple[str, ...]:
        """Note models other than the first that this source met: a threshold learned from one means nothing for another."""
        models = dict.fromkeys(sample.method for sample in samples if sample.method)
        self._first_model = self._first_model or next(iter(models), "")
        others = [model for model in models if model != self._first_model]
        if not others:
            return ()
        return self._question.identity.say(
            f"values come from {', '.join(others)}, earlier ones from {self._first_model}: they can't be compared"
        )
