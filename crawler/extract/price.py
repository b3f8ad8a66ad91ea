"""The grammar of prices as shops write them.

Whole strings known to be a price go through `parse_price`; running text goes through `find_prices`, which also says
what each amount is for (the price, the struck one, a saving, a fee, a member's price, …) from the words beside it.
price-parser reads the plain European and American forms; ours are 折, 万, 千, 起, 券后, 到手价, ranges, Chinese numerals,
glued prices (¥40¥400), unit prices and the rarer currencies, where price-parser is wrong or silent (measured).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Final

from price_parser import Price as ParsedPrice

from crawler.extract.currency import CODES, MONEY_MARK, currency_code, sign_after, sign_before


class PriceKind(StrEnum):
    """What an amount is for."""

    PRICE = "price"
    ORIGINAL = "original"  #: 原价, 划线价, list price
    COUPON = "coupon"  #: 券后价, 到手价: after what the buyer must first obtain
    MEMBER = "member"  #: 会员价
    SAVING = "saving"  #: 立减, you save
    FEE = "fee"  #: shipping, deposit, insurance
    PART = "part"  #: one of several instalments
    THRESHOLD = "threshold"  #: 满 200 减 20, free shipping over


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` (the lower end of a range), `high` the upper end, `symbol` as written, `unit` of a unit price ("斤", "100g")."""

    amount: Decimal | None
    symbol: str | None = None
    high: Decimal | None = None
    unit: str = ""
    kind: PriceKind = PriceKind.PRICE
    from_: bool = False  #: 起: the lowest of several
    start: int = 0
    end: int = 0
    note: str = ""  #: the words that decided `kind`

    def code(self, places: tuple[str, ...] = ()) -> str | None:
        return currency_code(self.symbol, places)


_WIDE: Final = str.maketrans(
    "０１２３４５６７８９．，￥＄～－／（）％：\u00a0\u202f\u2009\u3000", "0123456789.,¥$~-/()%:    "
)
_NUMBER: Final = r"(?:\d{1,3}(?:[ '’٬]\d{3})+(?:[.,]\d{1,3})?(?!\d)|\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,4})?|(?<!\d)[.,]\d{1,2})"
_SCALE: Final = {"万": 10000, "萬": 10000, "w": 10000, "W": 10000, "千": 1000, "亿": 100_000_000, "億": 100_000_000}
_UNIT: Final = r"(?:\s*[/每]\s*(?P<unit>(?:\d+(?:\.\d+)?\s*)?(?:千克|公斤|毫升|平方米|平米|kg|g|mg|ml|mL|L|l|oz|lb|m²|㎡|斤|两|克|升|件|个|只|盒|瓶|袋|包|支|片|米|套|人|晚|天|次|年|月|pcs|pc|piece|each|unit|unidad|stk|St))(?![A-Za-z]))?"
_AMOUNT = re.compile(_NUMBER)
_SCALE_AFTER = re.compile(r"\s?([万萬千亿億]|[wW](?![A-Za-z]))")
_RANGE = re.compile(r"\s*[-~–—至到]\s*")
_DASH = re.compile(r"\s?,?\.?(?:--?|–)(?=\s|[^\W\d]|$|€)")
_UNIT_AFTER = re.compile(_UNIT)
_FROM_AFTER = re.compile(r"\s*(?:起(?![步重订批])|up\b|\+)", re.IGNORECASE)
_FROM_BEFORE = re.compile(
    r"(?:from|ab|vanaf|dès|à partir de|a partire da|desde|od|starting at|低至|起价|fra|från)\s*:?\s*$", re.IGNORECASE
)
_CHINESE = "零〇一二三四五六七八九两兩壹贰叁肆伍陆柒捌玖"
_CHINESE_AMOUNT = re.compile(
    rf"(?P<num>[{_CHINESE}十百千万萬拾佰仟]{{1,12}})(?P<sign>元|块钱|塊錢|圆|圓)(?!素|旦|宵|气|氣|首|老|件|器|月)"
)

