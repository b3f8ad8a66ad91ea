"""Starts the one Chromium of a process, behind the guard's proxy and with nothing of its own to say to the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Error, async_playwright

from contracts.errors import EnvironmentFault
from crawler.guard import AddressPolicy, Guard
from crawler.proxy import GuardProxy

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
FLAGS = (
    "--disable-gpu",  # no display on a server
    "--disable-quic",  # UDP would pass the proxy by
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # so would WebRTC
    "--proxy-bypass-list=<-loopback>",  # loopback too goes through the proxy
    "--no-first-run",
    "--disable-background-networking",  # its own errands would stand among the evidence
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter,DialMediaRouteProvider,Translate",
    "--no-pings",
)


@dataclass(frozen=True, slots=True)
class Launched:
    """A running browser, the proxy it goes through and the program it is."""

    browser: Browser
    proxy: GuardProxy
    program: str


def find_chromium(program: str | None = None) -> str:
    """Path of a Chromium: the one asked for, else the system's, else the one Playwright downloaded.

    Raises EnvironmentFault when `program` is none (it is never silently replaced), or none is found.
    """
    if program:
        found = shutil.which(program)
        if found is None:
            raise EnvironmentFault(
                "浏览器“{program}”不存在或不可执行", hint="改正 WANGXUN_BROWSER，或留空自动查找", program=program
            )
        return found
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    downloads = Path.home() / ".cache" / "ms-playwright"
    for own in sorted(downloads.glob("chromium-*/chrome-linux*/chrome")):
        return str(own)
    raise EnvironmentFault("没有找到 Chromium", hint="以 root 执行 apt-get install chromium，或 make setup FORCE=1")


@asynccontextmanager
async def launch(
    program: str | None = None,
    *,
    guard: Guard | None = None,
    allow_private: Sequence[str] = (),
    extra: Sequence[str] = (),
) -> AsyncIterator[Launched]:
    """`async with launch() as started: started.browser …`; ends browser and proxy on leaving, whatever happened.

    Give the patrol's `guard`, or `allow_private` for one of its own. `extra` are further flags (a capture's). Raises EnvironmentFault when the browser is
    missing or does not start.
    """
    path = find_chromium(program)
    async with GuardProxy(guard or Guard(AddressPolicy(allow_private))) as proxy, async_playwright() as playwright:
        # Chromium's sandbox needs user namespaces or a setuid program and refuses to run as root, as in most
        # containers; it is kept wherever it can be.
        sandbox = os.geteuid() != 0 and _namespaces_allowed()
        try:
            browser = await playwright.chromium.launch(
                executable_path=path,
                headless=True,
                chromium_sandbox=sandbox,
                args=[*joined((*FLAGS, *extra)), *(() if sandbox else ("--no-sandbox",))],
                proxy={"server": proxy.url, "bypass": "<-loopback>"},
                handle_sigint=False,  # the patrol ends it in its own time
                handle_sigterm=False,
                handle_sighup=False,
                timeout=60_000,
            )
        except Error as error:
            raise EnvironmentFault(
                "浏览器“{program}”无法启动：{why}", program=path, why=str(error).splitlines()[0]
            ) from error
        try:
            yield Launched(browser, proxy, path)
        finally:
            with suppress(Error):  # it had crashed: gone is gone
                await browser.close()


def joined(flags: Sequence[str]) -> list[str]:
    """The flags, each once; of several --disable-features Chromium would heed only the last, so they become one."""
    switch = "--disable-features="
    features = [name for flag in flags if flag.startswith(switch) for name in flag.removeprefix(switch).split(",")]
    kept = list(dict.fromkeys(flag for flag in flags if not flag.startswith(switch)))
    return [*kept, switch + ",".join(dict.fromkeys(features))] if features else kept


def _namespaces_allowed() -> bool:
    switch = Path("/proc/sys/kernel/unprivileged_userns_clone")
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    try:
        return (not switch.exists() or switch.read_text().strip() == "1") and (
            not restricted.exists() or restricted.read_text().strip() == "0"
        )
    except OSError:
        return False
