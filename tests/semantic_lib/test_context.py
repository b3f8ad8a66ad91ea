"""The cheap look before the pipeline changes no answer; our reading of jieba's dictionary cuts as jieba does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_lib.context import COMPONENT_NAMES, cues, word_cues
from semantic_lib.tokens import JiebaTokenizer

SENTENCES = [
    "本店从不刷单,但好评返现5元", "不锈钢杯不是全网第一", "我们的目标是成为行业第一品牌", "如果不满意,7天可退", "没有最好,只有更好", "并不承诺根治高血压",
    "无论如何都是全国销量第一", "绝不卖高仿", "不得使用“最佳”等用语", "是全网最低价吗?", "比上一代最轻薄", "we do not sell replicas, ever",
    "never the best price, if you ask", "致力于打造国内领先", "别墅级享受", "从未停止追求第一", "唔係翻版", "毫无副作用", "非常好,非处方药", "一不小心就是第一",
]  # fmt: skip
WORDS = ("第一时间", "不锈钢", "不刷单")


@settings(deadline=None)
@given(st.sampled_from(SENTENCES), st.data())
def test_the_cheap_look_misses_nothing(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    for kind in COMPONENT_NAMES - {"consumer-voice"}:
        within = data.draw(st.sampled_from([6, 12, 40]))
        found = cues(kind, text, [(start, end)], within)
        full = [cue for cue in word_cues(text) if cue.kind == kind]
        near = [c for c in full if c.governs(start, end) and abs(start - c.end) <= within]
        assert near == [c for c in found if c.governs(start, end) and abs(start - c.end) <= within]


@pytest.mark.parametrize("extra", [(), WORDS])
def test_cuts_as_jieba_does(extra: tuple[str, ...]) -> None:
    import jieba

    own, theirs = JiebaTokenizer(None, extra), jieba.Tokenizer()
    theirs.FREQ, theirs.total = theirs.gen_pfdict(theirs.get_dict_file())
    theirs.initialized = True
    for word in extra:
        theirs.add_word(word)
    for text in [*SENTENCES, "", "a", "𠮷野家第一时间发货", "3days no.1", "。。。", "退換貨須知"]:
        assert own.words(text) == list(theirs.cut(text, HMM=False))
    assert own._jieba.total == theirs.total
