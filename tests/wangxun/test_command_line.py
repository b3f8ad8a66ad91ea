"""The frame of the command line: versions, mistypes, settings, exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wangxun.__main__ import VERBS, main

ROOT = Path(__file__).parents[2]


def test_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; from wangxun.__main__ import main; main(['--version']);"
        "print([m for m in ('typer','pydantic','sqlalchemy','scrapy','spacy','fastapi','rich') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["wangxun 0.1.0", "[]"]


def test_overview_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb}" in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_loads_and_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_mistyped_verb_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["patrl"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "patrol" in err


def test_mistyped_option_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "check", "--all"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_codes_shape_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "check", "91110000600037341L"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "code": "91110000600037341L",
        "kind": "uscc",
        "valid": True,
        "why": None,
    }
    assert main(["codes", "check", "91110000600037341N"]) == 1
    assert "校验码应为 L" in json.loads(capsys.readouterr().out)["why"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delay = 'soon'", "delay"),
        ("dealy = 2", "dealy"),
        ("delay = [", "wangxun.toml"),
    ],
)
def test_unreadable_setting_is_one_line_naming_key_and_file(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wangxun.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANGXUN_DELAY")
    assert main(["site", "list"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert says in err
    assert "wangxun.toml" in err


def test_unknown_environment_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wangxun.settings import settings

    monkeypatch.setenv("WANGXUN_DELLAY", "1")
    settings()
    assert "WANGXUN_DELAY" in capsys.readouterr().err
