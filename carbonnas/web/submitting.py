"""Submitting a search, and what became of it if one with the same configuration was there already."""

from __future__ import annotations

from dataclasses import dataclass

from carbonnas.daemon.control import Control, SearchView, Submission


@dataclass(frozen=True, slots=True)
class Entered:
    """A search that was submitted.

    Attributes:
        search_id: Its id.
        there: How it stands if it was there before, which a submission does not change; `None` if it is new.
    """

    search_id: str
    there: SearchView | None


def enter(control: Control, submission: Submission) -> Entered:
    """Submit a search, and find out whether it was there before. Raises what `Control.submit` does."""
    before = {each.header.search_id for each in control.view().searches}
    search_id = control.submit(submission)
    now = control.view().search(search_id)
    if now is None:
        return Entered(search_id, None)
    # Somebody else may have submitted it a moment ago: then it need not be as this submission wants it.
    as_wished = now.priority == submission.priority and set(now.labels) == set(submission.labels)
    return Entered(search_id, now if search_id in before or not as_wished else None)
