"""The two state machines, one table each: what may follow what, by which move.

new ─ claimed ─ confirmed ─ dispatched ─ order | case | transferred ─ closed
  └────┴─ evidence(需补证) · dismissed(reason) · duplicate · muted ─ reopened → new
"""

from __future__ import annotations

from enum import StrEnum

from contracts.errors import NotAllowed


class ClueState(StrEnum):
    """Where a clue stands."""

    NEW = "new"  #: waits for a judgement
    CLAIMED = "claimed"  #: an officer is looking at it, for a while
    EVIDENCE = "evidence"  #: 需补证
    CONFIRMED = "confirmed"  #: 建议立案
    DISPATCHED = "dispatched"  #: handed to a case officer
    ORDER = "order"  #: 责令改正/提示 given, revisited on its date
    CASE = "case"  #: part of a case file
    TRANSFERRED = "transferred"  #: handed to another authority
    DISMISSED = "dismissed"  #: 不予处理 or 误报, with its reason
    DUPLICATE = "duplicate"  #: the same as another clue, linked to it
    MUTED = "muted"  #: 静默 until its day
    CLOSED = "closed"  #: done


class CaseState(StrEnum):
    """Where a case file stands."""

    OPEN = "open"  #: being worked on
    REVIEW = "review"  #: before the legal reviewer
    TRANSFERRED = "transferred"  #: handed to another authority
    CLOSED = "closed"  #: done


class Move(StrEnum):
    """An act that takes a clue from one state to another."""

    CLAIM = "claim"
    RELEASE = "release"
    FILE = "file"
    NEED_EVIDENCE = "evidence"
    TRANSFER = "transfer"
    ORDER = "order"
    DISMISS = "dismiss"
    FALSE_ALARM = "false-alarm"
    DUPLICATE = "duplicate"
    MUTE = "mute"
    DISPATCH = "dispatch"
    OPEN_CASE = "open-case"
    DETACH = "detach"
    REOPEN = "reopen"
    CLOSE = "close"


_S = ClueState
_OPEN = frozenset({_S.NEW, _S.CLAIMED, _S.EVIDENCE})
_ACTED = _OPEN | {_S.CONFIRMED, _S.DISPATCHED}

#: The table: move → (states it may start from, state it ends in).
CLUE_MOVES: dict[Move, tuple[frozenset[ClueState], ClueState]] = {
    Move.CLAIM: (frozenset({_S.NEW, _S.CLAIMED}), _S.CLAIMED),
    Move.RELEASE: (frozenset({_S.CLAIMED}), _S.NEW),
    Move.FILE: (_OPEN, _S.CONFIRMED),
    Move.NEED_EVIDENCE: (frozenset({_S.NEW, _S.CLAIMED, _S.CONFIRMED, _S.DISPATCHED}), _S.EVIDENCE),
    Move.TRANSFER: (_ACTED, _S.TRANSFERRED),
    Move.ORDER: (_ACTED, _S.ORDER),
    Move.DISMISS: (_ACTED | {_S.ORDER}, _S.DISMISSED),
    Move.FALSE_ALARM: (_ACTED, _S.DISMISSED),
    Move.DUPLICATE: (_OPEN, _S.DUPLICATE),
    Move.MUTE: (_OPEN, _S.MUTED),
    Move.DISPATCH: (frozenset({_S.CONFIRMED, _S.DISPATCHED}), _S.DISPATCHED),
    Move.OPEN_CASE: (_ACTED | {_S.ORDER}, _S.CASE),
    Move.DETACH: (frozenset({_S.CASE}), _S.CONFIRMED),
    Move.REOPEN: (frozenset({_S.DISMISSED, _S.DUPLICATE, _S.MUTED, _S.ORDER}), _S.NEW),
    Move.CLOSE: (frozenset({_S.ORDER, _S.CASE}), _S.CLOSED),
}

CASE_MOVES: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.REVIEW, CaseState.TRANSFERRED, CaseState.CLOSED}),
    CaseState.REVIEW: frozenset({CaseState.OPEN, CaseState.TRANSFERRED, CaseState.CLOSED}),
    CaseState.TRANSFERRED: frozenset({CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}

#: Still waits for an officer's judgement: what the queue shows by default.
OPEN_STATES = _OPEN
#: Takes no further sightings; the same thing seen again makes a new clue that points back.
FINAL_STATES = frozenset({_S.TRANSFERRED, _S.CLOSED})

STATE_NAMES = {
    _S.NEW: "待审",
    _S.CLAIMED: "审核中",
    _S.EVIDENCE: "需补证",
    _S.CONFIRMED: "建议立案",
    _S.DISPATCHED: "已派发",
    _S.ORDER: "责令改正",
    _S.CASE: "已入案",
    _S.TRANSFERRED: "已移送",
    _S.DISMISSED: "不予处理",
    _S.DUPLICATE: "重复",
    _S.MUTED: "静默",
    _S.CLOSED: "已办结",
}


def next_clue_state(state: str, move: Move) -> ClueState:
    """The state `move` leads to. Raises NotAllowed when the table has no such move from `state`."""
    starts, end = CLUE_MOVES[move]
    if state not in starts:
        raise NotAllowed(
            "线索现为“{state}”，不能作“{move}”处理",
            state=STATE_NAMES[ClueState(state)],
            move=move.value,
            hint="请刷新后查看该线索的最新状态",
        )
    return end


def next_case_state(state: str, wanted: CaseState) -> CaseState:
    """`wanted`, when the table allows it from `state`. Raises NotAllowed otherwise."""
    if wanted not in CASE_MOVES[CaseState(state)]:
        raise NotAllowed("案件现为“{state}”，不能改为“{wanted}”", state=state, wanted=wanted.value)
    return wanted
