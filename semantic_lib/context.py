"""The sense around a hit: spaCy `zh` on jieba tokens, with one component a question.

Each component is a registered spaCy factory that adds cues to `doc._.cues`: a kind, its own words, and the scope they govern.
Only sentences in which some rule has spoken come here, and only when a cheap look says that a cue may be there.
A token boundary never vetoes a hit; it only keeps 不 inside 不锈钢 from negating one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from semantic_lib.matcher import Span

#: Clause borders in folded text.
CLAUSE = re.compile(r"[,;。!?\n:|]|\.\s")


@dataclass(frozen=True, slots=True)
class Cue:
    """`text` at [start, end) governs [left, right) of the sentence."""

    kind: str
    start: int
    end: int
    left: int
    right: int
    text: str

    def governs(self, start: int, end: int) -> bool:
        return self.left <= start and end <= self.right


_NEGATORS = [
    "不", "没", "没有", "未", "非", "并非", "绝非", "勿", "别", "莫", "不是", "不会", "不能", "不可", "不得", "不要", "不含", "不做",
    "不卖", "不用", "不需", "不需要", "不必", "从不", "从未", "绝不", "决不", "并不", "并无", "毫无", "无", "无法", "无需", "不存在", "没做",
    "没说", "不敢", "不敢说", "不算", "不属于", "不具有", "不具备", "不提供", "不支持", "不承诺", "不保证", "唔系", "唔会", "冇", "不带", "不走",
    "not", "never", "no", "without", "neither", "nor", "cannot", "can't", "don't", "doesn't", "isn't",
    "aren't", "won't", "didn't", "none",
]  # fmt: skip
#: Words that begin with a negator and negate nothing.
_NOT_NEGATING = re.compile(
    r"不(?:锈|错|俗|倒|适|良|安|仅|但|只|止|断|同|管|论|如|过|妨|易|禁|愧|愁|限|足|少|二|凡|舍|已|日|久|朽|等|一样|得不)|非(?:常|凡|遗|物质|洲|主流|标|卖品)|无(?:论|线|疑|比|限|双|忧|添加|痕|敌|尘|人|锡|缝|边|菌)"
    r"|没(?:想到|话说)|未(?:来|必)|别(?:墅|致|样|名|具|针|称|克)|no\.|not only"
)
_WISHES = [
    "目标", "追求", "致力", "致力于", "立志", "愿", "愿景", "希望", "力求", "力争", "争做", "争取", "梦想", "理想", "使命", "理念", "信念",
    "努力", "初心", "只为", "盼", "期望", "祝", "祝愿", "strive", "aim", "goal", "aspire", "hope", "mission", "vision",
]  # fmt: skip
_CONDITIONS = [
    "如果", "若", "若是", "假如", "如", "如有", "如若", "倘若", "一旦", "万一", "凡是", "要是", "if", "should", "whenever",
    "unless",
]  # fmt: skip
_OWN = re.compile(
    r"(?:比|较|相比|相较|对比|跟|和|与|优于|胜过)[^,。;!?\n]{0,8}(?:上一?代|前一?代|前代|旧款|老款|旧版|老版|上一版|去年|往年|前款|原版本|上代"
    r"|初代|第一代|我们(?:之前|以前|去年|另一)|本店其他|自家|同系列|我司)|(?:本店|我们店|我家店|店里|店内|本系列|同系列|系列中|我们家|我司|公司内|全系列?)"
    r"(?:[^,。;!?\n]{0,6})(?:中|里|最)|than our (?:previous|last|first|older|own)|in our (?:range|line|shop|store|collection)|our (?:own )?best|of our\b"
)
_RULE_VERB = re.compile(
    r"不得|禁止|严禁|禁用|不准|不允许|不可使用|不能使用|违反|违者|违规|违法|广告法|法规|法律|条例|规定|办法|依据|根据|按照|字样|用语|词语|等词|等字眼|字眼|"
    r"罚款|处罚|查处|扣\d*分|prohibit|forbidden|must not|may not|not allowed|violat|regulation|\blaw\b|banned"
)
_LONGEST = 12  #: characters of the longest cue word
_STRENGTHENS = ("并", "毫", "绝", "决", "从")  #: before a negator they belong to it
_QUOTED = re.compile(r"“[^”\n]{1,60}”|《[^》\n]{1,60}》|\"[^\"\n]{1,60}\"")
_QUESTION = re.compile(r"[?]|(?:吗|么|呢|咩|嘛)\s*(?:$|[,。!?~\n])")
_BANS = frozenset(
    ("不得", "禁止", "严禁", "禁用", "不准", "不允许", "不可使用", "不能使用", "违反", "prohibit", "must not")
)
_TRIGGER = re.compile(r"[不没未非勿别莫无从绝决冇唔]|not|never|no |n't|without|neither|nor |none")


def _clause_end(text: str, start: int) -> int:
    match = CLAUSE.search(text, start)
    return match.start() if match else len(text)


def _clause_start(text: str, end: int) -> int:
    last = 0
    for match in CLAUSE.finditer(text, 0, end):
        last = match.end()
    return last


class NegationScope:
    """A negator governs the rest of its clause (and what a 和/、 list continues)."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = frozenset(words)

    def __call__(self, doc: Any) -> Any:
        text = doc.text
        for token in doc:
            word = token.text
            joined = word[0] in "不未没" and word not in self.words  # 不刷单 as one token
            start = token.idx
            if (word not in self.words and not joined) or _NOT_NEGATING.match(text, start):
                continue
            end = start + (1 if joined else len(word))
            right = _clause_end(text, end)
            doc._.cues.append(Cue("negation", start, end, start, right, word))
        return doc


