"""A request as the security layer sees it: its headers, each of which counts once, and what follows from them alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope

from carbonnas.web.visitor import FORM_TOKEN_HEADER, cookie_name, port_of

READING = frozenset({"GET", "HEAD"})
_ONCE = frozenset(
    {"host", "origin", "authorization", "cookie", "content-length", "content-type", "sec-fetch-site", FORM_TOKEN_HEADER}
)
_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        method: Its method.
        path: Its path, decoded.
        headers: The last value of each header by lower-case name.
        port: Port that the request came in on; `None` if unknown.
        problem: What is wrong with its headers whatever it asks for; `None` if nothing is.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    port: int | None
    problem: str | None

    @classmethod
    def of(cls, scope: Scope) -> Asked:
        """Read a request from the scope of an HTTP connection."""
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        return cls(scope["method"], scope["path"], dict(pairs), port_of(scope), _problem(pairs))

    @property
    def reads(self) -> bool:
        """Whether it only reads."""
        return self.method in READING

    @property
    def host(self) -> str:
        """What it says it asks, lower case."""
        return self.headers.get("host", "").lower()

    @property
    def bearer(self) -> str | None:
        """The bearer token that it shows; `None` if it shows none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    @property
    def session(self) -> str | None:
        """The session that its cookie names; `None` without one, or if there are several."""
        pieces = (piece.strip().partition("=") for piece in self.headers.get("cookie", "").split(";"))
        carrier = cookie_name(self.port)
        found = [value for name, _, value in pieces if name == carrier]
        return found[0] if len(found) == 1 else None

    @property
    def wants_page(self) -> bool:
        """Whether a person looks at the answer in a browser."""
        return "text/html" in self.headers.get("accept", "") and not self.path.startswith("/api/")

    @property
    def is_embedded_elsewhere(self) -> bool:
        """Whether a page of another origin wants it for itself, as a picture or a frame: such a page may only lead a person here."""
        if self.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
            return False
        return (self.headers.get("sec-fetch-mode"), self.headers.get("sec-fetch-dest")) != ("navigate", "document")

    @property
    def body_bytes(self) -> int | None:
        """Announced length of its body in bytes; `None` if it is not announced, or not as a number."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def asks_for(self, names: frozenset[str]) -> bool:
        """Whether its host is one of `names` (`name`, or `name:port`), with no port or the one it came in on unless a name has its own."""
        if self.host in names:
            return True
        name, separator, port = self.host.rpartition(":")
        return bool(separator) and name in names and port == str(self.port)

    def comes_from_here(self) -> bool:
        """Whether the page that sent it, if a browser says which, is of the same origin."""
        origin = self.headers.get("origin")
        if origin is None:
            return True
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        default = _DEFAULT_PORTS.get(parts.scheme)
        if default is None or parts.path or parts.query or parts.fragment:
            return False
        return parts.netloc.removesuffix(f":{default}") == self.host.removesuffix(f":{default}")


def _problem(pairs: list[tuple[str, str]]) -> str | None:
    counts = Counter(name for name, _ in pairs)
    twice = sorted(name for name in _ONCE & counts.keys() if counts[name] > 1)
    if twice:
        return f"the header {twice[0]} is there more than once"
    overrides = sorted(_OVERRIDES & counts.keys())
    return f"the method can't be replaced by a header ({overrides[0]})" if overrides else None
