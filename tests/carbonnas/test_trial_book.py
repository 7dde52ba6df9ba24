"""The book of trials answers as a look through all of them would."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from carbonnas.trial_book import TrialBook
from carbonnas.trials import PROXY, Fidelity, FidelityName, Trial, TrialKind, TrialState

NOW = datetime(2021, 1, 8, tzinfo=UTC)
SEARCH = Fidelity(FidelityName.SEARCH, 12)


def trial(number: int, round_: int, kind: TrialKind, state: TrialState) -> Trial:
    fidelity = PROXY if kind is TrialKind.SCORE else SEARCH
    return Trial(number, round_, kind, fidelity, (number,), str(number), 0, NOW, state)


TRIALS = st.builds(
    trial, st.integers(0, 12), st.integers(0, 3), st.sampled_from(list(TrialKind)), st.sampled_from(list(TrialState))
)


@given(st.lists(TRIALS))
def test_the_book_says_what_a_look_through_all_trials_says(puts: list[Trial]) -> None:
    book, plain = TrialBook(), dict[int, Trial]()
    for one in puts:
        book.put(one)
        plain[one.number] = one
    by_number = [plain[number] for number in sorted(plain)]
    assert dict(book) == plain
    assert list(book.values()) == list(plain.values())
    assert book.finished == all(one.state.final for one in by_number)
    for state in TrialState:
        assert book.in_state(state) == [one for one in by_number if one.state is state]
        for kind in TrialKind:
            own = [one for one in by_number if one.state is state and one.kind is kind]
            assert book.in_state(state, kind=kind) == own
            assert book.first(state, kind, 2) == own[:2]
            assert book.count(kind, state) == len(own) == book.counts().get((kind, state), 0)
    for below in range(5):
        early = [one for one in by_number if one.round < below and one.kind is TrialKind.TRAIN]
        assert book.rounds_finished([FidelityName.SEARCH], below) == all(one.state.final for one in early)
