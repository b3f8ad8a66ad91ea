"""Scrapy's download handler of a patrol: its own HTTP/1.1, or the browser for requests that want a rendering."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response

from crawler.politeness import Task

if TYPE_CHECKING:
    from crawler.browser.render import Renderer

#: Seconds a connection to a host is kept for its next request; a patrol of a thousand hosts would run out of files.
_KEEP_OPEN_S = 15


class PatrolDownloadHandler(HTTP11DownloadHandler):
    """Only Scrapy's default handler goes through DNS_RESOLVER; the browser goes through the guard's proxy."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.cachedConnectionTimeout = _KEEP_OPEN_S

    async def download_request(self, request: Request) -> Response:
        task: Task | None = request.meta.get("task")
        spider: Any = self._crawler.spider
        if task is None:
            return await super().download_request(request)
        work = asyncio.ensure_future(
            self._rendered(spider.renderer, request, task) if task.render else super().download_request(request)
        )
        spider.under_way.add(work)
        try:
            response = await work
        except asyncio.CancelledError:
            raise DownloadCancelledError("the patrol ends") from None
        finally:
            spider.under_way.discard(work)
        if response.headers.get("Content-Encoding"):
            from crawler.spiders.patrol import pairs

            request.meta["received"] = pairs(response.headers)  # before Scrapy unpacks the body and drops the field
        return response

    async def _rendered(self, renderer: Renderer, request: Request, task: Task) -> Response:
        rendering = await renderer.render(task.url, context=task.site.id)
        request.meta["rendering"] = rendering
        return Response(rendering.url, status=rendering.status, request=request)
