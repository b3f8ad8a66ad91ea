"""Currencies of the world: codes (ISO 4217), the signs and words shops write for them, and what an unclear sign means where.

`$`, `¥`, `kr`, `£` stand for several currencies; the page's language and country decide, else the most traded one.
"""

from __future__ import annotations

import re
from typing import Final

from crawler.extract.words import Vocabulary, words

CODES: Final = words(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BYR BZD CAD CDF CHF "
    "CLF CLP CNH CNY COP CRC CUC CUP CVE CZK DEM DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP FRF GBP GEL GHS GIP GMD GNF GTQ "
    "GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK ITL JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL "
    "LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NTD NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR RMB RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS UAH UGX USD UYU UZS VES VEF VND VUV WST XAF XAG XAU XCD XOF XPF YER ZAR ZMW ZWL"
)

#: Signs and words → code. Longer ones are tried first; letters must not continue on either side.
SIGNS: Final[dict[str, str]] = {
    # the dollars of the world
    "US$": "USD", "US $": "USD", "U$S": "USD", "U.S.$": "USD", "A$": "AUD", "AU$": "AUD", "AU $": "AUD", "AUD$": "AUD", "C$": "CAD",
    "CA$": "CAD", "CAN$": "CAD", "CAD$": "CAD", "C $": "CAD", "CDN$": "CAD", "NZ$": "NZD", "NZ $": "NZD", "HK$": "HKD", "HK $": "HKD",
    "NT$": "TWD", "NT $": "TWD", "S$": "SGD", "SG$": "SGD", "MX$": "MXN", "MOP$": "MOP", "R$": "BRL", "AR$": "ARS", "CL$": "CLP",
    "CO$": "COP", "COL$": "COP", "RD$": "DOP", "TT$": "TTD", "J$": "JMD", "BZ$": "BZD", "Bds$": "BBD", "GY$": "GYD", "G$": "GYD",
    "FJ$": "FJD", "F$": "FJD", "N$": "NAD", "L$": "LRD", "LD$": "LRD", "LD": "LRD", "WS$": "WST", "T$": "TOP", "Z$": "ZWL", "ZW$": "ZWL",
    "EC$": "XCD", "BN$": "BND", "B$": "BND", "CI$": "KYD", "BD$": "BMD", "SI$": "SBD", "Sr$": "SRD", "$U": "UYU", "UY$": "UYU",
    "C$ ": "NIO", "CUC$": "CUC", "CV$": "CVE", "Esc": "CVE", "$": "USD",
    # Europe
    "€": "EUR", "euro": "EUR", "euros": "EUR", "Euro": "EUR", "eur": "EUR", "£": "GBP", "GBP£": "GBP", "CHF": "CHF", "CHf": "CHF", "chf": "CHF",
    "Fr.": "CHF", "SFr.": "CHF", "sFr.": "CHF", "franc": "CHF", "₣": "FRF", "kr": "SEK", "kr.": "SEK", "Kr": "SEK", "Kr.": "SEK", "KR": "SEK",
    "zł": "PLN", "Zł": "PLN", "ZŁ": "PLN", "zl": "PLN", "pln": "PLN", "Kč": "CZK", "KČ": "CZK", "Kc": "CZK", "Ft": "HUF", "FT": "HUF",
    "lei": "RON", "Lei": "RON", "LEI": "RON", "leu": "RON", "лв.": "BGN", "лв": "BGN", "kn": "HRK", "Kn": "HRK", "дин.": "RSD", "дин": "RSD",
    "динар": "RSD", "Dinara": "RSD", "din.": "RSD", "RSD.": "RSD", "KM": "BAM", "км": "BAM", "КМ": "BAM", "ден": "MKD", "ден.": "MKD",
    "ден ": "MKD", "Lek": "ALL", "Lekë": "ALL", "L": "MDL", "₽": "RUB", "руб.": "RUB", "руб": "RUB", "рублей": "RUB", "р.": "RUB",
    "р": "RUB", "Р": "RUB", "Р.": "RUB", "rub": "RUB", "RUR": "RUB", "₴": "UAH", "грн.": "UAH", "грн": "UAH", "hrn": "UAH", "uah": "UAH",
    "Br": "BYN", "BYN": "BYN", "₾": "GEL", "lari": "GEL", "ლარი": "GEL", "֏": "AMD", "դր.": "AMD", "դր": "AMD", "₼": "AZN", "man.": "AZN",
    "ман.": "AZN", "манат": "AZN", "₺": "TRY", "TL": "TRY", "tl": "TRY", "₸": "KZT", "тг": "KZT", "тг.": "KZT", "тңг": "KZT", "тңг.": "KZT",
    "сом": "KGS", "сум": "UZS", "so'm": "UZS", "ƒ": "ANG", "Afl.": "AWG",
    # Asia
    "¥": "CNY", "CN¥": "CNY", "元": "CNY", "圆": "CNY", "圓": "CNY", "块": "CNY", "RMB": "CNY", "rmb": "CNY", "人民币": "CNY", "人民幣": "CNY",
    "JP¥": "JPY", "円": "JPY", "yen": "JPY", "日元": "JPY", "日圓": "JPY", "₩": "KRW", "원": "KRW", "韩元": "KRW", "港元": "HKD", "港币": "HKD",
    "港幣": "HKD", "新台币": "TWD", "新臺幣": "TWD", "新台幣": "TWD", "台币": "TWD", "台幣": "TWD", "美元": "USD", "美金": "USD", "欧元": "EUR",
    "歐元": "EUR", "英镑": "GBP", "英鎊": "GBP", "澳元": "AUD", "加元": "CAD", "新币": "SGD", "澳门元": "MOP", "澳門元": "MOP",
    "₫": "VND", "đ": "VND", "Đ": "VND", "vnđ": "VND", "VNĐ": "VND", "฿": "THB", "บาท": "THB", "Baht": "THB", "₱": "PHP", "PhP": "PHP", "Php": "PHP",
    "Rp": "IDR", "Rp.": "IDR", "RM": "MYR", "₹": "INR", "Rs.": "INR", "Rs": "INR", "र": "INR", "₨": "PKR", "रू": "NPR", "नेरू": "NPR",
    "रु": "NPR", "৳": "BDT", "Tk": "BDT", "টকা": "BDT", "SLRs": "LKR", "MVR": "MVR", "Rf": "MVR", "ރ": "MVR", "Nu.": "BTN", "₭": "LAK", "៛": "KHR",
    "K": "MMK", "Ks": "MMK", "₮": "MNT", "؋": "AFN", "Af": "AFN",
    # Near East and Africa
    "₪": "ILS", "ש״ח": "ILS", 'ש"ח': "ILS", "שח": "ILS", "nis": "ILS", "NIS": "ILS", "﷼": "IRR", "ریال": "IRR", "ريال": "SAR", "تومان": "IRR",
    "درهم": "AED", "جنيه": "EGP", "E£": "EGP", "LE": "EGP", "L.E.": "EGP", "L.E": "EGP", "ج.م.": "EGP", "ج.م": "EGP", "ج.س.": "SDG", "ج.س": "SDG",
    "د.إ": "AED", "د.إ.": "AED", "Dhs": "AED", "Dhs.": "AED", "Dh": "AED", "DH": "MAD", "Dh.": "MAD", "د.م.": "MAD", "د.م": "MAD", "د.ك": "KWD",
    "د.ك.": "KWD", "KD": "KWD", "د.ب": "BHD", "د.ب.": "BHD", "BD": "BHD", "د.ع": "IQD", "د.ع.": "IQD", "د.أ": "JOD", "د.أ.": "JOD", "د.ا": "JOD",
    "دينار أردني": "JOD", "دينار": "JOD", "JD": "JOD", "د.ل": "LYD", "د.ل.": "LYD", "د.ت": "TND", "د.ت.": "TND", "DT": "TND", "د.ج": "DZD", "د.ج.": "DZD",
    "DA": "DZD", "د.": "MAD", "ر.س": "SAR", "ر.س.": "SAR", "SR": "SAR", "ر.ق": "QAR", "ر.ق.": "QAR", "QR": "QAR", "ر.ع.": "OMR", "ر.ع": "OMR",
    "ر.ي": "YER", "ر.ي.": "YER", "ل.ل.": "LBP", "ل.ل": "LBP", "LB£": "LBP", "LL": "LBP", "ل.س.": "SYP", "ل.س": "SYP", "SY£": "SYP",
    "₦": "NGN", "GH₵": "GHS", "GH¢": "GHS", "GH₡": "GHS", "₵": "GHS", "KSh": "KES", "Ksh": "KES", "KSh.": "KES", "TSh": "TZS", "Tsh": "TZS", "USh": "UGX", "R": "ZAR",
    "ZK": "ZMW", "MK": "MWK", "P": "BWP", "E": "SZL", "Kz": "AOA", "MT": "MZN", "MTn": "MZN", "FCFA": "XAF", "CFA": "XOF", "F CFA": "XOF",
    "FC": "CDF", "FG": "GNF", "GFr": "GNF", "Fdj": "DJF", "CF": "KMF", "FRw": "RWF", "RF": "RWF", "R₣": "RWF", "FBu": "BIF", "Fbu": "BIF",
    "Ar": "MGA", "D": "GMD", "Nfk": "ERN", "Le": "SLE", "Sh": "SOS", "Db": "STN", "UM": "MRU", "SRe": "SCR",
    # the Americas and the Pacific
    "₡": "CRC", "₲": "PYG", "Gs": "PYG", "Gs.": "PYG", "S/.": "PEN", "S/": "PEN", "Bs": "BOB", "Bs.": "BOB", "B/.": "PAB", "Q": "GTQ", "L.": "HNL",
    "Bs.F": "VEF", "Bs.F.": "VEF", "BsF": "VEF", "BsF.": "VEF", "G": "HTG", "VT": "VUV", "Vt": "VUV", "XPF": "XPF", "F": "XPF", "RD": "DOP",
    "₿": "BTC", "₤": "ITL", "₧": "ESP", "₳": "ARA", "₯": "GRD",
}  # fmt: skip
#: Single letters and two-letter words mean money only right beside a number in a text that is nothing but a price.
_WEAK: Final = frozenset(
    s for s in SIGNS if len(s.rstrip(". ")) <= 2 and s.isascii() and re.fullmatch(r"[A-Za-z]+\.? ?", s)
) - {"kr", "Kr", "KR", "kr.", "Kr.", "Rs", "Rs.", "Rp", "Rp.", "RM", "Ft", "kn", "TL", "zl"}

