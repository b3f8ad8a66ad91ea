"""Page → PageReading: decode, parse, regions, passages, facts, reviews, links, kind. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from contracts.clock import iso
from contracts.page import Fact, Obstacle, PageKind, PageReading, Passage, Region
from crawler.extract.candidates import Candidates
from crawler.extract.claims import Claims
from crawler.extract.dates import parse_time
from crawler.extract.decode import decode
from crawler.extract.identity import read_identity
from crawler.extract.kinds import buy_buttons, find_obstacle, page_kind
from crawler.extract.language import guess_language
from crawler.extract.links import read_links
from crawler.extract.listing import Listing, places_of
from crawler.extract.passages import PassageReader
from crawler.extract.regions import Regions, named_region, tokens
from crawler.extract.reviews import read_reviews
from crawler.extract.state import read_state
from crawler.extract.structured import Structured
from crawler.extract.tree import Node, Tree, parse
from crawler.extract.words import words

if TYPE_CHECKING:
    from crawler.profiles.profile import Profile

#: What our own renderer writes on elements (crawler/browser/serialise.js).
_ANNOTATIONS = frozenset({"data-wx-rect", "data-wx-hidden", "data-wx-frame"})
_GOODS_ONLY = words(
    "price original_price original_price_note price_note high_price member_price coupon_price sku brand gtin mpn availability unit sales_count stock rating best_rating "
    "review_count net_content material shelf_life origin category mode countdown countdown_end viewers"
)
_DIGIT = re.compile(r"\d")
_COUNTDOWN = re.compile(r"countdown|count-?down|daojishi|timer|endtime|end-time|djs", re.IGNORECASE)
_END_ATTRS = frozenset(
    {
        "data-end",
        "data-end-time",
        "data-endtime",
        "data-countdown",
        "data-deadline",
        "data-expire",
        "data-expires",
        "data-until",
        "data-time-end",
        "end-time",
        "endtime",
        "data-end-at",
    }
)
_COUNTDOWN_WORDS = re.compile(r"结束|截止|倒计时|倒數|仅剩|限时|剩余|ends? in|距|sale ends|offer ends")
_COUNTDOWN_TEXT = re.compile(
    r"(?:距(?:离)?(?:活动|本场|秒杀|特价|优惠)?(?:结束|截止)|倒计时|倒數|仅剩|限时|ends? in|sale ends|offer ends|剩余(?:时间)?)[^\n]{0,10}?(\d{1,3}\s*(?:天|小时|时|:|\uff1a|h|d|hrs?|days?)[^\n]{0,30})",
    re.IGNORECASE,
)


def read_page(
    body: bytes | str,
    url: str,
    *,
    content_type: str = "",
    at: datetime | None = None,
    review_key: bytes = b"",
    profile: Profile | None = None,
) -> PageReading:
    """Everything one page says. `body`: bytes in any charset, or the annotated DOM of a rendering (see `passages`).

    `at` is the capture time (for relative dates), `review_key` keys the hashes of reviewers' names, `profile` says what
    is known of the site (crawler.profiles); its facts win over what is guessed. Never raises on a page's content: what was cut or contradicted is named in `notes`.
    """
    decoded = decode(body, content_type)
    tree = parse(decoded.text)
    tree.notes[:0] = decoded.notes
    structured = Structured(tree)
    title = _document_title(tree)
    main = _main_heading(tree, structured, title)
    buttons = buy_buttons(tree)
    likely_goods = structured.products > 0 or (main >= 0 and bool(buttons) and _buttons_near(main, buttons))
    known = _known(tree, profile, url, _lang_tag(tree)) if profile else _Known()
    regions = Regions(tree, main, buttons, is_listing=likely_goods, told=known.regions)
    rendered = isinstance(body, str) and not _ANNOTATIONS.isdisjoint(tree.having)
    reader = PassageReader(tree, regions, annotated=rendered)
    language = _language(tree, reader.passages)
    links, images = read_links(tree, regions, url)
    heading = tree.text(main, 300) if main >= 0 else ""
    places = places_of(url, _lang_tag(tree) or language or "")
    candidates = Candidates(tree, regions, reader, main, buttons)
    listing = Listing(
        tree,
        reader,
        candidates,
        structured.claims,
        read_state(tree, heading or title),
        places,
        main,
        title,
        url,
        bool(buttons),
    )
    facts = dict(listing.facts)
    facts |= known.facts
    price = facts.get("price")
    best = next((c for c in candidates.all if not c.struck), None)
    kind = page_kind(
        url, structured, title, heading, reader.passages,
        price=price.confidence if price else 0.0, buttons=len(buttons), cards=_cards(tree, regions, main), strong_price=(best is not None and best.score >= 1.5) or (price is not None and price.source.startswith("state:") and price.confidence > 0.4),
    )  # fmt: skip
    kind = known.kind or kind
    obstacle = find_obstacle(tree, title, reader.passages, has_goods=kind is PageKind.LISTING and price is not None)
    if obstacle is not None and kind is PageKind.LISTING and obstacle is not Obstacle.EMPTY_SHELL:
        kind = PageKind.OTHER
    if kind is not PageKind.LISTING:
        facts = {n: f for n, f in facts.items() if n not in _GOODS_ONLY and n not in {"currency", "name"}}
    else:
        facts |= _countdown(tree, reader.passages, reader.said.joined, at)
        tree.notes += listing.notes
        _goods(tree, facts, reader)
    facts |= read_identity(reader.passages, reader.said, links, structured.organisations, images, tree.notes)
    reviews = read_reviews(tree, regions, structured.reviews, review_key, at)
    return PageReading(
        kind=kind,
        passages=tuple(reader.passages),
        facts=facts,
        reviews=reviews,
        links=links,
        images=tuple(u for u, _, _ in images),
        lang=language,
        title=title,
        obstacle=obstacle,
        notes=tuple(dict.fromkeys(tree.notes)),
    )


def describe(reading: PageReading, file: str) -> dict[str, Any]:
    """The JSON object of `wangxun extract` (design §6). Unknown is None, money a decimal string."""
    value = reading.value
    return {
        "file": file,
        "kind": reading.kind.value,
        "obstacle": reading.obstacle.value if reading.obstacle else None,
        **{
            name: value(name)
            for name in ("name", "price", "currency", "original_price", "availability", "sku", "brand", "rating", "review_count", "operator", "uscc")
        },
        "reviews": [
            {
                "id": r.id, "text": r.text, "at": iso(r.at) if r.at else None, "rating": r.rating, "author": r.author_hash or None,
                "variant": r.variant or None, "reply": r.reply or None, "selector": r.selector or None,
            }
            for r in reading.reviews
        ],
        "passages": [
            {"region": p.region.value if p.region else None, "text": p.text, "selector": p.selector, "lang": p.lang, "hidden": p.hidden}
            for p in reading.passages
        ],
        "facts": {n: {"value": f.value, "source": f.source, "confidence": f.confidence} for n, f in sorted(reading.facts.items())},
        "lang": reading.lang,
        "title": reading.title or None,
        "notes": list(reading.notes),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """What a site's profile tells of a page before it is read."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    regions: Mapping[int, Region] = field(default_factory=dict)
    kind: PageKind | None = None


