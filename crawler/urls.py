"""Addresses as the frontier knows them: one spelling for one page, one template for one kind of page. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import unquote_plus, urljoin, urlsplit

#: Query names that say where a visitor came from or who he is, never which page it is.
_TRACKING = re.compile(
    r"^(?:spm|scm|pvid|gclid|fbclid|msclkid|yclid|dclid|igshid|mc_cid|mc_eid|_openstat|share_token|share_from|sharefrom"
    r"|from_source|bd_vid|bxsign|utparam|ali_trackid|track_?id|click_?id|sessionid|jsessionid|phpsessid|_ga|_gl"
    r"|(?:utm|pk|mtm|spm|hm(?:sr|pl|cu|kw|ci))(?:_.*)?)$",
    re.IGNORECASE,
)
#: Longest address followed, in characters: Scrapy's own limit; longer ones are nearly always traps.
MAX_URL = 2083
#: Deepest path followed, in segments, and how often one segment may come again in it (/a/b/a/b/a/b… is a loop).
MAX_SEGMENTS, MAX_REPEATS = 16, 3
#: Endings of things that are not pages. A picture or a film is evidence's business, not the frontier's.
_NOT_PAGE = re.compile(
    r"\.(?:7z|aac|apk|avi|avif|bin|bmp|bz2|css|csv|dmg|docx?|eot|exe|flac|flv|gif|gz|heic|ico|ipa|iso|jpe?g|js|json|m3u8"
    r"|m4a|map|mkv|mov|mp[34]|mpe?g|msi|ogg|otf|pdf|png|pptx?|psd|rar|rss|svg|swf|tar|tgz|tiff?|ts|ttf|wav|web[mp]|wmv"
    r"|woff2?|xlsx?|xz|zip)$",
    re.IGNORECASE,
)
_DEFAULT_PORT = {"http": 80, "https": 443}
_LONG_HEX = re.compile(r"^(?=[^/]*\d)[0-9a-fA-F]{8,}$|^[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}$")
_DIGITS = re.compile(r"\d+")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_UNSAFE = re.compile(r"[^\x21-\x7e]")


def normalise(url: str, base: str = "") -> str | None:
    """The one spelling of `url` (absolute, or relative to `base`), or None when it is no http(s) page address.

    Scheme and host in small letters and IDNA, default port and fragment away, dot segments resolved, tracking
    parameters dropped, the others kept in their order (some shops read the first of two), blanks and non-ASCII
    percent-encoded as UTF-8.
    """
    url = url.strip()
    if not url or len(url) > MAX_URL:
        return None
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    scheme = parts.scheme
    if scheme not in _DEFAULT_PORT or not host:
        return None
    netloc = _netloc(host)
    if netloc is None:
        return None
    if port and port != _DEFAULT_PORT[scheme]:
        netloc = f"{netloc}:{port}"
    path = parts.path or "/"
    if "/." in path:
        path = urlsplit(urljoin(f"{scheme}://{netloc}", path)).path
    query = _kept(parts.query) if parts.query else ""
    rest = f"{path}?{query}" if query else path
    if _UNSAFE.search(rest):
        rest = _UNSAFE.sub(_encode, rest)
    if "%" in rest:
        rest = _PERCENT.sub(lambda m: m[0].upper(), rest)
    return f"{scheme}://{netloc}{rest}"


def _encode(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


@lru_cache(4096)
def _netloc(host: str) -> str | None:
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        return host if host and not re.search(r"[\s<>\"\\^`{|}%]", host) else None
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None


def _kept(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _TRACKING.match(pair.partition("=")[0]))


class Address(NamedTuple):
    """What the frontier needs to know of an address."""

    url: str
    key: bytes
    host: str
    template: str
    is_page: bool


@lru_cache(8192)
def address_of(url: str) -> Address | None:
    """All of it at once for an absolute address; remembered, since the pages of a site link to each other."""
    one = normalise(url)
    if one is None:
        return None
    return Address(one, key_of(one), host_of(one), template_of(one), looks_like_page(one))


def key_of(normalised: str) -> bytes:
    """16 bytes that stand for a normalised address. http and https, and a closing slash, are one page."""
    bare = normalised.partition("://")[2]
    return blake2b(bare.rstrip("/").encode(), digest_size=16).digest()


def host_of(url: str) -> str:
    """Host name without port, small letters, IPv6 without brackets: the unit of politeness. "" when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """scheme://host[:port] of a normalised address: the unit of robots.txt (RFC 9309 §2.3)."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split(r'[/?#]', rest, maxsplit=1)[0]}"


def bare_host(host: str) -> str:
    """`host` without a leading www.: the two are one site for scope."""
    return host.removeprefix("www.")


def template_of(normalised: str) -> str:
    """What a kind of page looks like: numbers and long hexadecimal ids become one sign, query values vanish.

    >>> template_of("https://s.cn/item/123.html?sku=9&ref=a")
    's.cn/item/#.html?ref&sku'
    """
    path, _, query = normalised.partition("://")[2].partition("?")
    shape = "/".join("#" if _LONG_HEX.match(part) else _DIGITS.sub("#", part) for part in path.split("/")[1:])
    names = "&".join(sorted({pair.partition("=")[0] for pair in query.split("&") if pair}))
    return f"{path.partition('/')[0]}/{shape}" + (f"?{names}" if names else "")


def looks_like_page(normalised: str) -> bool:
    """False for files that are not pages, looping paths and paths too deep to be meant for people."""
    path = unquote_plus(normalised.partition("://")[2].partition("?")[0])
    segments = path.split("/")[1:]
    if len(segments) > MAX_SEGMENTS:
        return False
    if len(segments) > MAX_REPEATS and any(segments.count(s) > MAX_REPEATS for s in set(segments) if s):
        return False
    return not _NOT_PAGE.search(path)
