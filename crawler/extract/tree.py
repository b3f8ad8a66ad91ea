"""HTML → a flat array of nodes in document order, bounded in every direction.

Parsing is lexbor's (selectolax). What it does slowly is kept from it: an open `<div>` looks upwards through all its
ancestors (100,000 of them take half a minute) and attributes are compared pairwise, so depth and attribute
counts are cut in the text beforehand. Chromium itself stops nesting at 512.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from crawler.extract.words import words

MAX_DEPTH: Final = 500
MAX_FORMATTING: Final = 60  #: open <b>, <font>, …: each new block re-opens all of them
MAX_NODES: Final = 150_000
MAX_TAG_CHARS: Final = 4_000  #: a longer tag is re-read attribute by attribute
MAX_ATTRIBUTES: Final = 1_000
MAX_SELECTOR_STEPS: Final = 80

_VOID = words("area base br col embed hr img input link meta param source track wbr")
#: Their end tags may be left out, so counting them as open would be wrong.
_OPTIONAL_END = words("p li dt dd option optgroup tr td th thead tbody tfoot colgroup html head body rt rp")
_FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
_TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][^\s/><]*+))")
_RAW_END = {t: re.compile(f"</{t}", re.IGNORECASE) for t in ("script", "style", "textarea", "title")}
_SCRIPT_OPEN = re.compile(r"<script\b[^<]*+\Z", re.IGNORECASE)
_TAG_START = re.compile(r"<[a-zA-Z]")
_ATTRIBUTE = re.compile(r"[^\s=>/\"']++(?:\s*=\s*(?:\"[^\"]*+\"|'[^']*+'|[^\s>]++))?")
_IDENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_SIMPLE_TAG = re.compile(r"[a-z][a-z0-9-]*\Z")
_TEXT_ID, _NO_ATTRS = 2, dict[str, str]()
SKIPPED = frozenset({"style", "template"})
NOT_TEXT = frozenset({"script", "style", "template", "head", "noscript", "iframe", "object", "svg", "math", "textarea"})


class Node:
    """An element, or a text (`tag` is "#"). `end` is the index after its last descendant."""

    __slots__ = ("attrs", "end", "parent", "tag", "text")

    def __init__(self, tag: str, text: str, attrs: dict[str, str], parent: int) -> None:
        self.tag = tag
        self.text = text
        self.attrs = attrs
        self.parent = parent
        self.end = 0


class Tree:
    """Nodes in document order; node 0 is the root element. Subtree of i: nodes[i : nodes[i].end]."""

    def __init__(self, nodes: list[Node], notes: list[str]) -> None:
        self.nodes = nodes
        self.notes = notes
        self._selectors: dict[int, tuple[str, int]] = {}
        self._nth: dict[int, dict[int, int]] = {}
        seen: dict[str, int] = {}
        for i, node in enumerate(nodes):
            if "id" in node.attrs:
                name = node.attrs["id"]
                seen[name] = -1 if name in seen else i
        self.by_id = seen

    def children(self, i: int) -> Iterator[int]:
        nodes, j, end = self.nodes, i + 1, self.nodes[i].end
        while j < end:
            yield j
            j = nodes[j].end

    def text(self, i: int, limit: int = 2000) -> str:
        """Text of the subtree, blanks collapsed, scripts left out, at most `limit` characters."""
        nodes, parts, size, j, end = self.nodes, [], 0, i, self.nodes[i].end
        while j < end and size < limit:
            node = nodes[j]
            if node.tag == "#":
                parts.append(node.text)
                size += len(node.text)
            elif node.tag in NOT_TEXT and j != i:
                j = node.end
                continue
            elif node.tag not in _FORMATTING and node.tag != "span":
                parts.append(" ")
            j += 1
        return " ".join("".join(parts).split())[:limit]

    def ancestors(self, i: int) -> Iterator[int]:
        i = self.nodes[i].parent
        while i >= 0:
            yield i
            i = self.nodes[i].parent

    def selector(self, i: int) -> str:
        """A CSS selector that finds the element again; empty when it stands deeper than a selector is of use."""
        chain: list[int] = []
        while i >= 0 and i not in self._selectors:
            chain.append(i)
            i = self.nodes[i].parent
        base, steps = self._selectors[i] if i >= 0 else ("", 0)
        for j in reversed(chain):
            base, steps = self._step(j, base, steps)
            self._selectors[j] = base, steps
        return base if steps <= MAX_SELECTOR_STEPS else ""

    def _step(self, i: int, base: str, steps: int) -> tuple[str, int]:
        node = self.nodes[i]
        own = node.attrs.get("id", "")
        if own and self.by_id.get(own) == i and _IDENT.match(own):
            return f"#{own}", 1
        if node.tag in {"html", "body"}:
            return node.tag, 1
        if node.parent >= 0 and "data-wx-frame" in self.nodes[node.parent].attrs:
            return f"body > {self._named(i)}", 1  # selectors inside a frame start at that frame's body
        if node.tag == "template" or not base or steps > MAX_SELECTOR_STEPS:
            return base, steps  # a shadow root is no step: the path goes on with a blank
        joint = " " if self.nodes[node.parent].tag == "template" else " > "
        return f"{base}{joint}{self._named(i)}", steps + 1

    def _named(self, i: int) -> str:
        node = self.nodes[i]
        places = self._nth.get(node.parent)
        if places is None:
            counts: dict[str, int] = {}
            places = {}
            for j in self.children(node.parent):
                tag = self.nodes[j].tag
                counts[tag] = counts.get(tag, 0) + 1
                places[j] = counts[tag]
            self._nth[node.parent] = places
        tag = node.tag if _SIMPLE_TAG.match(node.tag) else "*"
        return f"{tag}:nth-of-type({places[i]})"


def parse(html: str) -> Tree:
    """The page as a flat tree. Never raises; what was cut is named in `notes`."""
    notes: list[str] = []
    html = _without_bombs(html, notes)
    root = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS).root
    nodes: list[Node] = []
    if root is None:
        return Tree([Node("html", "", _NO_ATTRS, -1)], notes)
    _walk(root, nodes, -1, notes, 0)
    return Tree(nodes, notes)


def _walk(root: LexborNode, nodes: list[Node], parent: int, notes: list[str], shadows: int) -> None:
    """Append the subtree of `root` in document order, without recursion but for shadow roots (at most 8 deep)."""
    node: LexborNode | None = root.first_child if root.tag is None else root
    top_parent = parent
    while node is not None:
        if len(nodes) >= MAX_NODES:
            notes.append(f"节点过多,只读前 {MAX_NODES} 个")
            break
        here = len(nodes)
        child = None
        if node.tag_id == _TEXT_ID:
            text = Node("#", node.text_content or "", _NO_ATTRS, parent)
            text.end = here + 1
            nodes.append(text)
        elif node.is_element_node:
            child = _enter(node, nodes, parent, notes, shadows)
        if child is not None:
            parent, node = here, child
            continue
        if len(nodes) > here:
            nodes[here].end = len(nodes)
        after = node.next
        while after is None and parent != top_parent:
            nodes[parent].end = len(nodes)
            up = node.parent
            assert up is not None
            node, parent = up, nodes[parent].parent
            after = node.next
        node = after
    while parent != top_parent and parent >= 0:
        nodes[parent].end = len(nodes)
        parent = nodes[parent].parent


def _enter(node: LexborNode, nodes: list[Node], parent: int, notes: list[str], shadows: int) -> LexborNode | None:
    """Append one element; its first child when there is something to walk."""
    attrs = {k: v or "" for k, v in node.attributes.items()}
    tag = node.tag or "*"
    element = Node(tag, "", attrs, parent)
    nodes.append(element)
    if tag == "script":
        child = node.first_child
        element.text = (child.text_content or "") if child is not None else ""
        return None
    if tag in SKIPPED:
        if tag == "template" and attrs.get("shadowrootmode") == "open" and shadows < 8:
            here = len(nodes) - 1
            for fragment in node.template_fragments()[:1]:
                _walk(fragment, nodes, here, notes, shadows + 1)
            element.end = len(nodes)
        return None
    return node.first_child


def _without_bombs(html: str, notes: list[str]) -> str:
    """`html` without over-full tags and over-deep nesting. Small pages cannot hold a bomb and pass untouched."""
    if len(html) > MAX_TAG_CHARS:
        html = _without_attribute_bombs(html, notes)
    if html.count("<") < 3000:
        return html
    kept: list[str] = []
    depth = formatting = last = dropped = at = 0
    while match := _TAG.search(html, at):
        at = match.end()
        name = (match[2] or "").lower()
        if name in _VOID or name in _OPTIONAL_END:
            continue
        if not name or (name in _RAW_END and not match[1]):
            at = _past_raw(html, name, at)
            continue
        bold = name in _FORMATTING
        if match[1]:
            formatting, depth = max(0, formatting - bold), max(0, depth - (not bold))
            continue
        close = html.find(">", match.end(), match.end() + MAX_TAG_CHARS)
        if html[close - 1 : close] == "/":
            continue
        if (formatting >= MAX_FORMATTING) if bold else (depth >= MAX_DEPTH):
            kept.append(html[last : match.start()])
            last = close + 1 if close >= 0 else match.end()
            dropped += 1
        else:
            formatting, depth = formatting + bold, depth + (not bold)
    if not dropped:
        return html
    notes.append(f"标签嵌套过深,略去 {dropped} 层")
    return "".join([*kept, html[last:]])


def _past_raw(html: str, name: str, at: int) -> int:
    """Past a comment (no `name`) or an element whose content is no markup."""
    if not name:
        end = html.find("-->", at)
        return end if end >= 0 else len(html)
    close = _RAW_END[name].search(html, at)
    return close.end() if close else len(html)


def _without_attribute_bombs(html: str, notes: list[str]) -> str:
    """`html` with tags of thousands of attributes cut short; script text is left as it is."""
    pieces = html.split(">")
    if max(map(len, pieces)) < MAX_TAG_CHARS:
        return html
    in_script = False
    for i, piece in enumerate(pieces):
        if in_script:
            in_script = "</script" not in piece.lower()
        elif len(piece) > MAX_TAG_CHARS and piece.count("=") + sum(map(piece.count, " \n\t\r\f/")) > MAX_ATTRIBUTES:
            pieces[i] = _short_tag(piece, notes)
        elif _SCRIPT_OPEN.search(piece, max(0, len(piece) - MAX_TAG_CHARS)):
            in_script = True
    return ">".join(pieces)


def _short_tag(piece: str, notes: list[str]) -> str:
    """Text followed by a tag without its ">": the same, or its first attributes when there are more than a page needs."""
    start = _TAG_START.search(piece)
    if start is None:
        return piece
    parts = []
    for match in _ATTRIBUTE.finditer(piece, start.start() + 1):
        parts.append(match[0])
        if len(parts) > MAX_ATTRIBUTES:
            notes.append(f"标签属性过多,只读前 {MAX_ATTRIBUTES} 个")
            return f"{piece[: start.start()]}<{' '.join(parts)}"
    return piece
