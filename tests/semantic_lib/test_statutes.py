"""The bureau's own copy of statutes: what is kept, what is refused and where, and what the officer then sees."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from contracts.errors import InputError
from semantic_lib.load import library
from semantic_lib.statutes import FILE, Statutes, read_statutes
from wangxun.__main__ import VERBS, main


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from wangxun.settings import settings

    monkeypatch.setenv("WANGXUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setitem(VERBS, "law", ("wangxun.cli.law", "app", "law"))
    settings.cache_clear()
    yield tmp_path / "data"
    settings.cache_clear()


def test_csv_is_kept_and_bad_rows_are_named(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.csv"
    file.write_text(
        "law,article,text,from,to\n"
        "aucl-2025,9,本单位文本甲,2025-10-15,\n"
        "nothing-1,1,无此法,,\n"
        "aucl-2025,,没有条号,,\n"
        "aucl-2025,25,本单位文本乙,15/10/2025,\n",
        encoding="utf-8",
    )
    assert main(["law", "import", str(file)]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"imported": 1, "bad": 3}
    complaints = shown.err.splitlines()
    assert [f"own.csv:{line}: " in text for line, text in zip((3, 4, 5), complaints, strict=True)] == [True] * 3
    own = Statutes.of(data_dir)
    assert own.wording("aucl-2025", "9", date(2026, 1, 1)) == "本单位文本甲"
    assert own.wording("aucl-2025", "9", date(2025, 10, 14)) is None
    assert main(["law", "list"]) == 0
    assert "已导入 1 条" in capsys.readouterr().out


def test_officer_sees_the_wording_beside_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = library()
    rule = next(r for r in known.rules.values() if known.law.resolve(r.basis, date(2026, 10, 1)))
    basis = known.law.resolve(rule.basis, date(2026, 10, 1))[0]
    rows = [{"law": basis.law, "article": basis.article, "text": "本单位导入的原文"}]
    (tmp_path / "own.json").write_text(json.dumps(rows), encoding="utf-8")
    assert main(["rules", "show", rule.id, "--on", "2026-10-01"]) == 0
    assert "本单位导入的原文" not in capsys.readouterr().out
    assert main(["law", "import", str(tmp_path / "own.json")]) == 0
    assert main(["rules", "show", rule.id, "--on", "2026-10-01"]) == 0
    shown = capsys.readouterr().out
    assert "本单位导入的原文" in shown
    assert basis.summary in shown


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("articles:\n  - {law: aucl-2025, article: 9, text: 甲, from: 2025-10-15}\n  - 3\n")
    (tmp_path / "b.jsonl").write_text('{"law":"aucl-2019","article":"8","text":"乙"}\n{bad\n', encoding="utf-8")
    (tmp_path / "c.csv").write_bytes(b"\xff\xfe")
    (tmp_path / "d.txt").write_text("ignored")
    rows, problems = read_statutes(tmp_path, library().law)
    assert [(row.law, row.article, row.since) for row in rows] == [
        ("aucl-2025", "9", date(2025, 10, 15)),
        ("aucl-2019", "8", None),
    ]
    assert [(p.file, p.line) for p in problems] == [("a.yaml", 3), ("b.jsonl", 2), ("c.csv", 1)]


def test_newer_import_replaces_and_damage_is_told(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    for text in ("旧", "新"):
        file.write_text(json.dumps({"law": "aucl-2025", "article": "9", "text": text}), encoding="utf-8")
        assert main(["law", "import", str(file)]) == 0
    assert len(Statutes.of(data_dir)) == 1
    assert Statutes.of(data_dir).wording("aucl-2025", "9(1)", date(2026, 1, 1)) == "新"
    (data_dir / FILE).write_text("{")
    with pytest.raises(InputError):
        Statutes.of(data_dir)


def test_nothing_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["law", "import", str(tmp_path / "none")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
