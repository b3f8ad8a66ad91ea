"""亮照: whether a home or shop page shows who answers for it, and whether the code shown can be one.

电子商务法 15, 网络交易监督管理办法 12: the identity, or a link to it, stands continuously in a prominent place of the
home page. An image, badge or link is enough; sub-pages need not repeat it; exempt persons declare so with address and
contact. A platform's own licence says nothing about the shops in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from contracts.codes import USCC_SHAPE, check_uscc, repair_uscc
from contracts.finding import Detection, Finding, Method, Need, Registers, Tested
from contracts.page import CONSUMER_VOICE, PageKind, PageReading
from contracts.site import History, SiteKind, Snapshot
from detectors.base import Bench, find, here

_SHOWN = re.compile(
    r"营业执照|營業執照|经营者信息|經營者資訊|企业信息|工商信息|工商资料|证照信息|证照公示|亮照|主体信息|電子營業執照|统一社会信用代码"
    r"|business\s+licen[cs]e|company\s+registration|imprint",
    re.IGNORECASE,
)
_EXEMPT = re.compile(r"(自产农副产品|家庭手工业|便民劳务|零星小额).{0,40}(无需|不需|依法免).{0,10}登记", re.DOTALL)
_LICENCE_PICTURE = re.compile(r"licen[cs]e|yingye|zhizhao|yyzz", re.IGNORECASE)


class Identity:
    """Detector of `licence-not-displayed` and `licence-invalid`."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, snapshot: Snapshot, history: History, registers: Registers, at: datetime) -> Detection:
        return Detection(
            findings=(*self._invalid(snapshot, registers, at), *self._missing(snapshot, at)),
            needs=tuple(self._unchecked(snapshot, registers)),
        )

    def _missing(self, snapshot: Snapshot, at: datetime) -> Iterator[Finding]:
        reading = snapshot.reading
        if not answers_for_itself(snapshot) or not (reading.lang or "zh").startswith("zh"):
            return
        if shown_by(reading):
            return
        yield self._bench.finding(
            "licence-not-displayed",
            "licence-not-displayed-home",
            at=at,
            pointers=(here(snapshot),),
            claim="首页未见主体信息",
            why="首页的文字、链接、图片说明中均未见营业执照、统一社会信用代码或其链接",
            confidence=0.6 if snapshot.rendered else 0.5,
            met={"detect": True, "page": True},
            method=Method.STRUCTURE,
            tested=(
                Tested(
                    "licence-as-picture", "以图片或链接标识公示", applies=False, why="未见指向证照的图片、标识或链接"
                ),
                Tested("exempt-person", "依法无需登记的自我声明", applies=False, why="未见自我声明"),
                Tested("app-only", "仅在应用内公示", applies=None, why="网页之外的公示无法检测"),
            ),
        )

    def _invalid(self, snapshot: Snapshot, registers: Registers, at: datetime) -> Iterator[Finding]:
        """A site shows its code once as a rule and repeats it in every footer: pages of goods are not asked again."""
        if snapshot.reading.kind in (PageKind.LISTING, PageKind.LIST):
            return
        for code in codes_of(snapshot.reading):
            check = check_uscc(code)
            if check.valid:
                continue
            repaired = repair_uscc(code)
            yield self._bench.finding(
                "licence-invalid",
                "licence-invalid-check-digit",
                at=at,
                pointers=(find(snapshot, code),),
                claim=code,
                why=f"所示统一社会信用代码 {code} 不合编码规则(GB 32100-2015): {check.why}",
                confidence=0.6 if repaired else 0.9,
                met={"detect": True, "page": True},
                method=Method.STRUCTURE,
                tested=(
                    Tested(
                        "reading-error",
                        "读取或录入差错",
                        applies=None if repaired else False,
                        why=f"改正一个易混字符即为 {repaired},须人工核对" if repaired else "逐一替换易混字符后仍不成立",
                    ),
                ),
                needs=() if registers.operator(code) is not None else ("register:operators",),
            )

    def _unchecked(self, snapshot: Snapshot, registers: Registers) -> Iterator[Need]:
        """A well-formed code still has to be somebody's, and this shop's."""
        for code in codes_of(snapshot.reading):
            if check_uscc(code).valid and answers_for_itself(snapshot) and registers.operator(code) is None:
                yield self._bench.need(
                    "licence-invalid",
                    "licence-invalid-register",
                    ("register:operators",),
                    f"{code} 编码有效,须与登记信息核对名称和状态",
                    find(snapshot, code),
                )


def answers_for_itself(snapshot: Snapshot) -> bool:
    """Whether this page is one that has to show who answers: a site's home page, or a shop's page inside a platform."""
    kind = snapshot.reading.kind
    if snapshot.status != 200 or snapshot.reading.obstacle is not None:
        return False
    return kind is PageKind.SHOP if snapshot.site_kind is SiteKind.SHOP else kind is PageKind.HOME


def shown_by(reading: PageReading) -> bool:
    """Whether anything on the page is, or leads to, the operator's identity."""
    if {"uscc", "licence_url"} & reading.facts.keys():
        return True
    if any(_SHOWN.search(link.text) or _LICENCE_PICTURE.search(link.url) for link in reading.links):
        return True
    if any(_LICENCE_PICTURE.search(url) for url in reading.images):
        return True
    return any(
        _SHOWN.search(p.text) or _EXEMPT.search(p.text) for p in reading.passages if p.region not in CONSUMER_VOICE
    )


def codes_of(reading: PageReading) -> list[str]:
    """Credit codes the page shows as its operator's, each once: the fact, and what stands behind the words 信用代码."""
    found = dict.fromkeys(filter(None, [reading.value("uscc")]))
    for passage in reading.passages:
        if passage.region in CONSUMER_VOICE or "信用代码" not in passage.text:
            continue
        found.update(dict.fromkeys(USCC_SHAPE.findall(passage.text)))
    return list(found)[:20]