_WORDS: Final[tuple[tuple[PriceKind, str], ...]] = (
    (PriceKind.THRESHOLD, r"满|滿|每满|消费|over|orders? (?:of|over|above)|spend|minimum|mindestens|ab einem|a partir de compras|dès .{0,9}achat|por compras|oltre|nad|above|免运费门槛"),
    (PriceKind.SAVING, r"省|券|立减|减|減|立省|优惠(?:券|了|:|额)?|優惠|抵|返|领券|券面|红包|save|saving|you save|off|discount|rabatt|sparen|spare|économi\w*|remise|risparm\w*|sconto|ahorr\w*|descuento|econom\w*|desconto|oszczę\w*|rabat|zľava|sleva|ušetř\w*|скидка|экономия|折扣金额|coupon|voucher|gift card|cashback"),
    (PriceKind.FEE, r"运费|運費|邮费|郵費|快递费?|配送费|税费|关税|服务费|包装费|押金|定金|订金|訂金|shipping|delivery|postage|handling|versand\w*|lieferung|livraison|frais|port|spedizione|consegna|env[ií]o|frete|entrega|doprava|dostaw\w*|wysyłk\w*|deposit|tax|fee|bezorg\w*|verzend\w*|frakt|доставк\w*|insurance|care plan|gespart"),
    (PriceKind.PART, r"分期|每期|月供|首付|monthly|per month|/ ?month|/ ?mo\b|instal?lments?|mensual\w*|mensil\w*|parcelas?|cuotas?|\d+ ?x(?: de)?|raten?|rate|x mes|/ ?mes|miesięcz\w*|ráta|splátk\w*|en \d+ fois|payments? of|al mese|a month"),
    (PriceKind.ORIGINAL, r"原价|原價|划线价|劃線價|市场价|市場價|市价|吊牌价|吊牌價|专柜价|專櫃價|零售价|零售價|建议售价|建議售價|指导价|参考价|參考價|定价|定價|日常价|平时价|門市價|厂商指导|官方价|was|rrp|msrp|srp|list(?: price)?|reg(?:ular|\.)?(?: price)?|retail(?: price)?|original(?: price)?|old(?: price)?|before|statt|uvp|bisher|vorher|anstatt|au lieu de|prix (?:barré|conseillé|public)|ancien|avant|invece di|anziché|listino|prezzo (?:consigliato|pieno)|antes|precio (?:anterior|normal|de lista)|pvp|preço antigo|de:|cena (?:regularna|katalogowa)|najniższa cena|stara cena|bežná cena|původní|běžná|van voor|adviesprijs|ord\.?(?:inarie)?(?: pris)?|før|tidligere|цена без скидки|старая цена|compare at|comp\. value|定価|通常価格|希望小売価格|정가|precio regular"),
    (PriceKind.COUPON, r"券后|券後|到手|预估|用券|领券后|折后价?|after coupon|with coupon|凑单"),
    (PriceKind.MEMBER, r"会员|會員|vip|plus ?价|新人价|新客价|学生价|粉丝价|拼团价?|团购价|member'?s?|club"),
)  # fmt: skip
_BEFORE = tuple((kind, re.compile(rf"(?:{words})(?:价|價|价格|價格)?\s*(?:price|preis|prix|prezzo|precio|cena|pris)?\s*(?:约|仅|只要|只需|低至|为|為|at|of|is|for|up to|:|：|=|¥|\(|（|-)?\s*$", re.IGNORECASE)) for kind, words in _WORDS)  # fmt: skip
_AFTER_SAVING = re.compile(
    r"\s*(?:off\b|优惠券|優惠券|代金券|抵用券|券(?!后|後)|红包|rabatt|de réduction|di sconto|de descuento|taniej|discount|saved|gespart|opgespaard)",
    re.IGNORECASE,
)
_AFTER_PART = re.compile(
    r"\s*(?:/\s*(?:mo\b|month|monat|mois|mese|mes|mês|期|miesiąc|měs|mnd)|per month|a month|x ?\d+\s?期|(?:\*|×|x)\s?\d+|mensuales|al mese|pro monat|monthly|sem juros|miesięcznie)",
    re.IGNORECASE,
)
_AFTER_FEE = re.compile(
    r"\s*(?:shipping|delivery|postage|运费|運費|versand|p&p|di spedizione|de livraison|de envío)", re.IGNORECASE
)


def parse_price(text: str, hint: str = "") -> Price:
    """The price in a short string known to hold one; `hint` may carry the currency apart. `amount` None: no price in it (never guessed).

    A discount (3.5折, 50%), a date and a rating are no prices.
    """
    flat = _SPLIT_CENTS.sub(r"\1,\2", text.translate(_WIDE))
    chosen = _choose(list(find_prices(flat)))
    if chosen is not None and chosen.symbol is not None:
        return chosen
    if _NOT_A_PRICE.search(flat) or (_NOT_AMOUNT.fullmatch(flat.strip())):
        return Price(None, _any_sign(hint))
    parsed = ParsedPrice.fromstring(flat) if any(c.isdigit() for c in flat) or _FREE.search(flat) else None
    symbol = _any_sign(flat) or _any_sign(hint.translate(_WIDE), weak=len(hint.strip()) <= 3)
    if parsed is None or parsed.amount is None:
        return Price(None, symbol)
    scale = re.search(r"\d\s*([万萬千亿億])", flat)
    amount = parsed.amount * (_SCALE[scale[1]] if scale else 1)
    tail = flat[flat.find(parsed.amount_text or "") + len(parsed.amount_text or "") :]
    return Price(amount, symbol, from_=bool(_FROM_AFTER.match(tail)), kind=_kind_of(flat, 0, len(flat), whole=True))


