"""HTML → a flat array of nodes in document order, bounded in every direction.

Parsing is lexbor's (selectolax). What it does slowly is kept from it: an open `<div>` looks upwards through all its
ancestors (100,000 of them take half a minute) and attributes are compared pairwise, so depth and attribute
counts are cut in the text beforehand. Chromium itself stops nesting at 512.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, cast

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from crawler.extract.words import Texts, words

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
_TEXT_ID, _COMMENT_ID, _NO_ATTRS = 2, 4, dict[str, str]()
#: A script's text is kept on its element; what these hold is no part of the tree, but for open shadow roots.
_UNENTERED = frozenset({"script", "style", "template"})
#: Tags that need no thought in a selector.
_PLAIN = words(
    "div span p a li ul ol b i em strong td tr tbody thead table section article main img h1 h2 h3 h4 h5 h6 dl dt dd del ins button header footer nav label form"
)
NOT_TEXT = frozenset({"script", "style", "template", "head", "noscript", "iframe", "object", "svg", "math", "textarea"})


class Node:
    """An element, or a text (`tag` is "#"). `end` is the index after its last descendant, `nth` its place among its like siblings."""

    __slots__ = ("attrs", "end", "nth", "parent", "tag", "text")

    def __init__(self, tag: str, text: str, attrs: dict[str, str], parent: int, end: int, nth: int) -> None:
        self.tag = tag
        self.text = text
        self.attrs = attrs
        self.parent = parent
        self.end = end
        self.nth = nth


class Tree:
    """Nodes in document order; node 0 is the root element. Subtree of i: nodes[i : nodes[i].end].

    `texts` are the texts that are no mere blanks, `elements` all elements, `by_tag`, `by_class` and `having` the elements
    by their tag, by their class as written and by the names of their attributes; each in document order. `shown` is all text as one.
    """

    def __init__(self, notes: list[str]) -> None:
        self.nodes: list[Node] = []
        self.notes = notes
        self.texts: list[int] = []
        self.elements: list[int] = []
        self.by_tag: defaultdict[str, list[int]] = defaultdict(list)
        self.having: defaultdict[str, list[int]] = defaultdict(list)
        self.by_class: defaultdict[str, list[int]] = defaultdict(list)
        self.by_id: dict[str, int] = {}
        self.shown = Texts(())
        self._selectors: dict[int, tuple[str, int]] = {}

    def index(self, i: int, tag: str, attrs: dict[str, str]) -> None:
        """Enter an element into the look-ups."""
        self.elements.append(i)
        self.by_tag[tag].append(i)
        if attrs:
            having = self.having
            for name in attrs:
                having[name].append(i)
            if "class" in attrs:
                self.by_class[attrs["class"]].append(i)
            if "id" in attrs:
                own = attrs["id"]
                self.by_id[own] = -1 if own in self.by_id else i

    def tagged(self, *tags: str) -> list[int]:
        """Elements with one of the tags, in document order."""
        found = [i for tag in tags if tag in self.by_tag for i in self.by_tag[tag]]
        return sorted(found) if len(tags) > 1 else found

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
        known, nodes = self._selectors, self.nodes
        plain = "template" not in self.by_tag and not self.having["data-wx-frame"]
        chain: list[int] = []
        while i >= 0 and i not in known:
            chain.append(i)
            i = nodes[i].parent
        base, steps = known[i] if i >= 0 else ("", 0)
        for j in reversed(chain):
            node = nodes[j]
            if plain and "id" not in node.attrs and base and steps <= MAX_SELECTOR_STEPS and node.tag in _PLAIN:
                base, steps = f"{base} > {node.tag}:nth-of-type({node.nth})", steps + 1
            else:
                base, steps = self._step(j, base, steps)
            known[j] = base, steps
        return base if steps <= MAX_SELECTOR_STEPS else ""

    def _step(self, i: int, base: str, steps: int) -> tuple[str, int]:
        node = self.nodes[i]
        own = node.attrs.get("id", "")
        if own and self.by_id.get(own) == i and _IDENT.match(own):
            return f"#{own}", 1
        if node.tag in {"html", "body"}:
            return node.tag, 1
        tag = node.tag if _SIMPLE_TAG.match(node.tag) else "*"
        named = f"{tag}:nth-of-type({node.nth})"
        if node.parent >= 0 and "data-wx-frame" in self.nodes[node.parent].attrs:
            return f"body > {named}", 1  # selectors inside a frame start at that frame's body
        if node.tag == "template" or not base or steps > MAX_SELECTOR_STEPS:
            return base, steps  # a shadow root is no step: the path goes on with a blank
        joint = " " if self.nodes[node.parent].tag == "template" else " > "
        return f"{base}{joint}{named}", steps + 1


def parse(html: str) -> Tree:
    """The page as a flat tree. Never raises; what was cut is named in `notes`."""
    notes: list[str] = []
    html = _without_bombs(html, notes)
    root = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS).root
    tree = Tree(notes)
    if root is not None:
        _walk(root, tree, -1, 0)
    if not tree.nodes:
        tree.nodes.append(Node("html", "", _NO_ATTRS, -1, 1, 1))
    tree.shown = Texts([tree.nodes[i].text for i in tree.texts])
    return tree


def _walk(root: LexborNode, tree: Tree, base: int, shadows: int) -> None:
    """Append the subtree of `root` (of a fragment: what is in it) in document order, shadow roots at most 8 deep."""
    parent, top = base, root.mem_id if root.tag is None else -1
    around: list[tuple[int, int, dict[str, int]]] = []  # index, mem_id and tags so far of what lies around
    tags: dict[str, int] = {}
    skipped: set[int] = set()
    nodes, texts, index = tree.nodes, tree.texts, tree.index
    here = len(nodes)
    for node in root.traverse(include_text=True):
        tag_id, tag, above = node.tag_id, node.tag, node.parent
        if tag is None or tag_id == _COMMENT_ID or above is None:
            continue
        key = above.mem_id
        if key in skipped:
            skipped.add(node.mem_id)
            continue
        while key != top and around:
            nodes[parent].end = here
            parent, top, tags = around.pop()
        if here >= MAX_NODES:
            tree.notes.append(f"节点过多,只读前 {MAX_NODES} 个")
            break
        if tag_id == _TEXT_ID:
            text = node.text_content or ""
            if not text.isspace():
                texts.append(here)
            here += 1
            nodes.append(Node("#", text, _NO_ATTRS, parent, here, 0))
        elif node.is_element_node:
            tags[tag] = nth = tags.get(tag, 0) + 1
            attrs = _attributes(node)
            index(here, tag, attrs)
            here += 1
            nodes.append(Node(tag, "", attrs, parent, here, nth))
            if tag in _UNENTERED:
                skipped.add(node.mem_id)
                own = here - 1
                nodes[own].end = here = _unentered(node, tree, own, shadows)
            else:
                around.append((parent, top, tags))
                parent, top, tags = here - 1, node.mem_id, {}
    while around:
        nodes[parent].end = here
        parent, top, tags = around.pop()


def _attributes(node: LexborNode) -> dict[str, str]:
    attrs = node.attributes
    return {k: v or "" for k, v in attrs.items()} if None in attrs.values() else cast("dict[str, str]", attrs)


def _unentered(node: LexborNode, tree: Tree, i: int, shadows: int) -> int:
    """Keep a script's text, read an open shadow root; where the tree goes on."""
    element = tree.nodes[i]
    if element.tag == "script":
        child = node.first_child
        element.text = (child.text_content or "") if child is not None else ""
    elif element.tag == "template" and element.attrs.get("shadowrootmode") == "open" and shadows < 8:
        for fragment in node.template_fragments()[:1]:
            _walk(fragment, tree, i, shadows + 1)
    return len(tree.nodes)


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
