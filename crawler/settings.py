"""Scrapy settings, each with its unit and its reason. What a `CrawlPolicy` decides overrides them per patrol.

Politeness, robots, retries, redirects and scope live in crawler.politeness, crawler.scheduler and the spider, where
Scrapy and the browser share them; Scrapy's own middlewares for these are therefore off, which also saves their time.
"""

from typing import Any

BOT_NAME = "wangxun"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
USER_AGENT = "WangxunPatrol/0.1"  # product token; agency and contact come from the policy

# --- what may be reached -------------------------------------------------------------------------------------------
DNS_RESOLVER = "crawler.resolver.GuardedResolver"  # refuses private addresses however they are written
GUARD_ALLOW_PRIVATE: list[str] = []  # IP, CIDR or host; for tests and the sample market
DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "crawler.browser.handler.PatrolDownloadHandler",  # Scrapy's HTTP/1.1, or the browser when asked
    "https": "crawler.browser.handler.PatrolDownloadHandler",
    "file": None,  # on by default, and reads this machine's files
    "data": None,
    "ftp": None,
    "s3": None,
}
REMOTE_CONTROL_ENABLED = False  # on by default since 2.19: a local server that runs code sent to it
TELNETCONSOLE_ENABLED = False  # a local console into this process
HTTPPROXY_ENABLED = False  # a proxy from the environment would connect past the guard

# --- bounds --------------------------------------------------------------------------------------------------------
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # bytes, received and unpacked; the default is 1 GiB
DOWNLOAD_WARNSIZE = 0  # bytes; 0: the bound speaks for itself
DOWNLOAD_TIMEOUT = 30  # seconds for a whole exchange; the default is 180
DOWNLOAD_FAIL_ON_DATALOSS = True  # half a page would look as if the other half had been taken away
DOWNLOAD_VERIFY_CERTIFICATES = False  # reach counts; the certificate itself is kept with the page

# --- pace ----------------------------------------------------------------------------------------------------------
CONCURRENT_REQUESTS = 0  # no limit here: crawler.scheduler hands out no more than the policy allows
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # also the number of connections kept open to a host
DOWNLOAD_DELAY = 0  # seconds; the host's lane waits, for Scrapy and browser alike
DOWNLOAD_DELAY_JITTER = 0

CONCURRENT_ITEMS = 1  # workers Scrapy starts for the output of every single page; ours has none

# --- parts ---------------------------------------------------------------------------------------------------------
SCHEDULER = "crawler.scheduler.PatrolScheduler"
ROBOTSTXT_OBEY = False  # obeyed in crawler.scheduler, which knows each site's policy and 5xx
COOKIES_ENABLED = False  # a patrol sees what an unknown visitor sees
COMPRESSION_ENABLED = True
_OFF = [
    "offsite.OffsiteMiddleware",
    "robotstxt.RobotsTxtMiddleware",
    "httpauth.HttpAuthMiddleware",
    "downloadtimeout.DownloadTimeoutMiddleware",
    "defaultheaders.DefaultHeadersMiddleware",
    "useragent.UserAgentMiddleware",
    "retry.RetryMiddleware",
    "redirect.MetaRefreshMiddleware",
    "redirect.RedirectMiddleware",
    "cookies.CookiesMiddleware",
    "httpproxy.HttpProxyMiddleware",
    "stats.DownloaderStats",
    "httpcache.HttpCacheMiddleware",
]
DOWNLOADER_MIDDLEWARES: dict[str, Any] = {f"scrapy.downloadermiddlewares.{name}": None for name in _OFF}
SPIDER_MIDDLEWARES: dict[str, Any] = {
    f"scrapy.spidermiddlewares.{name}": None
    for name in (
        "start.StartSpiderMiddleware",
        "httperror.HttpErrorMiddleware",
        "referer.RefererMiddleware",
        "urllength.UrlLengthMiddleware",
        "depth.DepthMiddleware",
        "metacopy.MetaCopyDetectionMiddleware",
    )
}
EXTENSIONS: dict[str, Any] = {
    f"scrapy.extensions.{name}": None
    for name in (
        "corestats.CoreStats",
        "logcount.LogCount",
        "telnet.TelnetConsole",
        "memusage.MemoryUsage",
        "memdebug.MemoryDebugger",
        "closespider.CloseSpider",
        "feedexport.FeedExporter",
        "logstats.LogStats",
        "spiderstate.SpiderState",
        "throttle.AutoThrottle",
        "remote_control.RemoteControl",
    )
}
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
LOG_LEVEL = "INFO"
STATS_DUMP = False  # the tally is the report
