"""The frame of the command line: versions, mistypes, settings, exit statuses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
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


def test_doctor_names_what_is_missing_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANGXUN_BROWSER", str(tmp_path / "no-browser"))
    assert main(["doctor", "--json"]) == 0
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert {
        "Python",
        "数据目录",
        "数据库",
        "浏览器",
        "中文字体",
        "时钟偏差",
        "可信时间戳",
        "签名密钥",
        "控制台前端",
    } == checks.keys()
    assert checks["浏览器"]["state"] == "limited"
    assert "WANGXUN_BROWSER" in checks["浏览器"]["do"]
    assert all(c["do"] for c in checks.values() if c["state"] != "ok")


def test_doctor_fails_on_an_unreachable_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANGXUN_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert main(["doctor"]) == 1
    assert "✗ 数据库" in capsys.readouterr().out


def test_serve_answers_and_stops(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wangxun", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout
        stop = threading.Timer(60, served.kill)  # a hanging server must not hang the tests
        stop.start()
        lines = iter(served.stdout.readline, "")
        address = next(line for line in lines if "http://" in line).split()[1]
        with urllib.request.urlopen(address + "login", timeout=30) as answer:
            assert answer.status == 200
            assert "网巡" in answer.read().decode()
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=30) in (0, 130)
        stop.cancel()


def test_serve_on_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert capsys.readouterr().err.count("\n") == 1