_SPLIT_CENTS = re.compile(r"(\d[.]\d{3}), (\d\d)(?!\d)")
_FREE = re.compile(r"\bfree\b|免费|免費", re.IGNORECASE)
_NOT_A_PRICE = re.compile(r"^\D{0,8}\d+(?:\.\d+)?\s*折(?!后|後|扣价)|^\D{0,4}\d+(?:\.\d+)?\s*%")
_NOT_AMOUNT = re.compile(
    r"\d{1,2}-\d{1,2}|(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*)|[A-Z][a-z]{2,8}\.?,? (?:\d{1,2}, )?\d{4}"
)


def _any_sign(text: str, *, weak: bool = True) -> str | None:
    """The currency written in a text that is nothing but a price or a currency."""
    text = text.strip()
    has_digit = False
    for match in _AMOUNT.finditer(text):
        has_digit = True
        beside = sign_before(text, match.start(), weak=weak) or sign_after(text, _tail(text, match.end()), weak=weak)
        if beside:
            return _sign(beside[0])
    if len(text) > 40 or (not has_digit and len(text) > 8 and len(text.split()) > 2):
        return None
    for word in sorted(_WORD.findall(text), key=len, reverse=True):
        found = sign_after(word, 0, weak=weak and not has_digit and word == text)
        if found and found[1] == len(word):
            return _sign(word)
    for i in range(len(text)):
        found = sign_after(text, i)
        if found and not (i and text[i - 1].isalpha() and text[i].isalpha()):
            return _sign(found[0])
    return None


_WORD = re.compile(r"[^\s\d,:()]+")


def _sign(text: str) -> str:
    text = text.strip()
    return text[:-1] if text.endswith("$") and text[:-1] in CODES else text


def _tail(text: str, at: int) -> int:
    """Past the dash that stands for no cents: "19,-"."""
    match = _DASH.match(text, at)
    return match.end() if match else at


def _choose(found: list[Price]) -> Price | None:
    """The amount a buyer pays: a plain price first, then a coupon's, then whatever there is."""
    for kinds in ({PriceKind.PRICE}, {PriceKind.COUPON, PriceKind.MEMBER}, set(PriceKind)):
        for price in found:
            if price.kind in kinds and not price.unit and price.amount:
                return price
    return found[0] if found else None


def find_prices(text: str) -> Iterator[Price]:
    """Every amount of money with a currency in running text, in order, with its kind. Linear in the length of `text`."""
    if not MONEY_MARK.search(text):
        return
    flat = text.translate(_WIDE)
    last = 0
    for match in _AMOUNT.finditer(flat):
        if match.start() < last:
            continue
        price = _from_match(flat, match, last)
        if price is not None:
            yield price
            last = price.end
    if "元" in flat or "块" in flat or "塊" in flat or "圆" in flat or "圓" in flat:
        for match in _CHINESE_AMOUNT.finditer(flat):
            start, end = match.span()
            value = None if start and flat[start - 1] in "0123456789." else _chinese(match["num"])
            if value is not None:
                kind, note = _kind_and_note(flat, max(0, start - 24), start, end)
                yield Price(value, match["sign"], kind=kind, start=start, end=end, note=note)


def _from_match(flat: str, match: re.Match[str], last: int) -> Price | None:
    start, end = match.span()
    before = sign_before(flat, start, last)
    sign = before[0] if before else None
    if before:
        start = before[1]
    elif start and (flat[start - 1].isascii() and flat[start - 1].isalnum()):
        return None  # a part of a model number
    scale, end = _scale(flat, end)
    high, high_scale, end = _upper(flat, end)
    end = _tail(flat, end)
    after = sign_after(flat, end)
    if after and (sign is None or after[0] in _YUAN):
        sign = sign or after[0]
        end = after[1]
        if high is None:
            high, high_scale, end = _upper(flat, end)
            if high is not None and (again := sign_after(flat, end)):
                end = again[1]
    if sign is None:
        return None
    amount = _decimal(match[0])
    if amount is None:
        return None
    if after and sign == "€" and (cents := _CENTS.match(flat, end)) and "," not in match[0]:
        amount += Decimal(cents[0]) / 100
        end = cents.end()
    if currency_code(_sign(sign)) in _THREE_DECIMALS and (parts := _THOUSANDTHS.fullmatch(match[0])):
        amount = Decimal(f"{parts[1]}.{parts[2]}")
    amount *= scale or high_scale or 1
    high = high * (high_scale or 1) if high is not None else None
    unit = _UNIT_AFTER.match(flat, end)
    kind, note = _kind_and_note(flat, max(last, start - 24), start, end)
    return Price(
        amount,
        _sign(sign),
        high=high if high is not None and high > amount else None,
        unit=(unit["unit"] or "") if unit else "",
        kind=kind,
        from_=bool(_FROM_AFTER.match(flat, end) or _FROM_BEFORE.search(flat, max(0, start - 20), start)),
        start=start,
        end=end,
        note=note,
    )


