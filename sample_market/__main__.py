"""`python -m sample_market --day 1 --port 8800`: serves the market until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import threading

from contracts.clock import iso
from contracts.errors import WangxunError
from sample_market.clock import instant_of
from sample_market.server import MarketServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="sample_market", description="样本市场: 本机上的一个虚构集市")
    parser.add_argument("--day", type=int, default=1, help="市场日, 从 1 起")
    parser.add_argument("--port", type=int, default=8800, help="端口, 0 为自动选择")
    asked = parser.parse_args()
    if asked.day < 1:
        parser.error("--day 从 1 起")
    try:
        server = MarketServer(asked.day, asked.port).start()
    except WangxunError as fault:
        print(fault.text(), file=sys.stderr)
        return fault.exit_status
    for note in server.notes:
        print(note, file=sys.stderr)
    print(f"样本市场 第 {asked.day} 天 · 模拟时间 {iso(instant_of(asked.day))} · {len(server.market.listings)} 件商品")
    for site in server.market.sites:
        print(f"  {server.base_urls[site.id]}{site.entry_path}  {site.name}")
    print(f"WANGXUN_ALLOW_PRIVATE={server.allow_private}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
