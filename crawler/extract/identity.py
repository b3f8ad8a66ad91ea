"""Who answers for a page: operator, credit code, licence, ICP; the platform's own licence kept apart from the shop's.

What must be shown: 电子商务法 Art. 15, 网络交易监督管理办法 Art. 12 (see the library's law files).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from contracts.codes import USCC_SHAPE, check_uscc, repair_uscc
from contracts.page import Fact, Link, Passage, Region
from crawler.extract.words import Texts, Vocabulary, words

_COMPANY = r"[\u4e00-\u9fffA-Za-z0-9()\uff08\uff09 ·]{2,40}?(?:有限责任公司|股份有限公司|有限公司|合作社|合伙企业\s*[(\uff08]?(?:有限合伙|普通合伙)?[)\uff09]?|个体工商户|經營部|经营部|商行|工作室|商店|批发部|服务部|超市|专卖店|网店|百货店|食品店|(?<![旗舰专卖])店|厂|株式会社|Co\.?,? ?Ltd\.?|Inc\.|LLC|GmbH|Limited)"
_NAME_LABEL = re.compile(
    r"(?:企业名称|公司名称|经营者名称|经营主体|主体名称|营业执照名称|商家名称|商户名称|卖家名称|运营主体|主办单位|主办单位名称|经营者|经营者姓名|店铺主体|企業名稱|公司名稱|operator|company name|legal name|business name|"
    r"境内责任人|境内服务商)\s*[:\uff1a]\s*(.{2,60})",
    re.IGNORECASE,
)
#: A firm's name right before its code, as footers have it; a bare "名称" only when a firm's name follows.
_NAME_BEFORE_CODE = re.compile(
    rf"({_COMPANY})[\s,\uff0c\u00b7|]*(?:统一社会信用代码|統一社會信用代碼|USCC|Unified Social Credit)", re.IGNORECASE
)
_BARE_NAME = re.compile(rf"(?:^|[^\u4e00-\u9fff])(?:名\s*称|名\s*稱|店主|经营者姓名)\s*[:\uff1a|]\s*({_COMPANY})")
_ROLE_BEFORE = re.compile(r"^.{0,12}?(?:责任人|服务商|运营方|运营主体|经营者|企业名称|公司名称|名称)\s*[:\uff1a]?\s*")
_USCC_LABEL = re.compile(
    r"(?:统一社会信用代码|統一社會信用代碼|社会信用代码|信用代码|营业执照(?:注册号|号码?|编号)|执照编号|注册号|unified social credit(?: code| identifier)?|uscc|税号)\s*(?:/[^:\uff1a]{1,12})?[:\uff1a]?\s*([0-9A-Za-z][0-9A-Za-z \-]{13,24})",
    re.IGNORECASE,
)
_OTHER_18 = re.compile(r"身份证|證件號碼|证件号")
_TYPE = re.compile(r"(?:企业类型|公司类型|类型|主体类型|登记类型|经济类型)\s*[:\uff1a]\s*([^\s,\uff0c;\uff1b]{2,30})")
_ADDRESS = re.compile(
    r"(?:经营场所|經營場所|住所|经营地址|企业地址|公司地址|注册地址|联系地址|地\s*址|发货地址|registered (?:office|address)|address)\s*[:\uff1a]\s*(.{4,80})",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:电话|電話|联系方式|客服热线|热线|手机|服务热线|tel(?:ephone)?|phone|hotline)\s*[:\uff1a.]?\s*(\+?\d[\d \-()\uff08\uff09]{5,20}\d)",
    re.IGNORECASE,
)
_REPRESENTATIVE = re.compile(r"(?:法定代表人|法人代表|负责人|投资人)\s*[:\uff1a]\s*([^\s,\uff0c;\uff1b|]{2,20})")
_CAPITAL = re.compile(r"注册资本\s*[:\uff1a]\s*([^\s,\uff0c;\uff1b|]{2,30})")
_ICP = re.compile(
    r"(?<![\u4e00-\u9fff])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼港澳台滬雲遼魯蘇贛陝閩貴粵寧瓊]\s?ICP\s?(?:备|證|证|備)\s?\d{5,12}\s?号?(?:-\d{1,3})?",
    re.IGNORECASE,
)
_ICP_LOOSE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]ICP[备证]\d{5,12}号?(?:-\d{1,3})?", re.IGNORECASE
)
_TAIWAN = re.compile(r"(?:統一編號|统一编号|統編)\s*[:\uff1a]?\s*(\d{8})(?!\d)")
#: The four fixed self-declarations of those who need no registration (网络交易监督管理办法 Art. 12), by their key words.
_EXEMPT: Final = re.compile(
    r"(?:个人销售自产农副产品|销售自产农副产品|自产农副产品|家庭手工业产品|个人利用自己的技能从事依法无须取得许可的便民劳务|便民劳务活动|零星小额交易)[^。\n]{0,40}?(?:依法)?(?:不需要|无需|无须|免于|不需)(?:办理)?(?:市场主体|营业执照)?(?:登记)?|"
    r"(?:不需要|无需|无须|免于)(?:依法)?办理(?:市场主体|经营主体)?登记"
)
_LICENCE_WORDS: Final = re.compile(
    r"营业执照|營業執照|证照信息|證照|经营者信息|工商信息|企业资质|商家资质|资质信息|亮照|执照信息|business licen[cs]e|imprint|impressum",
    re.IGNORECASE,
)
_LICENCE_URL: Final = re.compile(
    r"licen[cs]e|zhizhao|yyzz|zhengzhao|zizhi|qualification|gswj|impressum|businessinfo|lz_show|ebs\.|scjgj|samr",
    re.IGNORECASE,
)
_PLATFORM: Final = re.compile(
    r"平台经营者|平台运营|平台方|本平台|平台主体|平台营业执照|网络交易平台|第三方平台|platform operator", re.IGNORECASE
)
_SHOP: Final = re.compile(r"商家|店铺|店鋪|卖家|本店|经营者|商户|seller|shop|merchant|store", re.IGNORECASE)
_NOTICE: Final = re.compile(
    r"消费者告知书|消費者告知書|跨境(?:电商|電商|电子商务)[^。\n]{0,20}(?:告知|风险|提示)|告知书|等同于境外购买|可能无中文标签"
)


def read_identity(
    passages: Sequence[Passage],
    said: Texts,
    links: Sequence[Link],
    organisations: Sequence[dict[str, Any]],
    images: Sequence[tuple[str, str, Region]],
    notes: list[str],
) -> dict[str, Fact]:
    """Facts of the operator. A code or name in a platform's footer or beside the platform's words becomes `platform_uscc`, `platform_operator`.

    `said`: the passages' texts, casefolded; `images`: (url, alternative text, region).
    """
    facts: dict[str, Fact] = {}
    _declared(organisations, facts)
    _licence(links, images, facts)
    places = set().union(*said.where(_TRIGGERS).values())
    places.update(i for i, p in enumerate(passages) if len(p.text) >= 15 and _LONG_CODE.search(p.text))
    blocks = [
        (passages[i], _speaker(passages, i))
        for i in sorted(places)
        if passages[i].region not in {Region.REVIEW, Region.QA, Region.REPLY}
    ]
    has_shop = any(who == "shop" and _has_identity(p.text) for p, who in blocks)
    for passage, who in blocks:
        text = passage.text[:3000]
        prefix = (
            "platform_"
            if who == "platform" and (has_shop or passage.region is Region.CHROME or _PLATFORM.search(text))
            else ""
        )
        _codes(text, f"dom:{passage.selector}", prefix, facts, notes)
        _words(text, f"dom:{passage.selector}", prefix, facts)
    return facts


_LONG_CODE = re.compile(r"[0-9A-Za-z]{15}")
#: One of these stands in every block that tells who answers for the page.
_TRIGGERS: Final = Vocabulary(
    words(
        "代码 代碼 执照 執照 注册 註冊 名称 名稱 经营 經營 主体 主办 责任人 公司 地址 住所 电话 電話 热线 联系方式 代表人 负责人 投资人 icp 統一編號 统一编号 統編 自产 家庭手工 便民 零星 登记 告知书 告知書 跨境 "
        "中文标签 境外 © copyright 版权 类型 operator company registered address tel phone hotline uscc"
    )
)


def _has_identity(text: str) -> bool:
    return bool(_NAME_LABEL.search(text) or _USCC_LABEL.search(text))


def _speaker(passages: Sequence[Passage], i: int) -> str:
    """Whose identity a block shows: the words beside it decide, else the region."""
    passage = passages[i]
    if passage.region is Region.CHROME or _PLATFORM.search(passage.text):
        return "platform"
    if passage.region is not Region.FOOTER:
        return "shop"
    near = " ".join(p.text[:80] for p in passages[max(0, i - 2) : i + 1])
    if _PLATFORM.search(near):
        return "platform"
    return "shop" if _SHOP.search(near) else "footer"


def _codes(text: str, source: str, prefix: str, facts: dict[str, Fact], notes: list[str]) -> None:
    name = f"{prefix}uscc"
    if name in facts and facts[name].confidence > 0.8:
        return
    for match in _USCC_LABEL.finditer(text):
        code = re.sub(r"[\s\-]", "", match[1]).upper()[:18]
        if _OTHER_18.search(text[max(0, match.start() - 12) : match.start()]):
            continue
        if len(code) == 18:
            _put_code(code, name, source, facts, notes, labelled=True)
            return
        if len(code) == 15 and code.isdigit():
            facts.setdefault(f"{prefix}registration_number", Fact(code, source, 0.8))
    for match in USCC_SHAPE.finditer(text):
        if not _OTHER_18.search(text[max(0, match.start() - 16) : match.start()]) and check_uscc(match[0]).valid:
            _put_code(match[0], name, source, facts, notes, labelled=False)
            return


def _put_code(code: str, name: str, source: str, facts: dict[str, Fact], notes: list[str], *, labelled: bool) -> None:
    check = check_uscc(code)
    if check.valid:
        facts[name] = Fact(check.code, source, 0.98 if labelled else 0.85)
        return
    if name in facts:
        return
    facts[name] = Fact(code, source, 0.6)
    notes.append(f"统一社会信用代码 {code} 校验不通过:{check.why}")
    repaired = repair_uscc(code)
    if repaired:
        notes.append(f"若有一字形近误读,应为 {repaired}")


def _words(text: str, source: str, prefix: str, facts: dict[str, Fact]) -> None:
    if match := _NAME_LABEL.search(text):
        value = re.split(r"[\n|;\uff1b]|统一社会|法定代表|注册|地址|电话|\s{2,}", match[1])[0].strip(
            " :\uff1a,\uff0c。\u3000\t"
        )
        if 2 <= len(value) <= 60:
            facts.setdefault(f"{prefix}operator", Fact(value, source, 0.9))
    if match := _ICP.search(text) or _ICP_LOOSE.search(text):
        facts.setdefault("icp", Fact("".join(match[0].split()), source, 0.95))
    for name, pattern, trust in (
        ("registration_type", _TYPE, 0.7), ("address", _ADDRESS, 0.8), ("phone", _PHONE, 0.8), ("representative", _REPRESENTATIVE, 0.8), ("capital", _CAPITAL, 0.8),
        ("tw_business_number", _TAIWAN, 0.9),
    ):  # fmt: skip
        if match := pattern.search(text):
            value = re.split(r"[\n|]|电话|邮编|\s{2,}", match[1])[0].strip(" :\uff1a,\uff0c。;\uff1b\u3000\t")
            if value and (
                name != "registration_type"
                or any(w in value for w in ("公司", "个体", "合作社", "企业", "个人", "合伙"))
            ):
                facts.setdefault(prefix + name, Fact(value, source, trust))
    if match := _EXEMPT.search(text):
        facts.setdefault("exempt_declaration", Fact(match[0], source, 0.9))
    if match := _NOTICE.search(text):
        facts.setdefault("consumer_notice", Fact(match[0], source, 0.8))
    if f"{prefix}operator" not in facts and (found := _unlabelled_name(text)):
        facts[f"{prefix}operator"] = Fact(found[0], source, found[1])


def _unlabelled_name(text: str) -> tuple[str, float] | None:
    """An operator's name told by what stands beside it: its code, its self-declaration, a copyright line. With its confidence."""
    if match := _NAME_BEFORE_CODE.search(text) or _BARE_NAME.search(text):
        return _ROLE_BEFORE.sub("", match[1]).strip(" \u00b7,\uff0c"), 0.85
    if _EXEMPT.search(text) and (match := _PERSON.search(text)):
        return match[1], 0.8
    if not any(mark in text for mark in ("©", "版权所有", "Copyright", "ICP")):
        return None
    company = re.search(_COMPANY, text[:400])
    if company is None or "公司" not in company[0]:
        return None
    name = _COPYRIGHT.sub("", company[0]).strip() or company[0].strip()
    return (name, 0.5) if len(name) > 4 else None