_STRONG: Final = frozenset(
    {*(s.strip() for s in SIGNS if s not in _WEAK), *CODES, *(c + "$" for c in CODES if c[2] == "D")}
)
_ANY: Final = frozenset({*(s.strip() for s in SIGNS), *_STRONG})
_LONGEST: Final = max(map(len, _ANY))
_LAST_CHARS: Final = frozenset(s[-1] for s in _ANY)
_FIRST_CHARS: Final = frozenset(s[0] for s in _ANY)


#: Characters one of which stands in every Chinese or Japanese word for money, save 美金.
_YUAN_LIKE: Final = "元圆圓块円币幣镑鎊"


def _mark(sign: str) -> str:
    """What must stand in a text that holds this sign: its own letters' first, or for everyday Han the character that means money."""
    if any(c in _YUAN_LIKE for c in sign):
        return next(c for c in sign if c in _YUAN_LIKE)
    return sign if "\u4e00" <= sign[0] <= "\u9fff" else "".join(c for c in sign if ord(c) > 0x7F)


#: Text in which this finds nothing holds no amount of money: a sign's own letter, or a Latin letter beside a digit.
MONEY_MARK: Final = re.compile(
    "[$￥＄"
    + "".join(
        sorted(
            {re.escape(c) for s in _ANY if len(s) == 1 or s[0] < "\u4e00" for c in _mark(s) if ord(c) > 0x7F}
            | set(_YUAN_LIKE)
        )
    )
    + r"]|[0-9０-９]\s{0,2}[A-Za-z]|[A-Za-z][.:]?\s{0,2}[0-9０-９.]|美金"
)