#: Dinars and rials are divided by a thousand and written so.
_THREE_DECIMALS: Final = frozenset({"KWD", "BHD", "OMR", "JOD", "TND", "LYD", "IQD"})
_THOUSANDTHS = re.compile(r"(\d{1,3})[.,](\d{3})")
_YUAN: Final = frozenset({"元", "圆", "圓", "块"})
_CENTS = re.compile(r"\d\d(?!\d)")


def _scale(flat: str, at: int) -> tuple[int, int]:
    match = _SCALE_AFTER.match(flat, at)
    return (_SCALE[match[1]], match.end()) if match else (0, at)


def _upper(flat: str, at: int) -> tuple[Decimal | None, int, int]:
    """The upper end of a range that goes on at `at`: amount, its scale, where it ends."""
    dash = _RANGE.match(flat, at)
    if dash is None:
        return None, 0, at
    sign = sign_after(flat, dash.end())
    number = _AMOUNT.match(flat, _blank(flat, sign[1]) if sign else dash.end())
    if number is None:
        return None, 0, at
    scale, end = _scale(flat, number.end())
    return _decimal(number[0]), scale, end


def _blank(flat: str, at: int) -> int:
    return at + 1 if flat[at : at + 1] == " " else at


def _decimal(number: str) -> Decimal | None:
    """price-parser decides what a point or a comma means, save where both stand: then the last one is the decimal sign."""
    point, comma = number.rfind("."), number.rfind(",")
    try:
        if point >= 0 and comma >= 0:
            whole, cents = number.rsplit(number[max(point, comma)], 1)
            return Decimal(_DIGITS.sub("", whole) + "." + cents)
        if point < 0 and comma < 0:
            return Decimal(_DIGITS.sub("", number))
    except InvalidOperation:
        return None
    if _PLAIN.fullmatch(number):
        return Decimal(number.replace(",", "."))
    parsed: Decimal | None = ParsedPrice.fromstring(number).amount
    return parsed


_DIGITS = re.compile(r"\D")
#: One or two places after the sign are cents in every country.
_PLAIN = re.compile(r"\d{1,12}[.,]\d{1,2}")


def _kind_of(flat: str, start: int, end: int, *, whole: bool = False) -> PriceKind:
    return _kind_and_note(flat, 0 if whole else max(0, start - 24), start, end)[0]


#: Labels set wide: "促 销 价".
_SPACED = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


def _kind_and_note(flat: str, floor: int, start: int, end: int) -> tuple[PriceKind, str]:
    before = _SPACED.sub("", flat[floor:start])
    for kind, pattern in (
        (PriceKind.SAVING, _AFTER_SAVING),
        (PriceKind.PART, _AFTER_PART),
        (PriceKind.FEE, _AFTER_FEE),
    ):
        if match := pattern.match(flat, end):
            return kind, match[0].strip()
    return _label_before(before) if before.strip() else (PriceKind.PRICE, "")


@lru_cache(maxsize=20_000)
def _label_before(before: str) -> tuple[PriceKind, str]:
    """The label at the end of the words before an amount."""
    for kind, pattern in _BEFORE:
        if match := pattern.search(before):
            return kind, match[0].strip(" :：(（")
    return PriceKind.PRICE, ""


def _chinese(text: str) -> Decimal | None:
    """一百二十 → 120. None for what is no number (十分, 万一 never reach here: a currency follows)."""
    digits = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
    digits |= {c: i for i, c in enumerate("壹贰叁肆伍陆柒捌玖", 1)}
    tens = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
    total = section = digit = 0
    for char in text:
        if char in digits:
            digit = digits[char]
        elif char in tens:
            section += (digit or 1) * tens[char]
            digit = 0
        else:
            total += (section + digit or 1) * 10000
            section = digit = 0
    value = total + section + digit
    return Decimal(value) if value else None
