"""Style, script and icon of the pages, under names that change with their content so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, HTTPException, Response

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FILES = ("dashboard.css", "dashboard.js", "icon.svg")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served."""

    content: bytes
    media_type: str


def static_files() -> tuple[Mapping[str, str], Mapping[str, StaticFile]]:
    """Return the address of each file by its name, and the files by the last part of their address."""
    addresses, files = {}, {}
    folder = resources.files("carbonnas.web").joinpath("static")
    for name in _FILES:
        content = folder.joinpath(name).read_bytes()
        stem, _, suffix = name.rpartition(".")
        served = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
        addresses[name] = f"/static/{served}"
        files[served] = StaticFile(content, _TYPES[suffix])
    return addresses, files


def static_router(files: Mapping[str, StaticFile]) -> APIRouter:
    """Return the route of the files; a name that is not one of them is not found, whatever it says."""
    router = APIRouter()

    @router.get("/favicon.ico")
    def icon() -> Response:
        """Answer browsers that show something else than a page and ask for its icon all the same."""
        (file,) = (each for each in files.values() if each.media_type == _TYPES["svg"])
        return Response(file.content, media_type=file.media_type, headers={"Cache-Control": "public, max-age=86400"})

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such file")
        file = files[name]
        return Response(file.content, media_type=file.media_type, headers={"Cache-Control": _FOR_EVER})

    return router
