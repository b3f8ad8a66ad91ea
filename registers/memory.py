"""A Registers port over rows held in memory. A register nobody imported answers None: not known, which is not absent."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from contracts.codes import check_uscc
from contracts.finding import RegisterEntry
from registers.reader import RegisterKind, mark_key


class MemoryRegisters:
    """`entries` of any kinds; `installed` names kinds that were imported though they may hold no row."""

    def __init__(self, entries: Iterable[RegisterEntry] = (), installed: Iterable[str] = ()) -> None:
        self._rows: dict[str, dict[str, list[RegisterEntry]]] = {kind: defaultdict(list) for kind in installed}
        for entry in entries:
            self._rows.setdefault(entry.kind, defaultdict(list))[entry.key].append(entry)

    def operator(self, uscc: str) -> tuple[RegisterEntry, ...] | None:
        """By credit code, however written."""
        return self._look(RegisterKind.OPERATORS, check_uscc(uscc).code)

    def trademark(self, text: str) -> tuple[RegisterEntry, ...] | None:
        """Marks whose text is this, apart from case and blanks. Likeness is not judged here."""
        return self._look(RegisterKind.TRADEMARKS, mark_key(text))

    def permit(self, number: str) -> tuple[RegisterEntry, ...] | None:
        """By number, blanks and case aside."""
        return self._look(RegisterKind.PERMITS, re.sub(r"\s+", "", number).upper())

    def _look(self, kind: str, key: str) -> tuple[RegisterEntry, ...] | None:
        rows = self._rows.get(kind)
        return tuple(rows.get(key, ())) if rows is not None else None
