"""The words of a decision: what an officer may decide, the closed list of reasons, and the training label of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cases.access import Action
from cases.states import Move
from contracts.errors import UsageError


class Decision(StrEnum):
    """What an officer may decide of a clue; the key it has in the console is its place in the list."""

    FILE = "file"  #: 建议立案
    EVIDENCE = "evidence"  #: 需补证
    TRANSFER = "transfer"  #: 移送
    ORDER = "order"  #: 责令改正/提示
    DISMISS = "dismiss"  #: 不予处理
    FALSE_ALARM = "false-alarm"  #: 误报
    DUPLICATE = "duplicate"  #: 重复
    MUTE = "mute"  #: 静默


class Label(StrEnum):
    """What a decision teaches about the machine's finding."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DecisionKind:
    """`zh` are the Chinese names accepted on the command line, the first is shown."""

    decision: Decision
    key: str
    zh: tuple[str, ...]
    move: Move
    action: Action
    label: Label
    needs_reason: bool = False
    default_reason: str = ""


DECISIONS: dict[Decision, DecisionKind] = {
    kind.decision: kind
    for kind in (
        DecisionKind(Decision.FILE, "1", ("建议立案", "立案", "confirm"), Move.FILE, Action.DECIDE, Label.TRUE),
        DecisionKind(Decision.EVIDENCE, "2", ("需补证", "补证"), Move.NEED_EVIDENCE, Action.DECIDE, Label.UNKNOWN),
        DecisionKind(Decision.TRANSFER, "3", ("移送", "移交"), Move.TRANSFER, Action.DECIDE, Label.TRUE),
        DecisionKind(
            Decision.ORDER, "4", ("责令改正/提示", "责令改正", "提示", "remind"), Move.ORDER, Action.ORDER, Label.TRUE
        ),
        DecisionKind(Decision.DISMISS, "5", ("不予处理", "不予立案"), Move.DISMISS, Action.DECIDE, Label.UNKNOWN, True),
        DecisionKind(
            Decision.FALSE_ALARM,
            "6",
            ("误报", "false_alarm"),
            Move.FALSE_ALARM,
            Action.DECIDE,
            Label.FALSE,
            default_reason="rule",
        ),
        DecisionKind(
            Decision.DUPLICATE, "7", ("重复",), Move.DUPLICATE, Action.DECIDE, Label.UNKNOWN, default_reason="duplicate"
        ),
        DecisionKind(Decision.MUTE, "8", ("静默", "静默(到期)"), Move.MUTE, Action.DECIDE, Label.UNKNOWN),
    )
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of the closed list. 已改正 and 非本辖区 do not make the finding false."""

    code: str
    zh: tuple[str, ...]
    label: Label


REASONS: dict[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason("rule", ("误报-规则", "规则误报"), Label.FALSE),
        Reason("extraction", ("误报-提取", "提取误报"), Label.FALSE),
        Reason("context", ("语境豁免", "引用", "否定", "科普"), Label.FALSE),
        Reason("qualified", ("主体有资质", "有资质"), Label.FALSE),
        Reason("corrected", ("已改正",), Label.TRUE),
        Reason("duplicate", ("重复",), Label.UNKNOWN),
        Reason("elsewhere", ("非本辖区",), Label.UNKNOWN),
        Reason("insufficient", ("证据不足",), Label.UNKNOWN),
        Reason("other", ("其他",), Label.UNKNOWN),
    )
}


def parse_decision(word: str) -> Decision:
    """The decision of an English or Chinese name, or of its key. Raises UsageError naming them all."""
    asked = word.strip().casefold().replace("（", "(").replace("）", ")")
    for kind in DECISIONS.values():
        if asked in (kind.decision.value, kind.key) or asked in kind.zh:
            return kind.decision
    known = "、".join(f"{kind.decision.value}({kind.zh[0]})" for kind in DECISIONS.values())
    raise UsageError("没有“{word}”这种处理决定", word=word, hint="可用：" + known)


def parse_reason(decision: Decision, words: str) -> tuple[str, str]:
    """(code, comment) of what an officer wrote: a code or Chinese name of the list, then free words after a blank or colon.

    Words that name no reason count as 其他 with these words. Raises UsageError when the decision needs a reason
    and none is given, or 其他 stands alone.
    """
    kind = DECISIONS[decision]
    said = words.strip()
    code, comment = kind.default_reason, said
    for reason in REASONS.values():
        for name in sorted((reason.code, *reason.zh), key=len, reverse=True):
            rest = said[len(name) :]
            if said.casefold().startswith(name) and (not rest or not (rest[0].isalnum() or rest[0] == "-")):
                return _checked(reason.code, rest.strip(" ：:，,;；—（()）"))
    if said and not code and kind.needs_reason:
        code = "other"
    if kind.needs_reason and not code:
        known = "、".join(f"{reason.code}({reason.zh[0]})" for reason in REASONS.values())
        raise UsageError("“{decision}”须写明理由", decision=kind.zh[0], hint="理由：" + known)
    return _checked(code, comment)


def _checked(code: str, comment: str) -> tuple[str, str]:
    if code == "other" and not comment:
        raise UsageError("理由“其他”须写明具体情况")
    return code, comment


def label_of(decision: Decision, reason: str) -> Label:
    """What the decision teaches: a reason's label weighs more than the decision's."""
    if decision in (Decision.DISMISS, Decision.FALSE_ALARM, Decision.DUPLICATE) and reason in REASONS:
        found = REASONS[reason].label
        return DECISIONS[decision].label if found is Label.UNKNOWN else found
    return DECISIONS[decision].label
