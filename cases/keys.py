"""What makes two things the same thing: a page's key, a listing's id, a clue's fingerprint. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from urllib.parse import parse_qsl, urlencode, urlsplit

from contracts.page import PageKind, PageReading

_TRACKING = frozenset(
    {"spm", "scm", "pvid", "gclid", "fbclid", "msclkid", "share_token", "from_source", "_ga", "track_id", "clickid"}
)


def url_key(url: str) -> str:
    """One spelling of an address: small letters in the host, sorted query without tracking names, no fragment."""
    parts = urlsplit(url)
    query = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.casefold() not in _TRACKING and not name.casefold().startswith("utm_")
    )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}" + (f"?{urlencode(query)}" if query else "")


def listing_key(url: str, reading: PageReading) -> str | None:
    """What identifies the listing within its site: its page's address; None when the page offers nothing.

    The address, not the SKU: shops show the same SKU on several pages, or change it, and the clue is about what a page offers.
    """
    return url_key(url) if reading.kind is PageKind.LISTING else None


def listing_id_of(site_id: str, url: str, reading: PageReading) -> str | None:
    """The id of the listing a page offers: always the same for the same site and address, so it is known before any row is."""
    key = listing_key(url, reading)
    return digest(site_id, key)[:32] if key else None


def normal_claim(claim: str) -> str:
    """A claim without what does not change its meaning: width, case, blanks, punctuation, invisible characters."""
    text = unicodedata.normalize("NFKC", claim).casefold()
    return "".join(char for char in text if unicodedata.category(char)[0] in "LNS")


def fingerprint(site_id: str, listing_id: str | None, rule: str, claim: str) -> str:
    """By meaning, never by position. Outside listings a site says a thing once, on however many pages it stands."""
    return digest(site_id, listing_id or "", rule, normal_claim(claim))


def digest(*parts: str) -> str:
    """SHA-256 in hexadecimal over the parts, each with its length before it."""
    told = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "replace")
        told.update(len(raw).to_bytes(8, "big") + raw)
    return told.hexdigest()