def _known(tree: Tree, profile: Profile, url: str, lang: str) -> _Known:
    from crawler.profiles.apply import profile_facts, profile_regions

    facts = profile_facts(tree, profile, places_of(url, lang))
    return _Known(facts, profile_regions(tree, profile), profile.kind_of(url))


def _document_title(tree: Tree) -> str:
    body = tree.by_tag.get("body", [len(tree.nodes)])[0]
    return next((tree.text(i, 500) for i in tree.by_tag.get("title", ()) if i < min(body, 2000)), "")


def _main_heading(tree: Tree, structured: Structured, title: str) -> int:
    """The node that names the goods: an h1 that agrees with the title or the declared name, else a name-like element; -1 none."""
    told = [_letters(c.value) for c in structured.claims.of("name")] + [_letters(title)]
    told = [t for t in told if t]
    best, most = -1, 0.0
    places = {*tree.tagged(*_HEADS), *tree.having.get("id", ()), *tree.having.get("itemprop", ())}
    for name, those in tree.by_class.items():
        if named_region(name) is Region.TITLE:
            places.update(those)
    for i in sorted(places):
        node = tree.nodes[i]
        if node.end - i > 40 or not (score := _title_like(node)):
            continue
        key = _letters(tree.text(i, 300))
        if len(key) < 2:
            continue
        if any(key in t or (len(t) > 5 and t in key) for t in told):
            score += 1.5 if len(key) > 6 else 0.8
        elif node.tag != "h1":
            continue
        if score > most and score - 0.9 * _in_others(tree, i) > most:
            best, most = i, score - 0.9 * _in_others(tree, i)
    return best if most >= 1.0 else -1


_HEADS = frozenset({"h1", "h2", "h3"})


def _title_like(node: Node) -> float:
    """How much an element looks like the name of the goods by its own tag and name."""
    if node.tag == "h1":
        return 2.0
    attrs, score = node.attrs, 0.0
    if attrs.get("itemprop") == "name":
        score = 1.2
    elif (name := attrs.get("class") or attrs.get("id")) and named_region(name) is Region.TITLE:
        score = 0.8
    return max(score, 0.5) + 0.2 if node.tag in _HEADS else score


