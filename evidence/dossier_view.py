"""A case file as its readers see it: case.json, the report's data, the rows of the forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from contracts.clock import iso
from evidence import report
from evidence.dossier import CaseClue, CaseFile, Series, mask
from evidence.forms import Rows
from evidence.log import Checkpoint
from evidence.seal import canonical

Item = tuple[str, dict[str, Any], dict[str, bytes | Path]]  #: evidence id, manifest, files by name
_ACTS = {
    "evidence.sealed": "封存",
    "evidence.stamped": "加盖时间戳",
    "evidence.held": "留置",
    "evidence.released": "解除留置",
    "key.made": "生成签名密钥",
    "key.rotated": "更换签名密钥",
}
_SEVERITY = {"low": "提醒", "medium": "复核", "high": "调查", "critical": "当日处理"}
_DECISION = {"confirmed": "确认", "dismissed": "排除", "dispatched": "分派", "transferred": "移送", "closed": "办结"}
_YES = {True: "是", False: "否", None: "未能核查"}

README = """本证据包可离线核验,不需联网,不需本系统。

1. 一次核验全部(需 Python 3.9 以上与 openssl):
   python3 data/verify/verify.py
   另指定可信的时间戳根证书:python3 data/verify/verify.py --tsa-ca root.pem

2. 逐项核验(在证据包顶层目录执行,C=data/captures/编号):
   bagit.py --validate .
   openssl pkeyutl -verify -pubin -inkey data/certs/signing-key.pem -rawin -in $C/manifest.json -sigfile $C/manifest.sig
   openssl ts -verify -data $C/manifest.json -in $C/manifest.tsr -CAfile data/certs/tsa-chain.pem
   openssl dgst -sha256 $C/page.png      openssl dgst -sm3 $C/page.png      (与 manifest.json 所记相同)
   wacz validate -f $C/evidence.wacz     (可用 replayweb.page 回放)

