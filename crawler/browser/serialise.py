"""The rendered document as a string, annotated with what a person sees (serialise.js says how)."""

from __future__ import annotations

from functools import cache
from importlib import resources

from playwright.async_api import Error, Page

#: Milliseconds the script may take before the browser stops it: a hostile page must not hold a place for ever.
_TIMEOUT_MS = 10_000
#: Stands at the end of a document that was cut by its bounds on characters, nodes or depth.
TRUNCATED = "<!-- data-wx-truncated -->"


@cache
def _script() -> str:
    return resources.files("crawler.browser").joinpath("serialise.js").read_text("utf-8")


async def serialise(page: Page, *, max_chars: int = 16 * 1024 * 1024) -> str:
    """HTML of the page's document, at most `max_chars` characters.

    Evaluated in an isolated world through the debugging protocol, where the page's scripts cannot meddle.
    Raises playwright's Error when the page is gone or the script was stopped.
    """
    session = await page.context.new_cdp_session(page)
    try:
        tree = await session.send("Page.getFrameTree")
        world = await session.send(
            "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "wangxun"}
        )
        answer = await session.send(
            "Runtime.evaluate",
            {
                "expression": f"{_script()}({max_chars})",
                "contextId": world["executionContextId"],
                "returnByValue": True,
                "timeout": _TIMEOUT_MS,
            },
        )
    finally:
        await session.detach()
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        raise Error(str(details.get("exception", {}).get("description") or details.get("text")))
    value = answer["result"]["value"]
    return str(value["html"]) + (TRUNCATED if value["truncated"] else "")
