"""Visible text in blocks, with region, selector, language and, where a person would not see it, the reason.

Nothing is dropped: hidden text is marked. Inline runs are joined as shown, table rows read "name:value", a picture's
alternative text is region `image`.
"""

from __future__ import annotations

import re
from typing import Final

from contracts.page import Passage, Rect, Region
from crawler.extract.language import guesser
from crawler.extract.regions import Regions, tokens
from crawler.extract.tree import NOT_TEXT, Node, Tree
from crawler.extract.words import Texts, words

MAX_PASSAGES: Final = 6000
MAX_CHARS: Final = 50_000

_INLINE = words(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark meter nobr output q rp rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr wx-inline"
)
_COLONS = " :\uff1a"
#: Elements read as one line, and elements whose attributes may hold words.
_JOINED = frozenset({"tr", "select", "dt"})
_LABELLED = frozenset({"img", "input", "a", "span", "i"})
_BLANK = re.compile(r"[ \t\n\r\f]+")
_BREAK = "\0"  #: a line break in a block under way; no document can hold this character
_STYLE_HIDDEN: Final = (
    ("display", re.compile(r"display\s*:\s*none", re.IGNORECASE)),
    ("visibility", re.compile(r"visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)),
    ("opacity", re.compile(r"opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)", re.IGNORECASE)),
    ("zero-size", re.compile(r"font-size\s*:\s*0(?:px|em|rem|pt|%)?\s*(?:;|!|$)", re.IGNORECASE)),
    ("off-screen", re.compile(r"(?:text-indent|(?:margin-)?left|top)\s*:\s*-\d{3,}\s*(?:px|em)", re.IGNORECASE)),
    ("clipped", re.compile(r"clip\s*:\s*rect\(\s*0[^)]*\)|clip-path\s*:\s*inset\(\s*(?:50|100)%", re.IGNORECASE)),
)
_STYLE_HINT = re.compile(r":\s*(?:none|hidden|collapse|0|-\d\d|rect|inset)", re.IGNORECASE)
#: A rendering writes nothing on these; they are seen when what holds them is.
_UNMEASURED = frozenset({"br", "wbr", "option", "optgroup", "template"})
_VOICE_SPLIT = frozenset(
    {Region.REVIEW, Region.REPLY, Region.QA, Region.NAV, Region.NOTICE, Region.TITLE, Region.CHROME}
)


class _Block:
    __slots__ = ("hidden", "node", "parts", "plain", "priced")

    def __init__(self, node: int, hidden: str | None) -> None:
        self.node = node
        self.hidden = hidden
        self.parts: list[str] = []
        self.plain = 0
        self.priced: dict[Region, int] = {}


class PassageReader:
    """One walk over the tree. `passages` in document order; `node_of[i]` is the element of passage i.

    `said` are their texts, casefolded, in which later readers look for their words all at once.
    """

    def __init__(self, tree: Tree, regions: Regions, *, annotated: bool = False) -> None:
        """`annotated`: the tree is our own rendering's, whose data-wx-* attributes may be believed; a page's own never."""
        self._annotated = annotated
        self.tree = tree
        self.regions = regions
        self.passages: list[Passage] = []
        self.node_of: list[int] = []
        self.hidden = _told_hidden(tree) if annotated else _styled_hidden(tree)
        self._frames = _frames(tree) if annotated and tree.having["data-wx-frame"] else None
        self._language = guesser(tree.shown.joined)
        self._block: _Block | None = None
        self._read()
        self.said = Texts([p.text.casefold() for p in self.passages])

    def _read(self) -> None:
        nodes, of = self.tree.nodes, self.regions.of
        pending: list[tuple[int, int]] = []  # (end, block node to return to)
        block_node, i, size, until = 0, 0, len(nodes), len(nodes) + 1
        while i < size and len(self.passages) < MAX_PASSAGES:
            while i >= until:
                self._flush()
                block_node = pending.pop()[1]
                until = pending[-1][0] if pending else size + 1
            node = nodes[i]
            tag = node.tag
            if tag == "#":
                self._text(i, node, block_node)
                i += 1
                continue
            if tag in _INLINE:
                if of[i] is not of[block_node] and self._splits(i, block_node):
                    self._flush()
                    pending.append((until := node.end, block_node))
                    block_node = i
                if tag in _LABELLED and node.attrs:
                    self._attributes(i, node, block_node)
                i += 1
                continue
            if tag == "br":
                self._add(_BREAK, i, node.parent, block_node)
                i += 1
                continue
            if tag in NOT_TEXT and tag != "body":
                i = self._opaque(i, node)
                continue
            if tag in _JOINED and (after := self._whole(i, tag)):
                i = after
                continue
            self._flush()
            pending.append((until := node.end, block_node))
            block_node = i
            i += 1
        self._flush()
        if i < size:
            self.tree.notes.append(f"文字块过多,只读前 {MAX_PASSAGES} 块")

    def _text(self, i: int, node: Node, block_node: int) -> None:
        text = node.text
        if not text.isspace():
            self._add(text, i, node.parent, block_node)
        elif self._block is not None:
            self._block.parts.append(" ")

    def _whole(self, i: int, tag: str) -> int:
        """Read a row, a choice or a definition in one piece; where to go on, 0 when it is to be read block by block."""
        if tag == "dt":
            definition = self._definition(i)
            text, after = definition or (None, 0)
        else:
            text, after = self._joined(i, self.tree.nodes[i]), self.tree.nodes[i].end
        if text is None:
            return 0
        self._flush()
        self._emit(i, text)
        return after

    def _splits(self, i: int, block_node: int) -> bool:
        """An inline element of another voice is a passage of its own."""
        mine, around = self.regions.of[i], self.regions.of[block_node]
        return mine is not around and (mine in _VOICE_SPLIT or around in _VOICE_SPLIT or mine is Region.BADGE)

    def _add(self, text: str, i: int, parent: int, block_node: int) -> None:
        hidden = self.hidden[parent] if parent >= 0 else None
        block = self._block
        if block is not None and block.hidden is not hidden and block.hidden != hidden and text is not _BREAK:
            self._flush()
            block = None
        if block is None:
            # text of its own visibility inside an inline element is found again by that element
            block = self._block = _Block(block_node if hidden == self.hidden[block_node] else parent, hidden)
        block.parts.append(text)
        region = self.regions.of[i]
        if region is self.regions.of[block.node]:
            block.plain += len(text)
        else:
            block.priced[region] = block.priced.get(region, 0) + len(text)

    def _flush(self) -> None:
        block, self._block = self._block, None
        if block is None:
            return
        text = _tidy("".join(block.parts) if len(block.parts) > 1 else block.parts[0])
        if not text:
            return
        region = self.regions.of[block.node]
        if block.priced and block.plain < 24:
            region = max(block.priced, key=lambda r: block.priced[r])
        self._put(text, region, block.node, block.hidden)

    def _emit(self, i: int, text: str, region: Region | None = None, hidden: str | None = None) -> None:
        self._put(text, region or self.regions.of[i], i, hidden or self.hidden[i])

    def _put(self, text: str, region: Region, i: int, hidden: str | None) -> None:
        if len(text) > MAX_CHARS:
            self.tree.notes.append(f"一块文字过长({len(text)} 字),只读前 {MAX_CHARS} 字")
            text = text[:MAX_CHARS]
        self.passages.append(
            Passage(
                text,
                region,
                self.tree.selector(i),
                self._language(text),
                hidden,
                _rects(self.tree.nodes[i]) if self._annotated else (),
                self._frames[i] if self._frames else "",
            )
        )
        self.node_of.append(i)

    def _opaque(self, i: int, node: Node) -> int:
        """Elements whose inside is not running text: what they show all the same. Returns where to go on."""
        if node.tag == "template" and node.attrs.get("shadowrootmode") == "open":
            return i + 1
        if node.tag == "head":
            self._head(i)
        elif node.tag == "noscript":
            text = self.tree.text(i, MAX_CHARS)
            if text and "<" not in text[:200]:
                self._flush()
                self._emit(i, text, Region.CHROME, "noscript")
        elif node.tag == "textarea":
            text = self.tree.text(i, MAX_CHARS)
            if text:
                self._flush()
                self._emit(i, text)
        return node.end

    def _head(self, i: int) -> None:
        nodes = self.tree.nodes
        for j in range(i, nodes[i].end):
            node = nodes[j]
            if node.tag == "title" and (text := self.tree.text(j, 1000)):
                self._put(text, Region.TITLE, j, "document-title")
            elif (
                node.tag == "meta"
                and node.attrs.get("name", "").lower() == "description"
                and (text := " ".join(node.attrs.get("content", "").split()))
            ):
                self._put(text, Region.BODY, j, "meta")

    def _attributes(self, i: int, node: Node, block_node: int) -> None:
        """Words that stand in attributes and are shown: picture texts, button labels."""
        attrs = node.attrs
        if node.tag == "img":
            alt = " ".join(attrs.get("alt", "").split())
            if len(alt) > 1:
                shop = self.regions.of[i] not in {
                    Region.REVIEW,
                    Region.REPLY,
                    Region.QA,
                    Region.NAV,
                    Region.FOOTER,
                    Region.CHROME,
                }
                keep, self._block = self._block, None
                self._emit(i, alt, Region.IMAGE if shop else None)
                self._block = keep
        elif node.tag == "input":
            kind = attrs.get("type", "text").lower()
            if kind in {"submit", "button", "reset"} and attrs.get("value", "").strip():
                self._add(attrs["value"], i, node.parent, block_node)
            elif attrs.get("placeholder", "").strip() and kind != "hidden":
                self._emit(i, attrs["placeholder"].strip(), Region.CHROME, "placeholder")
        elif node.tag in {"a", "span", "i"} and node.end == i + 1:
            label = (attrs.get("aria-label") or attrs.get("title") or "").strip()
            if len(label) > 3:
                keep, self._block = self._block, None
                self._emit(i, label, None, "attribute")
                self._block = keep

    def _joined(self, i: int, node: Node) -> str | None:
        """A table row or a definition of simple cells, as "name:value"; None when the element is to be read block by block."""
        if node.tag == "tr":
            cells = [j for j in self.tree.children(i) if self.tree.nodes[j].tag in {"td", "th"}]
            if not 2 <= len(cells) <= 12 or not all(self._simple(j) for j in cells):
                return None
            texts = [t for j in cells if (t := self._run(j))]
            if len(cells) == 2 and len(texts) == 2:
                return f"{texts[0].rstrip(_COLONS)}:{texts[1]}"
            if len(cells) % 2 == 0 and len(texts) == len(cells) and all(self._is_label(j) for j in cells[::2]):
                return "\n".join(f"{a.rstrip(_COLONS)}:{b}" for a, b in zip(texts[::2], texts[1::2], strict=True))
            return " | ".join(texts)
        if node.tag == "select":
            options = [t for j in range(i, node.end) if self.tree.nodes[j].tag == "option" and (t := self._run(j))]
            return "\n".join(options[:300])
        return None

    def _definition(self, i: int) -> tuple[str, int] | None:
        """A simple <dt> with the one simple <dd> that follows it: "name:value" and where to go on."""
        nodes = self.tree.nodes
        after = nodes[i].end
        while after < nodes[nodes[i].parent].end and nodes[after].tag == "#" and not nodes[after].text.strip():
            after += 1
        if (
            after >= nodes[nodes[i].parent].end
            or nodes[after].tag != "dd"
            or not (self._simple(i) and self._simple(after))
        ):
            return None
        term, value = self._run(i), self._run(after)
        return (f"{term.rstrip(_COLONS)}:{value}", nodes[after].end) if term and value else None

    def _is_label(self, i: int) -> bool:
        node = self.tree.nodes[i]
        return (
            node.tag == "th" or "label" in tokens(node.attrs.get("class", "")) or self._run(i)[-1:] in {":", "\uff1a"}
        )

    def _simple(self, i: int) -> bool:
        nodes = self.tree.nodes
        if nodes[i].end - i > 60:
            return False
        for j in range(i + 1, nodes[i].end):
            node = nodes[j]
            if node.tag != "#" and node.tag not in _INLINE and node.tag != "br":
                return False
            if node.tag in {"img", "input"} or self._splits(j, i):
                return False
            if "data-wx-hidden" in node.attrs if self._annotated else self.hidden[j] is not self.hidden[i]:
                return False
        return True

    def _run(self, i: int) -> str:
        parts = []
        for node in self.tree.nodes[i : self.tree.nodes[i].end]:
            if node.tag == "#":
                parts.append(node.text)
            elif node.tag == "br":
                parts.append(_BREAK)
        return _tidy("".join(parts))


def why_hidden(node: Node) -> str | None:
    """Why the element's own attributes keep a person from seeing it: the word for `Passage.hidden`, or None."""
    attrs = node.attrs
    if not attrs:
        return None
    if "hidden" in attrs and attrs["hidden"] != "until-found":
        return "display"
    if node.tag == "input" and attrs.get("type", "").lower() == "hidden":
        return "display"
    style = attrs.get("style")
    if style and _STYLE_HINT.search(style := style[:2000]):
        for why, pattern in _STYLE_HIDDEN:
            if pattern.search(style):
                return why
    return None


def _styled_hidden(tree: Tree) -> list[str | None]:
    """Why each element is not seen, by its own style or that of one around it."""
    nodes = tree.nodes
    hidden: list[str | None] = [None] * len(nodes)
    for i in sorted({*tree.having["style"], *tree.having["hidden"], *tree.by_tag.get("input", ())}):
        if hidden[i] is None and (why := why_hidden(nodes[i])):
            hidden[i : nodes[i].end] = [why] * (nodes[i].end - i)
    return hidden


def _told_hidden(tree: Tree) -> list[str | None]:
    """The same as a rendering wrote it on each element by itself."""
    hidden: list[str | None] = [None] * len(tree.nodes)
    for i, node in enumerate(tree.nodes):
        if node.tag in _UNMEASURED and node.parent >= 0:
            hidden[i] = hidden[node.parent]
        elif node.attrs:
            hidden[i] = node.attrs.get("data-wx-hidden")
    return hidden


def _frames(tree: Tree) -> list[str]:
    """The frame that each element stands in."""
    frames = [""] * len(tree.nodes)
    for i, node in enumerate(tree.nodes):
        around = frames[node.parent] if node.parent >= 0 else ""
        frames[i] = node.attrs.get("data-wx-frame", around) if node.attrs else around
    return frames


def _tidy(text: str) -> str:
    """Blanks as a browser shows them: runs collapse, none at the ends or around a line break."""
    if _BREAK in text:
        lines = [_BLANK.sub(" ", line).strip() for line in text.split(_BREAK)]
        return "\n".join([line for line in lines if line])
    if "  " in text or "\n" in text or "\t" in text or "\r" in text or "\f" in text:
        text = _BLANK.sub(" ", text)
    return text.strip()


def _rects(node: Node) -> tuple[Rect, ...]:
    raw = node.attrs.get("data-wx-rect")
    if not raw:
        return ()
    try:
        x, y, w, h = (float(v) for v in raw.split(",")[:4])
    except ValueError:
        return ()
    return (Rect(x, y, w, h),)