#: Every sign that may stand in running text.
STRONG: Final = Vocabulary({*_STRONG, "￥", "＄"})


def _joins(a: str, b: str) -> bool:
    """Two characters that would be read as one word. CJK is written without blanks and never joins."""
    return a.isalpha() and b.isalpha() and (a < "\u3040" or "\uac00" <= a <= "\ud7a3") and b < "\u3040"


def sign_before(text: str, at: int, floor: int = 0, *, weak: bool = False) -> tuple[str, int] | None:
    """The longest currency sign that ends right before `at` (blanks and a colon between are skipped) and where it starts."""
    end = at
    while end > floor and end > at - 3 and text[end - 1] in " :：.\n":
        end -= 1
    for stop in {at, end} if end != at and text[at - 1] == "." else {end}:
        if stop <= floor or text[stop - 1] not in _LAST_CHARS:
            continue
        for size in range(min(_LONGEST, stop - floor), 0, -1):
            sign = text[stop - size : stop]
            if sign in (_ANY if weak else _STRONG) and not (stop > size and _joins(text[stop - size - 1], sign[0])):
                return sign, stop - size
    return None


def sign_after(text: str, at: int, *, weak: bool = False) -> tuple[str, int] | None:
    """The longest currency sign that begins right after `at` (at most two blanks between) and where it ends."""
    start = at
    while start < len(text) and start < at + 2 and text[start] in " \n":
        start += 1
    if start >= len(text) or text[start] not in _FIRST_CHARS:
        return None
    for size in range(min(_LONGEST, len(text) - start), 0, -1):
        sign = text[start : start + size]
        if sign in (_ANY if weak else _STRONG):
            end = start + size
            if not (end < len(text) and _joins(sign[-1], text[end])):
                return sign, end
    return None


