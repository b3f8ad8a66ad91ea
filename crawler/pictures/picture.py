"""One picture's bytes → what it says. Pure but for the recogniser's model, which is loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from contracts.codes import check_uscc, repair_uscc
from contracts.page import Fact, Passage, Rect, Region
from crawler.extract.identity import read_identity
from crawler.extract.language import guess_language
from crawler.extract.words import Texts
from crawler.pictures.decode import Limits, Unreadable, open_picture, strips
from crawler.pictures.hashes import dhash, phash
from crawler.pictures.recognise import Code, Recogniser, Word, read_codes, recogniser

MIN_CONFIDENCE: Final = 0.5
MAX_WORDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PictureText:
    """What one picture says. `digest` is the SHA-256 of its bytes; `notes` name what was left out and why."""

    digest: str
    width: int = 0
    height: int = 0
    words: tuple[Word, ...] = ()
    codes: tuple[Code, ...] = ()
    phash: str = ""
    dhash: str = ""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All words, a line each, blocks as they stand."""
        return "\n".join(block for block, _ in _blocks(self.words))

    def passages(self, *, selector: str = "", shown: Rect | None = None) -> tuple[Passage, ...]:
        """The words as passages of region `image`, one a block of lines.

        `selector` finds the picture on its page; `shown` is where it stands there (CSS pixels): boxes are scaled into it.
        """
        return tuple(
            Passage(text, Region.IMAGE, selector, guess_language(text), rects=self._placed(lines, shown))
            for text, lines in _blocks(self.words)
        )

    def facts(self) -> dict[str, Fact]:
        """Who answers for the page, as a licence in a picture tells it (`source` "ocr"); codes are checked and repaired."""
        passages = self.passages()
        notes: list[str] = []
        found = read_identity(passages, Texts([p.text.casefold() for p in passages]), (), (), (), notes)
        facts = {name: Fact(f.value, "ocr", round(f.confidence * 0.9, 2)) for name, f in found.items()}
        code = facts.get("uscc")
        if code and not check_uscc(code.value).valid and (repaired := repair_uscc(code.value)):
            facts["uscc"] = Fact(repaired, "ocr", 0.6)
        for one in self.codes:
            if one.text.lower().startswith(("http://", "https://")):
                facts.setdefault("code_url", Fact(one.text, f"code:{one.kind}", 0.95))
            elif one.kind.startswith("EAN") and one.text.isdigit():
                facts.setdefault("gtin", Fact(one.text, f"code:{one.kind}", 0.95))
        return facts

    def _placed(self, lines: Sequence[Word], shown: Rect | None) -> tuple[Rect, ...]:
        if shown is None or not self.width or not self.height:
            return ()
        across, down = shown.width / self.width, shown.height / self.height
        return tuple(
            Rect(shown.x + w.x * across, shown.y + w.y * down, w.width * across, w.height * down) for w in lines
        )


def read_picture(data: bytes, *, limits: Limits | None = None, recognise: Recogniser | None = None) -> PictureText:
    """Words with boxes, codes and perceptual hashes of a picture. Never raises on its content: `notes` name what could not be read.

    Raises EnvironmentFault when no `recognise` is given and the recogniser is not installed.
    """
    limits = limits or Limits()
    digest = sha256(data).hexdigest()
    try:
        picture = open_picture(data, limits)
    except Unreadable as why:
        return PictureText(digest, notes=(str(why),))
    recognise = recognise or recogniser()
    words: list[Word] = []
    notes: list[str] = []
    reached = 0
    for top, part in strips(picture, limits):
        for word in recognise(part):
            moved = Word(word.text, word.x, word.y + top, word.width, word.height, word.confidence)
            if word.confidence >= MIN_CONFIDENCE and not any(_same(moved, other) for other in words[-60:]):
                words.append(moved)
        reached = top + part.height
    if reached < picture.height:
        notes.append(f"图片过长({picture.height} 像素),只读到 {reached} 像素")
    if len(words) > MAX_WORDS:
        notes.append(f"图片文字过多,只留前 {MAX_WORDS} 行")
    return PictureText(
        digest,
        picture.width,
        picture.height,
        tuple(words[:MAX_WORDS]),
        tuple(read_codes(picture)),
        phash(picture),
        dhash(picture),
        tuple(notes),
    )


def _same(one: Word, other: Word) -> bool:
    """The same line seen in two neighbouring strips."""
    return one.text == other.text and abs(one.y - other.y) < 12 and abs(one.x - other.x) < 12


def _blocks(words: Sequence[Word]) -> list[tuple[str, list[Word]]]:
    """Lines that stand right under each other, in letters of one size, belong together: a slogan set in two lines is one text."""
    blocks: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w.y, w.x)):
        for block in reversed(blocks[-8:]):
            last = block[-1]
            gap = word.y - (last.y + last.height)
            alike = 0.7 < word.height / max(1, last.height) < 1.4
            overlap = min(word.x + word.width, last.x + last.width) - max(word.x, last.x)
            if alike and -0.3 * last.height < gap < 0.7 * last.height and overlap > 0.3 * min(word.width, last.width):
                block.append(word)
                break
        else:
            blocks.append([word])
    return [("\n".join(w.text for w in block), block) for block in blocks]
