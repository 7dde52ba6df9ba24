"""What supervisors and monitoring ask: does the daemon live, is it ready, what are its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from carbonnas.daemon.control import Control, DaemonView
from carbonnas.web.api_models import Problem, Well
from carbonnas.web.errors import answer
from carbonnas.web.metrics import CONTENT_TYPE, Metrics
from carbonnas.web.shelf import Shelf
from carbonnas.web.visitor import visitor_of

_NOT_WELL: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "Why it is not."}}


def probes_router(control: Control, shelf: Shelf, *, guards_reading: bool) -> APIRouter:
    """Return the routes `/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["probes"])
    metrics = Metrics(control, shelf)

    def told(request: Request, problem: str | None) -> Response | Well:
        if problem is None:
            return Well()
        open_to_all = not guards_reading or visitor_of(request).knows_token
        return answer(503, problem if open_to_all else "see the daemon's log, or ask with the token")

    @router.get("/healthz", responses=_NOT_WELL, response_model=Well)
    def healthz(request: Request) -> Response | Well:
        """Tell whether the daemon lives: it answers, and ticks once it has begun to."""
        return told(request, _stuck(control.view()))

    @router.get("/readyz", responses=_NOT_WELL, response_model=Well)
    def readyz(request: Request) -> Response | Well:
        """Tell whether the daemon works: it has taken over what an earlier process left, ticks, and does not stop."""
        return told(request, _unready(control.view()))

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {}}}}})
    def prometheus() -> Response:
        """Return the metrics for Prometheus."""
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return router


def _stuck(view: DaemonView) -> str | None:
    """Return why the daemon does not tick; before its first tick it has a reason to."""
    return None if view.ready or view.stopping or not view.ticks.count else view.trouble


def _unready(view: DaemonView) -> str | None:
    if view.stopping:
        return "the daemon is stopping"
    return None if view.ready else view.trouble or "the daemon is starting"
