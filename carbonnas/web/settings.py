"""Where the web server listens, under which names it answers, and who may read."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from carbonnas.errors import CarbonNASError

_OPEN_BIND = (
    "{host} can be reached from other machines, and there is no token: listen on 127.0.0.1, or make a token; for use from"
    " other machines keep 127.0.0.1 and put a reverse proxy with TLS, such as nginx or Caddy, in front, with its name among the"
    " allowed hosts"
)


class WebServerError(CarbonNASError):
    """The web server can't listen as it was told; one sentence."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the web server is set up.

    Attributes:
        host: Name or address to listen on.
        port: Port to listen on, 0..65535; 0 takes a free one.
        token: What commands need, as a bearer token or for signing in; without one nothing can be changed.
        allowed_hosts: Names that requests may ask for besides those of this machine, as `name` or `name:port`.
        read_needs_token: Whether reading needs the token, too; it always does when `host` is beyond loopback.

    Raises:
        WebServerError: If `host` is beyond loopback and there is no token.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    read_needs_token: bool = False

    def __post_init__(self) -> None:
        refuse_open_bind(self.host, self.token)

    @property
    def guards_reading(self) -> bool:
        """Whether a reader has to show the token."""
        return self.read_needs_token or not is_loopback(self.host)


def refuse_open_bind(host: str, token: str | None) -> None:
    """Refuse to be open to other machines without a token.

    Raises:
        WebServerError: If `host` is beyond loopback and there is no token; it says how to put TLS in front.
    """
    if not is_loopback(host) and not token:
        raise WebServerError(_OPEN_BIND.format(host=host))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`; another name than `localhost` is taken not to be."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
