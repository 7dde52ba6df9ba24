"""The token and the sessions that follow from it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonnas.errors import StorageError
from carbonnas.web.signed_out import SignedOut
from carbonnas.web.token import SESSION_LASTS, Sessions, load_or_make_token

NOW = datetime(2024, 5, 1, 6, tzinfo=UTC)
TOKEN = "t" * 43


def test_the_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    token = load_or_make_token(folder)
    assert len(token) >= 43  # 32 bytes are 43 characters of 6 bits
    assert (folder / "token").stat().st_mode & 0o777 == 0o600
    assert load_or_make_token(folder) == token
    assert [path.name for path in folder.iterdir()] == ["token"]
    assert load_or_make_token(tmp_path / "other") != token


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_token_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    load_or_make_token(tmp_path)
    (tmp_path / "token").chmod(mode)
    with pytest.raises(StorageError, match="chmod 600"):
        load_or_make_token(tmp_path)


@pytest.mark.parametrize("text", ["", "short", "ü" * 40, "x" * 40 + "\n" + "y" * 40])
def test_what_is_no_token_is_refused(text: str, tmp_path: Path) -> None:
    load_or_make_token(tmp_path)
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match="holds no token"):
        load_or_make_token(tmp_path)


def test_a_link_and_a_folder_in_place_of_the_token_are_refused(tmp_path: Path) -> None:
    token = load_or_make_token(tmp_path / "real")
    for name, make in (("link", "symlink"), ("folder", "mkdir")):
        folder = tmp_path / name
        folder.mkdir()
        if make == "symlink":
            (folder / "token").symlink_to(tmp_path / "real" / "token")
        else:
            (folder / "token").mkdir()
        with pytest.raises(StorageError) as refused:
            load_or_make_token(folder)
        assert token not in str(refused.value)


def test_daemons_that_start_at_once_agree_on_one_token(tmp_path: Path) -> None:
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(load_or_make_token(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert len(set(tokens)) == 1


def sessions(now: datetime = NOW, token: str = TOKEN) -> Sessions:
    return Sessions(token, lambda: now)


def test_a_session_holds_for_its_time_and_for_its_token() -> None:
    session = sessions().begin()
    assert TOKEN not in session
    assert session != sessions().begin()
    assert sessions().is_valid(session)
    assert sessions(NOW + SESSION_LASTS - timedelta(seconds=1)).is_valid(session)
    assert not sessions(NOW + SESSION_LASTS).is_valid(session)
    assert not sessions(token="u" * 43).is_valid(session)


def test_a_session_that_was_ended_is_none_any_more_not_even_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "signed-out"
    known = Sessions(TOKEN, lambda: NOW, SignedOut(path))
    one, other = known.begin(), known.begin()
    known.end(one)
    for each in (known, Sessions(TOKEN, lambda: NOW, SignedOut(path))):
        assert (each.is_valid(one), each.is_valid(other)) == (False, True)
    assert one not in path.read_text(encoding="ascii")


def test_only_sessions_are_remembered_as_ended_and_each_until_its_end(tmp_path: Path) -> None:
    path = tmp_path / "signed-out"
    known = Sessions(TOKEN, lambda: NOW, SignedOut(path))
    known.end("made.up.session")
    assert not path.exists()
    known.end(known.begin())
    later = Sessions(TOKEN, lambda: NOW + SESSION_LASTS, SignedOut(path))
    later.end(later.begin())
    assert len(path.read_text(encoding="ascii").splitlines()) == 1


def test_a_session_ends_although_that_can_not_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    known = Sessions(TOKEN, lambda: NOW, SignedOut(tmp_path / "file" / "signed-out"))
    session = known.begin()
    known.end(session)
    assert not known.is_valid(session)
    assert "can't write" in caplog.text


@given(st.text(max_size=90), st.integers(0, 200))
def test_no_other_text_is_a_session(text: str, place: int) -> None:
    known = sessions()
    session = known.begin()
    changed = session[: place % len(session)] + text + session[place % len(session) + 1 :]
    assert known.is_valid(changed) == (changed == session)
    assert not known.is_valid(text)


def test_a_form_token_belongs_to_one_session_and_is_no_session() -> None:
    known = sessions()
    one, other = known.begin(), known.begin()
    assert known.knows_form_token(one, known.form_token(one))
    assert not known.knows_form_token(other, known.form_token(one))
    assert not known.is_valid(known.form_token(one))
    assert not known.knows(known.form_token(one))


@given(st.text(max_size=60))
def test_no_other_text_is_the_token(text: str) -> None:
    assert sessions().knows(text) == (text == TOKEN)
