"""文书草稿: four forms as editable .docx, prefilled, marked 草稿. An officer completes and signs them.

A bureau's own template `NAME.docx` in a folder takes precedence: fields written as {{字段}} in it are filled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from evidence.wacz import ZIP_TIME

#: File name → title.
FORMS = {
    "case-source-register": "案件来源登记表",
    "transfer-letter": "涉嫌违法线索移送单",
    "extraction-record": "电子数据提取笔录",
    "evidence-list": "证据清单",
}
Rows = Sequence[tuple[str, str]]


def make_form(
    name: str, fields: Rows, table: Sequence[Sequence[str]], at: datetime, templates: Path | None = None
) -> bytes:
    """One form. `fields` are label and value, `table` rows with the first as head. The same bytes for the same input."""
    own = templates / f"{name}.docx" if templates else None
    document = _filled(own, dict(fields)) if own and own.exists() else _plain(FORMS[name], fields, table)
    document.core_properties.created = document.core_properties.modified = at.replace(tzinfo=None)
    document.core_properties.author = document.core_properties.last_modified_by = ""
    out = io.BytesIO()
    document.save(out)
    return _stable(out.getvalue())


def _plain(title: str, fields: Rows, table: Sequence[Sequence[str]]) -> Any:
    document = Document()
    style = document.styles["Normal"]
    style.font.size = Pt(10.5)
    style.font.name = "Noto Serif CJK SC"
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    mark = document.sections[0].header.paragraphs[0].add_run("草稿 — 系统预填，须经执法人员核对、补正并签名后方可使用")
    mark.font.color.rgb = RGBColor(0xB0, 0x00, 0x20)
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = heading.add_run(title)
    run.bold, run.font.size = True, Pt(16)
    grid = document.add_table(rows=0, cols=2, style="Table Grid")
    for label, value in fields:
        cells = grid.add_row().cells
        cells[0].text, cells[1].text = label, _clean(value)
    if table:
        document.add_paragraph()
        lines = document.add_table(rows=0, cols=len(table[0]), style="Table Grid")
        for row in table:
            for cell, value in zip(lines.add_row().cells, row, strict=True):
                cell.text = _clean(value)
    document.add_paragraph()
    document.add_paragraph("执法人员签名:____________    ____________        年    月    日")
    document.add_paragraph("当事人(见证人)意见及签名:__________________        年    月    日")
    return document


def _filled(template: Path, fields: Mapping[str, str]) -> Any:
    document = Document(str(template))
    paragraphs = list(document.paragraphs)
    paragraphs += [p for table in document.tables for row in table.rows for cell in row.cells for p in cell.paragraphs]
    for paragraph in paragraphs:
        if "{{" not in paragraph.text:
            continue
        text = paragraph.text
        for label, value in fields.items():
            text = text.replace("{{" + label + "}}", _clean(value))
        paragraph.text = text
    return document


def _clean(text: str) -> str:
    """Without characters that XML 1.0 forbids: a page may hold any."""
    return "".join(
        c for c in text if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


def _stable(content: bytes) -> bytes:
    """The same zip with fixed times."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            target.writestr(info, source.read(name))
    return out.getvalue()
