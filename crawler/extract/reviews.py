"""Consumers' reviews: id, keyed hash of the name shown, time, rating, text, variant, the shop's reply. Never the name itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from contracts.page import Region, Review
from crawler.extract.dates import parse_time
from crawler.extract.regions import Regions, name_words, tokens
from crawler.extract.tree import Tree
from crawler.extract.words import words

MAX_REVIEWS: Final = 500

_TEXT: Final = words(
    "content text body comment reviewbody message neirong desc description words detail con reviewtext reviewcontent commentcontent tm txt 内容"
)
_AUTHOR: Final = words(
    "author user username nick nickname name buyer reviewer member customer yonghu nicheng uname by 用户 昵称"
)
_TIME: Final = words("date time datetime shijian riqi published created day posted timestamp 时间 日期")
_RATING: Final = words("star stars rating score rate xing pingfen level grade 评分 星级")
_VARIANT: Final = words("sku variant spec attr attrs option guige kuanshi model order product 规格 款式")
_ID_ATTRS: Final = ("data-review-id", "data-reviewid", "data-comment-id", "data-rid", "data-id", "id")
_STAR_TEXT = re.compile(r"^[★☆⭐\s]{1,12}$")
_SCORE = re.compile(r"(\d(?:[.,]\d)?)\s*(?:/\s*(?:5|10)|分|星|stars?|out of|von|sur|su|de)", re.IGNORECASE)
_STAR_CLASS = re.compile(r"(?:star|score|rating|level|xing|allstar|s)-?_?([1-5])(?:0|\b)", re.IGNORECASE)
_MASKED = re.compile(r"^[\w\u4e00-\u9fff]{0,3}\*{1,6}[\w\u4e00-\u9fff]{0,3}$")
_REPLY_LEAD = re.compile(
    r"^\s*(?:掌柜|商家|卖家|賣家|店家|客服|官方|店主|seller|shop|store|merchant)\s*(?:的)?(?:回复|回覆|解释|答复|reply|response)\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_VARIANT_LEAD = re.compile(r"^(?:颜色|颜色分类|尺码|规格|款式|型号|口味|套餐|color|size|style)[^:\uff1a]{0,8}[:\uff1a]")


def read_reviews(
    tree: Tree, regions: Regions, declared: Sequence[dict[str, Any]], key: bytes, at: datetime | None
) -> tuple[Review, ...]:
    """Reviews as shown, else as declared in JSON-LD; what a declared one adds (time, rating) completes a shown one."""
    shown = [r for i in _items(tree, regions) if (r := _from_node(tree, regions, i, key, at))]
    told = [r for item in declared[:MAX_REVIEWS] if (r := _from_ld(item, key, at))]
    if not shown:
        return tuple(told)
    by_text = {_key(r.text): r for r in told}
    merged = []
    for review in shown:
        other = by_text.get(_key(review.text), review)
        merged.append(
            replace(
                review,
                author_hash=review.author_hash or other.author_hash,
                at=review.at or other.at,
                rating=review.rating if review.rating is not None else other.rating,
            )
        )
    return tuple(merged)


def author_hash(name: str, key: bytes) -> str:
    """Keyed BLAKE2b of a nickname as shown; empty for no name."""
    name = " ".join(name.split())
    return blake2b(name.encode(), key=key[:64], digest_size=16).hexdigest() if name else ""


def _items(tree: Tree, regions: Regions) -> list[int]:
    """The elements that hold one review each: marked as such, else the repeated children of a review region."""
    nodes, of = tree.nodes, regions.of
    marked = [
        i for i in sorted({*tree.having.get("itemprop", ()), *tree.having.get("itemtype", ())})
        if re.search(r"/(?:Review|UserComments)$", nodes[i].attrs.get("itemtype", "")) or (nodes[i].attrs.get("itemprop", "").lower() == "review" and nodes[i].tag != "meta")
    ]  # fmt: skip
    if marked:
        return marked[:MAX_REVIEWS]
    tops = [
        i
        for i in tree.elements
        if of[i] is Region.REVIEW and (nodes[i].parent < 0 or of[nodes[i].parent] is not Region.REVIEW)
    ]
    found: list[int] = []
    for top in tops:
        found += _repeated(tree, top)
        if len(found) > MAX_REVIEWS:
            break
    return found[:MAX_REVIEWS]


def _repeated(tree: Tree, top: int) -> list[int]:
    """Like siblings below `top` that hold some words each; the level with the most words wins."""
    nodes = tree.nodes
    best: list[int] = []
    best_size = 0
    for i in range(top, nodes[top].end):
        node = nodes[i]
        if node.tag == "#" or node.end - i < 4 or node.end - i - 1 <= best_size:
            continue
        like: dict[tuple[str, str], list[int]] = {}
        for j in tree.children(i):
            if nodes[j].tag in _ITEM_TAGS:
                like.setdefault((nodes[j].tag, (tokens(nodes[j].attrs.get("class", "")) or ("",))[0]), []).append(j)
        for members in like.values():
            if sum([nodes[j].end - j for j in members]) <= best_size or len(members) <= len(best):
                continue
            good = [j for j in members if _looks_like_review(tree, j)]
            size = sum([nodes[j].end - j for j in good])
            if good and size > best_size and len(good) > len(best):
                best, best_size = good, size
    if not best and _looks_like_review(tree, top) and nodes[top].tag in {"li", "article", "div"}:
        return [top]
    return best


_ITEM_TAGS: Final = frozenset({"li", "div", "article", "tr", "dl", "section", "blockquote", "p"})


def _looks_like_review(tree: Tree, i: int) -> bool:
    """Words, and beside them a name, a time or a rating in elements of their own."""
    nodes = tree.nodes
    seen: set[str] = set()
    if nodes[i].end - i < 4:
        return False
    for node in nodes[i + 1 : min(nodes[i].end, i + 200)]:
        if node.tag == "#":
            text = node.text.strip()
            if not text:
                continue
            if "time" not in seen and 5 <= len(text) <= 30 and any(c.isdigit() for c in text) and parse_time(text):
                seen.add("time")
            elif "rating" not in seen and _STAR_TEXT.match(text) and text:
                seen.add("rating")
            elif "author" not in seen and _MASKED.match(text):
                seen.add("author")
            continue
        seen |= _parts_of(node.attrs) & _SIGNS
        if node.tag == "time":
            seen.add("time")
        if len(seen) == len(_SIGNS):
            break
    signs = len(seen)
    own = nodes[i].attrs.get("class", "")
    single = any(w in {"item", "review", "comment", "card", "li", "row", "single"} for w in tokens(own))
    return (signs >= 2 or (signs == 1 and single)) and len(tree.text(i, 400)) >= 4


@dataclass(slots=True)
class _Parts:
    """What has been found of one review so far."""

    text: str = ""
    author: str = ""
    variant: str = ""
    reply: list[str] = field(default_factory=list)
    at: datetime | None = None
    rating: float | None = None
    loose: list[str] = field(default_factory=list)


def _from_node(tree: Tree, regions: Regions, i: int, key: bytes, at: datetime | None) -> Review | None:
    nodes = tree.nodes
    parts = _Parts()
    j = i + 1
    while j < nodes[i].end:
        node = nodes[j]
        if node.tag == "#":
            parts.loose += [node.text.strip()] if node.text.strip() else []
            j += 1
        elif regions.of[j] is Region.REPLY:
            parts.reply.append(tree.text(j, 2000))
            j = node.end
        else:
            j = node.end if _take_fact(tree, j, parts, at) or _take_words(tree, j, parts) else j + 1
    _take_loose(parts, at)
    if not parts.text.strip():
        return None
    own = next((nodes[i].attrs[a] for a in _ID_ATTRS if nodes[i].attrs.get(a)), "")
    return Review(
        id=own or _made_id(parts.author, parts.text, parts.at),
        text=parts.text,
        author_hash=author_hash(parts.author, key),
        at=parts.at,
        rating=parts.rating,
        selector=tree.selector(i),
        variant=parts.variant,
        reply=_REPLY_LEAD.sub("", " ".join(parts.reply)).strip(),
    )


def _take_fact(tree: Tree, j: int, parts: _Parts, at: datetime | None) -> bool:
    """A rating or a time in an element of its own."""
    node = tree.nodes[j]
    if not node.attrs and node.tag != "time":
        return False
    named, size, prop = _parts_of(node.attrs), node.end - j, node.attrs.get("itemprop", "").lower()
    if parts.rating is None and (prop == "ratingvalue" or (size < 30 and "rating" in named)):
        parts.rating = _stars(tree, j)
        if parts.rating is not None:
            return True
    if parts.at is None and (prop == "datepublished" or node.tag == "time" or (size < 12 and "time" in named)):
        parts.at = parse_time(node.attrs.get("datetime") or node.attrs.get("content") or tree.text(j, 60), at)
        return parts.at is not None
    return False


def _take_words(tree: Tree, j: int, parts: _Parts) -> bool:
    """The words, the name or the variant in an element of its own."""
    node = tree.nodes[j]
    if not node.attrs:
        return False
    named, size, prop = _parts_of(node.attrs), node.end - j, node.attrs.get("itemprop", "").lower()
    if prop == "reviewbody" or (
        size < 60 and "text" in named and not ("author" in named or "time" in named) and _leaf(tree, j)
    ):
        parts.text = max(parts.text, tree.text(j, 5000), key=len)
        return True
    if size >= 16 and prop not in {"author", "name"}:
        return False
    if not parts.author and (prop in {"author", "name"} or ("author" in named and _leaf(tree, j))):
        parts.author = tree.text(j, 80)
        return True
    if not parts.variant and "variant" in named and _leaf(tree, j):
        parts.variant = tree.text(j, 200)
        return True
    return False


def _take_loose(parts: _Parts, at: datetime | None) -> None:
    """Texts that no name announces are told by their form; the longest of the rest is what the consumer says."""
    rest: list[str] = []
    for piece in parts.loose:
        if parts.at is None and len(piece) < 40 and (found := parse_time(piece, at)):
            parts.at = found
        elif not parts.author and _MASKED.match(piece):
            parts.author = piece
        elif not parts.variant and _VARIANT_LEAD.match(piece):
            parts.variant = piece
        elif _REPLY_LEAD.match(piece):
            parts.reply.append(piece)
        elif parts.rating is None and _STAR_TEXT.match(piece):
            parts.rating = float(piece.count("★") + piece.count("⭐"))
        else:
            rest.append(piece)
    parts.text = parts.text or max(rest, key=len, default="")


def _leaf(tree: Tree, i: int) -> bool:
    """Nothing named like another part of a review lies inside."""
    return all(not n.attrs or _SIGNS.isdisjoint(_parts_of(n.attrs)) for n in tree.nodes[i + 1 : tree.nodes[i].end])


def _parts_of(attrs: dict[str, str]) -> frozenset[str]:
    """Which parts of a review an element's class and itemprop speak of."""
    return _named_parts(attrs.get("class", ""), attrs.get("itemprop", "")) if attrs else _NOTHING


