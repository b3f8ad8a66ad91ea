"""kill -9 at any moment of a full capture: nothing half-sealed, nothing in the way of the next attempt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from evidence_case import captured
from shop_server import Shop

from contracts.clock import SystemClock
from evidence.vault import Vault
from evidence.verify import verify_vault

pytestmark = pytest.mark.browser

CHILD = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from contracts.clock import SystemClock
from evidence import vault as vaults
from evidence.log import Log
from evidence.recorder import Recorder
from evidence.store import Store
from evidence.timestamp import Timestamper
from evidence.vault import Vault
from evidence_case import captured

def here():
    print("here", flush=True)
    sys.stdin.read()

def stop_at(owner, name, when=lambda *a: True):
    whole = getattr(owner, name)
    def stopping(*arguments, **named):
        if when(*arguments):
            here()
        return whole(*arguments, **named)
    setattr(owner, name, stopping)

point = {point!r}
if point == "page open":
    stop_at(Recorder, "freeze")
elif point == "files":
    stop_at(Store, "adopt", lambda store, path, sha256: path.name == "page.png")
elif point == "manifest":
    stop_at(vaults, "write_new", lambda path, *_: path.name == "manifest.json")
elif point == "log":
    stop_at(Log, "append", lambda log, kind, data: kind == "evidence.sealed")
else:
    stop_at(Timestamper, "stamp")
clock = SystemClock()
vault = Vault.open(Path({folder!r}) / "evidence", keys=Path({folder!r}) / "keys", clock=clock)
captured({program!r}, vault, clock, {url!r})
"""


@pytest.mark.parametrize(
    ("point", "sealed", "told"),
    [
        ("page open", 0, ()),
        ("files", 0, ()),
        ("manifest", 0, ("封存未完成,已撤销",)),
        ("log", 1, ("已补记日志",)),
        ("stamp", 1, ()),
    ],
)
def test_kill_during_a_capture(tmp_path: Path, chromium: str, point: str, sealed: int, told: tuple[str, ...]) -> None:
    tests = Path(__file__).parent
    with Shop() as shop:
        script = CHILD.format(
            root=str(tests.parents[1]),
            tests=str(tests),
            folder=str(tmp_path),
            program=chromium,
            url=shop.url("/plain"),
            point=point,
        )
        command = [sys.executable, "-W", "ignore", "-c", script]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "here\n"
            child.kill()
        clock = SystemClock()
        vault = Vault.open(tmp_path / "evidence", keys=tmp_path / "keys", clock=clock)
        done = vault.recover()
        assert [one.partition(":")[2] for one in done] == list(told)
        manifests = list(vault.all_manifests())
        assert len(manifests) == sealed
        assert len(list(vault.captures.glob("*/*"))) == sealed  # no empty folder says there was a capture
        assert vault.pending() == [path.parent.name for path in manifests]  # a stamp is owed for what is sealed alone
        assert not any((vault.root / "staging").iterdir())
        assert vault.recover() == []
        report = verify_vault(tmp_path / "evidence")
        assert report.ok, report.failures
        events = [e.data["id"] for e in vault.log.events() if e.kind == "evidence.sealed"]
        assert events == [path.parent.name for path in manifests]
        if point == "files":  # the next attempt is not hindered by what the first left in the store
            (again,) = captured(chromium, vault, clock, shop.url("/plain"))
            assert again.text
            assert verify_vault(tmp_path / "evidence").ok
