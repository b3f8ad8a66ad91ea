"""One clue as a sheet of text: what was said, which norm, what was excluded, what is missing, what proves it."""

from __future__ import annotations

from collections.abc import Iterator

from cases.detail import ClueDetail
from cases.masking import mask
from contracts.clock import iso
from contracts.page import Region
from semantic_lib.law import SUMMARY_LABEL

SEVERITIES = {"low": "低", "medium": "中", "high": "高", "critical": "危急"}
ANSWERS = {True: "适用", False: "不适用", None: "未能检验"}
MARKS = {True: "✓", False: "○", None: "?"}


def sheet(detail: ClueDetail) -> str:
    return "\n".join(lines(detail))


def lines(d: ClueDetail) -> Iterator[str]:
    region = Region(d.region) if d.region else None
    yield f"线索 {d.id}  [{SEVERITIES[d.severity]}] {d.title}({d.category})  状态 {d.state}  见 {d.seen} 次  分值 {d.score:.2f}"
    yield f"疑似: {mask(d.quote, region=region).text or '(页面缺少应有内容)'}"
    if d.context and d.context != d.quote:
        yield f"上下文: {mask(d.context, region=region).text[:300]}"
    yield f"位置: {d.region or '整页'}  {d.url}"
    yield f"商品: {d.listing_title or '-'}   网站: {d.site_name}   采集: {iso(d.captured_at)}"
    yield f"主体: {d.operator or '页面未公示'}  代码: {d.uscc or '页面未公示'}  管辖: {d.jurisdiction or '待定'}({d.jurisdiction_reason})"
    yield f"理由: {d.finding.why}"
    for basis in d.finding.basis:
        doubt = "" if basis.mark == "V" else f"[核实程度 {basis.mark}]"
        yield f"依据: {basis.title or basis.law} 第{basis.article}条{'(罚则)' if basis.penalty else ''}{doubt} {SUMMARY_LABEL}: {basis.summary}"
    for element in d.finding.elements:
        yield f"要件 {MARKS[element.met]} {element.name}: {element.by}"
    for tested in d.finding.tested:
        yield f"已排除 {ANSWERS[tested.applies]}: {tested.title}{' — ' + tested.why if tested.why else ''}"
    for hit in d.exempted:
        yield f"同页豁免: “{hit.quote[:60]}” — {hit.why}"
    if d.needs:
        yield f"还缺: {'、'.join(d.needs)}"
    for exhibit in d.evidence:
        yield f"证据: {exhibit.id}  {exhibit.level}  时间戳 {exhibit.timestamp_state}"
