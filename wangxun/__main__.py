"""`wangxun VERB …` — finds the verb's module, runs it, and turns every error into one line and an exit status.

Exit status: 0 done; 1 something is wrong with the thing judged; 2 usage, input or machine error.
Nothing heavy is imported before the verb is known, so that `wangxun --version` answers at once.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence

from wangxun import __version__

#: verb → (module, name in it, what it does). A command that is not built is absent.
VERBS: dict[str, tuple[str, str, str]] = {
    "patrol": ("wangxun.cli.patrol", "patrol", "巡查网址或已登记的网站,留存页面并产生线索"),
    "scan": ("wangxun.cli.scan", "scan", "用语义库检查文本、JSON Lines 或网页文件(合规体检)"),
    "extract": ("wangxun.cli.extract", "extract", "读取网页文件:商品事实、片段、评价、经营者"),
    "codes": ("wangxun.cli.codes", "app", "校验统一社会信用代码"),
    "site": ("wangxun.cli.site", "app", "登记、列出、导入网站"),
    "clues": ("wangxun.cli.clues", "app", "查看和处置线索"),
    "capture": ("wangxun.cli.capture", "capture", "对一个网址一键固证"),
    "case": ("wangxun.cli.case", "app", "立案卷、导出证据包"),
    "verify": ("wangxun.cli.verify", "verify", "校验证据包、WACZ 或整个证据库"),
    "rules": ("wangxun.cli.rules", "rules_app", "检查、测试、列出、查看规则"),
    "law": ("wangxun.cli.law", "app", "法律文件: 列出、导入本单位的法规文本"),
    "user": ("wangxun.cli.user", "app", "建立执法人员账号"),
    "serve": ("wangxun.cli.serve", "serve", "启动执法人员控制台"),
    "doctor": ("wangxun.cli.doctor", "doctor", "检查本机缺什么、怎么办"),
}


def overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"网巡 wangxun {__version__}", "", "用法: wangxun 命令 [参数]   (wangxun 命令 --help 查看参数)", ""]
    lines += [f"  {verb:<{width}}  {say(about)}" for verb, (_, _, about) in VERBS.items()]
    return "\n".join(lines)


def language() -> str:
    """zh or en: the variable, else the settings where they could be read."""
    import os

    if chosen := os.environ.get("WANGXUN_LANGUAGE"):
        return chosen
    if "wangxun.settings" not in sys.modules:
        return "zh"
    from contracts.errors import UsageError
    from wangxun.settings import settings

    try:
        return settings().language
    except UsageError:
        return "zh"


def say(text: str) -> str:
    """`text` in the language of the settings (WANGXUN_LANGUAGE=en for English)."""
    if language() == "zh":
        return text
    from console.i18n import translator

    return translator("en")(text)


def complain(line: str) -> None:
    print(f"wangxun: {line}", file=sys.stderr)


def load(verb: str) -> Callable[..., object]:
    """The runnable command of a verb: a Typer application of one or several commands."""
    from importlib import import_module

    import typer

    module, name, _ = VERBS[verb]
    found = getattr(import_module(module), name)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(found)
        found = app
    else:
        found._add_completion = False
    return typer.main.get_command(found)


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"wangxun {__version__}")
        return 0
    verb = words[0]
    if verb not in VERBS:
        from difflib import get_close_matches

        near = get_close_matches(verb, VERBS, n=1)
        hint = f"是否想用 {near[0]}?" if near else "运行 wangxun --help 查看全部命令"
        complain(f"没有命令 {verb} — {hint}")
        return 2
    return run(verb, words[1:])


def run(verb: str, words: Sequence[str]) -> int:
    """Runs one verb; every expected failure becomes one line on stderr."""
    import typer.exceptions

    from contracts.errors import WangxunError

    try:
        outcome = load(verb)(args=list(words), prog_name=f"wangxun {verb}", standalone_mode=False)
    except WangxunError as error:
        complain(error.text(say))
        return error.exit_status
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        complain(say("已中止"))
        return 130
    except typer.exceptions.TyperException as error:
        shown = error.format_message() if hasattr(error, "format_message") else str(error)
        complain(f"{shown} — wangxun {verb} --help".replace("\n", " "))
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away: not our error, and nothing more to say to it
        return 0
    except OSError as error:
        complain(os_error_line(error))
        return 2
    return outcome if isinstance(outcome, int) and not isinstance(outcome, bool) else 0


def os_error_line(error: OSError) -> str:
    """One line for what the operating system refused, naming the file."""
    where = f" ({error.filename})" if error.filename else ""
    known = {
        errno.ENOSPC: "磁盘已满,没有写入半成品 — 清理磁盘或用 WANGXUN_DATA_DIR 换到别的磁盘",
        errno.EDQUOT: "磁盘配额已满 — 清理磁盘或用 WANGXUN_DATA_DIR 换到别的磁盘",
        errno.EACCES: "没有权限 — 检查文件归属,或用 WANGXUN_DATA_DIR 换到可写的目录",
        errno.EROFS: "磁盘为只读 — 用 WANGXUN_DATA_DIR 换到可写的目录",
        errno.ENOENT: "找不到文件 — 检查路径",
        errno.EADDRINUSE: "端口已被占用 — 用 --port 换一个",
    }
    return say(known.get(error.errno or 0, "系统错误")) + where + ("" if error.errno in known else f": {error}")


def entry() -> None:
    """Console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
