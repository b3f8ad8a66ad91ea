"""Which addresses belong to which site of a patrol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from contracts.site import Site, SiteKind
from crawler.urls import bare_host, host_of, normalise

_LOGIN_PATH = re.compile(
    r"(?:^|[/._-])(?:login|signin|sign-in|passport|sso|logon|authorize)(?:$|[/._?-])", re.IGNORECASE
)


class Scope:
    """A site owns its hosts (with and without www.); a shop inside a platform owns a path on the platform's host.

    Pages outside a shop's path but on its host are the shop's when a page of the shop links to them (its goods often
    stand under /item/); links found on those are followed only back into the path.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._owners: dict[str, list[tuple[str, Site]]] = {}
        for site in sites:
            for entry in site.entry_urls:
                if url := normalise(entry):
                    self._admit(url, site)

    def _admit(self, url: str, site: Site) -> None:
        owners = self._owners.setdefault(bare_host(host_of(url)), [])
        entry = (_folder(url) if site.kind is SiteKind.SHOP else "/", site)
        if all(prefix != entry[0] or owner.id != site.id for prefix, owner in owners):
            owners.append(entry)
            owners.sort(key=lambda owner: -len(owner[0]))

    def moved(self, url: str, site: Site) -> None:
        """An entry page redirected to `url`: the site lives there now as well."""
        self._admit(url, site)

    def owner(self, url: str, found_on: str = "", found_by: Site | None = None) -> Site | None:
        """The site of this patrol that `url` belongs to, None when out of scope.

        A shop's path wins over the platform around it. Another whole site on the same host is never fed from here:
        it finds its pages by itself.
        """
        owners = self._owners.get(bare_host(host_of(url)), [])
        inside = [(prefix, site) for prefix, site in owners if _within(url, prefix)]
        shops = [(prefix, site) for prefix, site in inside if prefix != "/"]
        if shops:
            longest = [site for prefix, site in shops if prefix == shops[0][0]]
            return next((site for site in longest if found_by and site.id == found_by.id), longest[0])
        if found_by is None:
            return inside[0][1] if inside else None
        if any(site.id == found_by.id for _, site in inside):
            return found_by
        leaves = any(site.id == found_by.id and _within(found_on, prefix) for prefix, site in owners)
        return found_by if leaves else None


def _within(url: str, prefix: str) -> bool:
    path = urlsplit(url).path or "/"
    return prefix == "/" or path == prefix or path.startswith(prefix + "/")


def _folder(url: str) -> str:
    """The path a shop's entry page stands for: /shop/123 and /shop/123/index.html both give /shop/123."""
    path = urlsplit(url).path
    head, _, last = path.rpartition("/")
    folder = head if "." in last or not last else path
    return folder or "/"


def looks_like_login(url: str) -> bool:
    """Whether an address is a log-in page, by its host or path."""
    return bool(_LOGIN_PATH.search(urlsplit(url).path) or host_of(url).startswith(("login.", "passport.", "sso.")))
