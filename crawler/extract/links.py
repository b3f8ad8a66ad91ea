"""Where a page leads and which pictures it shows: absolute URLs, bounded, each with its region."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin, urlsplit

from contracts.page import Link, Region
from crawler.extract.regions import Regions
from crawler.extract.tree import Tree

MAX_LINKS: Final = 3000
MAX_IMAGES: Final = 500
MAX_URL: Final = 4096

_LAZY: Final = ("data-src", "data-original", "data-lazy", "data-lazy-src", "data-ks-lazyload", "data-lazy-img", "src")
_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_SRCSET = re.compile(r"\s*(\S+)(?:\s+[\d.]+[wx])?\s*(?:,|$)")


def read_links(tree: Tree, regions: Regions, url: str) -> tuple[tuple[Link, ...], list[tuple[str, str, Region]]]:
    """Links in document order without repeats; pictures as (url, alternative text, region)."""
    nodes = tree.nodes
    base = next(
        (urljoin(url, nodes[i].attrs["href"]) for i in tree.by_tag.get("base", ()) if nodes[i].attrs.get("href")), url
    )
    links: dict[tuple[str, str], Link] = {}
    images: dict[str, tuple[str, str, Region]] = {}
    for i in tree.tagged("a", "area", "img", "source"):
        node = nodes[i]
        if node.tag in {"a", "area"}:
            target = absolute(base, node.attrs.get("href", ""))
            if target and len(links) < MAX_LINKS:
                text = tree.text(i, 120) if node.end > i + 1 else ""
                if not text:
                    text = node.attrs.get("title") or node.attrs.get("aria-label") or _alt_inside(tree, i)
                links.setdefault((target, text), Link(target, text[:120], regions.of[i]))
        elif len(images) < MAX_IMAGES:
            source = next(
                (node.attrs[a] for a in _LAZY if node.attrs.get(a) and not node.attrs[a].startswith("data:")), ""
            )
            if not source and node.attrs.get("srcset") and (match := _SRCSET.match(node.attrs["srcset"][:MAX_URL])):
                source = match[1]
            target = absolute(base, source)
            if target:
                images.setdefault(target, (target, node.attrs.get("alt", ""), regions.of[i]))
    if len(links) >= MAX_LINKS:
        tree.notes.append(f"链接过多,只读前 {MAX_LINKS} 个")
    return tuple(links.values()), list(images.values())


@lru_cache(maxsize=256)
def _origin(base: str) -> str:
    split = urlsplit(base)
    return f"{split.scheme}://{split.netloc}"


def absolute(base: str, href: str) -> str:
    """Absolute http(s) URL without its fragment; empty for anything else."""
    href = href.strip()
    if not href or len(href) > MAX_URL or href[0] == "#":
        return ""
    scheme = href[:12].lower()
    if ":" in scheme and not scheme.startswith(("http:", "https:")) and re.match(r"[a-z][a-z0-9+.-]*:", scheme):
        return ""
    try:
        if scheme.startswith("http"):
            joined = href
        elif href[0] == "/" and href[1:2] != "/" and "/." not in href:
            joined = _origin(base) + href
        else:
            joined = urljoin(base, href)
    except ValueError:
        return ""
    if not _WEB.match(joined):
        return ""
    return joined.split("#", 1)[0]


def _alt_inside(tree: Tree, i: int) -> str:
    return next(
        (n.attrs["alt"] for n in tree.nodes[i : tree.nodes[i].end] if n.tag == "img" and n.attrs.get("alt")), ""
    )
