"""Facts of the goods on a page: every source is heard, then they vote. No word here knows any particular site."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from contracts.page import Fact, Passage, Region
from crawler.extract.candidates import Candidate, Candidates
from crawler.extract.claims import Claim, Claims, confidence
from crawler.extract.currency import currency_code
from crawler.extract.passages import PassageReader
from crawler.extract.price import PriceKind, find_prices, parse_price
from crawler.extract.tree import Tree
from crawler.extract.words import Vocabulary, phrases, words

_SUFFIX = re.compile(r"\s*[|_–—·•»]\s*|\s+-\s+|\s+::\s+|【[^】]{2,20}】$")
_AVAILABILITY: Final = (
    ("OutOfStock", re.compile(r"out.?of.?stock|sold.?out|outofstock|discontinued|unavailable|oos\b", re.IGNORECASE)),
    ("PreOrder", re.compile(r"pre.?order|presale", re.IGNORECASE)),
    ("InStock", re.compile(r"in.?stock|available|limited|online.?only|back.?order|instoreonly", re.IGNORECASE)),
)
_GONE: Final = phrases(
    "out of stock|sold out|unavailable|no longer available|not available|缺货|缺貨|售罄|已售完|补货中|補貨中|已下架|无货|無貨|品切れ|売り切れ|在庫切れ|품절|agotado|sin stock|sin existencias|"
    "esgotado|indisponível|rupture de stock|épuisé|indisponible|ausverkauft|nicht verfügbar|nicht lieferbar|non disponibile|esaurito|niedostępny|brak w magazynie|wyprzedan|vypredané|vyprodáno|"
    "nedostupn|nie je na sklade|uitverkocht|niet op voorraad|udsolgt|slutsåld|нет в наличии|распродано|avísame|notify me when|email when available|到货通知|到貨通知"
)
_THERE: Final = phrases(
    "in stock|有货|有貨|现货|現貨|有库存|在庫あり|auf lager|sofort lieferbar|verfügbar|en stock|disponible|disponibile|disponibilità immediata|em estoque|dostępny|na sklade|skladem|op voorraad|på lager|"
    "i lager|в наличии|hay stock|available"
)
_LABEL: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile(rf"\W*(?:{words})\s*(?:\.|no\.?|nr\.?|number|n°|nº|id|code)?\W*", re.IGNORECASE)
    for name, words in {
        "sku": r"sku|(?:item|product|article|catalog(?:ue)?|part|model) ?(?:no|nr|number|code|id|#)|art(?:ikel)?[.\s-]*(?:nr|nummer|no|num)?|artikelnummer|bestell-?nr|réf(?:érence)?|ref(?:erencia|erence|erência)?|"
        r"cod(?:ice|igo|\.)?(?: (?:prodotto|articolo|do produto|de producto|produktu))?|código|kod(?: produktu)?|kód(?: tovaru| produktu)?|indeks|артикул|код товара|货号|貨號|商品编号|商品編號|貨品編號|商品编码|商品代码|品號|商品番号|型番|상품번호",
        "brand": r"品牌(?:名称|名稱)?|牌子|商标|brand(?: name)?|marque|marca|marke|hersteller|značka|výrobce|výrobca|producent|marka|бренд|производитель|メーカー|브랜드|fabricante",
        "origin": r"产地|產地|原产地|原產地|原产国(?:\(地区\))?|country of origin|origin|made in|herkunft|原産国",
        "net_content": r"净含量|淨含量|规格|規格|net (?:weight|content)|容量",
        "material": r"材质|材質|面料|成分|material|matière|materiale|composizione",
        "gtin": r"ean|gtin|upc|isbn|barcode|条形码|条码",
        "mpn": r"mpn|型号|型號|manufacturer part.*?|model",
        "stock": r"库存|庫存|剩余库存|存货|存貨|stock|inventory",
        "shelf_life": r"保质期|保質期|有效期",
        "mode": r"发货方式|模式|贸易方式|销售模式|发货地",
    }.items()
}  # fmt: skip
#: Labels set wide: "库 存".
_SPACED_HAN = re.compile(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])")
_PARTED = re.compile(r"([^:\uff1a#\n]{2,40})[:\uff1a#]+\s*([^\n]{1,80})")
_SPACED = re.compile(r"((?:[^\W\d_]+\.?[ -]){1,2})#?\s*(\w*\d[\w./-]{2,30})$")
_CODE = re.compile(r"[#(]?\s*([A-Za-z0-9][\w./\-]{1,40})")


@lru_cache(maxsize=20_000)
def _label_name(label: str) -> str | None:
    """The fact that a label before a colon announces."""
    label = _SPACED_HAN.sub("", label.strip())
    return next((name for name, pattern in _LABEL.items() if pattern.fullmatch(label)), None)


_PERMITS: Final = (
    ("JY", re.compile(r"(?<![A-Za-z])JY\d{14}(?!\d)")),
    ("SC", re.compile(r"(?<![A-Za-z])SC\d{14}(?!\d)")),
    ("食健", re.compile(r"国食健[注备][GJ]\d{8,12}|国食健字[GJ]?\d{8}|食健备[GJ]\d{12}|卫食健字[(\uff08]\d{4}[)\uff09]第?\d{4}号")),
    ("准字", re.compile(r"国药准字[HZSBJTF]C?\d{8,9}")),
    ("械注 械备", re.compile(r"[国京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]械[注备](?:准|进|许)?(?:字)?\d{8,11}(?:号)?")),
    ("妆", re.compile(r"国妆(?:特字|特进字|备进字|网备进字|网备字)[(\uff08]?(?:\D{0,4})?\d{6,12}|[\u4e00-\u9fff]妆网备字\d{8,12}")),
    ("B1 B2", re.compile(r"[\u4e00-\u9fff]{0,2}B[12][.\-]\d{8}(?:-\d+)?")),
    ("广审 食健广 药广 械广 审", re.compile(r"[国京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼](?:食健|药|械|特)(?:广|食)?(?:审)?[(\uff08][文视声网][)\uff09]第?[\d\-]{6,16}号?")),
)  # fmt: skip
_SALES = re.compile(
    r"(?:\bsold|月销|月銷|累计售出|累計售出|已售(?!出)|已賣|销量|銷量|累计销售|总销量|售出|成交|已拼|付款人数)\s*[:：]?\s*(?:量\s*)?([\d.,]+\s*[万萬千w]?)\s*\+?|([\d.,]+\s*[万萬w]?)\s*\+?\s*(?:人(?:已)?(?:付款|购买|購買|收货)|件已售|(?:件\s*)?已售出|(?:件\s*)?已賣出|sold|people bought)",
    re.IGNORECASE,
)
_VIEWERS = re.compile(
    r"([\d,.]+\s*[万w]?)\+?\s*(?:人|位|people|others|customers|shoppers)[^,\uff0c。.]{0,8}?(?:正在|在)?(?:浏览|看|围观|关注|viewing|looking|watching|are)",
    re.IGNORECASE,
)
_STOCK = re.compile(
    r"(?:仅剩|僅剩|只剩|还剩|剩余|剩餘|库存(?:仅剩)?|庫存|存货|存貨|stock|only)\s*[:：]?\s*(\d{1,7})\s*(?:件|个|套|盒|瓶|份|left|in stock|张|台|袋|only)?",
    re.IGNORECASE,
)
_LEFT = re.compile(r"(\d{1,5})\s*(?:items? )?left(?: in stock)?\b", re.IGNORECASE)
_MODE = re.compile(r"保税(?:仓|区|备货)?(?:直?发货)?|保稅|海外直邮|海外直郵|直邮|跨境电商零售进口|一般贸易|网购保税")
_RATING = re.compile(r"(\d(?:[.,]\d{1,2})?)\s*(?:/|out of|von|sur|su|de|z|из|分\s*/)\s*(5|10|100)\b", re.IGNORECASE)
_RATING_ZH = re.compile(
    r"(?:综合评分|商品评分|好评均分|评价均分|平均分|评分|評分|均分|描述相符)\s*[:：]?\s*(\d(?:\.\d{1,2})?)"
)
_RATING_COUNT = re.compile(
    r"(?<![\d.])([0-5]\.\d)\s*[(\uff08]\s*\d[\d,.]*\s*(?:[条則则个個]?\s*(?:评[价论]|評[價論])|reviews?|ratings?)",
    re.IGNORECASE,
)
_NO_REVIEWS = re.compile(r"暂无评[价论]|尚無評價|暫無評價|还没有评[价论]|no reviews yet|0 reviews", re.IGNORECASE)
_REVIEW_COUNT = re.compile(
    r"(?:累计评价|商品评价|用户评价|全部评价|评价|評價|评论|評論)\s*[(\uff08:：共]*\s*([\d,.]+\s*[万w]?)\+?|([\d,.]+)\s*(?:条评[价论]|[則个個]評價|customer reviews?|reviews?|ratings|avis|bewertungen|recensioni|opiniones|opinii)\b",
    re.IGNORECASE,
)


_NOT_SHOP: Final = frozenset({Region.REVIEW, Region.QA, Region.NAV, Region.FOOTER, Region.CHROME, Region.REPLY})
_DIGIT = re.compile(r"\d")


#: Fact, words of which one must stand beside it, and how the number is written.
_COUNTED: Final = (
    ("sales_count", words("销 銷 售 賣 成交 付款 拼 购买 購買 收货 sold bought"), _SALES),
    ("viewers", words("浏览 看 围观 关注 viewing looking watching"), _VIEWERS),
    ("stock", words("剩 剩餘 库存 庫存 存货 存貨 stock only"), _STOCK),
    ("stock", words("left"), _LEFT),
)
_MODE_WORDS: Final = words("保税 保稅 直邮 直郵 跨境 一般贸易")
_COUNT_WORDS: Final = Vocabulary(_MODE_WORDS.union(*(marks for _, marks, _ in _COUNTED)))
_STOCK_WORDS: Final = Vocabulary({*_GONE, *_THERE})
_PERMIT_MARKS: Final = Vocabulary(mark for marks, _ in _PERMITS for mark in marks.split())
_LABEL_MARK = re.compile(r"[:\uff1a#\d]")


class Votes:
    """Weight behind each amount, and the strongest source that names it."""

    def __init__(self) -> None:
        self.weight: dict[Decimal, float] = defaultdict(float)
        self.source: dict[Decimal, tuple[float, str, int]] = {}

    def add(self, amount: Decimal | None, weight: float, source: str, node: int = -1) -> None:
        """Amounts of nothing or beyond a milliard are no prices."""
        if amount is None or not 0 < amount <= 10**9:
            return
        amount = amount.normalize()
        self.weight[amount] += weight
        if amount not in self.source or weight > self.source[amount][0]:
            self.source[amount] = (weight, source, node)


class Listing:
    """Decides the facts of the goods. `facts` is filled once; `notes` names contradictions between sources."""

    def __init__(
        self,
        tree: Tree,
        reader: PassageReader,
        candidates: Candidates,
        structured: Claims,
        state: Claims,
        places: tuple[str, ...],
        main: int,
        title: str,
        url: str,
        has_button: bool,
    ) -> None:
        self.tree, self.passages, self.node_of, self.said = tree, reader.passages, reader.node_of, reader.said
        self.candidates, self.structured, self.state = candidates, structured, state
        self.places, self.main, self.title, self.url, self.has_button = places, main, title, url, has_button
        self.facts: dict[str, Fact] = {}
        self.notes: list[str] = []
        self.labelled = self._labels()
        self._name()
        self._price()
        for name in ("sku", "brand", "gtin", "mpn", "rating", "best_rating", "review_count", "origin", "category"):
            self._simple(name)
        self._availability()
        self._from_text()

    # ---- name

    def _name(self) -> None:
        claims = [c for c in self.structured.of("name") if len(c.value) < 400]
        if self.main >= 0:
            text = self.tree.text(self.main, 400)
            if text:
                claims.append(Claim(text, f"dom:{self.tree.selector(self.main)}", 2.5, self.main))
        head = _SUFFIX.split(self.title)[0].strip() if self.title else ""
        if head:
            claims.append(Claim(head, "title", 0.8))
        best, most = None, 0.0
        for claim in claims:
            key = _letters(claim.value)
            if not key:
                continue
            support = sum(
                c.weight * 0.5
                for c in claims
                if c is not claim and (key in _letters(c.value) or _letters(c.value) in key)
            )
            if claim.weight + support > most:
                best, most = claim, claim.weight + support
        if best is not None:
            value = _SUFFIX.split(best.value)[0] if best.source == "opengraph" else best.value
            self.facts["name"] = Fact(value or best.value, best.source, confidence(most, sum(c.weight for c in claims)))

    # ---- price

    def _price(self) -> None:
        votes = Votes()
        for claim in self.structured.of("price"):
            votes.add(_amount(claim.value), claim.weight, claim.source, claim.node)
        declared = set(votes.weight)
        for price in find_prices(self.title[:300]):
            if price.kind is PriceKind.PRICE:
                votes.add(price.amount, 1.0, "title")
        self._state_votes(votes, declared)
        seen = self._shown_votes(votes)
        struck = {c.amount.normalize() for c in self.candidates.all if c.struck and c.score > -4}
        for amount in (declared & struck) - seen:
            votes.weight[amount] *= 0.4  # what is declared is shown only crossed out: the shown price is another one
        if not votes.weight:
            return
        amount = max(votes.weight, key=lambda a: (votes.weight[a], -a))
        mine = votes.weight[amount]
        if mine < 0.35:
            return
        _, source, node = votes.source[amount]
        self.facts["price"] = Fact(_money(amount), source, confidence(mine, sum(votes.weight.values())))
        if declared and amount not in declared:
            self.notes.append(f"页面显示的价格 {_money(amount)} 与结构化数据声明的 {_money(max(declared))} 不一致")
        elif declared and seen and amount not in seen | struck and self.candidates.all[0].score > 3:
            self.notes.append(f"结构化数据声明的价格 {_money(amount)} 未在页面上显示")
        self._currency(amount)
        self._companions(amount, node)

    def _shown_votes(self, votes: Votes) -> set[Decimal]:
        """What a person would see votes by its score; the amounts that did."""
        shown = [c for c in self.candidates.all if not c.struck]
        seen: set[Decimal] = set()
        for candidate in shown[:12]:
            amount = candidate.amount.normalize()
            if amount in seen or candidate.score < -1.5:
                continue
            seen.add(amount)
            weight = max(0.0, min(3.2, 0.5 + candidate.score * 0.55))
            weight *= 1.0 if candidate.score >= shown[0].score - 0.3 else 0.45
            votes.add(amount, weight, f"dom:{self.tree.selector(candidate.node)}", candidate.node)
        return seen

    def _state_votes(self, votes: Votes, declared: set[Decimal]) -> None:
        """Embedded state supports a price seen elsewhere; whole cents are turned into money when only that is seen."""
        tally: dict[Decimal, tuple[float, str]] = {}
        for claim in self.state.of("price"):
            amount = _amount(claim.value)
            if amount is not None:
                weight, source = tally.get(amount, (0.0, claim.source))
                tally[amount] = (min(1.8, weight + claim.weight), source)
        known = declared | {c.amount.normalize() for c in self.candidates.all if not c.struck}
        for amount, (weight, source) in tally.items():
            if amount.normalize() in known:
                votes.add(amount, weight, source)
            elif amount == amount.to_integral_value() and (amount / 100).normalize() in known:
                votes.add(amount / 100, weight, source)
            else:
                votes.add(amount, weight if weight > 1 else weight * 0.5, source)

    def _currency(self, amount: Decimal) -> None:
        claims = Claims()
        for claim in self.structured.of("currency"):
            code = currency_code(claim.value[:12], self.places)
            if code and len(code) == 3:
                claims.add("currency", code, claim.source, claim.weight)
        for candidate in self.candidates.all[:30]:
            if candidate.price.symbol:
                code = candidate.price.code(self.places)
                same = candidate.amount.normalize() == amount
                claims.add(
                    "currency",
                    code,
                    f"dom:{self.tree.selector(candidate.node)}",
                    (1.6 if same else 0.3) if candidate.score > -2 else 0.1,
                )
        for claim in self.state.of("currency"):
            code = currency_code(claim.value[:12], self.places)
            if code and len(code) == 3:
                claims.add("currency", code, claim.source, 0.8)
        if fact := claims.best("currency"):
            self.facts["currency"] = fact

    def _companions(self, amount: Decimal, node: int) -> None:
        """The struck price, the range, the unit and the note that stand with the chosen price."""
        mine = next((c for c in self.candidates.all if not c.struck and c.amount.normalize() == amount), None)
        anchor = mine.node if mine else node
        higher = [
            c
            for c in self.candidates.all
            if c.struck
            and c.amount > amount
            and self.candidates.regions.of[c.node] not in {Region.NAV, Region.REVIEW, Region.FOOTER, Region.QA}
        ]
        if anchor >= 0:
            higher.sort(key=lambda c: abs(c.node - anchor))
        declared = next((c for c in self.structured.of("original_price") if (_amount(c.value) or 0) > amount), None)
        if higher and (anchor < 0 or abs(higher[0].node - anchor) < 120):
            chosen = higher[0]
            self.facts["original_price"] = Fact(_money(chosen.amount), f"dom:{self.tree.selector(chosen.node)}", 0.85)
            note = chosen.note or self._label_of(chosen)
            if note:
                self.facts["original_price_note"] = Fact(note, f"dom:{self.tree.selector(chosen.node)}", 0.8)
        elif declared is not None:
            self.facts["original_price"] = Fact(_money(_amount(declared.value) or Decimal(0)), declared.source, 0.7)
        else:
            state = [
                a
                for c in self.state.of("original_price")
                if c.weight > 1 and (a := _amount(c.value)) and amount < a < amount * 20
            ]
            if state:
                self.facts["original_price"] = Fact(_money(state[0]), "state:original", 0.4)
        if mine is None:
            return
        if mine.price.high:
            self.facts["high_price"] = Fact(_money(mine.price.high), f"dom:{self.tree.selector(mine.node)}", 0.8)
        if mine.price.unit:
            self.facts["unit"] = Fact(mine.price.unit, f"dom:{self.tree.selector(mine.node)}", 0.8)
        if mine.price.kind is not PriceKind.PRICE or mine.price.note or mine.price.from_:
            self.facts["price_note"] = Fact(
                mine.price.note or ("起" if mine.price.from_ else mine.price.kind.value),
                f"dom:{self.tree.selector(mine.node)}",
                0.8,
            )
        for kind in (PriceKind.MEMBER, PriceKind.COUPON):
            other = next((c for c in self.candidates.all if c.price.kind is kind and c.score > -2), None)
            if other:
                self.facts[f"{kind.value}_price"] = Fact(
                    _money(other.amount), f"dom:{self.tree.selector(other.node)}", 0.7
                )

    def _label_of(self, candidate: Candidate) -> str:
        """The words before the amount in its own block ("原价", "RRP")."""
        parent = self.tree.nodes[candidate.node].parent
        text = self.tree.text(parent, 120) if parent >= 0 else ""
        words = re.findall(
            r"原价|划线价|市场价|吊牌价|专柜价|建议零售价|参考价|指导价|定价|日常价|RRP|MSRP|List price|Was|UVP",
            text,
            re.IGNORECASE,
        )
        return words[0] if words else ""

    # ---- the rest

    def _labels(self) -> dict[str, list[Claim]]:
        found: dict[str, list[Claim]] = defaultdict(list)
        for i, passage in enumerate(self.passages):
            text = passage.text
            if len(text) > 300 or passage.region in _NOT_SHOP or not _LABEL_MARK.search(text):
                continue
            for line in text.split("\n")[:12] if "\n" in text else (text,):
                if len(line) < 120:
                    self._label_line(line, i, passage, found)
        return found

    def _label_line(self, line: str, i: int, passage: Passage, found: dict[str, list[Claim]]) -> None:
        parted = _PARTED.match(line) or _SPACED.match(line)
        if parted is None or _DIGIT.search(label := parted[1]):  # no label that we know holds a digit
            return
        name = _label_name(label)
        if name is None:
            return
        value = parted[2].strip(" :\uff1a#|-–")
        if name in {"sku", "gtin", "mpn"}:
            code = _CODE.match(value)
            if code is None or not (_DIGIT.search(code[1]) or (code[1].isupper() and "-" in code[1])):
                return
            value = code[1].rstrip(".,")
        weight = (3.2 if name == "sku" else 1.6) if passage.hidden is None else 0.8
        found[name].append(Claim(value, f"dom:{passage.selector}", weight, self.node_of[i]))

    def _simple(self, name: str) -> None:
        claims = Claims()
        for claim in [*self.structured.of(name), *self.state.of(name), *self.labelled.get(name, [])[:4]]:
            if name in {"rating", "best_rating", "review_count"}:
                number = re.search(r"\d+(?:[.,]\d+)?", claim.value.replace(",", "." if name != "review_count" else ""))
                if number:
                    claims.add(name, number[0], claim.source, claim.weight)
            elif name == "brand" and (claim.value.startswith("http") or len(claim.value) > 80):
                continue
            else:
                claims.add(name, claim.value.removeprefix("sku:").removeprefix("ean:"), claim.source, claim.weight)
        if name == "sku" and not claims.of(name) and "price" in self.facts:
            claims.add(name, _id_in(self.url), "url", 0.4)
        if fact := claims.best(name):
            self.facts[name] = fact

    def _availability(self) -> None:
        claims = Claims()
        for claim in [*self.structured.of("availability"), *self.state.of("availability")]:
            state = next((s for s, pattern in _AVAILABILITY if pattern.search(claim.value)), None)
            claims.add("availability", state, claim.source, claim.weight)
        anchors = [n for n in (self.main, *self.candidates.buttons[:3]) if n >= 0]
        places = self.said.where(_STOCK_WORDS)
        gone = set().union(*(those for word, those in places.items() if word in _GONE))
        sold_out = False
        for i in sorted(set().union(*places.values())):
            passage = self.passages[i]
            if passage.region in _NOT_SHOP or len(passage.text) > 90 or passage.hidden:
                continue
            if anchors and min(abs(self.node_of[i] - a) for a in anchors) > 200:
                continue
            if i in gone:
                claims.add("availability", "OutOfStock", f"dom:{passage.selector}", 1.4 if not self.has_button else 0.8)
                sold_out = True
            else:
                claims.add("availability", "InStock", f"dom:{passage.selector}", 0.8)
        if self.has_button and "price" in self.facts:
            # a live buy button without a word of "sold out" outweighs what is only declared
            claims.add("availability", "InStock", "dom:button", 1.2 if sold_out else 3.2)
        elif "price" in self.facts:
            claims.add("availability", "InStock", "dom:price", 0.3)
        if fact := claims.best("availability"):
            self.facts["availability"] = fact

    def _from_text(self) -> None:
        """Counts, permits, attributes and mode that stand in the shop's own words."""
        for name in ("net_content", "material", "shelf_life", "stock", "mode"):
            for claim in self.labelled.get(name, [])[:1]:
                value = count(claim.value) if name == "stock" else claim.value
                if value:
                    self.facts[name] = Fact(value, claim.source, 0.8)
        self._counts()
        if not {"rating", "review_count"} <= self.facts.keys():
            for passage in self.passages:
                if passage.region is Region.REVIEW and len(passage.text) < 40:
                    self._score(passage)
                elif passage.region not in _NOT_SHOP and len(passage.text) <= 300 and _DIGIT.search(passage.text):
                    self._mean(passage)
        self._permits()
        for name in ("sales_count", "stock"):
            if name not in self.facts and (fact := self.state.best(name)):
                self.facts[name] = fact

    def _permits(self) -> None:
        """Numbers of permits and filings in the shop's own words or in the foot of the page."""
        everything = "\n".join([p.text for p in self.passages])
        present = {_PERMIT_MARKS.words[word] for word, _, _ in _PERMIT_MARKS.hits(everything)}
        patterns = [pattern for marks, pattern in _PERMITS if not present.isdisjoint(marks.split())]
        found: dict[str, str] = {}
        for passage in self.passages if patterns else ():
            if passage.region not in {Region.REVIEW, Region.REPLY, Region.QA, Region.CHROME}:
                for pattern in patterns:
                    for match in pattern.finditer(passage.text[:4000]):
                        found.setdefault(match[0], f"dom:{passage.selector}")
        if found:
            self.facts["permit"] = Fact("; ".join(found), next(iter(found.values())), 0.9)

    def _score(self, passage: Passage) -> None:
        """The head of the reviews: how many, and their mean. A single review's stars carry no such words."""
        text, source = passage.text, f"dom:{passage.selector}"
        if "review_count" not in self.facts:
            if match := _REVIEW_COUNT.search(text):
                self.facts["review_count"] = Fact(count(match[1] or match[2]), source, 0.6)
            elif _NO_REVIEWS.search(text):
                self.facts["review_count"] = Fact("0", source, 0.6)
        if "rating" not in self.facts and (match := _RATING_ZH.search(text)):
            self.facts["rating"] = Fact(match[1], source, 0.6)

    def _counts(self) -> None:
        """Sales, watchers, stock left and the mode of trade, as the shop's own words tell them."""
        facts, places = self.facts, self.said.where(_COUNT_WORDS)
        modes = set().union(*(those for word, those in places.items() if word in _MODE_WORDS))
        for i in sorted(set().union(*places.values())):
            passage = self.passages[i]
            text = passage.text
            if passage.region in _NOT_SHOP or len(text) > 300:
                continue
            if i in modes and "mode" not in facts and (mode := _MODE.search(text)):
                facts["mode"] = Fact(mode[0], f"dom:{passage.selector}", 0.7)
            for name, marks, pattern in _COUNTED if _DIGIT.search(text) else ():
                if name in facts or not any(i in places.get(word, ()) for word in marks):
                    continue
                match = pattern.search(text)
                number = count(match[1] or (match[2] if match.re.groups > 1 else "")) if match else ""
                if number:
                    facts[name] = Fact(number, f"dom:{passage.selector}", 0.75)

    def _mean(self, passage: Passage) -> None:
        """Mean rating and number of reviews in the shop's own words."""
        facts, text, source = self.facts, passage.text, f"dom:{passage.selector}"
        if "rating" not in facts and (
            match := _RATING.search(text) or _RATING_ZH.search(text) or _RATING_COUNT.search(text)
        ):
            facts["rating"] = Fact(match[1].replace(",", "."), source, 0.6)
            if match.re is _RATING:
                facts.setdefault("best_rating", Fact(match[2], source, 0.6))
        if "review_count" not in facts and len(text) < 60 and (match := _REVIEW_COUNT.search(text)):
            facts["review_count"] = Fact(count(match[1] or match[2]), source, 0.6)


