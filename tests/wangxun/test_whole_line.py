"""The whole line through its commands: register, patrol, judge, open a case, export, verify. Real pages, database and files."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sample_market.server import MarketServer
from wangxun.__main__ import main
from wangxun.settings import settings

OFFICER = "王审核"
CLUE_KEYS = {
    "id", "category", "rule", "severity", "score", "state", "site", "url", "listing", "quote", "captured_at", "evidence",
    "operator", "uscc", "jurisdiction", "seen", "needs",
}  # fmt: skip


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServer]:
    with MarketServer(day=1) as served:
        yield served


class Desk:
    """Runs commands in this process and reads what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *words: str, status: int = 0) -> str:
        found = main(list(words))
        out, err = self._capsys.readouterr()
        assert found == status, err
        self.err = err
        return out

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.run(*words, status=status))

    def lines(self, *words: str) -> list[Any]:
        return [json.loads(line) for line in self.run(*words).splitlines()]


@pytest.fixture
def desk(market: MarketServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.setenv("WANGXUN_ALLOW_PRIVATE", market.allow_private)
    settings.cache_clear()
    made = Desk(capsys)
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    made.run("user", "add", OFFICER, "--role", "supervisor", "--password-stdin")
    return made


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(data / "wangxun.db") as database:
        return database.execute(query).fetchall()


def test_from_site_to_verified_package(desk: Desk, market: MarketServer, tmp_path: Path) -> None:
    site = desk.json(
        "site",
        "add",
        market.base_urls["nanyu"] + "/",
        "--name",
        "南屿旧物铺",
        "--id",
        "nanyu",
        "--area",
        "460100",
        "--delay",
        "0.01",
    )
    assert site["id"] == "nanyu"
    assert [s["name"] for s in desk.lines("site", "list", "--json")] == ["南屿旧物铺"]

    report = desk.json("patrol", "--site", "nanyu", "--render", "never", "--json")
    assert {"run", "pages", "listings", "snapshots", "clues", "failed", "seconds"} <= report.keys()
    planted = [item for item in market.market.listings if item.site == "nanyu"]
    assert report["listings"] == len(planted)
    assert report["snapshots"] == report["pages"]
    assert report["failed"] == []
    assert report["clues"]["new"] > 0

    clues = desk.lines("clues", "list", "--json")
    assert all(clue.keys() >= CLUE_KEYS for clue in clues)
    ivory = next(c for c in clues if c["url"].endswith(market.market.listing("ny-ivory").path))
    assert ivory["category"] == "goods-prohibited"
    assert ivory["state"] == "new"
    assert ivory["evidence"]
    shown = desk.json("clues", "show", ivory["id"], "--json")
    assert set(shown["parts"]) == {
        "subject",
        "object",
        "act",
        "norm",
        "exemptions",
        "evidence",
        "jurisdiction",
        "handling",
    }
    assert "摘要，非法条原文" in desk.run("clues", "show", ivory["id"])

    desk.run("clues", "decide", ivory["id"], "立案", status=2)  # nobody named
    assert "--as" in desk.err
    done = desk.json("clues", "decide", ivory["id"], "立案", "--as", OFFICER)
    assert done["clues"] == [ivory["id"]]
    assert ivory["id"] not in {c["id"] for c in desk.lines("clues", "list", "--json")}

    case = desk.json("case", "open", ivory["id"])["case"]
    package = Path(desk.json("case", "export", case, "-o", str(tmp_path / "out"))["package"])
    assert package == tmp_path / "out" / f"{case}.zip"
    desk.run("verify", str(package))
    desk.run("verify", str(package), "--require-timestamp", status=1)
    whole = bytearray(package.read_bytes())
    whole[len(whole) // 2] ^= 1
    package.write_bytes(whole)
    desk.run("verify", str(package), status=1)
    desk.run("verify", "--all")


def test_second_patrol_counts_again_and_keeps_little(desk: Desk, market: MarketServer, own_settings: Path) -> None:
    url = market.base_urls["nanyu"] + "/"
    first = desk.json("patrol", url, "--render", "never", "--json")
    again = desk.json("patrol", url, "--render", "never", "--json")
    assert again["run"] != first["run"]
    assert again["pages"] == first["pages"]
    assert again["unchanged"] > 0
    assert again["clues"]["new"] == 0
    assert again["clues"]["seen"] == first["clues"]["new"] + first["clues"]["seen"]
    assert {seen for (seen,) in rows(own_settings / "data", "select seen from clue")} >= {2}


@pytest.mark.browser
def test_pages_with_a_clue_get_their_picture(desk: Desk, market: MarketServer, chromium: str) -> None:
    found = desk.json("patrol", market.url_of("ny-ivory"), "--max-pages", "1", "--json")
    assert found["pictures"] == {"taken": 1, "failed": 0, "left": 0}
    clue = desk.lines("clues", "list", "--json")[0]
    assert {e.split(".")[0] == "http" for e in clue["evidence"]} == {True, False}
    taken = desk.json("capture", market.url_of("ny-radio"), "--as", OFFICER, "--json")
    assert taken["level"] == "full"
    assert taken["timestamp"] == "pending"
    case = desk.json("case", "open", taken["evidence"], "--as", OFFICER)["case"]
    assert case


@pytest.mark.browser
def test_script_built_shop_is_rendered_where_needed(desk: Desk, market: MarketServer, chromium: str) -> None:
    listing = market.market.listing("dx-cable")
    found = desk.json("patrol", market.url_of(listing.id), "--max-pages", "1", "--json")
    assert found["rendered"] == 1
    assert found["listings"] == 1


def test_mistakes_are_one_line_and_exit_2(desk: Desk, market: MarketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (
        ["patrol"],
        ["patrol", "not a url"],
        ["patrol", "http://127.0.0.1:9/"],
        ["patrol", "http://no-such-host.invalid/"],
        ["patrol", "--site", "nobody"],
        ["patrol", market.base_urls["nanyu"], "--render", "sometimes"],
        ["clues", "show", "0" * 32],
        ["clues", "decide", "0" * 32, "立案", "--as", OFFICER],
        ["case", "export", "0" * 32, "-o", "."],
        ["capture", "file:///etc/hostname"],
        ["site", "import", "missing.csv"],
        ["verify", "missing.zip"],
        ["user", "add", "李四", "--role", "king", "--password-stdin"],
    ):
        desk.run(*words, status=2)
        assert desk.err.count("\n") == 1, (words, desk.err)
        assert "Traceback" not in desk.err


def patrolling(market: MarketServer, data: Path, *words: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "WANGXUN_DATA_DIR": str(data),
        "WANGXUN_ALLOW_PRIVATE": market.allow_private,
        "WANGXUN_DELAY": "0.1",
    }
    command = [sys.executable, "-m", "wangxun", "patrol", market.base_urls["nanyu"] + "/", "--render", "never", *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_pages(market: MarketServer, since: int, count: int) -> None:
    for _ in range(600):
        if sum(entry.path != "/robots.txt" for entry in market.access_log[since:]) >= count:
            return
        time.sleep(0.05)
    pytest.fail("the patrol asked for no pages")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_patrol_says_what_it_kept_and_resumes(
    number: signal.Signals, market: MarketServer, tmp_path: Path, desk: Desk
) -> None:
    data = tmp_path / "data2"
    since = len(market.access_log)
    first = patrolling(market, data)
    wait_for_pages(market, since, 4)
    first.send_signal(number)
    _, err = first.communicate(timeout=60)
    if number is signal.SIGINT:
        assert first.returncode == 130
        kept = re.search(r"保留 (\d+) 页", err)
        assert kept
        assert int(kept[1]) == rows(data, "select count(*) from snapshot")[0][0] > 0
    second = patrolling(market, data, "--json")
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    report = json.loads(out)
    assert len({run for (run,) in rows(data, "select run_id from snapshot")}) == 1
    whole = desk.json("patrol", market.base_urls["nanyu"] + "/", "--render", "never", "--json")
    assert rows(data, "select count(*) from snapshot")[0][0] == whole["snapshots"]
    assert rows(data, "select count(*), count(distinct url_key) from snapshot") == [(whole["snapshots"],) * 2]
    assert rows(data, "select count(*) from clue where live")[0][0] == whole["clues"]["new"]
    assert {seen for (seen,) in rows(data, "select seen from clue")} <= {1, 2}
    assert report["resumed"] + report["pages"] >= whole["pages"]


def test_full_disk_is_one_line_and_leaves_nothing_half_written(market: MarketServer, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        run = patrolling(market, disk / "data")
        _, err = run.communicate(timeout=120)
        assert run.returncode == 2
        assert "磁盘" in err
        assert "Traceback" not in err
        assert len([line for line in err.splitlines() if line.strip()]) == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)
