"""Who speaks: a consumer telling of a purchase, or the shop offering goods?

Where the region is known it decides. In bare text of unknown origin the words must: a buyer tells what happened
(买了, 收到货, 用了两天, 客服), the shop offers and instructs (本店, 下单, 联系客服, 包邮). Weighted cues, compared.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.page import CONSUMER_VOICE
from semantic_lib.matcher import Finder
from semantic_lib.page import Page

_HEARD = 2048  #: passages whose voice is remembered
_LOOK = 1200  #: characters of a passage that are listened to


class Voice:
    """Cues by weight: {weight: words}; consumer cues count for, shop cues against."""

    def __init__(self, consumer: Mapping[float, Finder], shop: Mapping[float, Finder], threshold: float) -> None:
        self._consumer, self._shop, self._threshold = consumer, shop, threshold
        self._heard: dict[str, str | None] = {}
        self.ids = frozenset(map(id, consumer.values()))

    def consumer(self, page: Page, passage: int) -> str | None:
        """The words that show a consumer speaking, None when they do not prevail."""
        region = page.passages[passage].region
        if region is not None:
            return region.value if region in CONSUMER_VOICE else None
        if self.surely_silent(page, passage):
            return None
        text = page.text_of(passage)[:_LOOK]
        if text not in self._heard:
            if len(self._heard) >= _HEARD:
                self._heard.clear()
            self._heard[text] = self._listen(page, passage)
        return self._heard[text]

    def _listen(self, page: Page, passage: int) -> str | None:
        told = [(weight, words) for weight, finder in self._consumer.items() for words in _said(page, passage, finder)]
        score = sum(weight for weight, _ in told)
        if score < self._threshold:
            return None
        score -= sum(weight * len(_said(page, passage, finder)) for weight, finder in self._shop.items())
        return "、".join(words for _, words in told[:3]) if score >= self._threshold else None

    def surely_silent(self, page: Page, passage: int) -> bool:
        """True when none of the consumer's words stands in the passage."""
        return self.ids <= page.bundle.known and self.ids.isdisjoint(page.present(passage))

    @property
    def finders(self) -> tuple[Finder, ...]:
        return (*self._consumer.values(), *self._shop.values())


def _said(page: Page, passage: int, finder: Finder) -> list[str]:
    """The different words of `finder` in the beginning of the passage."""
    text = page.text_of(passage)
    return sorted({text[m.start : m.end] for m in page.find(finder, passage) if m.end <= _LOOK})
