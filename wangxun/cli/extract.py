"""`wangxun extract FILE.html…`: what was read from saved pages, one JSON object a line."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import InputError

#: A saved page that unpacks to more is a bomb; reading itself stops earlier and says so.
MAX_UNPACKED = 64 * 1024 * 1024


def extract(
    files: Annotated[list[Path], typer.Argument(help="保存的网页文件(.html、.html.gz)", show_default=False)],
    url: Annotated[str, typer.Option("--url", help="网页原来的网址(用于相对链接和判断页面类型)")] = "",
) -> None:
    """读取保存的网页:商品、价格、评价、经营者和各区域文字,每个文件输出一行 JSON。"""
    from crawler.extract import describe, read_page

    failed = False
    for file in files:
        try:
            body = read_file(file)
        except InputError as error:
            failed = True
            print(error.text(), file=sys.stderr)
            continue
        reading = read_page(body, url)
        sys.stdout.write(json.dumps(describe(reading, str(file)), ensure_ascii=False) + "\n")
    if failed:
        raise typer.Exit(2)


def read_file(file: Path) -> bytes:
    """The bytes of a saved page, unpacked. Raises InputError in one clear line."""
    try:
        body = file.read_bytes()
        if file.suffix == ".gz" or body[:2] == b"\x1f\x8b":
            with gzip.open(file) as packed:
                body = packed.read(MAX_UNPACKED)
    except (OSError, EOFError, zlib.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "不是完好的压缩文件"
        raise InputError("无法读取文件 {file}:{reason}", file=file, reason=reason) from error
    return body
