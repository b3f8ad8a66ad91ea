"""Search over Chinese: code-point bigrams in one column, the same answers on SQLite (FTS5) and PostgreSQL (tsvector).

Neither database splits Chinese usefully by itself (trigrams find no two-character word, `simple` keeps a whole run
as one word). So text is normalised, each pair of neighbouring characters becomes one ASCII token that both databases
leave alone, and a query is a phrase of such tokens. Single characters are tokens of their own after the pairs.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from cases import models as t
from semantic_lib.normalise import fold

#: Longest text indexed a clue, in characters; PostgreSQL keeps positions to 16 383.
MAX_INDEXED = 4000
MAX_QUERY = 64
#: Stands between two texts so that no phrase reaches across.
_WALL = "zz"


def normal(words: str) -> str:
    """Words as they are compared: folded as the rules' matcher folds them, without blanks, punctuation and signs."""
    told = fold(words[: 2 * MAX_INDEXED]).text.casefold()
    return "".join(char for char in told if unicodedata.category(char)[0] in "LN")


def terms(*texts: str) -> str:
    """The column's value: the pairs of each text in order, a wall between texts, then the single characters."""
    kept = [normal(item)[:MAX_INDEXED] for item in texts if item]
    pairs = f" {_WALL} ".join(" ".join(_pair(a, b) for a, b in pairwise(item)) for item in kept)
    singles = " ".join(_single(char) for char in sorted({char for item in kept for char in item}))
    return f"{pairs} {_WALL} {singles}"


def index(session: Session, clue_id: str, *texts: str) -> None:
    """Makes a clue findable by these texts, in place of earlier ones."""
    row = session.scalar(select(t.ClueTerms).where(t.ClueTerms.clue_id == clue_id))
    if row is None:
        session.add(t.ClueTerms(clue_id=clue_id, terms=terms(*texts)))
    else:
        row.terms = terms(*texts)


def match(session: Session, query: str) -> Select[str] | None:
    """Ids of clues that hold every blank-separated word of `query`; None when nothing searchable is in it."""
    words = [normal(word) for word in query[:MAX_QUERY].split()]
    phrases = [_phrase(word) for word in words if word]
    if not phrases:
        return None
    if session.get_bind().dialect.name == "sqlite":
        asked = " AND ".join(f'"{" ".join(phrase)}"' for phrase in phrases)
        hits: Select[Any] = (
            select(column("rowid")).select_from(table("clue_search")).where(text("clue_search MATCH :asked"))
        )
        return select(t.ClueTerms.clue_id).where(t.ClueTerms.seq.in_(hits.params(asked=asked)))
    asked = " & ".join("(" + " <-> ".join(phrase) + ")" for phrase in phrases)
    simple: ColumnElement[Any] = literal_column("'simple'::regconfig")
    return select(t.ClueTerms.clue_id).where(
        func.to_tsvector(simple, t.ClueTerms.terms).op("@@")(func.to_tsquery(simple, asked))
    )


def _phrase(word: str) -> list[str]:
    return [_pair(a, b) for a, b in pairwise(word)] if len(word) > 1 else [_single(word)]


def _pair(first: str, second: str) -> str:
    return "p" + _letters(first) + _letters(second)


def _single(char: str) -> str:
    return "s" + _letters(char)


def _letters(char: str) -> str:
    """A code point in five letters: no tokeniser splits, stems or reads them as a number."""
    value, out = ord(char), ""
    for _ in range(5):
        value, rest = divmod(value, 26)
        out = chr(97 + rest) + out
    return out
