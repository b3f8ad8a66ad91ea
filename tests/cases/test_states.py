"""The tables of moves, tried exhaustively, and the words of decisions."""

from __future__ import annotations

from itertools import product

import pytest

from cases.decisions import DECISIONS, REASONS, Decision, Label, label_of, parse_decision, parse_reason
from cases.states import (
    CASE_MOVES,
    CLUE_MOVES,
    STATE_NAMES,
    CaseState,
    ClueState,
    Move,
    next_case_state,
    next_clue_state,
)
from contracts.errors import NotAllowed, UsageError

#: Written out once more by hand, so that a change of the table is a change of this test.
ALLOWED = {
    "claim": "new claimed -> claimed",
    "release": "claimed -> new",
    "file": "new claimed evidence -> confirmed",
    "evidence": "new claimed confirmed dispatched -> evidence",
    "transfer": "new claimed evidence confirmed dispatched -> transferred",
    "order": "new claimed evidence confirmed dispatched -> order",
    "dismiss": "new claimed evidence confirmed dispatched order -> dismissed",
    "false-alarm": "new claimed evidence confirmed dispatched -> dismissed",
    "duplicate": "new claimed evidence -> duplicate",
    "mute": "new claimed evidence -> muted",
    "dispatch": "confirmed dispatched -> dispatched",
    "open-case": "new claimed evidence confirmed dispatched order -> case",
    "detach": "case -> confirmed",
    "reopen": "dismissed duplicate muted order -> new",
    "close": "order case -> closed",
}


@pytest.mark.parametrize(("state", "move"), list(product(ClueState, Move)))
def test_every_move_from_every_state(state: ClueState, move: Move) -> None:
    starts, end = (side.split() for side in ALLOWED[move].split("->"))
    if state in starts:
        assert next_clue_state(state, move) == end[0]
    else:
        with pytest.raises(NotAllowed, match=STATE_NAMES[state]):
            next_clue_state(state, move)


def test_every_state_but_the_last_can_be_left_and_reached() -> None:
    left = {state for starts, _ in CLUE_MOVES.values() for state in starts}
    reached = {end for _, end in CLUE_MOVES.values()}
    assert set(ClueState) - left == {ClueState.TRANSFERRED, ClueState.CLOSED}
    assert reached == set(ClueState)


@pytest.mark.parametrize(("state", "wanted"), list(product(CaseState, CaseState)))
def test_every_move_of_a_case(state: CaseState, wanted: CaseState) -> None:
    if wanted in CASE_MOVES[state]:
        assert next_case_state(state, wanted) is wanted
    else:
        with pytest.raises(NotAllowed):
            next_case_state(state, wanted)
    assert CASE_MOVES[CaseState.CLOSED] == frozenset()


@pytest.mark.parametrize("decision", list(Decision))
def test_a_decision_is_known_by_its_name_its_chinese_names_and_its_key(decision: Decision) -> None:
    kind = DECISIONS[decision]
    for word in (decision.value, decision.value.upper(), kind.key, *kind.zh):
        assert parse_decision(f" {word} ") is decision


def test_an_unknown_decision_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"false-alarm\(误报\)"):
        parse_decision("没收")


@pytest.mark.parametrize(
    ("decision", "words", "code", "comment", "label"),
    [
        ("dismiss", "已改正", "corrected", "", "true"),
        ("dismiss", "非本辖区：在萧山", "elsewhere", "在萧山", "unknown"),
        ("dismiss", "context 引用法条", "context", "引用法条", "false"),
        ("dismiss", "轻微，已口头提醒", "other", "轻微，已口头提醒", "unknown"),
        ("false-alarm", "", "rule", "", "false"),
        ("false-alarm", "误报-提取", "extraction", "", "false"),
        ("file", "商家自行发布", "", "商家自行发布", "true"),
        ("duplicate", "", "duplicate", "", "unknown"),
        ("evidence", "", "", "", "unknown"),
    ],
)
def test_reasons_and_what_they_teach(decision: str, words: str, code: str, comment: str, label: str) -> None:
    meant = Decision(decision)
    assert parse_reason(meant, words) == (code, comment)
    assert label_of(meant, code) == label


@pytest.mark.parametrize("words", ["", "  ", "其他", "other"])
def test_dismissing_needs_a_reason(words: str) -> None:
    with pytest.raises(UsageError):
        parse_reason(Decision.DISMISS, words)


def test_corrected_and_elsewhere_are_not_false_positives() -> None:
    assert REASONS["corrected"].label is Label.TRUE
    assert REASONS["elsewhere"].label is Label.UNKNOWN