class TextComponent:
    """A component that reads the sentence's letters alone; it answers with or without the pipeline."""

    def cues(self, text: str) -> list[Cue]:
        raise NotImplementedError

    def __call__(self, doc: Any) -> Any:
        doc._.cues.extend(self.cues(doc.text))
        return doc


class QuotedRule(TextComponent):
    """Words inside quotation marks, or after a rule's verb, in a sentence that states a rule or law."""

    def cues(self, text: str) -> list[Cue]:
        verb = _RULE_VERB.search(text)
        if verb is None:
            return []
        found = [
            Cue("quoted-rule", verb.start(), verb.end(), quote.start(), quote.end(), verb[0])
            for quote in _QUOTED.finditer(text)
        ]
        found += [
            Cue("quoted-rule", ban.start(), ban.end(), ban.end(), len(text), ban[0])
            for ban in _RULE_VERB.finditer(text)
            if ban[0] in _BANS
        ]
        return found


class Question(TextComponent):
    """From the sentence's start to its question mark or particle."""

    def cues(self, text: str) -> list[Cue]:
        return [Cue("question", m.start(), m.end(), 0, m.end(), m[0].strip()) for m in _QUESTION.finditer(text)]


class OwnComparison(TextComponent):
    """The clause compares with the shop's own older or other goods."""

    def cues(self, text: str) -> list[Cue]:
        return [
            Cue("own-comparison", m.start(), m.end(), _clause_start(text, m.start()), _clause_end(text, m.end()), m[0])
            for m in _OWN.finditer(text)
        ]


class WordScope:
    """Cue words that govern what follows them up to the sentence's end (`clause_only`: to the clause's end)."""

    def __init__(self, kind: str, words: Sequence[str], *, clause_only: bool) -> None:
        self.kind, self.words, self.clause_only = kind, frozenset(words), clause_only

    def __call__(self, doc: Any) -> Any:
        for token in doc:
            if token.text in self.words:
                end = token.idx + len(token.text)
                right = _clause_end(doc.text, end) if self.clause_only else len(doc.text)
                doc._.cues.append(Cue(self.kind, token.idx, end, end, right, token.text))
        return doc