_PERSON = re.compile(r"(?:经营者|經營者|店主|姓名)[\s:\uff1a]{1,3}([\u4e00-\u9fff\u00b7]{2,5})(?![\u4e00-\u9fff])")
_COPYRIGHT = re.compile(r"^.*?(?:\d{4}|©|版权所有|Copyright|All Rights Reserved|[\s:\uff1a])+", re.IGNORECASE)


def _declared(organisations: Sequence[dict[str, Any]], facts: dict[str, Fact]) -> None:
    for item in organisations[:3]:
        for key, name in (("legalName", "operator"), ("taxID", "uscc"), ("identifier", "uscc"), ("telephone", "phone")):
            value = item.get(key)
            if isinstance(value, str) and value and (name != "uscc" or check_uscc(value).valid):
                facts.setdefault(name, Fact(value.strip(), "json-ld", 0.8))


#: One of these stands in all that `_LICENCE_WORDS` or `_LICENCE_URL` find.
_LICENCE_MARKS: Final = Vocabulary(
    words(
        "营业执照 營業執照 证照信息 證照 经营者信息 工商信息 企业资质 商家资质 资质信息 亮照 执照信息 imprint impressum licence license zhizhao yyzz "
        "zhengzhao zizhi qualification gswj businessinfo lz_show ebs. scjgj samr"
    )
)


def _licence(links: Sequence[Link], images: Sequence[tuple[str, str, Region]], facts: dict[str, Fact]) -> None:
    likely = [
        link
        for link in (links if _LICENCE_MARKS("\n".join([f"{n.text}\n{n.url}" for n in links]).lower()) else ())
        if link.region not in {Region.REVIEW, Region.QA}
    ]
    for link in likely:
        if _LICENCE_WORDS.search(link.text) or (len(link.text) < 12 and "license" in link.url.lower()):
            facts.setdefault("licence_url", Fact(link.url, "dom:a", 0.85))
            break
    for url, alt, region in images if _LICENCE_MARKS("\n".join([f"{u}\n{a}" for u, a, _ in images]).lower()) else ():
        if region not in {Region.REVIEW, Region.QA} and (
            _LICENCE_WORDS.search(alt) or _LICENCE_URL.search(url.rsplit("/", 1)[-1])
        ):
            facts.setdefault("licence_image", Fact(url, "dom:img", 0.8))
            facts.setdefault("licence_url", Fact(url, "dom:img", 0.6))
            break
