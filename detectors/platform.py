"""平台义务: whether a platform's home page leads to its service agreement and trading rules (电子商务法 32, 33).

Names differ (规则中心, 帮助中心, 法律声明); a home page that only a browser shows whole is judged only when it was rendered.
先行赔付 is encouraged, not required, and never reported.
"""

from __future__ import annotations

import re
from datetime import datetime

from contracts.finding import Detection, Method, Registers, Tested
from contracts.page import PageKind
from contracts.site import History, SiteKind, Snapshot
from detectors.base import Bench, here

#: What must be found from the home page, by any of its usual names.
REQUIRED = {
    "平台服务协议": re.compile(
        r"服务协议|服务条款|用户协议|使用条款|會員條款|服務條款|terms of (service|use)", re.IGNORECASE
    ),
    "平台交易规则": re.compile(
        r"交易规则|平台规则|规则中心|规则与协议|交易規則|規則中心|帮助中心|法律声明|trading rules|policies",
        re.IGNORECASE,
    ),
}
EXPECTED = {
    "消费者权益保护": re.compile(r"消费者(权益)?保障|消费者权益|消費者(權益)?保護|buyer protection", re.IGNORECASE),
    "个人信息保护": re.compile(r"隐私|个人信息保护|隱私|個人資料|privacy", re.IGNORECASE),
    "知识产权保护": re.compile(r"知识产权|智慧財產|知識產權|intellectual property", re.IGNORECASE),
    "争议解决与投诉举报": re.compile(r"争议|纠纷|投诉|举报|爭議|申訴|檢舉|complaint|dispute", re.IGNORECASE),
}


class PlatformRules:
    """Detector of `platform-rules-not-published` on a platform's home page."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, snapshot: Snapshot, history: History, registers: Registers, at: datetime) -> Detection:
        reading = snapshot.reading
        if snapshot.site_kind is not SiteKind.PLATFORM or reading.kind is not PageKind.HOME or reading.obstacle:
            return Detection()
        names = [link.text for link in reading.links]
        missing = [item for item, words in REQUIRED.items() if not any(words.search(name) for name in names)]
        if not missing:
            return Detection()
        also = [item for item, words in EXPECTED.items() if not any(words.search(name) for name in names)]
        why = f"首页 {len(names)} 个链接中未见: {'、'.join(missing)}"
        if also:
            why += f"。另未见(供核对): {'、'.join(also)}"
        found = self._bench.finding(
            "platform-rules-not-published",
            "platform-rules-not-published-home",
            at=at,
            pointers=(here(snapshot),),
            claim="首页未见:" + "、".join(missing),
            why=why,
            confidence=0.65 if snapshot.rendered else 0.5,
            met={"detect": True, "page": True},
            method=Method.STRUCTURE,
            tested=(
                Tested(
                    "other-name",
                    "以其他名称公示",
                    applies=False,
                    why="已按常见名称(规则中心、帮助中心、法律声明等)逐一查找",
                ),
                Tested("app-only", "仅在应用内公示", applies=None, why="网页之外的公示无法检测"),
            ),
        )
        return Detection(findings=(found,))
