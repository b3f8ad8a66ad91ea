"""Fixtures of the evidence tests; the values they hold stand in evidence_case.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evidence_case import OFFICERS, Sealed, captured, case_of, exchange
from local_tsa import Authority
from shop_server import Shop

from contracts.clock import SystemClock
from evidence.capture import CaptureRequest, CaptureSettings, Hit
from evidence.package import export_case
from evidence.vault import Vault


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority")) as served:
        yield served


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory, authority: Authority, chromium: str) -> Iterator[Sealed]:
    root = tmp_path_factory.mktemp("sealed")
    clock = SystemClock()
    vault = Vault.open(
        root / "evidence", keys=root / "keys", clock=clock, tsa_urls=(authority.url,), tsa_ca=authority.ca
    )
    page = "<html><p>原价 999 现价 9.9</p></html>".encode() * 900
    with vault.open_run("run1", {"unit": "测试局"}) as run:
        first = run.append(exchange(page, clock))
        run.append(exchange(b"<p>other</p>", clock, url="http://shop.test/item/2"))
        run.seal()
        again = run.append(exchange(page, clock), earlier=first.evidence_id)
        run.seal()
    with Shop() as shop:
        about = CaptureRequest(
            OFFICERS, "核查绝对化用语", "CASE-2026-0123", "run1", (Hit("全网销量第一"), Hit("页面上没有的话"))
        )
        capture, second = captured(
            chromium,
            vault,
            clock,
            shop.url("/start"),
            shop.url("/plain"),
            about=about,
            settings=CaptureSettings(pdf=True),
        )
        case = case_of(capture.evidence_id, second.evidence_id, again.evidence_id, clock)
        package = export_case(case, vault=vault, out_dir=root / "out")
        yield Sealed(
            vault,
            root,
            authority,
            shop,
            capture,
            case,
            package,
            (first.evidence_id, again.evidence_id),
            second.evidence_id,
        )
