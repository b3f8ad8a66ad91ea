"""Bytes → text: which charset a page is really in.

Labels lie: the header may say one thing, the meta another and the bytes a third. What decodes is believed first,
what is labelled second, what reads as common Chinese third (WHATWG Encoding §4 names the labels).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

#: A page beyond this is cut and says so. The largest honest product page seen in the wild is near 3 MB.
MAX_BYTES = 8 * 1024 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
#: Browsers read these labels as their supersets (WHATWG Encoding).
_SUPERSET = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "csgb2312": "gb18030",
    "hz-gb-2312": "gb18030", "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "ksc5601": "cp949", "iso-8859-9": "cp1254", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """`charset` is the one used; `notes` say what was cut or contradicted, in Chinese."""

    text: str
    charset: str
    notes: tuple[str, ...] = ()


def decode(body: bytes | str, content_type: str = "") -> Decoded:
    """The page as text. Never raises: bytes that fit nothing become U+FFFD and a note."""
    if isinstance(body, str):
        if len(body) > MAX_BYTES:
            return Decoded(body[:MAX_BYTES], "str", (f"页面过大,只读前 {MAX_BYTES} 字",))
        return Decoded(body, "str")
    notes: tuple[str, ...] = ()
    if len(body) > MAX_BYTES:
        notes = (f"页面过大({len(body)} 字节),只读前 {MAX_BYTES} 字节",)
        body = body[:MAX_BYTES]
    for bom, name in _BOMS:
        if body.startswith(bom):
            return Decoded(body[len(bom) :].decode(name, "replace"), name, notes)
    if body.isascii() and b"\x1b$" not in body:
        return Decoded(body.decode("ascii"), "ascii", notes)
    text = _strict(body, "utf-8")
    if text is not None:
        return Decoded(text, "utf-8", notes)
    return _labelled_or_guessed(body, content_type, notes)


def _labelled_or_guessed(body: bytes, content_type: str, notes: tuple[str, ...]) -> Decoded:
    labels = _labels(body, content_type)
    guess = _double_byte(body)
    for label in labels:
        name = label
        if name in {"utf-8", "cp1252"}:
            continue  # not UTF-8 (tried), and Latin-1 decodes anything: believe the bytes first
        if guess and name in {"gb18030", "big5hkscs"} and guess != name:
            notes = (*notes, f"标注的字符集 {name} 与内容不符,按 {guess} 读取")
            name = guess
        text = _strict(body, name)
        if text is not None:
            return Decoded(text, name, notes)
    damaged = body.decode("utf-8", "replace")
    broken = damaged.count("\ufffd")
    if broken * 50 < max(1, len(damaged) - len(re.sub(r"[^\x00-\x7f]", "", damaged))) or not guess:
        latin = _strict(body, "cp1252") if "utf-8" not in labels and broken > 2 else None
        if latin is not None:
            return Decoded(latin, "cp1252", notes)
        return Decoded(damaged, "utf-8", (*notes, f"{broken} 处字节不合 UTF-8"))
    text = body.decode(guess, "replace")
    return Decoded(text, guess, (*notes, f"字符集由内容判断为 {guess}"))


def _labels(body: bytes, content_type: str) -> list[str]:
    found = []
    if match := _HEADER.search(content_type):
        found.append(match[1])
    head = body[:4096]
    found += [m[1].decode("ascii") for m in (_META.search(head), _XML.search(head)) if m]
    names = []
    for label in found:
        name = _SUPERSET.get(label.lower(), label.lower())
        try:
            names.append(codecs.lookup(name).name if name not in _SUPERSET.values() else name)
        except LookupError:
            continue
    return list(dict.fromkeys(names))


def _strict(body: bytes, name: str) -> str | None:
    """Decoded without an error, but for a character cut in half at the very end; None when it does not fit."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        return decoder.decode(body)
    except (UnicodeDecodeError, ValueError):
        return None


def _double_byte(body: bytes) -> str | None:
    """GB18030 or Big5 by the share of byte pairs in each set's block of everyday characters, None when neither reads well.

    Everyday Hanzi stand at lead B0–D7 in GB 2312 and at lead A4–C6 in Big5.
    """
    sample = body[:200_000]
    gb = big5 = pairs = i = 0
    while i < len(sample) - 1:
        lead = sample[i]
        if lead < 0x81:
            i += 1
            continue
        trail = sample[i + 1]
        pairs += 1
        gb += (0xB0 <= lead <= 0xD7 and trail >= 0xA1) or (0xA1 <= lead <= 0xA3 and trail >= 0xA1)
        big5 += (0xA4 <= lead <= 0xC6 or 0xA1 <= lead <= 0xA2) and (0x40 <= trail <= 0x7E or trail >= 0xA1)
        i += 2
        if pairs >= 2000:
            break
    if pairs < 4 or max(gb, big5) < pairs * 0.7:
        return None
    return "gb18030" if gb >= big5 else "big5hkscs"