def places_of(url: str, lang: str) -> tuple[str, ...]:
    """Country and language tags that tell what "$" or "¥" means here: the language's region, the country domain, the first path step."""
    places: list[str] = []
    parts = re.split(r"[-_]", lang.lower())
    if len(parts) > 1 and len(parts[-1]) == 2:
        places.append(parts[-1])
    split = urlsplit(url)
    suffix = (split.hostname or "").rsplit(".", 1)[-1]
    if len(suffix) == 2:
        places.append(suffix)
    for step in split.path.split("/")[1:3]:
        places += re.findall(r"^[a-z]{2}$|(?<=[-_])[a-z]{2}$", step.lower())
    if parts[0]:
        places.append(parts[0])
    if "hant" in parts:
        places.append("tw")
    return tuple(dict.fromkeys(places))


def count(text: str | None) -> str:
    """ "1.2万" → "12000"; "" when it is no number."""
    if not text:
        return ""
    match = re.match(r"([\d.,]+)\s*([万萬千wW]?)", text.strip())
    if match is None:
        return ""
    scale = {"万": 10000, "萬": 10000, "w": 10000, "W": 10000, "千": 1000}.get(match[2], 1)
    try:
        number = Decimal(match[1].replace(",", "").rstrip(".")) * scale
    except InvalidOperation:
        return ""
    return str(int(number)) if number == number.to_integral_value() else str(number)


def _id_in(url: str) -> str:
    """The number by which a URL names its goods: the last run of six digits or more in its path, else in its query."""
    split = urlsplit(url)
    for part in (split.path, split.query):
        if numbers := re.findall(r"(?<![\d.])\d{6,14}(?![\d.])", part.replace(".html", "").replace(".htm", "")):
            return str(numbers[-1])
    return ""


def _amount(text: str) -> Decimal | None:
    text = text.strip()
    if re.fullmatch(r"\d{1,10}(?:\.\d+)?", text):
        return Decimal(text)
    if len(text) > 40:
        return None
    return parse_price(text).amount


def _money(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount != amount.to_integral_value() else str(int(amount))


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
