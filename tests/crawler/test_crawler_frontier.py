"""crawler.frontier: nothing lost, nothing twice, in one file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import EnvironmentFault
from crawler.frontier import Frontier, Queued
from crawler.urls import key_of, template_of


def item(number: int, *, host: str = "s.cn", depth: int = 1, site: str = "s") -> Queued:
    url = f"https://{host}/item/{number}"
    return Queued(url, key_of(url), site, host, depth, template_of(url))


def test_an_address_is_queued_once_and_handed_out_once(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db", "r") as frontier:
        assert frontier.push([item(1), item(2), item(1)]) == ({"s.cn"}, 0)
        assert frontier.push([item(2), item(3)]) == ({"s.cn"}, 0)
        assert [row.url for row in frontier.lease("s.cn", 9)] == [item(n).url for n in (1, 2, 3)]
        assert frontier.lease("s.cn", 9) == []
        assert frontier.push([item(1)]) == (set(), 0)


def test_shallow_pages_come_first_and_hosts_are_apart(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db", "r") as frontier:
        frontier.push([item(1, depth=3), item(2, depth=0), item(3, host="t.cn")])
        assert [row.depth for row in frontier.lease("s.cn", 9)] == [0, 3]
        assert frontier.waiting() == {"t.cn": 1}


def test_a_template_is_full_when_its_limit_is_reached(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db", "r") as frontier:
        assert frontier.push([item(n) for n in range(5)], template_limit=3)[1] == 2
        assert frontier.push([item(n) for n in range(5, 9)], template_limit=3)[1] == 4
        assert frontier.push([item(5, site="other")], template_limit=3)[1] == 0
        assert frontier.queued == 4


def test_runs_in_one_file_do_not_touch(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db", "r1") as one, Frontier(tmp_path / "f.db", "r2") as two:
        one.push([item(1)])
        two.push([item(1), item(2)])
        assert len(one.lease("s.cn", 9)) == 1
        assert len(two.lease("s.cn", 9)) == 2
        one.forget()
        two.give_back(range(1, 9))
        assert two.waiting() == {"s.cn": 2}


def test_what_was_leased_waits_again_unless_it_is_known(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db", "r") as frontier:
        frontier.push([item(n) for n in range(4)])
        first, *_ = frontier.lease("s.cn", 3)
        frontier.done([(first.row, True)])
    with Frontier(tmp_path / "f.db", "r") as frontier:
        known = key_of(item(1).url).hex()
        frontier.recover(lambda key: key == known)
        assert sorted(row.url for row in frontier.lease("s.cn", 9)) == [item(2).url, item(3).url]
        assert frontier.fetched() == {"s": 2}


def test_a_killed_process_leaves_a_whole_file(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from crawler.frontier import *; from crawler.urls import *\n"
        "f = Frontier(Path(sys.argv[1]), 'r')\n"
        "q = lambda n: Queued(f'https://s.cn/{n}', key_of(f'https://s.cn/{n}'), 's', 's.cn', 1, 't')\n"
        "f.push([q(n) for n in range(500)])\n"
        "f.done([(row.row, True) for row in f.lease('s.cn', 100)])\n"
        "f.lease('s.cn', 50)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "f.db")], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == -9
    with Frontier(tmp_path / "f.db", "r") as frontier:
        frontier.recover(lambda _: False)
        assert frontier.queued == 400
        assert frontier.fetched() == {"s": 100}


def test_a_file_that_is_no_frontier_is_one_clear_line(tmp_path: Path) -> None:
    broken = tmp_path / "f.db"
    broken.write_bytes(os.urandom(4096))
    with pytest.raises(EnvironmentFault, match="巡查队列"):
        Frontier(broken, "r")
