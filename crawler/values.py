"""What goes in and out of a patrol: policy, page, verdict, tally, and the sink port. Frozen, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from contracts.site import Render, Site

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CrawlPolicy:
    """How a patrol behaves. A site's own `delay_s`, `render`, `robots` and `max_pages` win over these."""

    user_agent: str = "WangxunPatrol/0.1"  #: RFC 9309 product token first, then purpose and contact address
    contact: str = ""  #: mail address sent as From (RFC 9110 §10.1.2); "" sends none
    delay_s: float = 1.0  #: seconds between the end of one page request to a host and the start of the next
    jitter: float = 0.25  #: the delay is lengthened by a random share of 0 … this; never shortened
    max_pages: int | None = 2000  #: pages per site and run
    max_depth: int = 8  #: links from an entry page
    max_links_per_template: int = 1000  #: addresses per site that differ in numbers and parameter values only
    render: Render = Render.AUTO
    settle_s: float = 5.0  #: seconds a rendered page may go on loading after its document has come
    render_concurrency: int = 2  #: pages open in the browser at one time
    pages_per_context: int = 20  #: rendered pages of a site after which its browser context is thrown away
    concurrency: int = 16  #: page requests in flight over all hosts; one per host always
    timeout_s: float = 30.0  #: seconds for one page request, whole
    max_bytes: int = 32 * 1024 * 1024  #: bytes of a body, as received and as unpacked
    max_redirects: int = 10
    retries: int = 2  #: further attempts after a time-out, a broken connection, 429 or 5xx
    max_backoff_s: float = 300.0  #: longest wait for a host; a longer Retry-After ends its patrol for this run
    breaker: int = 5  #: failures of a host in a row after which it is left alone for this run
    allow_private: tuple[str, ...] = ()  #: IP, CIDR or host that the guard lets pass
    browser: str | None = None  #: Chromium program; None looks for the system's
    user_agent_browser: str = ""  #: user agent of rendered pages; "" is `user_agent`


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect answer on the way: the address asked, its status and its headers as received."""

    url: str
    status: int
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """One page as the network gave it.

    `headers` are as received, Content-Encoding included, while `body` is already unpacked. `dom` is the document
    after scripts ran, annotated by `crawler.browser.serialise`; its data-wx-* attributes are ours (a page's own are
    dropped there), so they may be believed when `rendered` is true and only then. `key` is the hexadecimal frontier
    key, the same for every spelling of the address. `render_error` is set when a browser was wanted and failed:
    the page is then the static one, to be taken as it is.
    """

    site: Site
    url: str
    final_url: str
    status: int
    headers: Headers
    body: bytes
    request_headers: Headers
    fetched_at: datetime
    key: str
    depth: int = 0
    redirects: tuple[Hop, ...] = ()
    ip: str | None = None
    rendered: bool = False
    dom: str | None = None
    not_modified: bool = False
    certificate: bytes | None = None  #: DER of the server's certificate, https without browser only; not validated
    render_error: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sink's answer to a page: absolute addresses to follow, and whether it wants the page from a browser."""

    links: tuple[str, ...] = ()
    render: bool = False


class Sink(Protocol):
    """Port: where pages go. Called on the thread that called `patrol`, one call at a time.

    Order of durability, which makes a kill lose nothing and double nothing:
      1. `page` is called; the sink works, but makes nothing durable that `known` would answer from.
      2. the frontier commits the links of the batch.
      3. `commit`: the sink makes the batch durable.
      4. the frontier marks the pages done.
    A kill between 3 and 4 is what `known` is for. A page whose verdict asked for rendering is not known until the
    second reading (or the same page with `render_error`) has come. `page` may come again for a key after a kill
    that happened before 3; the earlier call has then left no trace.
    """

    def page(self, page: FetchedPage) -> Verdict:
        """Read and record one page. Its exceptions end the patrol: what it cannot read it records as such."""

    def failed(self, site: Site, url: str, why: str) -> None:
        """The page could not be had; `why` is `cause: detail` (crawler.causes)."""

    def known(self, url_key: str) -> bool:
        """Whether the page with this key is already recorded durably in this run."""

    def validators(self, site: Site, url: str) -> tuple[str | None, str | None]:
        """(ETag, Last-Modified) of what is held of this address; (None, None) asks for the page unconditionally."""

    def commit(self) -> None:
        """Make durable all that came since the last commit."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Live figures of a running patrol; `url` is the page last delivered."""

    fetched: int
    not_modified: int
    rendered: int
    failed: int
    queued: int  #: addresses waiting, at the last count
    hosts: int  #: hosts with something waiting or under way
    seconds: float
    url: str = ""


@dataclass(slots=True)
class Tally:
    """What a patrol did. `fetched` counts pages delivered with content, a page rendered after its static reading
    once; `rendered` and `not_modified` are told apart; unchanged pages are not in `fetched`."""

    run: str
    fetched: int = 0
    not_modified: int = 0
    rendered: int = 0
    requests: int = 0  #: page requests sent, retries, redirects and renderings included, robots.txt not
    failed: list[tuple[str, str]] = field(default_factory=list)  #: (address, `cause: detail`), the first 10 000
    failures: int = 0  #: all of them
    robots_skipped: int = 0
    robots_urls: list[str] = field(default_factory=list)  #: disallowed addresses of sites whose policy is "record"
    budget_hits: dict[str, int] = field(default_factory=dict)  #: site id → addresses left because of max_pages
    trapped: int = 0  #: addresses left because of depth, template or path limits
    stopped_hosts: list[tuple[str, str]] = field(default_factory=list)  #: (host, why) left alone for this run
    seeds: int = 0
    seeds_fetched: int = 0  #: of them fetched or found unchanged, in this run, earlier sessions of it included
    resumed: int = 0  #: pages of this run that were done before this session
    left: int = 0  #: addresses still waiting in the frontier at the end
    seconds: float = 0.0
    interrupted: bool = False
