"""What the service manager is told, at a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carbonnas.daemon.notify import Notifier, watchdog_interval


@pytest.fixture(params=["a file", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        # A path of a socket has at most 107 characters, which folders of tests may exceed.
        name = os.path.relpath(tmp_path / "s") if request.param == "a file" else f"@carbonnas-{os.getpid()}"
        receiver.bind("\0" + name[1:] if name.startswith("@") else name)
        yield receiver, name if name.startswith("@") else str(tmp_path / "s")


def test_each_message_is_a_datagram_of_the_protocol(manager: tuple[socket.socket, str]) -> None:
    receiver, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready()
    notifier.reloading(1_500_000)
    notifier.stopping(timedelta(seconds=45))
    notifier.watchdog()
    assert [receiver.recv(4096) for _ in range(4)] == [
        b"READY=1",
        b"RELOADING=1\nMONOTONIC_USEC=1500000",
        b"STOPPING=1\nEXTEND_TIMEOUT_USEC=45000000",
        b"WATCHDOG=1",
    ]


def test_a_status_can_not_smuggle_in_another_message(manager: tuple[socket.socket, str]) -> None:
    receiver, name = manager
    Notifier({"NOTIFY_SOCKET": name}).status("two searches\nSTOPPING=1\r\n of \ud800 kind")
    assert receiver.recv(4096) == b"STATUS=two searches STOPPING=1 of ? kind"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_socket_nothing_happens(environment: dict[str, str]) -> None:
    Notifier(environment).ready()


def test_a_service_manager_that_is_gone_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert "the service manager can't be told 'READY'" in caplog.text


OWN, OTHER = str(os.getpid()), str(os.getpid() + 1)


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "120000000"}, timedelta(minutes=2)),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": OWN}, timedelta(minutes=2)),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": OTHER}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_on_when_it_is_meant_for_this_process(
    environment: dict[str, str], interval: timedelta | None
) -> None:
    assert watchdog_interval(environment) == interval
