"""What is kept between processes is never stale, never trusted blindly, and never needed."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from contracts.page import Passage
from semantic_lib.cache import keep, kept, key_of
from semantic_lib.library import Library
from semantic_lib.load import ROOT, build, read_shelf
from semantic_lib.source import packed, parse_yaml, unpacked

RULE = """\
id: one-rule
title: {zh: 试验, en: Trial}
category: rep-brushing
version: 1
detect: {terms: [WORD], pattern: '代.{0,3}好评'}
examples:
  hit: [{text: WORD, span: WORD}]
  miss: [{text: 好, why: 无}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "wangxun"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "law", tmp_path / "data" / "law")
    shutil.copy(ROOT / "categories.yaml", tmp_path / "data")
    (tmp_path / "data" / "rules" / "C-reputation").mkdir(parents=True)
    write(tmp_path / "data", "真人刷单")
    return tmp_path / "data"


def write(root: Path, word: str) -> None:
    (root / "rules" / "C-reputation" / "one-rule.yaml").write_text(RULE.replace("WORD", word), encoding="utf-8")


def loaded(root: Path) -> Library:
    return build(read_shelf(root))


def quotes(known: Library, text: str) -> list[str]:
    return [f.quote for f in known.read([Passage(text)], at=date(2026, 10, 1)).findings]


def test_second_loading_parses_nothing_and_says_the_same(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = quotes(loaded(root), "真人刷单,代写好评")
    assert {path.name.split("-")[0] for path in folder.iterdir()} >= {"library"}
    monkeypatch.setattr("semantic_lib.load.parse_yaml", None)
    monkeypatch.setattr("semantic_lib.fields.facts", None)
    assert quotes(loaded(root), "真人刷单,代写好评") == first == ["真人刷单", "代写好评"]


def test_a_changed_file_is_read_again(root: Path, folder: Path) -> None:
    assert quotes(loaded(root), "真人刷单") == ["真人刷单"]
    write(root, "空包代发")
    assert quotes(loaded(root), "真人刷单") == []
    assert quotes(loaded(root), "空包代发") == ["空包代发"]


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b"0" * 64 + b'\n{"files":{},"facts":{}}'])
def test_a_spoilt_file_is_not_believed(root: Path, folder: Path, spoilt: bytes) -> None:
    loaded(root)
    for path in folder.iterdir():
        path.write_bytes(spoilt)
    assert quotes(loaded(root), "真人刷单") == ["真人刷单"]


def test_an_answer_moved_under_another_key_is_not_believed(folder: Path) -> None:
    keep("library", "a" * 40, {"x": 1})
    (folder / f"library-{'a' * 40}.json").rename(folder / f"library-{'b' * 40}.json")
    assert kept("library", "b" * 40) is None


def test_a_folder_others_may_write_to_is_not_used(folder: Path) -> None:
    keep("library", "a" * 40, 1)
    assert kept("library", "a" * 40) == 1
    folder.chmod(0o777)
    assert kept("library", "a" * 40) is None


def test_no_folder_is_no_fault(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert quotes(loaded(root), "真人刷单") == ["真人刷单"]


def test_old_answers_go(folder: Path) -> None:
    for number in range(20):
        keep("library", f"{number:040}", number)
    assert len(list(folder.iterdir())) <= 8
    assert kept("library", f"{19:040}") == 19


def test_key_is_of_names_and_contents() -> None:
    assert key_of([b"ab", b"c"]) != key_of([b"a", b"bc"])


def test_parsed_files_survive_packing() -> None:
    for path in [ROOT / "categories.yaml", *sorted((ROOT / "law").glob("*.yaml"))]:
        block = parse_yaml(path.read_bytes(), path.name)
        again = unpacked(json.loads(json.dumps(packed(block))))
        assert again == block
        assert [again.at(key) for key in again] == [block.at(key) for key in block]
        assert hashlib.sha256(repr(again).encode()).digest() == hashlib.sha256(repr(block).encode()).digest()
