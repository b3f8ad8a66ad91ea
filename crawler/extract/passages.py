"""Visible text in blocks, with region, selector, language and, where a person would not see it, the reason.

Nothing is dropped: hidden text is marked. Inline runs are joined as shown, table rows read "name:value", a picture's
alternative text is region `image`.
"""

from __future__ import annotations

import re
from typing import Final

from contracts.page import Passage, Rect, Region
from crawler.extract.language import guess_language
from crawler.extract.regions import Regions, tokens
from crawler.extract.tree import NOT_TEXT, Node, Tree
from crawler.extract.words import words

MAX_PASSAGES: Final = 6000
MAX_CHARS: Final = 50_000

_INLINE = words(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark meter nobr output q rp rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr wx-inline"
)
_COLONS = " :\uff1a"
#: Elements read as one line, and elements whose attributes may hold words.
_JOINED = frozenset({"tr", "select"})
_LABELLED = frozenset({"img", "input", "a", "span", "i"})
_BLANK = re.compile(r"[ \t\n\r\f]+")
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
    """One walk over the tree. `passages` in document order; `node_of[i]` is the element of passage i."""

    def __init__(self, tree: Tree, regions: Regions, *, annotated: bool = False) -> None:
        """`annotated`: the tree is our own rendering's, whose data-wx-* attributes may be believed; a page's own never."""
        self._annotated = annotated
        self.tree = tree
        self.regions = regions
        self.passages: list[Passage] = []
        self.node_of: list[int] = []
        self.hidden: list[str | None] = [None] * len(tree.nodes)
        self._frames: list[str] = [""] * len(tree.nodes)
        self._has_frames = False
        self._block: _Block | None = None
        self._read()

    def _read(self) -> None:
        nodes = self.tree.nodes
        pending: list[tuple[int, int]] = []  # (end, block node to return to)
        block_node, i, size = 0, 0, len(nodes)
        while i < size and len(self.passages) < MAX_PASSAGES:
            while pending and i >= pending[-1][0]:
                self._flush()
                block_node = pending.pop()[1]
            node = nodes[i]
            if node.tag == "#":
                self._text(i, node, block_node)
                i += 1
                continue
            self._look(i, node)
            if node.tag in NOT_TEXT and node.tag != "body":
                i = self._opaque(i, node)
                continue
            joined = self._joined(i, node) if node.tag in _JOINED else None
            if joined is not None:
                self._flush()
                self._emit(i, joined)
                i = node.end
                continue
            if node.tag == "dt" and (definition := self._definition(i)):
                self._flush()
                self._emit(i, definition[0])
                i = definition[1]
                continue
            if node.tag == "br":
                self._add("\n", i, block_node)
            elif node.tag in _INLINE:
                if self._splits(i, block_node):
                    self._flush()
                    pending.append((node.end, block_node))
                    block_node = i
                if node.attrs and node.tag in _LABELLED:
                    self._attributes(i, node, block_node)
            else:
                self._flush()
                pending.append((node.end, block_node))
                block_node = i
            i += 1
        self._flush()
        if i < size:
            self.tree.notes.append(f"文字块过多,只读前 {MAX_PASSAGES} 块")

    def _look(self, i: int, node: Node) -> None:
        """Find out why an element would not be seen, and which frame it stands in.

        A rendering says so of each element by itself; else the reason is the element's own style or its parent's.
        """
        if self._annotated:
            self.hidden[i] = node.attrs.get("data-wx-hidden")
            if node.tag in _UNMEASURED and node.parent >= 0:
                self.hidden[i] = self.hidden[node.parent]
        else:
            self.hidden[i] = (self.hidden[node.parent] if node.parent >= 0 else None) or why_hidden(node)
        if not self._annotated:
            return
        if "data-wx-frame" in node.attrs:
            self._has_frames = True
            self._frames[i] = node.attrs["data-wx-frame"]
        elif self._has_frames and node.parent >= 0:
            self._frames[i] = self._frames[node.parent]

    def _splits(self, i: int, block_node: int) -> bool:
        """An inline element of another voice is a passage of its own."""
        mine, around = self.regions.of[i], self.regions.of[block_node]
        return mine is not around and (mine in _VOICE_SPLIT or around in _VOICE_SPLIT or mine is Region.BADGE)

    def _text(self, i: int, node: Node, block_node: int) -> None:
        text = node.text
        if not text.strip():
            if text and self._block is not None:
                self._block.parts.append(" ")
            return
        self._add(text, i, block_node)

    def _add(self, text: str, i: int, block_node: int) -> None:
        parent = self.tree.nodes[i].parent
        hidden = self.hidden[parent] if parent >= 0 else None
        block = self._block
        if block is not None and block.hidden != hidden and text != "\n":
            self._flush()
            block = None
        if block is None:
            # text of its own visibility inside an inline element is found again by that element
            block = self._block = _Block(block_node if hidden == self.hidden[block_node] else parent, hidden)
        block.parts.append(text if text == "\n" else _BLANK.sub(" ", text))
        region = self.regions.of[i]
        if region is self.regions.of[block.node]:
            block.plain += len(text)
        else:
            block.priced[region] = block.priced.get(region, 0) + len(text)

    def _flush(self) -> None:
        block, self._block = self._block, None
        if block is None:
            return
        text = _tidy("".join(block.parts))
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
                text=text,
                region=region,
                selector=self.tree.selector(i),
                lang=guess_language(text),
                hidden=hidden,
                rects=_rects(self.tree.nodes[i]) if self._annotated else (),
                frame=self._frames[i] if self._has_frames else "",
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
                self._add(attrs["value"], i, block_node)
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
            if "data-wx-hidden" in node.attrs if self._annotated else why_hidden(node):
                return False
        return True

    def _run(self, i: int) -> str:
        parts = []
        for j in range(i, self.tree.nodes[i].end):
            node = self.tree.nodes[j]
            if node.tag == "#":
                parts.append(_BLANK.sub(" ", node.text))
            elif node.tag == "br":
                parts.append("\n")
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


def _tidy(text: str) -> str:
    """Blanks as a browser shows them: runs collapse, none at the ends or around a line break."""
    if "\n" in text:
        return "\n".join(
            t for line in text.split("\n") if (t := " ".join(line.split(" ")).strip(" ") and _squeeze(line))
        )
    return _squeeze(text)


def _squeeze(text: str) -> str:
    return " ".join(p for p in text.split(" ") if p).strip()


def _rects(node: Node) -> tuple[Rect, ...]:
    raw = node.attrs.get("data-wx-rect")
    if not raw:
        return ()
    try:
        x, y, w, h = (float(v) for v in raw.split(",")[:4])
    except ValueError:
        return ()
    return (Rect(x, y, w, h),)
