"""Errors as answers: a status and one sentence, never a stack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from carbonnas.daemon.control import CommandError, UnknownNameError
from carbonnas.errors import ConfigError, SearchNotFoundError, StorageError
from carbonnas.web.api_models import Problem
from carbonnas.web.asked import Asked
from carbonnas.web.events import FeedFullError
from carbonnas.web.pages_render import Renderer
from carbonnas.web.report_room import BusyError

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Headers that contradict each other."},
    401: {"model": Problem, "description": "The token is missing or wrong."},
    403: {"model": Problem, "description": "A page of another origin asked."},
    421: {"model": Problem, "description": "The daemon does not answer for that host."},
    422: {"model": Problem, "description": "What was sent is not as described."},
    503: {"model": Problem, "description": "The store can't be read, or too many ask; try again."},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none of that name."}}
READING = _REFUSED
COMMANDS: dict[int | str, dict[str, Any]] = {
    **_REFUSED,
    **UNKNOWN,
    409: {"model": Problem, "description": "It can't be done, or not at present."},
    413: {"model": Problem, "description": "The body is too long."},
}
"""What may be answered besides what was asked for."""


def install(app: FastAPI, renderer: Renderer) -> None:
    """Have every error of ours answered with its status and sentence, and what is not there with a page where a person looks."""
    app.add_exception_handler(HTTPException, partial(_not_there, renderer))
    app.add_exception_handler(RequestValidationError, _not_as_described)
    app.add_exception_handler(ConfigError, _wrong_config)
    statuses: Sequence[tuple[type[Exception], int]] = (
        (UnknownNameError, 404),
        (SearchNotFoundError, 404),
        (CommandError, 409),
        (BusyError, 503),
        (StorageError, 503),
    )
    for error, status in statuses:
        app.add_exception_handler(error, _sentence_with(status))
    app.add_exception_handler(FeedFullError, _feed_full)


def answer(status: int, detail: str, problems: Sequence[str] | None = None) -> JSONResponse:
    """Return an error as an answer."""
    body = Problem(detail=detail, problems=None if problems is None else list(problems))
    headers = {"Retry-After": "5"} if status == 503 else None
    return JSONResponse(body.model_dump(exclude_none=True), status, headers)


async def _not_there(renderer: Renderer, request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if not Asked.of(request.scope).wants_page:
        return await http_exception_handler(request, error)
    status = HTTPStatus(error.status_code)
    told = "there is no such page" if error.detail == status.phrase else error.detail
    page = renderer.page(request, "missing.html.j2", here="", title="Not found", status=status, sentence_of=told)
    page.headers.update(error.headers or {})
    return page


def _sentence_with(status: int) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(_request: Request, error: Exception) -> JSONResponse:
        return answer(status, str(error))

    return handle


async def _feed_full(_request: Request, _error: Exception) -> JSONResponse:
    return answer(503, "too many are listening to changes, or the daemon is stopping; try again later")


async def _wrong_config(_request: Request, error: Exception) -> JSONResponse:
    problems = error.problems if isinstance(error, ConfigError) else ()
    return answer(422, str(error).partition("\n")[0], problems)


async def _not_as_described(_request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    problems = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found]
    return answer(422, "the request is not as the description of the API asks", problems)