#: Components that need no words, only letters.
_TEXT_COMPONENTS: dict[str, TextComponent] = {
    "quoted-rule": QuotedRule(),
    "question": Question(),
    "own-comparison": OwnComparison(),
}
_WISH_LOOK = re.compile("|".join(map(re.escape, _WISHES)))
_CONDITION_LOOK = re.compile("|".join(map(re.escape, _CONDITIONS)))
#: All that `component:` may name; the consumer's voice is heard by semantic_lib.voice over the whole passage.
COMPONENT_NAMES = frozenset(_TEXT_COMPONENTS) | {"negation", "wish", "condition", "consumer-voice"}


#: What each registered factory makes; spaCy calls factories with (nlp, name).
_FACTORIES: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "wangxun_negation": lambda: NegationScope(_NEGATORS),
    "wangxun_quoted_rule": QuotedRule,
    "wangxun_question": Question,
    "wangxun_wish": lambda: WordScope("wish", _WISHES, clause_only=False),
    "wangxun_condition": lambda: WordScope("condition", _CONDITIONS, clause_only=False),
    "wangxun_own_comparison": OwnComparison,
}


def _register() -> None:
    """Tell spaCy of our tokenizer and components, once a process."""
    from spacy import util
    from spacy.language import Language
    from spacy.tokens import Doc

    if Doc.has_extension("cues"):
        return
    Doc.set_extension("cues", default=[])
    for name, make in _FACTORIES.items():

        def factory(nlp: Any, name: str, make: Callable[[], Callable[[Any], Any]] = make) -> Any:  # noqa: ARG001 — spaCy's signature
            return make()

        Language.factory(name, func=factory)

    from semantic_lib.tokens import JiebaTokenizer

    def tokenizer(words: Sequence[str]) -> Callable[[Any], JiebaTokenizer]:
        return lambda nlp: JiebaTokenizer(nlp.vocab, words)

    util.registry.tokenizers("wangxun.jieba.v1", func=tokenizer)


@lru_cache(maxsize=1)
def pipeline(words: tuple[str, ...] = ()) -> Any:
    """The spaCy `zh` pipeline: private jieba tokens, then one component a question. Built on first need (about .8 s)."""
    import spacy

    _register()
    config = {"nlp": {"tokenizer": {"@tokenizers": "wangxun.jieba.v1", "words": list(words)}}}
    nlp = spacy.blank("zh", config=config)
    for factory in _FACTORIES:
        nlp.add_pipe(factory)
    return nlp


@lru_cache(maxsize=8192)
def word_cues(text: str, words: tuple[str, ...] = ()) -> tuple[Cue, ...]:
    """All cues of one folded sentence; shops repeat themselves from page to page, so answers are kept."""
    return tuple(pipeline(words)(text)._.cues)


@lru_cache(maxsize=8192)
def _letter_cues(kind: str, text: str) -> tuple[Cue, ...]:
    return tuple(_TEXT_COMPONENTS[kind].cues(text))


def cues(kind: str, text: str, parts: Sequence[Span], within: int, words: tuple[str, ...] = ()) -> tuple[Cue, ...]:
    """The cues of `kind` that may govern one of `parts` of a folded sentence.

    The pipeline runs only when a word it looks for stands where it could reach a part; otherwise there is none.
    """
    if kind in _TEXT_COMPONENTS:
        return _letter_cues(kind, text)
    reach = within + _LONGEST if len(parts) == 1 else len(text)
    if not any(_may_reach(kind, text, start, end, reach) for start, end in parts):
        return ()
    return tuple(cue for cue in word_cues(text, words) if cue.kind == kind)


def _may_reach(kind: str, text: str, start: int, end: int, reach: int) -> bool:
    """Could a word of `kind` before [start, end) govern it? True when in doubt."""
    if kind == "condition":
        return _CONDITION_LOOK.search(text, 0, start) is not None
    low = max(0, start - reach)
    if kind == "wish":
        return _WISH_LOOK.search(text, low, start) is not None
    low = max(low, _clause_start(text, end))
    return any(
        text[m.start() - 1 : m.start()] in _STRENGTHENS or not _NOT_NEGATING.match(text, m.start())
        for m in _TRIGGER.finditer(text, low, min(start + _LONGEST, len(text)))
    )
