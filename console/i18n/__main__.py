"""`python -m console.i18n compile`: makes each catalogue's `.mo`. `extract`: brings the catalogues up to the sources."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from console.i18n import DOMAIN, LANGUAGES, catalogue

ROOT = Path(__file__).resolve().parents[2]
#: Besides `_`: our own marks, a reader called (`ui(…)`), and our errors, whose first argument is a message (contracts.errors).
HEADER = 'msgid ""\nmsgstr ""\n"Language: {lang}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
KEYWORDS = ("N_", "ui", "self", "UsageError", "InputError", "EnvironmentFault", "NotAllowed", "Unverifiable")


def compile_all() -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for lang in LANGUAGES:
        po = catalogue(lang)
        if not po.is_file():
            continue
        with po.open("rb") as source:
            messages = read_po(source, locale=lang)
        target = po.with_suffix(".mo")
        partial = target.with_suffix(f".{os.getpid()}.part")
        with partial.open("wb") as out:
            write_mo(out, messages)
        partial.replace(target)


def extracted() -> dict[str, list[tuple[str, int]]]:
    """Every message of the sources, as babel.cfg chooses them, with the places it stands at."""
    from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
    from babel.messages.frontend import parse_mapping_cfg

    with io.StringIO((ROOT / "babel.cfg").read_text(encoding="utf-8")) as cfg:
        methods, options = parse_mapping_cfg(cfg)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, **dict.fromkeys(KEYWORDS)}
    found: dict[str, list[tuple[str, int]]] = {}
    rows = extract_from_dir(str(ROOT), methods, options, keywords=keywords, directory_filter=_ours)
    for name, line, message, *_ in rows:
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                found.setdefault(text, []).append((name, line))
    return found


def _ours(directory: str | os.PathLike[str]) -> bool:
    name = Path(directory).name
    return not name.startswith(".") and name not in {"node_modules", "__pycache__", "tests", "benchmarks"}


def extract() -> list[str]:
    """Rewrites each catalogue in the order of the sources, keeping translations; returns what is still untranslated."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    missing: list[str] = []
    for lang in LANGUAGES:
        po = catalogue(lang)
        if not po.is_file():
            continue
        with po.open("rb") as source:
            old = read_po(source, locale=lang)
        new = Catalog(locale=lang, domain=DOMAIN, fuzzy=False)
        for text, places in sorted(extracted().items(), key=lambda item: item[1][0]):
            known = old.get(text)
            files = [(name, 0) for name in dict.fromkeys(name for name, _ in places)]
            new.add(text, str(known.string) if known and known.string else "", locations=files)
            if not (known and known.string):
                missing.append(f"{lang}\t{text}")
        with po.open("wb") as out:
            out.write(HEADER.format(lang=lang).encode())  # without dates, so that equal sources give equal bytes
            write_po(out, new, omit_header=True, include_lineno=False, width=118)
    return missing


def main(words: list[str]) -> int:
    if words == ["compile"]:
        compile_all()
        return 0
    if words == ["extract"]:
        for line in extract():
            print(line)
        return 0
    sys.stderr.write("python -m console.i18n compile | extract\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
