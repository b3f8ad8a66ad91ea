"""Catalogues of what people read. Message ids are Chinese; a language without a catalogue reads Chinese.

Standard library only, since the command line uses it too. A compiled `wangxun.mo` beside the catalogue is used when it is
not older than the `.po` (`python -m console.i18n compile`); otherwise the `.po` itself is read, so nothing has to be built.
"""

from __future__ import annotations

import ast
import gettext
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

DOMAIN = "wangxun"
#: Languages offered, each named in itself.
LANGUAGES = {"zh": "中文", "en": "English"}

Translate = Callable[[str], str]


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"; extraction looks for it
    """`message` itself: marks it for extraction, to be translated where it is shown."""
    return message


def catalogue(lang: str) -> Path:
    """Where the catalogue of `lang` stands; it need not exist."""
    return Path(__file__).with_name(lang) / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def translator(lang: str) -> Translate:
    """The function that turns a Chinese message into `lang`. Unknown languages and messages stay Chinese."""
    po = catalogue(lang)
    if lang not in LANGUAGES or not po.is_file():
        return str
    mo = po.with_suffix(".mo")
    if mo.is_file() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
        with mo.open("rb") as compiled:
            return gettext.GNUTranslations(compiled).gettext
    messages = dict(read_po(po))
    return lambda message: messages.get(message) or message


def read_po(path: Path) -> Iterator[tuple[str, str]]:
    """(msgid, msgstr) of each translated entry of a catalogue without plurals and contexts; fuzzy ones are left out."""
    entry: dict[str, str] = {}
    field, fuzzy = "", False
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("#,"):
            fuzzy = "fuzzy" in line
        elif line.startswith(("msgid ", "msgstr ")):
            field, _, quoted = line.partition(" ")
            entry[field] = ast.literal_eval(quoted)
        elif line.startswith('"'):
            entry[field] += ast.literal_eval(line)
        elif not line:
            if entry.get("msgid") and entry.get("msgstr") and not fuzzy:
                yield entry["msgid"], entry["msgstr"]
            entry, fuzzy = {}, False
