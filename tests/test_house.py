"""Properties of the whole: import direction, documents that cannot rot, what may not be said or shipped."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_imports_run_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_setting_is_documented_with_its_unit() -> None:
    from wangxun.settings import Settings

    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    for key, field in Settings.model_fields.items():
        assert f"| `{key}` | `WANGXUN_{key.upper()}` |" in page, key
        assert field.description
        assert field.description in page, key


def test_locks_record_no_download_address() -> None:
    for name in (
        "requirements/lock.txt",
        "requirements/build.txt",
        "requirements/node.txt",
        "console/package-lock.json",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert '"resolved"' not in text, name
        assert not re.search(r"--(extra-)?index-url|--find-links", text), name


def run_time() -> set[str]:
    """Names of everything the product needs to run, its own extras (the judges of our tests) left out."""
    names, waiting = set(), ["wangxun"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in names:
            continue
        names.add(name)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another system or Python
        waiting += [re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return names


def test_nothing_shipped_is_gpl() -> None:
    """Run-time dependencies under GPL or AGPL would bind the product (LGPL libraries, used unmodified, do not)."""
    shipped = run_time()
    guilty = [
        d.metadata["Name"]
        for d in distributions()
        if re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower() in shipped
        and re.search(
            r"(?<!L)(A?GPL|GNU (Affero )?General Public)",
            " ".join(
                [
                    d.metadata.get("License-Expression") or "",
                    (d.metadata.get("License") or "")[:80],
                    *[c for c in d.metadata.get_all("Classifier") or [] if c.startswith("License")],
                ]
            ).replace("Lesser General", ""),
        )
    ]
    assert guilty == []


#: Lists rather than code: one table after another, one document.
LONG = {"cases/models.py", "evidence/offline.py"}


def test_no_module_is_a_continent() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in tracked()
        if p.suffix == ".py"
        and not {"versions", "tests"} & set(p.relative_to(ROOT).parts)
        and str(p.relative_to(ROOT)) not in LONG
        and (n := len(p.read_text(encoding="utf-8").splitlines())) > 600
    }
    assert long == {}


def test_documents_name_only_commands_that_exist() -> None:
    """Every `$ wangxun VERB …` and `make TARGET` in our documents is one."""
    from wangxun.__main__ import VERBS

    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"^\$ wangxun ([a-z]+)", text, re.MULTILINE)) <= VERBS.keys(), page.name
        assert set(re.findall(r"\bmake ([a-z-]+)\b", text)) - targets <= {"sure", "it"}, page.name


def test_both_readmes_say_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return [" ".join(line.split()[1:3]) for line in re.findall(r"^\$ .*", text, re.MULTILINE)]

    assert commands("README.md") == commands("README.zh-CN.md")
