"""What a process of its own is asked for, it answers, or one sentence says why not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from carbonnas.execution.child import ChildError, ask_child

ECHO = """
import json, os, sys
from carbonnas.execution.child import carry_out

def work(order):
    if order["word"] == "fail":
        sys.exit("a word on why")
    while order["word"] == "hang":
        pass
    if order["word"] == "chatter":
        print("hello")
        os.write(1, b"from afar")
        os.system("echo from a child")
    return json.dumps([order, os.nice(0)]).encode()

carry_out(work, 3)
print("the end")
"""


@pytest.fixture(autouse=True)
def _echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "echo_of_orders.py").write_text(ECHO, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))


def ask(word: str, longest_s: float = 300.0) -> object:
    return json.loads(ask_child("echo_of_orders", {"word": word}, what="it can't be echoed", longest_s=longest_s))


def test_the_order_is_carried_out_politely() -> None:
    assert ask("hällo") == [{"word": "hällo"}, min(19, os.nice(0) + 3)]


def test_what_is_printed_meanwhile_is_no_part_of_the_answer() -> None:
    # As a plug-in may that is imported to carry out the order.
    assert ask("chatter") == [{"word": "chatter"}, min(19, os.nice(0) + 3)]


def test_one_that_fails_is_told_of_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ChildError, match=r"^it can't be echoed; the daemon's log says why$"):
        ask("fail")
    assert caplog.messages == ["it can't be echoed: a word on why"]


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ChildError, match=r"^it can't be echoed in 1 s; try again when less is going on$"):
        ask("hang", longest_s=1.0)


def test_one_that_can_t_be_started_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(ChildError, match=r"^it can't be echoed: no process can be started \(No such file"):
        ask("hello")
