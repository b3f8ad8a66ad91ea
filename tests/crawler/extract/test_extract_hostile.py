"""Broken labels and bombs: bounded, named, never a crash."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from crawler.extract import read_page
from crawler.extract.decode import decode

ZH = "<html><head>{meta}<title>茶</title></head><body><p>本店出售各种名优绿茶,欢迎选购,价格实惠,质量可靠。</p></body></html>"
HANT = "<html><head>{meta}<title>茶</title></head><body><p>本店販售各種綠茶,歡迎選購,價格實在,品質可靠,全館免運費。</p></body></html>"


@pytest.mark.parametrize(
    ("page", "codec", "header", "meta"),
    [
        (ZH, "utf-8", "", ""),
        (ZH, "utf-8", "text/html; charset=gbk", ""),
        (ZH, "gbk", "text/html; charset=gbk", ""),
        (ZH, "gbk", "", '<meta charset="gb2312">'),
        (ZH, "gb18030", "text/html; charset=utf-8", ""),
        (ZH, "gbk", "text/html; charset=ISO-8859-1", ""),
        (ZH, "gbk", "text/html; charset=big5", ""),
        (HANT, "big5", "", '<meta http-equiv="Content-Type" content="text/html; charset=big5">'),
        (HANT, "big5", "text/html; charset=utf-8", ""),
        (HANT, "big5", "", ""),
        (HANT, "big5", "text/html; charset=gbk", ""),
        (ZH, "utf-8-sig", "text/html; charset=gbk", ""),
        (ZH, "utf-16", "", ""),
    ],
)
def test_charset_is_decided_right(page: str, codec: str, header: str, meta: str) -> None:
    text = page.format(meta=meta)
    assert decode(text.encode(codec), header).text == text


def test_a_few_broken_bytes_do_not_change_the_charset() -> None:
    body = (ZH.format(meta="") * 20).encode().replace("茶".encode(), b"\xe8\x8c", 1)
    decoded = decode(body)
    assert decoded.charset == "utf-8"
    assert "名优绿茶" in decoded.text
    assert decoded.notes


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "底",
        "<div>" * 50_000 + "底" + "</div>" * 50_000,
        "<b>" * 100_000 + "底",
        "".join(f"<font id={n}><p>" for n in range(20_000)) + "底",
        "<ul><li>" * 50_000 + "底",
        "<table><tr><td>" * 30_000 + "底",
        "<p>底</p>" + "<select>" + "<option>x" * 100_000,
        "<p>底</p><a href='" + "x" * 3_000_000,
        "<p>底</p><a " + "x " * 1_000_000 + ">",
        "<p>底</p><div " + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
        "<p>底</p>" + "<" * 1_000_000,
        "<p>底</p>" + "<a" * 500_000,
        "<p>底</p>" + "<!--" * 500_000,
        "<p>底</p><script type='application/ld+json'>" + "[" * 200_000 + "</script>",
        "<p>底</p><script>window.x = " + "{" * 200_000 + "price</script>",
        "<p>底</p><p>" + "¥1 原价" * 100_000 + "</p>",
        "<p>底</p><p>" + "9" * 1_000_000 + "元</p>",
        "<p>底</p><p>" + "统一社会信用代码:" * 50_000 + "</p>",
    ],
    ids=range(18),
)
@pytest.mark.timeout(30)
def test_bombs_are_bounded(html: str) -> None:
    reading = read_page(html, "https://a.example/item/1.html")
    assert any("底" in p.text for p in reading.passages)


def test_what_was_cut_is_named() -> None:
    deep = read_page("<div>" * 100_000 + "底", "")
    assert any("嵌套过深" in note for note in deep.notes)
    big = read_page(b"<p>a</p>" + b"<p>x" * 5_000_000, "")
    assert any("页面过大" in note for note in big.notes)
    assert any("节点过多" in note for note in big.notes)
    long = read_page("<p>" + "长" * 200_000 + "</p>", "")
    assert any("文字过长" in note for note in long.notes)


@pytest.mark.parametrize("body", [b"", b"\x00\x01\xff\xfe", b"<", b"<!doctype html>", "", "just text", b"\xff\xfe"])
def test_nothing_at_all_is_read_as_nothing(body: bytes | str) -> None:
    read_page(body, "")


def test_command_prints_good_files_and_names_bad_ones(
    tmp_path: Path, listing_html: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    from wangxun.cli.extract import extract

    good, packed, broken = tmp_path / "a.html", tmp_path / "b.html.gz", tmp_path / "c.html.gz"
    good.write_text(listing_html, "utf-8")
    packed.write_bytes(gzip.compress(listing_html.encode()))
    broken.write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(typer.Exit) as stopped:
        extract([good, tmp_path / "none.html", packed, broken], url="https://shop.example/item/1024.html")
    assert stopped.value.exit_code == 2
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["file"] for row in rows] == [str(good), str(packed)]
    assert rows[0]["price"] == rows[1]["price"] == "39.9"
    assert len(err.splitlines()) == 2