@lru_cache(maxsize=20_000)
def _named_parts(name: str, prop: str) -> frozenset[str]:
    said = name_words(name) | name_words(prop)
    return frozenset(part for part, vocabulary in _PARTS if not said.isdisjoint(vocabulary))


_NOTHING: Final[frozenset[str]] = frozenset()
#: Two of these beside some words make a review.
_SIGNS: Final = frozenset({"author", "time", "rating"})
_PARTS: Final = (("author", _AUTHOR), ("time", _TIME), ("rating", _RATING), ("text", _TEXT), ("variant", _VARIANT))


def _stars(tree: Tree, i: int) -> float | None:
    """A rating out of five, from a number, filled stars, a star class or a width in percent."""
    nodes = tree.nodes
    for name in ("content", "data-rating", "data-score", "data-star", "aria-label", "title", "value"):
        value = nodes[i].attrs.get(name, "")
        if m := re.search(r"\d(?:[.,]\d+)?", value):
            return _bounded(float(m[0].replace(",", ".")))
    text = tree.text(i, 60)
    if "★" in text or "⭐" in text:
        return _bounded(float(text.count("★") + text.count("⭐")))
    if m := _SCORE.search(text) or re.fullmatch(r"\s*(\d(?:\.\d)?)\s*", text):
        return _bounded(float(m[1].replace(",", ".")))
    for j in range(i, nodes[i].end):
        node = nodes[j]
        if node.tag == "#":
            continue
        if m := re.search(r"width:\s*(\d{1,3})(?:\.\d+)?%", node.attrs.get("style", "")):
            return _bounded(int(m[1]) / 20)
        if m := _STAR_CLASS.search(node.attrs.get("class", "")):
            return _bounded(float(m[1]))
    return None


