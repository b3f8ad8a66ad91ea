"""Law as data: which article stood behind a duty on a given day.

A rule names a *provision* — a stable id of a duty such as `aucl:false-publicity` — and never an article number.
Each instrument's file lists the articles that carry a provision while that instrument is in force; revisions
(2019 → 2025 of the anti-unfair-competition law, 2019 → 2026 of the trademark law) are two files that share provisions.
Summaries are ours (摘要，非法条原文). Marks: V read in the instrument, S secondary source, M to be confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.finding import Basis
from semantic_lib.source import Block, Problem, Rows

SUMMARY_LABEL = "摘要，非法条原文"
_MARKS = ("V", "S", "M")


@dataclass(frozen=True, slots=True)
class Article:
    """One article of one instrument, carrying one or more provisions between two days (inclusive, None: open)."""

    law: str
    law_title: str
    number: str
    provisions: tuple[str, ...]
    mark: str
    summary: str
    penalty: bool
    since: date | None
    until: date | None
    file: str = ""
    line: int = 1

    def in_force(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)

    def basis(self) -> Basis:
        return Basis(self.law, self.number, self.mark, self.law_title, self.summary, self.penalty)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A law or rule: its key, its titles, when it is in force."""

    key: str
    family: str
    title: str
    title_en: str
    mark: str
    since: date | None
    until: date | None
    note: str
    articles: tuple[Article, ...]


class LawBook:
    """All instruments. `resolve` is the only way from a rule to an article."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments: Mapping[str, Instrument] = {i.key: i for i in instruments}
        self._by_provision: dict[str, list[Article]] = {}
        for instrument in self.instruments.values():
            for article in instrument.articles:
                for provision in (*article.provisions, f"{instrument.key}#{article.number}"):
                    self._by_provision.setdefault(provision, []).append(article)

    def knows(self, provision: str) -> bool:
        return provision in self._by_provision

    @property
    def provisions(self) -> tuple[str, ...]:
        return tuple(sorted(p for p in self._by_provision if "#" not in p))

    def resolve(self, basis: Iterable[str], on: date) -> tuple[Basis, ...]:
        """The articles in force on `on` for the provisions named, duties first, penalties after, each once."""
        found: dict[tuple[str, str], Basis] = {}
        for provision in basis:
            for article in self._by_provision.get(provision, ()):
                if article.in_force(on):
                    found.setdefault((article.law, article.number), article.basis())
        return tuple(sorted(found.values(), key=lambda b: b.penalty))


def instrument(block: Block, file: str, problems: list[Problem]) -> Instrument:
    """One instrument's file."""

    def wrong(line: int, text: str) -> None:
        problems.append(Problem(file, line, text))

    for key in ("key", "title", "mark", "articles"):
        if key not in block:
            wrong(block.line, f"法律文件缺少“{key}”")
    title = block.get("title")
    titles = title if isinstance(title, Block) else Block(zh=str(title or "?"))
    mark = str(block.get("mark", "M"))
    if mark not in _MARKS:
        wrong(block.at("mark"), f"mark 应为 V、S 或 M,现为 {mark}")
    since, until = _day(block, "from", wrong), _day(block, "to", wrong)
    articles: list[Article] = []
    rows = block.get("articles")
    for row in rows if isinstance(rows, Rows) else ():
        if not isinstance(row, Block) or "article" not in row:
            wrong(block.at("articles"), "articles 的每一条应有 article、provision、summary")
            continue
        own_mark = str(row.get("mark", mark))
        if own_mark not in _MARKS:
            wrong(row.at("mark"), f"mark 应为 V、S 或 M,现为 {own_mark}")
        provision = row.get("provision", ())
        articles.append(
            Article(
                law=str(block.get("key")),
                law_title=str(titles["zh"]),
                number=str(row["article"]),
                provisions=(provision,) if isinstance(provision, str) else tuple(map(str, provision)),
                mark=own_mark,
                summary=str(row.get("summary", "")),
                penalty=bool(row.get("penalty", False)),
                since=_day(row, "from", wrong) or since,
                until=_day(row, "to", wrong) or until,
                file=file,
                line=row.line,
            )
        )
    return Instrument(
        str(block.get("key")), str(block.get("family", block.get("key"))), str(titles["zh"]), str(titles.get("en", "")),
        mark, since, until, str(block.get("note", "")), tuple(articles),
    )  # fmt: skip


def _day(block: Block, key: str, wrong: Any) -> date | None:
    value = block.get(key)
    if value is None or type(value) is date:
        return value
    wrong(block.at(key), f"{key} 应为日期,如 2025-10-15")
    return None
