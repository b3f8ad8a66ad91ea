"""A patrol may be ended or killed at any moment; the same call goes on, nothing lost, nothing twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_site import FileSink, KeepingSink, Reply, Route, go, html, links, serve, site_of

PAGES = 120
ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from local_site import FileSink, go, site_of
folder = Path(sys.argv[2])
tally = go(folder, [site_of(sys.argv[3])], FileSink(folder / "pages.jsonl"))
print(tally.fetched, tally.resumed, tally.interrupted, tally.left)
"""


def market(reached: threading.Event, at: int) -> dict[str, Route]:
    """`PAGES` pages, ten links each, in a tree; `reached` is set when `at` of them were asked for."""
    asked = Counter[str]()

    def page(handler: BaseHTTPRequestHandler) -> Reply:
        asked[handler.path] += 1
        if len(asked) >= at:
            reached.set()
        number = int(handler.path.strip("/p") or 0)
        return html(links(*(f"/p{n}" for n in range(number * 10 + 1, number * 10 + 11) if n < PAGES)))

    return {"/": page} | {f"/p{n}": page for n in range(1, PAGES)}


def child(folder: Path, base: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(folder), base],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kept(folder: Path) -> list[str]:
    path = folder / "pages.jsonl"
    return [json.loads(line)["url"] for line in path.read_text().splitlines()] if path.exists() else []


def killed_and_resumed(tmp_path: Path, moments: Iterable[int]) -> None:
    for at in moments:
        folder = tmp_path / str(at)
        folder.mkdir()
        reached = threading.Event()
        with serve(market(reached, at)) as site:
            process = child(folder, site.base)
            assert reached.wait(60)
            process.kill()
            process.communicate()
            assert process.returncode == -9
            assert len(kept(folder)) < PAGES
            out, err = child(folder, site.base).communicate(timeout=60)
        assert out.split()[2:] == ["False", "0"], err
        pages = kept(folder)
        assert sorted(pages) == sorted({f"{site.base}/"} | {f"{site.base}/p{n}" for n in range(1, PAGES)})
        again = sum(Counter(site.paths()).values()) - len(set(site.paths()))
        assert again <= 1 + 70, "robots.txt, and what the last batch held"


def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    killed_and_resumed(tmp_path, (3, 80))


@pytest.mark.parametrize("instant", ["before", "after"])
def test_power_goes_at_the_very_commit(tmp_path: Path, instant: str) -> None:
    """Before: links are queued, the pages not yet kept. After: the pages are kept, the frontier has not heard of it."""
    dying = CHILD.replace(
        "tally = go(",
        """
import os
class Dying(FileSink):
    def commit(self):
        self.commits += 1
        if self.commits == 2 and sys.argv[4] == "before":
            os._exit(9)
        super().commit()
        if self.commits == 2:
            os._exit(9)
FileSink = Dying
tally = go(""",
    )
    reached = threading.Event()
    with serve(market(reached, PAGES)) as site:
        done = subprocess.run(
            [sys.executable, "-c", dying, str(Path(__file__).parent), str(tmp_path), site.base, instant],
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 9
        assert 0 < len(kept(tmp_path)) < PAGES
        out, err = child(tmp_path, site.base).communicate(timeout=60)
    assert out.split()[2:] == ["False", "0"], err
    assert len(kept(tmp_path)) == len(set(kept(tmp_path))) == PAGES
    if instant == "after":
        assert len(site.pages()) == PAGES, "what was kept is not asked for again"


@pytest.mark.long
def test_kill_9_at_twenty_moments(tmp_path: Path) -> None:
    killed_and_resumed(tmp_path, random.sample(range(1, PAGES - 5), 20))


def test_sigint_keeps_what_was_fetched_and_the_frontier(tmp_path: Path) -> None:
    reached = threading.Event()
    with serve(market(reached, 30)) as site:
        process = child(tmp_path, site.base)
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        fetched, _, interrupted, left = out.split()
        assert interrupted == "True"
        assert int(fetched) == len(kept(tmp_path)) >= 29
        assert int(left) > 0
        out, err = child(tmp_path, site.base).communicate(timeout=60)
    assert out.split() == [str(PAGES - int(fetched)), fetched, "False", "0"], err
    assert Counter(kept(tmp_path)).most_common(1)[0][1] == 1
    assert len(kept(tmp_path)) == PAGES


def test_sigint_does_not_wait_for_a_host_that_hangs(tmp_path: Path) -> None:
    asked, ended = threading.Event(), threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> Reply:
        asked.set()
        ended.wait(60)
        return html("late")

    with serve({"/": hang}) as site:
        process = child(tmp_path, site.base)
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=45)
        ended.set()
    assert out.split() == ["0", "0", "True", "1"], err


def test_a_finished_run_asks_nothing_again_and_a_new_run_asks_all(tmp_path: Path) -> None:
    with serve({"/": html(links("/a")), "/a": html("a")}) as site:
        assert go(tmp_path, [site_of(site.base)], FileSink(tmp_path / "one")).fetched == 2
        before = len(site.asked)
        tally = go(tmp_path, [site_of(site.base)], FileSink(tmp_path / "one"))
        assert len(site.asked) == before
        assert (tally.fetched, tally.resumed, tally.seeds_fetched) == (0, 2, 1)
        assert go(tmp_path, [site_of(site.base)], FileSink(tmp_path / "two"), run="run-2").fetched == 2


def test_one_process_patrols_as_often_as_it_likes(tmp_path: Path) -> None:
    with serve({"/": html("x")}) as site:
        for number in range(3):
            assert go(tmp_path, [site_of(site.base)], KeepingSink(), run=f"r{number}").fetched == 1
        tallies = []
        thread = threading.Thread(
            target=lambda: tallies.append(go(tmp_path, [site_of(site.base)], KeepingSink(), run="thread"))
        )
        thread.start()
        thread.join()
        assert [tally.fetched for tally in tallies] == [1]
        assert go(tmp_path, [site_of(site.base)], KeepingSink(), run="last").fetched == 1