说明:
· manifest.sig 为 Ed25519 签名;manifest.tsr 为 RFC 3161 时间戳应答,未取得时该文件不存在。
· custody.jsonl 每行含前一行的 SHA-256;log/proofs.json 为各日志条目在 log/checkpoint.txt 之内的 Merkle 证明(RFC 6962)。
· 网络级证据(编号以 http. 开头)的 record.warc.gz 为封存原字节;evidence.wacz 由其还原,供回放。
· 时间戳证书若已过期,openssl 需加 -attime 指定盖章时刻;verify.py 已按盖章时刻核验。
· 公钥指纹应与制作单位公布的一致:仅凭包内公钥只能证明包内前后一致。
"""


class View:
    """Everything a reader is shown, third persons masked unless told otherwise."""

    def __init__(
        self, case: CaseFile, items: list[Item], checkpoint: Checkpoint | None, at: datetime, masked: bool
    ) -> None:
        self._case = case
        self._items = items
        self._head = checkpoint
        self._at = at
        self._masked = masked
        party = case.party
        self._keep = frozenset(
            word for text in (party.contact, party.address) for word in text.replace(",", " ").split()
        )

    def _m(self, text: str) -> str:
        return mask(text, self._keep) if self._masked else text

    @property
    def _checkpoint(self) -> Checkpoint:
        """The head of the log that report and case.json name; forms need none."""
        assert self._head is not None
        return self._head

    @property
    def _unstamped(self) -> list[str]:
        return [evidence_id for evidence_id, _, files in self._items if "manifest.tsr" not in files]

    def warnings(self) -> list[str]:
        """What the cover must say."""
        out = []
        if self._unstamped:
            out.append(f"未加盖可信时间戳:{len(self._unstamped)} 份证据")
        if any(manifest.get("clock") == "模拟时间" for _, manifest, _ in self._items):
            out.append("含模拟时间下的采集,永不得作为正式证据")
        if gone := sum(
            len(m["completeness"]["images"]["missing"]) for _, m, _ in self._items if m["kind"] == "capture"
        ):
            out.append(f"{gone} 张图片未能加载,详见证据")
        return out

    # — case.json —

    def case_json(self, custody: bytes) -> bytes:
        """Facts of the case and the list of evidence; binds custody.jsonl by its last line."""
        lines = custody.splitlines()
        head = hashlib.sha256(lines[-1]).hexdigest() if lines else "0" * 64
        case = self._case
        value = {
            "case": case.case_id,
            "title": case.title,
            "unit": case.unit,
            "reason": self._m(case.reason),
            "opened_at": iso(case.opened_at) if case.opened_at else None,
            "officers": [{"name": o.name, "certificate": o.certificate, "role": o.role} for o in case.officers],
            "party": {
                "name": case.party.name,
                "uscc": case.party.uscc,
                "address": case.party.address,
                "contact": case.party.contact,
            },
            "clues": [self._clue_json(clue) for clue in case.clues],
            "captures": [evidence_id for evidence_id, _, _ in self._items],
            "history": [self._series_json(series) for series in case.history],
            "custody": {"events": len(lines), "head": head},
            "checkpoint": {"size": self._checkpoint.size, "root": self._checkpoint.root.hex(), "at": iso(self._at)},
            "third_persons": "已隐去" if self._masked else "未隐去",
            "warnings": self.warnings(),
            "notes": {key: self._m(text) for key, text in case.notes.items()},
        }
        return canonical(value)

    def _clue_json(self, clue: CaseClue) -> dict[str, Any]:
        return {
            "id": clue.id,
            "category": clue.category,
            "rule": clue.rule,
            "title": clue.title,
            "severity": clue.severity,
            "quote": self._m(clue.quote),
            "url": clue.url,
            "site": clue.site,
            "listing": clue.listing,
            "captured_at": iso(clue.captured_at),
            "evidence": list(clue.evidence),
            "why": self._m(clue.why),
            "basis": [{"law": b.law, "article": b.article, "mark": b.mark} for b in clue.basis],
            "elements": [{"name": e.name, "met": e.met, "by": self._m(e.by)} for e in clue.elements],
            "tested": [
                {"exemption": t.exemption, "title": t.title, "applies": t.applies, "why": self._m(t.why)}
                for t in clue.tested
            ],
            "decision": clue.decision,
            "decided_by": clue.decided_by,
            "decided_at": iso(clue.decided_at) if clue.decided_at else None,
            "advice": clue.advice,
        }

    def _series_json(self, series: Series) -> dict[str, Any]:
        points = [{"at": iso(p.at), "value": p.value, "evidence": p.evidence} for p in series.points]
        return {"title": series.title, "unit": series.unit, "points": points}

    # — report —

    def report(self, custody: bytes, key: str) -> dict[str, Any]:
        """What report.typ lays out: strings and lists alone."""
        case = self._case
        officers = "、".join(f"{o.name}({o.certificate or '证号未填'})" for o in case.officers)
        cover = [
            ("案件编号", case.case_id),
            ("制作单位", case.unit or "未填"),
            ("执法人员", officers or "未填"),
            (
                "当事人",
                " ".join(p for p in (case.party.name, case.party.uscc, case.party.address, case.party.contact) if p)
                or "待查",
            ),
            ("事由", self._m(case.reason) or "未填"),
            ("线索 / 证据", f"{len(case.clues)} 条 / {len(self._items)} 份"),
            ("日志检查点", f"{self._checkpoint.size} 条,{iso(self._at)},根 {self._checkpoint.root.hex()}"),
            ("签名公钥", key),
            ("第三人信息", "文书中已隐去手机号、身份证号、邮箱;原始文件未改动" if self._masked else "未隐去"),
        ]
        return {
            "case_id": case.case_id,
            "title": case.title,
            "unit": case.unit,
            "checkpoint": {"size": str(self._checkpoint.size), "at": iso(self._at)},
            "warnings": self.warnings(),
            "cover": cover,
            "clues": [self._clue_report(clue) for clue in case.clues],
            "evidence": [self._evidence_report(number, item) for number, item in enumerate(self._items)],
            "history": [self._series_report(series) for series in case.history],
            "custody": self._custody_rows(custody),
            "assessment": self.assessment(),
            "howto": [line.strip() for line in README.splitlines() if line.strip()],
        }

    def _clue_report(self, clue: CaseClue) -> dict[str, Any]:
        facts = [
            ("疑似情形", f"{clue.category} {clue.rule} {_SEVERITY.get(clue.severity, clue.severity)}"),
            ("原文", f"“{self._m(clue.quote)}”"),
            ("网址", clue.url),
            ("站点 / 商品", f"{clue.site} {clue.listing}".strip() or "—"),
            ("采集时刻", iso(clue.captured_at)),
            ("证据", "、".join(clue.evidence) or "—"),
            ("理由", self._m(clue.why) or "—"),
            (
                "处理",
                f"{_DECISION.get(clue.decision, clue.decision)} {clue.decided_by} {iso(clue.decided_at) if clue.decided_at else ''}".strip()
                or "尚未决定",
            ),
        ]
        marks = {"V": "已核原文", "S": "二手来源", "M": "待核"}
        return {
            "title": clue.title,
            "facts": facts,
            "basis": [(f"《{b.title or b.law}》", b.article, marks.get(b.mark, b.mark), b.summary) for b in clue.basis],
            "elements": [(e.name, _YES[e.met], self._m(e.by)) for e in clue.elements],
            "tested": [(t.title or t.exemption, _YES[t.applies], self._m(t.why)) for t in clue.tested],
        }

    def _evidence_report(self, number: int, item: Item) -> dict[str, Any]:
        evidence_id, manifest, files = item
        stamped = "已加盖" if "manifest.tsr" in files else "未加盖可信时间戳"
        if manifest["kind"] != "capture":
            record = json.loads(_read(files["record.json"]))
            facts = [
                ("级别", "网络级(请求与应答)"),
                ("网址", record["url"]),
                ("采集时刻", record["at"]),
                ("批次", manifest["id"]),
                ("批次封存", f"{manifest['sealed_at']}({manifest['clock']})"),
                ("时间戳", stamped),
            ]
            return {"id": evidence_id, "facts": facts, "pictures": [], "files": []}
        complete = manifest["completeness"]
        images = complete["images"]
        facts = [
            ("级别", "完整级(浏览器采集)"),
            ("网址", manifest["url"]),
            ("最终网址", manifest["final_url"]),
            ("状态", str(manifest["status"])),
            ("采集 / 封存", f"{manifest['captured_at']} / {manifest['sealed_at']}({manifest['clock']})"),
            ("时间戳", stamped),
            ("可作正式证据", "是" if manifest["formal"] else "否:" + ";".join(manifest["not_formal_because"])),
            (
                "完整性",
                f"应答 {complete['exchanges']} 个,图片 {images['shown']}/{images['total']},缺 {len(images['missing'])}",
            ),
            ("浏览器", f"{manifest['browser']} {manifest['software']}"),
        ]
        rows = [
            (name, str(entry["bytes"]), entry["sha256"], entry["sm3"])
            for name, entry in sorted(manifest["files"].items())
        ]
        pictures = [{"path": path, "caption": caption} for path, caption, _ in self._pictures_of(number, item)]
        return {"id": evidence_id, "facts": facts, "pictures": pictures, "files": rows}

    def _pictures_of(self, number: int, item: Item) -> list[tuple[str, str, Path]]:
        """Name in the report, caption, file: the hits, else the viewport."""
        _, manifest, files = item
        found = []
        for name, entry in sorted(manifest.get("files", {}).items()):
            source = files[name]
            if entry["role"] == "derived" and isinstance(source, Path):
                caption = f"{name}:标注件,原件 {entry['derived_from']}。“{self._m(entry['quote'])[:80]}”"
                found.append((f"p{number}-{name}.jpg", caption, source))
        for name in ("viewport.png", "viewport.jpg"):
            source = files.get(name, b"")
            if not found and isinstance(source, Path):
                found.append((f"p{number}-{name}.jpg", f"{name}:首屏(缩小件)", source))
        return found[:3]

    def pictures(self) -> dict[str, bytes]:
        """The report's pictures by name."""
        found = [picture for number, item in enumerate(self._items) for picture in self._pictures_of(number, item)]
        return {name: report.for_print(path) for name, _, path in found}

    def _series_report(self, series: Series) -> dict[str, Any]:
        rows = [(iso(p.at), "未再展示" if p.value is None else p.value, p.evidence or "—") for p in series.points]
        return {"title": series.title, "unit": series.unit, "rows": rows, "line": _line(series)}

    @staticmethod
    def _custody_rows(custody: bytes) -> list[tuple[str, str, str, str]]:
        rows = []
        for line in custody.splitlines():
            entry = json.loads(line)
            if entry["source"] == "log":
                event = json.loads(entry["line"])
                act = _ACTS.get(event["kind"], event["kind"])
                rows.append(
                    (
                        str(entry["n"]),
                        event["at"],
                        "系统",
                        f"{act} {event['data'].get('id', event['data'].get('key', ''))}",
                    )
                )
            else:
                rows.append((str(entry["n"]), entry["at"], entry["actor"], f"{entry['act']} {entry['detail']}".strip()))
        return rows

    def assessment(self) -> list[tuple[str, str]]:
        """Self-assessment along the questions a judge asks (electronic evidence §3), answered from the sealed facts."""
        captures = [m for _, m, _ in self._items if m["kind"] == "capture"]
        stamped = len(self._items) - len(self._unstamped)
        missing = sum(
            len(m["completeness"]["images"]["missing"]) + len(m["completeness"]["unrecorded"]) for m in captures
        )
        timed = sum(1 for m in captures if m["time_verified"])
        return [
            (
                "软硬件完整、可靠、正常运行?",
                f"{len(captures)} 份完整级证据各附 environment.json(系统、浏览器、工具版本及工具自身摘要)",
            ),
            (
                "有无防错、监测手段?",
                f"写入即取摘要;完整性检查共列出 {missing} 处缺失;采集前后校时通过 {timed}/{len(captures)}",
            ),
            ("保存、传输、提取是否完整可靠?", "逐文件 SHA-256 与 SM3;WARC 记录网络应答;保管记录逐条相接"),
            ("是否在正常业务中形成?", "各证据清单载明巡查编号或取证目的"),
            ("保存、提取主体是否适当?", f"执法人员 {len(self._case.officers)} 名见案卷;正式采集须二名并签名"),
            (
                "何时由谁生成,内容是否清楚客观?",
                f"网址、服务器时间头、时间戳({stamped}/{len(self._items)} 份已加盖);图文同次采集",
            ),
            ("存储介质与保管?", "一次写入、按摘要命名的证据库;封存、加盖、导出均入日志"),
            ("提取过程能否重现?", "process.jsonl 逐步记录动作与时刻;evidence.wacz 可离线回放"),
            ("有无增删改?", "清单签名、Merkle 日志与检查点;任何改动可被 verify.py 指出"),
            ("能否以特定方式验证?", "见第六部分;仅需 Python 与 openssl"),
        ]

    # — forms —

    def form(self, name: str) -> tuple[Rows, Sequence[Sequence[str]]]:
        """Fields and table of one form."""
        case = self._case
        officers = [f"{o.name} {o.certificate}".strip() for o in case.officers]
        head = [
            ("案件编号", case.case_id),
            ("案件名称", case.title),
            ("办案单位", case.unit),
            ("执法人员一", officers[0] if officers else ""),
            ("执法人员二", officers[1] if len(officers) > 1 else ""),
        ]
        party = [
            ("当事人", case.party.name),
            ("统一社会信用代码", case.party.uscc),
            ("住所", case.party.address),
            ("联系方式", case.party.contact),
        ]
        clues = [["序号", "疑似情形", "原文", "网址"]]
        clues += [[str(n), c.title, self._m(c.quote), c.url] for n, c in enumerate(case.clues, 1)]
        if name == "case-source-register":
            source = [
                ("案件来源", "网络交易监测发现(系统线索,经执法人员核查)"),
                ("登记时间", iso(case.opened_at) if case.opened_at else ""),
            ]
            return [
                *head,
                *source,
                *party,
                ("基本情况", self._m(case.reason)),
                ("处理意见", ""),
                ("负责人意见", ""),
            ], clues
        if name == "transfer-letter":
            return [
                *head,
                *party,
                ("移送机关", case.unit),
                ("受移送机关", ""),
                ("移送理由", self._m(case.reason)),
                ("附件", f"证据 {len(self._items)} 份,见证据清单"),
            ], clues
        if name == "evidence-list":
            rows = [["编号", "证据编号", "来源", "清单 SHA-256"]]
            rows += [
                [str(n), i, _source(m, f), hashlib.sha256(_read(f["manifest.json"])).hexdigest()]
                for n, (i, m, f) in enumerate(self._items, 1)
            ]
            return head, rows
        return self._extraction(head)

    def _extraction(self, head: list[tuple[str, str]]) -> tuple[Rows, Sequence[Sequence[str]]]:
        """电子数据提取笔录: elements as in electronic evidence E.21; the exact list of the 2024 rules is to be confirmed."""
        captures = [(i, m, f) for i, m, f in self._items if m["kind"] == "capture"]
        first = captures[0][1] if captures else {}
        fields = [
            *head,
            ("提取事由", first.get("purpose", "") or self._m(self._case.reason)),
            ("提取时间", "；".join(f"{m['captured_at']} 至 {m['sealed_at']}" for _, m, _ in captures)),
            ("提取地点", ""),
            ("设备与软件", f"{first.get('browser', '')} {first.get('software', '')}".strip()),
            ("提取对象与网址", "；".join(m["url"] for _, m, _ in captures)),
            ("提取步骤", "打开网址、滚动至页末、展开折叠内容、核对图片、截图、保存网络应答;逐步时刻见 process.jsonl"),
            ("完整性校验方法", "SHA-256 与 SM3,清单 Ed25519 签名,RFC 3161 时间戳"),
            ("异常情况", "；".join(self.warnings()) or "无"),
            ("当事人/见证人意见", ""),
        ]
        rows = [["证据编号", "文件", "字节", "SHA-256"]]
        rows += [
            [i, n, str(e["bytes"]), e["sha256"]]
            for i, m, _ in captures
            for n, e in sorted(m["files"].items())
            if e["role"] == "original"
        ]
        return fields, rows


def _source(manifest: dict[str, Any], files: dict[str, bytes | Path]) -> str:
    """Address an evidence was taken from."""
    if manifest["kind"] == "capture":
        return str(manifest["url"])
    return str(json.loads(_read(files["record.json"]))["url"])


def _read(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _line(series: Series) -> list[tuple[float, float]]:
    """Points as percentages of the chart's width and height, for values that are numbers."""
    points = []
    for point in series.points:
        try:
            points.append((point.at.timestamp(), Decimal(point.value or "")))
        except InvalidOperation:
            continue
    if len(points) < 2:
        return []
    first, last = points[0][0], points[-1][0]
    low, high = min(v for _, v in points), max(v for _, v in points)
    spread = float(high - low) or 1.0
    return [
        (round(3 + 94 * (t - first) / ((last - first) or 1), 2), round(92 - 84 * float(v - low) / spread, 2))
        for t, v in points
    ]
