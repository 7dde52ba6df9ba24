"""Telling the service manager how the daemon is: the protocol of systemd's `sd_notify(3)` and `sd_watchdog_enabled(3)`."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

_log = logging.getLogger(__name__)
_PATIENCE_S = 1.0
"""A service manager that does not read must not hold the daemon up."""


class Notifier:
    """Sends datagrams to the socket that the environment names; without one, and where it can't be reached, nothing happens.

    Args:
        environment: `os.environ`, or what stands for it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        """The daemon has started, or has taken over a new configuration."""
        self._send("READY=1")

    def reloading(self, monotonic_us: int) -> None:
        """The configuration is being read again; `ready` ends it.

        Args:
            monotonic_us: Monotonic time at which this began, microseconds.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_us}")

    def stopping(self, within: timedelta) -> None:
        """The daemon ends, and asks for so much time to do it."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={within // timedelta(microseconds=1)}")

    def status(self, text: str) -> None:
        """Say in one line, for people, what the daemon is doing."""
        self._send(f"STATUS={' '.join(text.split())}")

    def watchdog(self) -> None:
        """The daemon is alive; to be sent more often than `watchdog_interval` says."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_PATIENCE_S)
                sender.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError as error:
            _log.warning("the service manager can't be told %r: %s", message.partition("=")[0], error)


def watchdog_interval(environment: Mapping[str, str]) -> timedelta | None:
    """Return how long the service manager waits for `Notifier.watchdog` before it ends the daemon; `None` if it does not wait for this process."""
    interval_us, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_ours = not pid or pid == str(os.getpid())
    if not (is_ours and interval_us.isascii() and interval_us.isdecimal() and int(interval_us)):
        return None
    return timedelta(microseconds=int(interval_us))


def _address(name: str) -> str | None:
    """Return the socket's address: a path, or with `@` a name that no file has. Other kinds are for virtual machines."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None
