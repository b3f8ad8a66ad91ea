"""`wangxun scan` and `wangxun rules`: shapes, bad lines, exit statuses."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from wangxun.__main__ import main


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_answers_each_line_in_the_fixed_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"id": "a", "text": "好评返现5元", "captured_at": "2025-10-14T10:00:00"},
        {"id": 2, "text": "谨防高仿包诈骗", "region": "notice"},
        {"id": 3, "text": "原价299元，现价99元", "region": "price"},
        {"id": 4, "text": "普通外套"},
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert main(["scan", str(file)]) == 0
    answers = lines(capsys.readouterr().out)
    assert [answer["id"] for answer in answers] == ["a", 2, 3, 4]
    finding = answers[0]["findings"][0]  # type: ignore[index]
    assert {"rule", "category", "severity", "confidence", "start", "end", "quote", "basis"} <= finding.keys()
    assert finding["quote"] == rows[0]["text"][finding["start"] : finding["end"]]  # type: ignore[index]
    assert {"law": "aucl-2019", "article": "8"}.items() <= finding["basis"][1].items()
    assert {"rule", "category", "quote", "why"} <= answers[1]["exempted"][0].keys()  # type: ignore[index]
    assert answers[2]["needs"][0]["needs"] == ["history:price"]  # type: ignore[index]
    assert answers[3] == {"id": 4, "findings": [], "exempted": [], "needs": []}


def test_bad_lines_are_named_and_good_ones_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b'{"id":1,"text":"a"}\nnonsense\n{"id":3}\n\xff\n[1]\n{"id":6,"text":"x","region":"attic"}\n\n{"id":8,"text":"b"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert main(["scan", "-"]) == 2
    shown = capsys.readouterr()
    assert [answer["id"] for answer in lines(shown.out)] == [1, 8]
    complaints = shown.err.splitlines()
    assert [f"第 {number} 行" in line for number, line in zip((2, 3, 4, 5, 6), complaints, strict=True)] == [True] * 5


def test_whole_text_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.txt"
    file.write_text("第一行\n本活动最终解释权归本店所有\n", encoding="utf-8")
    assert main(["scan", "--format", "text", str(file)]) == 0
    finding = lines(capsys.readouterr().out)[0]["findings"][0]  # type: ignore[index]
    assert file.read_text(encoding="utf-8")[finding["start"] : finding["end"]] == finding["quote"]


@pytest.mark.parametrize(
    "words", [["scan", "nowhere.jsonl"], ["scan", "--format", "pdf", "-"], ["rules", "show", "nothing"]]
)
def test_unusable_words_end_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1


def test_rules_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "test", "well-known-mark"]) == 0
    assert "0 处不符" in capsys.readouterr().out
    assert main(["rules", "list", "--json"]) == 0
    assert {"rule", "family", "category", "severity", "status"} <= lines(capsys.readouterr().out)[0].keys()
    assert main(["rules", "show", "well-known-mark", "--on", "2027-01-01"]) == 0
    shown = capsys.readouterr().out
    assert "2026 修订" in shown
    assert "摘要，非法条原文" in shown
    assert main(["rules", "lint", "well-known-mark"]) == 0


def test_lint_ends_1_on_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "rules" / "A-ads"
    folder.mkdir(parents=True)
    (folder / "a-b.yaml").write_text("id: a-b\ntitle: x\n", encoding="utf-8")
    assert main(["rules", "lint", "--root", str(tmp_path)]) == 1
    assert "rules/A-ads/a-b.yaml:1: " in capsys.readouterr().out
