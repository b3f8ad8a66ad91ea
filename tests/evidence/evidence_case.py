"""One shop, one authority, one vault, one exported package: what the tests of this folder share."""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from local_tsa import Authority
from playwright.async_api import async_playwright
from shop_server import Shop

from contracts.clock import Clock
from contracts.finding import Basis, Element, Tested
from evidence.capture import LAUNCH_ARGS, Capture, CaptureRequest, CaptureSettings, Officer, capture_full
from evidence.dossier import CaseClue, CaseFile, CustodyEvent, Party, Point, Series
from evidence.exchange import Exchange
from evidence.vault import Vault

OFFICERS = (Officer("张三", "执法001"), Officer("李四", "执法002", "witness"))


def exchange(body: bytes, clock: Clock, *, url: str = "http://shop.test/item/1", status: int = 200) -> Exchange:
    """A fetched page as the patrol hands it over: decoded, wire headers kept."""
    answer = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Encoding", "gzip"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    )
    return Exchange(
        url=url,
        method="GET",
        request_headers=(("Accept", "*/*"), ("User-Agent", "Wangxun")),
        request_body=b"",
        status=status,
        reason="OK",
        response_headers=answer,
        response_body=body,
        at=clock.now(),
        ip="203.0.113.9",
    )


def captured(program: str, vault: Vault, clock: Clock, *urls: str, about: CaptureRequest = CaptureRequest(), settings: CaptureSettings = CaptureSettings(), flags: tuple[str, ...] = ()) -> list[Capture]:  # noqa: B008 - frozen  # fmt: skip
    """Full captures of `urls`, one browser."""

    async def go() -> list[Capture]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", *LAUNCH_ARGS, *flags]
            )
            made = [
                await capture_full(browser, url, vault=vault, clock=clock, about=about, settings=settings)
                for url in urls
            ]
            await browser.close()
            return made

    return asyncio.run(go())


@dataclass(frozen=True)
class Sealed:
    """What the session fixture made."""

    vault: Vault
    root: Path
    authority: Authority
    shop: Shop
    capture: Capture
    case: CaseFile
    package: Path
    http: tuple[str, str]  #: first record and its revisit
    second: str  #: another full capture


def case_of(full: str, second: str, http: str, clock: Clock) -> CaseFile:
    now = clock.now()
    clue = CaseClue(
        id="clue-1",
        category="A1",
        title="绝对化用语",
        severity="high",
        quote="全网销量第一 🎉 咨询 13812345678",
        url="http://shop.test/item/1",
        captured_at=now,
        evidence=(full, http),
        basis=(Basis("ad-law", "第九条", "V", "中华人民共和国广告法", "不得使用绝对化用语"),),
        elements=(Element("商业广告", True, "商品标题"),),
        tested=(Tested("self-compare", "与自身比较", False, "未见比较对象"),),
        decision="confirmed",
        decided_by="张三",
    )
    points = tuple(
        Point(now + timedelta(days=day), value, http) for day, value in enumerate(["9.90", "999.00", "9.90", None])
    )
    return CaseFile(
        "CASE-2026-0123",
        "某茶叶店涉嫌虚假宣传",
        unit="某市市场监督管理局",
        reason="监测发现;举报人 13912345678,身份证 11010519491231002X",
        opened_at=now,
        officers=OFFICERS,
        party=Party("某茶叶店", "91110000600037341L", "某路 1 号", "010-12345678"),
        clues=(clue,),
        captures=(full, second),
        history=(Series("标价", "元", points),),
        custody=(CustodyEvent(now, "张三", "确认线索", "属实"), CustodyEvent(now, "李四", "复核")),
    )


def unzip(package: Path, folder: Path) -> Path:
    """The package's top folder, unzipped."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return next(folder.iterdir())