def _bounded(value: float) -> float | None:
    return value if 0 <= value <= 10 else None


def _from_ld(item: dict[str, Any], key: bytes, at: datetime | None) -> Review | None:
    text = str(item.get("reviewBody") or item.get("description") or "").strip()[:5000]
    if not text:
        return None
    author = item.get("author")
    name = author.get("name", "") if isinstance(author, dict) else author if isinstance(author, str) else ""
    rating = item.get("reviewRating")
    value = rating.get("ratingValue") if isinstance(rating, dict) else None
    try:
        stars = float(str(value).replace(",", ".")) if value is not None else None
    except ValueError:
        stars = None
    moment = parse_time(str(item.get("datePublished") or ""), at)
    own = item.get("@id") or item.get("identifier")
    return Review(
        id=str(own) if isinstance(own, str) and own else _made_id(str(name), text, moment),
        text=text,
        author_hash=author_hash(str(name), key),
        at=moment,
        rating=stars,
    )


def _made_id(author: str, text: str, moment: datetime | None) -> str:
    """An id for a review the page gives none: the same words by the same hand at the same time are the same review."""
    return (
        "h" + blake2b(f"{author}\0{text}\0{moment.isoformat() if moment else ''}".encode(), digest_size=8).hexdigest()
    )


def _key(text: str) -> str:
    return "".join(text.split())[:80]
