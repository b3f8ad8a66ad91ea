"""`wangxun site try`: what one page says, beside where it was read; nothing is recorded."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from sample_market.server import MarketServer
from wangxun.__main__ import main


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WANGXUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANGXUN_ALLOW_PRIVATE", "127.0.0.0/8")
    monkeypatch.setenv("WANGXUN_DELAY", "0")
    return tmp_path


def test_a_saved_page_with_a_profile_of_ones_own(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, profile = desk / "p.html", desk / "p.yaml"
    page.write_text("<h1>茶杯</h1><b class=k>¥12.50</b><span>¥99</span><button>立即购买</button>", "utf-8")
    profile.write_text(
        "id: mine\nstatus: tested\nfacts: {price: ['b.k']}\nreviews: {pages: 3, next: a.next}\n", "utf-8"
    )
    address = "https://a.example/item/1.html"
    assert main(["site", "try", address, "--file", str(page), "--profile", str(profile)]) == 0
    out = capsys.readouterr().out
    assert "profile:mine" in out
    assert "12.5" in out
    assert "评价最多翻 3 页" in out
    assert main(["site", "try", address, "--file", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["profile"], told["name"]) == ("listing", None, "茶杯")
    assert not (desk / "data").exists()


def test_wrong_words_end_in_one_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = desk / "p.html"
    page.write_text("<p>x</p>", "utf-8")
    broken = desk / "b.yaml"
    broken.write_text("id: b\nstatus: tested\nfacts: {price: ['a:hover']}\n", "utf-8")
    for words in (["--profile", "none-such"], ["--profile", str(broken)]):
        assert main(["site", "try", "https://a.example/", "--file", str(page), *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["site", "try", "https://a.example/", "--file", str(desk / "gone.html")]) == 2
    assert main(["site", "try", "ftp://a.example/"]) == 2


def test_a_page_of_the_sample_market(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MarketServer(day=1) as market:
        listing = market.market.listings[0]
        address = market.base_urls[listing.site] + listing.path
        assert main(["site", "try", address, "--render", "never", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "listing"
    assert Decimal(told["price"]) == Decimal(listing.facts_on(1)["price"])
    assert not (desk / "data" / "wangxun.db").exists()
