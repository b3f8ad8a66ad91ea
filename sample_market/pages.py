"""Renders the market's pages. A page depends on its site, path, query and market day alone, so it can be cached and revalidated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from jinja2 import Environment, PackageLoader, select_autoescape

from contracts.clock import aware
from contracts.site import SiteKind
from sample_market.clock import instant_of
from sample_market.market import FOLDER
from sample_market.model import ListingPlan, Market, PagePlan, SitePlan, rating, review_total, shown_reviews
from sample_market.pictures import draw

PER_PAGE = 6  #: goods on one list page, so that lists have a second page
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€"}


@dataclass(frozen=True, slots=True)
class Page:
    """A response of the market. `changed` is the last market day on which the body changed."""

    status: int
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    changed: int = 1

    @property
    def etag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:20]}"'

    @property
    def last_modified(self) -> str:
        return format_datetime(aware(instant_of(self.changed)), usegmt=True)


class Shopfront:
    """Every page of every site of `market`; `base_urls` maps site ids to "http://host:port" without a slash."""

    def __init__(self, market: Market, base_urls: Mapping[str, str]) -> None:
        self._market = market
        self._urls = base_urls
        self._paths: dict[tuple[str, str], ListingPlan | PagePlan] = {}
        for listing in market.listings:
            self._paths[listing.site, listing.path] = listing
        for page in market.pages:
            self._paths[page.site, page.path] = page
        self._labels = yaml.safe_load((FOLDER / "labels.yaml").read_text("utf-8"))
        self._jinja = Environment(
            loader=PackageLoader("sample_market"),
            autoescape=select_autoescape(("html",)),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.respond = lru_cache(maxsize=4096)(self._respond)

    def _respond(self, site_id: str, target: str, day: int) -> Page:
        """The page at `target` (path and query) of a site on a market day; 404 when there is none."""
        page = self._draft(site_id, target, day)
        if day > 1 and page.status == 200:
            before = self.respond(site_id, target, day - 1)
            changed = before.changed if before.body == page.body else day
            page = Page(page.status, page.body, page.content_type, page.headers, changed)
        return page

    def _draft(self, site_id: str, target: str, day: int) -> Page:
        site = self._market.site(site_id)
        parts = urlsplit(target)
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        plan = self._paths.get((site_id, parts.path))
        if isinstance(plan, ListingPlan):
            return self._listing(site, plan, day)
        if isinstance(plan, PagePlan):
            return self._html(site, "page.html", day, page=plan.fields.on(day), title=plan.title)
        fixed = {
            "/": self._home,
            "/list": self._list,
            "/robots.txt": self._robots,
            "/sitemap.xml": self._sitemap,
            "/favicon.ico": self._favicon,
            "/goods/offline-1001": self._soft_404,
            "/member/orders": self._login,
            "/verify": self._verify,
            "/go/new": self._redirect,
        }.get(parts.path)
        if fixed:
            return fixed(site, query, day)
        return self._asset(site, parts.path, query, day)

    # --- goods -----------------------------------------------------------------------------------------------

    def _listing(self, site: SitePlan, plan: ListingPlan, day: int) -> Page:
        if site.look == "shell":
            return self._html(site, "shell.html", day, title=site.name, item_id=plan.id)
        template = {"table": "listing_table.html", "classic": "listing_classic.html"}.get(
            site.look, "listing_store.html"
        )
        item = self.item(plan, day)
        others = [o for o in self._market.listings_of(site.id) if o.id != plan.id][:4]
        return self._html(
            site,
            template,
            day,
            lang=plan.lang,
            title=item["title"],
            item=item,
            related=[self.item(o, day) for o in others],
            json_ld=_json_ld(site, item, self._urls[site.id] + plan.path),
        )

    def item(self, plan: ListingPlan, day: int) -> dict[str, Any]:
        """All that a template or the JSON interface needs of one listing on one day."""
        state = plan.fields.on(day)
        site = self._market.site(plan.site)
        common = site.fields.base.get("common", [])
        pictures = [
            {
                "src": f"/img/{plan.id}-{n}.{p.get('format', 'png')}",
                "alt": p.get("alt", ""),
                "where": p.get("where", "detail"),
            }
            for n, p in enumerate(state.get("pictures", []), 1)
        ]
        currency = plan.shared_facts["currency"]
        return {
            **_EMPTY_ITEM,
            **state,
            "id": plan.id,
            "site": plan.site,
            "path": plan.path,
            "currency": currency,
            "symbol": SYMBOLS[currency],
            "main": f"/img/{plan.id}-0.jpg",
            "pictures": pictures,
            "rating": rating(state),
            "review_total": review_total(state),
            "reviews": list(state.get("reviews", [])),
            "body": [*state.get("body", []), *(common if plan.lang == site.lang else [])],
            "reviews_shown": len(shown_reviews(state)),
            "list_price": state.get("list_price", state.get("price")),
        }

    # --- fronts and lists --------------------------------------------------------------------------------------

    def _home(self, site: SitePlan, _query: Mapping[str, str], day: int) -> Page:
        fields = site.fields.on(day)
        sections = fields.get("sections") or [{"title": None, "ids": [i.id for i in self._market.listings_of(site.id)]}]
        filled = [{**s, "items": [self.item(self._market.listing(i), day) for i in s["ids"]]} for s in sections]
        return self._html(site, "home.html", day, title=site.name, sections=filled)

    def _list(self, site: SitePlan, query: Mapping[str, str], day: int) -> Page:
        plans = self._market.listings_of(site.id)
        pages = max(1, -(-len(plans) // PER_PAGE))
        number = min(max(int(query["page"]) if query.get("page", "").isdecimal() else 1, 1), pages)
        shown = plans[(number - 1) * PER_PAGE : number * PER_PAGE]
        items = [self.item(p, day) for p in shown]
        return self._html(site, "list.html", day, title=site.name, items=items, number=number, pages=pages)

    # --- what a patrol must cope with --------------------------------------------------------------------------

    def _soft_404(self, site: SitePlan, _query: Mapping[str, str], day: int) -> Page:
        return self._html(site, "gone.html", day, title=site.name)

    def _login(self, site: SitePlan, _query: Mapping[str, str], day: int) -> Page:
        return self._html(site, "login.html", day, title=site.name)

    def _verify(self, site: SitePlan, _query: Mapping[str, str], day: int) -> Page:
        return self._html(site, "verify.html", day, title=site.name)

    def _redirect(self, site: SitePlan, _query: Mapping[str, str], _day: int) -> Page:
        newest = self._market.listings_of(site.id)
        return Page(302, b"", headers={"Location": newest[0].path if newest else "/"})

    def _robots(self, site: SitePlan, _query: Mapping[str, str], _day: int) -> Page:
        lines = ["User-agent: *", "Disallow: /cart"]
        if site.delay_s is not None:
            lines += ["Disallow: /private/", f"Crawl-delay: {site.delay_s:g}"]
        lines.append(f"Sitemap: {self._urls[site.id]}/sitemap.xml")
        return Page(200, "\n".join([*lines, ""]).encode(), "text/plain; charset=utf-8")

    def _sitemap(self, site: SitePlan, _query: Mapping[str, str], day: int) -> Page:
        paths = ["/", "/list", *(path for s, path in self._paths if s == site.id and not path.startswith("/private/"))]
        rows = "".join(
            f"<url><loc>{self._urls[site.id]}{path}</loc>"
            f"<lastmod>{instant_of(self.respond(site.id, path, day).changed).date()}</lastmod></url>\n"
            for path in paths
        )
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
        )
        return Page(200, text.encode(), "application/xml")

    def _favicon(self, site: SitePlan, _query: Mapping[str, str], _day: int) -> Page:
        return Page(200, draw({"format": "png", "size": [48, 48], "shape": "dot"}, seed=site.id), "image/png")

    # --- pictures, JSON, static files --------------------------------------------------------------------------

    def _asset(self, site: SitePlan, path: str, query: Mapping[str, str], day: int) -> Page:
        kind, _, name = path.lstrip("/").partition("/")
        if kind == "static":
            return self._static(site, name, day)
        if kind == "img":
            return self._picture(site, name, day)
        if kind == "api" and site.look == "shell":
            return self._json(site, name, query, day)
        return self._html(site, "missing.html", day, title=site.name, status=404)

    def _static(self, site: SitePlan, name: str, day: int) -> Page:
        known = {p.name: p for p in (FOLDER / "static").iterdir() if p.is_file()}
        if name not in known:
            return self._html(site, "missing.html", day, title=site.name, status=404)
        types = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
        return Page(200, known[name].read_bytes(), types[known[name].suffix])

    def _picture(self, site: SitePlan, name: str, day: int) -> Page:
        stem, _, suffix = name.rpartition(".")
        owner, _, number = stem.rpartition("-")
        spec = self._picture_spec(site, owner, number, day)
        if spec is None or suffix not in {"png", "jpg"}:
            return self._html(site, "missing.html", day, title=site.name, status=404)
        body = draw({**spec, "format": suffix}, seed=owner)
        return Page(200, body, "image/png" if suffix == "png" else "image/jpeg")

    def _picture_spec(self, site: SitePlan, owner: str, number: str, day: int) -> Mapping[str, Any] | None:
        if not number.isdecimal():
            return None
        if owner in {"hero", "licence"}:
            spec = site.fields.on(day).get(f"{owner}_picture")
            return spec if isinstance(spec, dict) else None
        plan = next((p for p in self._market.listings if p.id == owner), None)
        if plan is None:
            return None
        state = plan.fields.on(day)
        if int(number) == 0:
            return {"shape": state.get("shape", "box"), "size": [560, 560], **state.get("main_picture", {})}
        pictures = state.get("pictures", [])
        return dict(pictures[int(number) - 1]) if int(number) <= len(pictures) else None

    def _json(self, site: SitePlan, name: str, query: Mapping[str, str], day: int) -> Page:
        kind, _, rest = name.partition("/")
        plan = next((p for p in self._market.listings_of(site.id) if f"{p.id}.json" == rest), None)
        if plan is None or kind not in {"item", "reviews"}:
            return Page(404, b'{"error":"not found"}', "application/json")
        item = self.item(plan, day)
        reviews = item.pop("reviews")
        if kind == "reviews":
            value: dict[str, Any] = {"total": item["review_total"], "average": item["rating"], "list": reviews}
        else:
            if query.get("u") == "returning" and item["price_returning"]:
                item["price"] = item["price_returning"]
            value = {**item, "related": self._related(site, plan, day)}
            value.pop("price_returning")
        return Page(200, json.dumps(value, ensure_ascii=False, default=str).encode(), "application/json")

    def _related(self, site: SitePlan, plan: ListingPlan, day: int) -> list[dict[str, Any]]:
        items = [self.item(p, day) for p in self._market.listings_of(site.id) if p.id != plan.id]
        return [{k: i[k] for k in ("path", "title", "main", "symbol", "list_price")} for i in items[:4]]

    # --- the frame ---------------------------------------------------------------------------------------------

    def _html(self, site: SitePlan, template: str, day: int, *, status: int = 200, **values: Any) -> Page:
        lang = values.pop("lang", site.lang)
        platform = self._market.site(site.platform_id) if site.platform_id else None
        shop = {**_EMPTY_SHOP, **site.fields.on(day)}
        text = self._jinja.get_template(template).render(
            site=site,
            shop=shop,
            platform=platform,
            platform_shop={**_EMPTY_SHOP, **platform.fields.on(day)} if platform else None,
            is_platform=site.kind is SiteKind.PLATFORM,
            lang=lang,
            t=self._labels[lang],
            urls=self._urls,
            **values,
        )
        if site.encoding == "utf-8":
            return Page(status, text.encode())
        # As old shops do: what the code page lacks becomes a character reference; only goods pages name it in the header.
        header = f"text/html; charset={site.encoding}" if template.startswith("listing") else "text/html"
        return Page(status, text.encode(site.encoding, "xmlcharrefreplace"), header)


_EMPTY_ITEM: Mapping[str, Any] = {
    "sub": None, "badges": [], "price": None, "was": None, "was_label": None, "was_note": None, "price_note": None,
    "price_text": None, "price_returning": None, "unit": None, "coupons": [], "sold": None, "stock": None, "sku": None,
    "brand": None, "origin": None, "attrs": {}, "points": [], "body": [], "terms": [], "service": [], "options": [],
    "variants": [], "timer": None, "live": None, "qa": [], "notice": [], "consent": None, "cat": None,
}  # fmt: skip
_EMPTY_SHOP: Mapping[str, Any] = {
    "accent": "#b4232a", "slogan": "", "nav": [], "notice": [], "footer": {}, "hero": None, "hero_picture": None,
    "licence_picture": None, "markup": "none", "popup": None, "links": [],
}  # fmt: skip


def _json_ld(site: SitePlan, item: Mapping[str, Any], url: str) -> dict[str, Any]:
    product: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": item["title"],
        "url": url,
        "sku": item["sku"],
        "offers": {
            "@type": "Offer",
            "priceCurrency": item["currency"],
            "price": item["price"],
            "availability": "https://schema.org/InStock",
            "seller": {"@type": "Organization", "name": site.operator or site.name},
        },
    }
    if item["brand"]:
        product["brand"] = {"@type": "Brand", "name": item["brand"]}
    if item["rating"]:
        product["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": item["rating"],
            "reviewCount": item["review_total"],
        }
    return product
