"""The words of decisions, reasons and states on one person's screen; the closed lists themselves belong to `cases`."""

from __future__ import annotations

from dataclasses import dataclass

from cases.access import ROLE_NAMES, Officer, may
from cases.decisions import DECISIONS, REASONS, Decision
from cases.states import CLUE_MOVES, STATE_NAMES, ClueState
from console.i18n import N_
from console.reader import Reader

#: The lists of `cases` are data, so their words are named here once for the catalogues.
_DECISIONS = (
    N_("建议立案"),
    N_("需补证"),
    N_("移送"),
    N_("责令改正/提示"),
    N_("不予处理"),
    N_("误报"),
    N_("重复"),
    N_("静默"),
)
_REASONS = (
    N_("误报-规则"),
    N_("误报-提取"),
    N_("语境豁免"),
    N_("主体有资质"),
    N_("已改正"),
    N_("非本辖区"),
    N_("证据不足"),
    N_("其他"),
)
_STATES = (N_("待审"), N_("审核中"), N_("已派发"), N_("责令改正"), N_("已入案"), N_("已移送"), N_("已办结"))
_ROLES = (
    N_("巡查员"),
    N_("审核员"),
    N_("办案员"),
    N_("规则员"),
    N_("科长/法制"),
    N_("审计员"),
    N_("管理员"),
)


@dataclass(frozen=True, slots=True)
class DecisionWord:
    """A decision as a button: `asks` for a reason before it can be made."""

    id: str
    key: str
    word: str
    asks: bool


@dataclass(frozen=True, slots=True)
class Word:
    id: str
    word: str


def decision_words(ui: Reader) -> list[DecisionWord]:
    """In the order of their keys."""
    return [DecisionWord(k.decision.value, k.key, ui(k.zh[0]), k.needs_reason) for k in DECISIONS.values()]


def decision_word(ui: Reader, decision: str) -> str:
    known = decision in [d.value for d in Decision]
    return ui(DECISIONS[Decision(decision)].zh[0]) if known else decision


def reason_words(ui: Reader) -> list[Word]:
    return [Word(reason.code, ui(reason.zh[0])) for reason in REASONS.values()]


def reason_word(ui: Reader, code: str) -> str:
    return ui(REASONS[code].zh[0]) if code in REASONS else code


def state_word(ui: Reader, state: str) -> str:
    return ui(STATE_NAMES[ClueState(state)]) if state in [s.value for s in ClueState] else state


def role_word(ui: Reader, officer: Officer) -> str:
    return ui(ROLE_NAMES[officer.role])


def allowed(officer: Officer, state: str, area: str) -> set[str]:
    """Ids of the decisions that this officer may make on a clue in this state; the service checks again."""
    return {
        kind.decision.value
        for kind in DECISIONS.values()
        if state in CLUE_MOVES[kind.move][0] and may(officer, kind.action, area)
    }