def _in_others(tree: Tree, i: int) -> bool:
    """Within a menu, a footer or reviews."""
    return any(
        tree.nodes[a].tag in {"nav", "footer", "aside"}
        or named_region(tree.nodes[a].attrs.get("class", "")) in {Region.NAV, Region.REVIEW, Region.FOOTER}
        for a in list(tree.ancestors(i))[:4]
    )


def _buttons_near(main: int, buttons: Sequence[int]) -> bool:
    return min(abs(b - main) for b in buttons) < 400


def _cards(tree: Tree, regions: Regions, main: int) -> int:
    """Elements with a link, a picture and a price that stand outside recommendations: the goods of a list page."""
    nodes, found, after = tree.nodes, 0, 0
    for i in tree.elements:
        node = nodes[i]
        if (
            i >= after
            and 4 < node.end - i < 90
            and node.tag in _CARD_TAGS
            and not i < main < node.end
            and regions.of[i] not in _NO_GOODS
            and regions.is_card(i)
        ):
            found += 1
            after = node.end
    return found


_CARD_TAGS = frozenset({"li", "div", "article", "tr", "td", "a", "section"})
_NO_GOODS = frozenset({Region.REVIEW, Region.FOOTER, Region.QA, Region.CHROME, Region.NAV})


@lru_cache(maxsize=20_000)
def _is_countdown(name: str) -> bool:
    return bool(_COUNTDOWN.search(name))


def _countdown(tree: Tree, passages: Sequence[Passage], said: str, at: datetime | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    nodes = tree.nodes
    for i in sorted({i for name in _END_ATTRS if name in tree.having for i in tree.having[name]}):
        attrs = nodes[i].attrs
        moment = next((m for a in sorted(_END_ATTRS & attrs.keys()) if (m := parse_time(attrs[a], at))), None)
        if moment and nodes[i].tag != "script":
            facts["countdown_end"] = Fact(iso(moment), f"dom:{tree.selector(i)}", 0.9)
            break
    for i in sorted(i for name, those in tree.by_class.items() if _is_countdown(name) for i in those):
        if nodes[i].tag != "script":
            text = tree.text(i, 80)
            if any(c.isdigit() for c in text):
                facts["countdown"] = Fact(text, f"dom:{tree.selector(i)}", 0.8)
                break
    if "countdown" in facts or not _COUNTDOWN_WORDS.search(said):
        return facts
    for passage in passages:
        if "countdown" in facts:
            break
        if (
            passage.region not in {Region.REVIEW, Region.QA}
            and len(passage.text) < 120
            and _DIGIT.search(passage.text)
            and (match := _COUNTDOWN_TEXT.search(passage.text))
        ):
            facts["countdown"] = Fact(match[0], f"dom:{passage.selector}", 0.7)
    return facts


@lru_cache(maxsize=20_000)
def _is_crumb(name: str) -> bool:
    return not _CRUMBS.isdisjoint(tokens(name))


_CRUMBS = frozenset({"breadcrumb", "breadcrumbs", "crumb", "crumbs", "mianbaoxie", "breadcrumblist"})


def _goods(tree: Tree, facts: dict[str, Fact], reader: PassageReader) -> None:
    """What sort of goods: the breadcrumb above the heading; and the labels beside it."""
    if "category" in facts:
        facts["goods"] = facts["category"]
    else:
        having = tree.having
        places = {i for name, those in tree.by_class.items() if _is_crumb(name) for i in those}
        for attr in ("id", "itemtype"):
            places.update(i for i in having.get(attr, ()) if _is_crumb(tree.nodes[i].attrs[attr]))
        for i in sorted(places):
            if text := tree.text(i, 200):
                facts["goods"] = Fact(text, f"dom:{tree.selector(i)}", 0.6)
                break
    labels = [p.text for p in reader.passages if p.region is Region.BADGE and len(p.text) <= 20 and p.hidden is None]
    if labels:
        facts["labels"] = Fact("; ".join(dict.fromkeys(labels[:20])), "dom", 0.6)


def _lang_tag(tree: Tree) -> str:
    for node in tree.nodes[:3]:
        if node.tag == "html":
            return (node.attrs.get("lang") or node.attrs.get("xml:lang") or "")[:12]
    return ""


def _language(tree: Tree, passages: Sequence[Passage]) -> str | None:
    tag = _lang_tag(tree)
    sample = " ".join(p.text[:80] for p in passages[:60])[:2000]
    guess = guess_language(sample[-400:]) or guess_language(sample)
    if guess in {"en", None} and tag:
        return tag
    return guess or tag or None


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


__all__ = ["Claims", "describe", "read_page"]
