"""A week in a bureau: shops, pages, findings and exemptions, written through the services that the patrol uses."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import Engine

from cases import intake, officers, registry, runs
from cases.captures import Sealed, add_evidence
from cases.db import session
from contracts.clock import iso
from contracts.finding import Basis, Detection, Element, Exempted, Finding, Method, Need, Pointer, Severity, Tested
from contracts.ids import new_id
from contracts.page import Fact, PageKind, PageReading, Passage, Rect, Region, Review
from contracts.site import Site, SiteKind, Snapshot
from evidence.vault import Vault

PASSWORD = "correct-horse-7"
HOSTILE = "<script>alert(1)</script>\u202e倒着写\u202c零\u200b宽</title><svg onload=alert(2)>"

AD_9 = Basis("广告法", "第九条第三项", "V", "中华人民共和国广告法", "广告不得使用“国家级”“最高级”“最佳”等用语。")
AD_57 = Basis("广告法", "第五十七条第一项", "V", "中华人民共和国广告法", "发布禁止情形广告的处罚。", penalty=True)
AD_17 = Basis("广告法", "第十七条", "V", "中华人民共和国广告法", "医疗、药品、医疗器械之外的广告不得涉及疾病治疗功能。")
PRICE_16 = Basis(
    "明码标价规定", "第十六条", "V", "明码标价和禁止价格欺诈规定", "折价、减价应标明或方便查询被比较价格。"
)
TERMS_26 = Basis("消费者权益保护法", "第二十六条", "V", "", "不得以格式条款排除或限制消费者权利。")
NETTRADE_12 = Basis("网络交易监督管理办法", "第十二条", "M", "", "应在首页显著位置持续公示营业执照信息。")
RETURN_7 = Basis("消费者权益保护法", "第二十五条", "V", "", "网购商品七日内可无理由退货，法定除外商品除外。")

NOT_NEGATED = Tested("negation", "否定、拒绝或警示语境", False, "句中没有否定、拒绝或提醒的词语")
NOT_QUOTED = Tested("quotation", "引用法规或规则原文", False, "前后没有“根据”“依照”等引用标志")
NOT_OWN = Tested("own-comparison", "与自家产品比较", False, "没有“本店”“上一代”等限定")
NOT_NAME = Tested("name", "品牌、机构、地名的一部分", None, "商标登记信息尚未导入，无法核对")


@dataclass(frozen=True)
class Shop:
    id: str
    name: str
    kind: SiteKind
    operator: str | None = None
    uscc: str | None = None
    area: str = "330106"


@dataclass(frozen=True)
class Goods:
    shop: Shop
    slug: str
    title: str
    body: tuple[tuple[Region, str], ...]
    claims: tuple[tuple[str, str, str, Severity, float, tuple[Basis, ...], str], ...]  #: words, rule, title, …, advice
    price: str = "199.00"
    original: str = "399.00"
    exempt: tuple[tuple[str, str], ...] = ()
    reviews: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    hidden: tuple[str, ...] = field(default=())


HEALTH = Shop("kangshou", "康寿堂健康专营店", SiteKind.SHOP, "杭州康寿堂食品有限公司", "91330106MA2KJ0UA5Y")
FLAG = Shop("youxuan", "优选家居旗舰店", SiteKind.SHOP, "宁波优选家居用品有限公司", "91330201MA2AE0000J", "330201")
BONDED = Shop("haitao", "海淘保税直供", SiteKind.SELF_BUILT, None, None, "330206")
COMPANY = Shop(
    "jinshi", "金石精密仪器官网", SiteKind.COMPANY, "浙江金石仪器股份有限公司", "91330000712345678Y", "330100"
)

GOODS = (
    Goods(
        HEALTH,
        "kudingcha",
        "苦荞麦苦瓜桑叶茶 无糖固体饮料 中老年滋补礼盒",
        (
            (Region.BADGE, "国家级非遗工艺 · 限时第2件半价"),
            (
                Region.BODY,
                "很多糖友喝过的都说好。本品精选海拔三千米黑苦荞，配伍桑叶、苦瓜、葛根，坚持饮用，三天就能治好糖尿病，不用再打胰岛素。全网销量第一，假一赔十。",
            ),
            (Region.BODY, "温馨提示：本品为普通食品，不能代替药物。"),
            (Region.NOTICE, "本店承诺绝不使用“最佳”“顶级”等广告法禁用词语，欢迎监督。"),
        ),
        (
            (
                "三天就能治好糖尿病",
                "A-FOOD-MED-01",
                "普通食品宣称治疗疾病",
                Severity.CRITICAL,
                0.96,
                (AD_17, AD_57),
                "investigate",
            ),
            ("全网销量第一", "A-ABS-07", "以“第一”排名作宣传而无出处", Severity.MEDIUM, 0.84, (AD_9, AD_57), "rectify"),
        ),
        exempt=(("绝不使用“最佳”“顶级”", "店铺公告在声明不使用这些词语，属拒绝语境"), ("不能代替药物", "法定提示语")),
        reviews=(
            "我叫王丽，电话13812345678，喝了一个月感觉还行",
            "快递很快，包装完好",
            "客服微信 wx_kangshou88，态度好",
        ),
        needs=("register:trademarks",),
    ),
    Goods(
        FLAG,
        "robot-vac",
        "扫地机器人 Pro 5 全能基站 自动洗拖一体机",
        (
            (Region.TITLE, "扫地机器人 Pro 5 全能基站 自动洗拖一体机 史上最强吸力"),
            (Region.PRICE, "限时直降 原价 3999 现价 2199 距结束 02:13:09"),
            (Region.BODY, "比我们上一代 Pro 4 更安静，是本店最安静的一款。全网最低价，买贵退差。"),
            (Region.TERMS, "本活动最终解释权归本店所有。拆封后概不退换，七天无理由退货不适用。"),
        ),
        (
            ("史上最强吸力", "A-ABS-01", "绝对化用语", Severity.HIGH, 0.91, (AD_9, AD_57), "rectify"),
            ("全网最低价", "B-LOW-02", "虚假最低价", Severity.MEDIUM, 0.88, (PRICE_16,), "rectify"),
            ("最终解释权归本店所有", "E-TERM-01", "“最终解释权”格式条款", Severity.LOW, 0.97, (TERMS_26,), "remind"),
            (
                "拆封后概不退换",
                "E-RET-01",
                "以拆封为由排除七日无理由退货",
                Severity.MEDIUM,
                0.9,
                (RETURN_7,),
                "rectify",
            ),
        ),
        price="2199.00",
        original="3999.00",
        exempt=(("本店最安静的一款", "与自家产品比较，且限定“本店”"),),
        needs=("history:price",),
    ),
    Goods(
        BONDED,
        "a2-milk",
        "澳洲直邮 A2 婴儿奶粉 3 段 900g 保税仓发货",
        (
            (Region.BADGE, "保税直供 全球首发"),
            (Region.BODY, "比母乳更好吸收，宝宝不生病的秘密。好评返现 5 元，晒图加返 3 元，联系客服领取。"),
            (Region.FOOTER, "© 海淘保税直供 版权所有"),
        ),
        (
            ("好评返现 5 元", "C-REV-03", "以返现诱导好评", Severity.MEDIUM, 0.93, (PRICE_16,), "rectify"),
            ("比母乳更好吸收", "A-FOOD-11", "婴儿食品与母乳比较", Severity.HIGH, 0.89, (AD_17,), "investigate"),
            ("© 海淘保税直供 版权所有", "F-LIC-01", "首页未公示营业执照", Severity.LOW, 0.71, (NETTRADE_12,), "remind"),
        ),
        price="268.00",
        original="398.00",
        needs=("second-capture",),
    ),
    Goods(
        COMPANY,
        "balance",
        "JS-2000 分析天平 0.1mg 万分之一 实验室精密称量",
        (
            (Region.BODY, "采用最先进的电磁力传感技术，国家级计量机构检定合格，行业唯一双通道设计。"),
            (Region.BODY, "地址：浙江省杭州市国家级经济技术开发区 6 号大街 452 号。"),
        ),
        (
            ("最先进的电磁力传感技术", "A-ABS-01", "绝对化用语", Severity.MEDIUM, 0.82, (AD_9, AD_57), "remind"),
            ("行业唯一", "A-ABS-03", "“唯一”类绝对化用语", Severity.MEDIUM, 0.79, (AD_9,), "remind"),
        ),
        price="12800.00",
        original="",
        exempt=(("国家级经济技术开发区", "行政区划与功能区名称"),),
    ),
    Goods(
        HEALTH,
        "hostile",
        HOSTILE,
        (
            (Region.TITLE, HOSTILE),
            (Region.BODY, f"全\u200b网\u200b最\u200b低 {HOSTILE} javascript:alert(3) " + "很长的描述。" * 40),
        ),
        (("全\u200b网\u200b最\u200b低", "B-LOW-02", "虚假最低价", Severity.MEDIUM, 0.66, (PRICE_16,), "rectify"),),
        hidden=("off-screen",),
    ),
)


def fill(engine: Engine, now: datetime, *, shots: dict[str, str] | None = None) -> list[str]:
    """Officers 张警官 (reviewer), 李科长 (supervisor), 王巡查 (patrol); two patrols; returns the clue ids, newest sight first.

    `shots`: goods slug → id of a full capture that the vault holds.
    """
    ids: list[str] = []
    with session(engine) as opened:
        for name, role in (("张警官", "case"), ("李科长", "supervisor"), ("王巡查", "patrol")):
            officers.create(opened, name, role, PASSWORD, at=now - timedelta(days=30))
        officers.create(opened, "宁波审核", "reviewer", PASSWORD, area="3302", at=now - timedelta(days=30))
        for shop in (HEALTH, FLAG, BONDED, COMPANY):
            url = f"http://{shop.id}.example/"
            registry.add_site(
                opened,
                Site(shop.id, shop.name, shop.kind, (url,), area=shop.area, operator=shop.operator, uscc=shop.uscc),
                at=now - timedelta(days=30),
            )
    for days, price_step in ((6, "0"), (3, "300"), (0, "0")):
        at = now - timedelta(days=days, hours=1)
        ids = _patrol(engine, at, price_step, shots or {}, last=days == 0)
    return ids


def _patrol(engine: Engine, at: datetime, step: str, shots: dict[str, str], *, last: bool) -> list[str]:
    ids: list[str] = []
    with session(engine) as opened:
        run = runs.start_run(
            opened, seeds=[f"http://{s.id}.example/" for s in (HEALTH, FLAG, BONDED)], at=at, simulated=True
        )
        for goods in GOODS:
            taken = intake.record(opened, *_snapshot(goods, at, step), run, at=at)
            ids.extend(taken.clue_ids)
            if last and goods.slug in shots:
                sealed = Sealed(
                    shots[goods.slug], "full", _url(goods), at, taken.snapshot_id, simulated=True, digest="ab" * 32
                )
                add_evidence(opened, sealed)
        runs.finish_run(
            opened,
            run,
            tallies={
                "pages": 63,
                "listings": 41,
                "snapshots": 63,
                "clues": {"new": len(ids), "seen": 0},
                "seconds": 74,
            },
            failed=[
                {"url": "http://haitao.example/goods/9", "why": "登录墙"},
                {"url": "http://haitao.example/x", "why": "HTTP 500"},
            ],
            at=at + timedelta(seconds=74),
        )
    return ids


def _url(goods: Goods) -> str:
    return f"http://{goods.shop.id}.example/goods/{goods.slug}"


def _snapshot(goods: Goods, at: datetime, step: str) -> tuple[Snapshot, Detection]:
    price = f"{float(goods.price) + float(step):.2f}"
    facts = {
        "name": Fact(goods.title, "dom:h1", 0.98),
        "price": Fact(price, "json-ld", 0.99),
        "currency": Fact("CNY", "json-ld", 0.99),
    }
    if goods.original:
        facts["original_price"] = Fact(goods.original, "dom:.was", 0.86)
    if goods.shop.operator:
        facts["operator"] = Fact(goods.shop.operator, "dom:footer", 0.9)
        facts["uscc"] = Fact(goods.shop.uscc or "", "dom:footer", 0.9)
    facts["sales_count"] = Fact("2.3万+", "dom:.sold", 0.7)
    passages = tuple(
        Passage(
            text,
            region,
            f"#p{i}",
            hidden=goods.hidden[0] if goods.hidden and i else None,
            rects=(Rect(24, 180 + 90 * i, 620, 48),),
        )
        for i, (region, text) in enumerate(((Region.TITLE, goods.title), *goods.body))
    )
    reviews = tuple(
        Review(f"r{i}", text, rating=5.0, at=at - timedelta(days=i)) for i, text in enumerate(goods.reviews)
    )
    snapshot_id = new_id(at)
    snapshot = Snapshot(
        snapshot_id,
        goods.shop.id,
        goods.shop.kind,
        _url(goods),
        at,
        PageReading(PageKind.LISTING, passages, facts, reviews, title=goods.title),
        digest="cd" * 32,
        evidence=(),
        simulated=True,
        rendered=True,
    )
    return snapshot, Detection(
        tuple(_finding(goods, passages, snapshot_id, at, claim) for claim in goods.claims),
        tuple(_exempted(passages, snapshot_id, at, *hit) for hit in goods.exempt),
        tuple(Need("B-RAISE-01", "price-raise-then-discount", (need,), "一次取证不足以判断") for need in goods.needs),
    )


_CATEGORY = {
    "A-FOOD-MED-01": "ad-medical-claim-food",
    "A-FOOD-11": "ad-false-efficacy",
    "A-ABS-01": "ad-absolute-terms",
    "A-ABS-03": "ad-absolute-terms",
    "A-ABS-07": "ad-unsupported-citation",
    "B-LOW-02": "price-false-lowest",
    "C-REV-03": "rep-incentivised-review",
    "E-TERM-01": "unfair-terms",
    "E-RET-01": "return-right-denied",
    "F-LIC-01": "licence-not-displayed",
}


def _pointer(passages: tuple[Passage, ...], words: str, snapshot_id: str, at: datetime) -> Pointer:
    index = next(i for i, p in enumerate(passages) if words in p.text)
    start = passages[index].text.index(words)
    return Pointer(
        snapshot_id,
        passages[index].region,
        passages[index].selector,
        index,
        start,
        start + len(words),
        words,
        passages[index].text[:300],
        at,
    )


def _finding(goods, passages, snapshot_id, at, claim) -> Finding:  # type: ignore[no-untyped-def]
    words, rule, title, severity, confidence, basis, advice = claim
    return Finding(
        rule,
        2,
        _CATEGORY[rule],
        severity,
        confidence,
        (_pointer(passages, words, snapshot_id, at),),
        words,
        title,
        f"“{words.replace(chr(0x200B), '')}”指向所售商品，出现在经营者自己的文字中。",
        basis,
        (
            Element("指向所推销的商品或服务", True, "与商品标题同处一个商品页"),
            Element("经营者所作宣传", True, "文字位于详情区，非消费者评价"),
            Element("足以误导消费者", None, "由审核员判断"),
            Element("有真实依据", False, "页面没有给出出处、时间与范围"),
        ),
        (NOT_NEGATED, NOT_QUOTED, NOT_OWN, NOT_NAME),
        goods.needs,
        Method.RULE,
        advice,
    )


def _exempted(passages, snapshot_id, at, words, why) -> Exempted:  # type: ignore[no-untyped-def]
    return Exempted("A-ABS-01", "ad-absolute-terms", words, why, "refusal", _pointer(passages, words, snapshot_id, at))


def photograph(vault: Vault, now: datetime) -> dict[str, str]:
    """A sealed full capture of each goods page: a drawn picture with its words, and where the hits stand on it."""
    return {goods.slug: _photograph(vault, goods, now) for goods in GOODS if goods.slug != "hostile"}


def _photograph(vault: Vault, goods: Goods, now: datetime) -> str:
    picture, rects = _drawn(goods)
    evidence_id = new_id(now)
    files = {}
    for name, body in (
        ("page.png", picture),
        ("dom.html", f"<h1>{goods.title}</h1><script>alert(1)</script>".encode()),
    ):
        files[name] = {"size": len(body), "sha256": vault.store.put(body), "sm3": "0" * 64, "role": "original"}
    manifest = {
        "kind": "capture",
        "id": evidence_id,
        "level": "full",
        "captured_at": iso(now),
        "picture": {"name": "page.png", "width": 1280, "height": 1500},
        "hits": [
            {"quote": words, "rule": rule, "rects": [list(rects[words])]}
            for words, rule, *_ in goods.claims
            if words in rects
        ],
        "not_formal_because": ["使用模拟时间,永不得作为正式证据"],
        "files": files,
    }
    vault.seal_manifest(vault.new_capture_folder(evidence_id) / "manifest.json", manifest, stamp=False)
    return evidence_id


def _drawn(goods: Goods) -> tuple[bytes, dict[str, tuple[int, int, int, int]]]:
    """PNG 1280 × 1500 and the box of each claim."""
    canvas = Image.new("RGB", (1280, 1500), "white")
    pen = ImageDraw.Draw(canvas)
    font, big = (_font(size) for size in (22, 32))
    pen.rectangle((0, 0, 1280, 72), fill="#f3f3f3")
    pen.text((40, 22), goods.shop.name, fill="#333", font=font)
    pen.rectangle((40, 110, 560, 630), fill="#e7ddc9")
    pen.ellipse((180, 230, 420, 500), fill="#c2a878")
    pen.text((600, 120), goods.title[:20], fill="#111", font=big)
    pen.text((600, 170), goods.title[20:], fill="#111", font=big)
    pen.text((600, 240), f"¥ {goods.price}", fill="#c00", font=big)
    rects = {}
    y = 320
    for _, text in goods.body:
        x = 600 if y < 640 else 40
        wide = 28 if y < 640 else 52
        for start in range(0, len(text), wide):
            part = text[start : start + wide]
            pen.text((x, y), part, fill="#222", font=font)
            for words, *_rest in goods.claims:
                if words in part:
                    left = x + pen.textlength(part[: part.index(words)], font=font)
                    rects[words] = (round(left), y, round(pen.textlength(words, font=font)), 30)
            y += 40
        y += 24
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=1)
    return out.getvalue(), rects


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for path in ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/System/Library/Fonts/PingFang.ttc"):
        if Path(path).exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)