_BY_COUNTRY: Final[dict[str, dict[str, str]]] = {
    "$": {
        "au": "AUD", "ca": "CAD", "nz": "NZD", "hk": "HKD", "tw": "TWD", "sg": "SGD", "mx": "MXN", "ar": "ARS", "cl": "CLP", "co": "COP",
        "uy": "UYU", "jm": "JMD", "tt": "TTD", "bb": "BBD", "mo": "MOP", "do": "DOP",
    },
    "¥": {"jp": "JPY", "ja": "JPY"},
    "kr": {"no": "NOK", "nb": "NOK", "nn": "NOK", "dk": "DKK", "da": "DKK", "is": "ISK"},
    "Rs": {"pk": "PKR", "lk": "LKR", "np": "NPR", "mu": "MUR"},
    "£": {"eg": "EGP", "lb": "LBP", "sy": "SYP"},
    "元": {"tw": "TWD", "hk": "HKD"},
    "圓": {"tw": "TWD"},
    "L": {"hn": "HNL"},
}  # fmt: skip
_SAME: Final = {"RMB": "CNY", "CNH": "CNY", "NTD": "TWD", "RUR": "RUB", "BYR": "BYN"}


def currency_code(sign: str | None, places: tuple[str, ...] = ()) -> str | None:
    """ISO code of a sign, word or code. `places`: country or language tags of the page, surest first ("tw", "ja").

    An unknown sign is returned as it is; None stays None.
    """
    if not sign:
        return None
    sign = sign.strip()
    upper = sign.rstrip("$").upper()
    if upper in CODES:
        return _SAME.get(upper, upper)
    base = sign.rstrip(".")
    local = _BY_COUNTRY.get(base) or _BY_COUNTRY.get(base.lower())
    if local:
        for place in places:
            if place in local:
                return local[place]
    spaced = re.sub(r"\s+", " ", sign)
    return SIGNS.get(spaced) or SIGNS.get(spaced.replace(" ", "")) or SIGNS.get(base) or sign
