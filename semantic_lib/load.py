"""The public door: `library()`.

semantic_lib/
    categories.yaml      52 categories: elements, basis, severity
    law/*.yaml           instruments and articles, with days in force
    lexicon/*.yaml       word groups ($organs), regional forms, evasion tables, cues of the consumer's voice
    exemptions/*.yaml    shared exemptions with their own tests; sets.yaml names groups of them
    goods_data/*.yaml    kinds of goods
    rules/<family>/<rule-id>.yaml
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from contracts.errors import InputError
from contracts.finding import Severity
from semantic_lib.cache import keep, kept, key_of
from semantic_lib.compile import Compiler
from semantic_lib.exempting import Tester
from semantic_lib.fields import Words
from semantic_lib.goods import Classifier, Kind
from semantic_lib.law import Instrument, LawBook, instrument
from semantic_lib.library import Library
from semantic_lib.literals import Facts
from semantic_lib.matcher import Finder, Term
from semantic_lib.model import Bilingual, Category, Exemption, Rule
from semantic_lib.normalise import Speller, folded
from semantic_lib.source import MAX_BYTES, Block, Problem, packed, parse_yaml, unpacked
from semantic_lib.voice import Voice

ROOT = Path(__file__).resolve().parent
FAMILIES: Mapping[str, str] = {
    "A": "夸大宣传与虚假宣传", "B": "虚假促销与价格欺诈", "C": "刷单炒信与评价", "D": "商标与混淆",
    "E": "商品、合同与强制交易", "F": "身份公示与平台义务", "G": "禁限售商品与跨境", "H": "个人信息",
}  # fmt: skip


@dataclass
class Shelf:
    """Everything read from the data files, with every problem met on the way."""

    root: Path
    words: Words = field(default_factory=Words)
    law: LawBook = field(default_factory=lambda: LawBook(()))
    categories: dict[str, Category] = field(default_factory=dict)
    exemptions: dict[str, Exemption] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    evasion: Block = field(default_factory=Block)
    voice: Voice = field(default_factory=lambda: Voice({}, {}, 1.0))
    cross_border: Finder = field(default_factory=lambda: Finder(()))
    jieba_words: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    key: str = ""  #: of all contents together; what is worked out from them is kept under it
    raw: dict[str, bytes] = field(default_factory=dict)  #: file → contents, in order of names
    parsed: dict[str, Block] = field(default_factory=dict)  #: file → its top mapping, where it has one
    blocks: dict[str, Block] = field(default_factory=dict)  #: rule id → its file as read


def library(root: Path | None = None) -> Library:
    """The library of `root` (default: our own data), built once a process. Raises InputError naming file and line."""
    return _library(root or ROOT)


@lru_cache(maxsize=4)
def _library(root: Path) -> Library:
    with _no_collecting():
        return _sound_library(root)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Loading makes some hundred thousand objects that stay for good: nobody need look for rubbish among them, then or later."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if on:
            gc.enable()


def _sound_library(root: Path) -> Library:
    shelf = read_shelf(root)
    if shelf.problems:
        raise min(shelf.problems).error()
    return build(shelf)


def sound_part(root: Path | None = None) -> tuple[Library, list[Problem]]:
    """For authors at work: the library without the rules that have problems, and all problems. Never used for a patrol."""
    with _no_collecting():
        shelf = read_shelf(root or ROOT)
    faulty = {problem.file for problem in shelf.problems}
    shelf.rules = {rule_id: rule for rule_id, rule in shelf.rules.items() if rule.file not in faulty}
    return build(shelf), sorted(shelf.problems)


def build(shelf: Shelf) -> Library:
    """A library of what stands on the shelf, whatever its problems."""
    evasion = shelf.evasion
    speller = Speller(
        rare=_pairs(evasion, "rare"), common=_pairs(evasion, "common"), splits=_pairs(evasion, "splits"),
        syllables=_pairs(evasion, "syllables"),
    )  # fmt: skip
    return Library(
        rules=list(shelf.rules.values()),
        categories=shelf.categories,
        exemptions=shelf.exemptions,
        law=shelf.law,
        classifier=Classifier(shelf.kinds, shelf.cross_border),
        speller=speller,
        tester=Tester(shelf.voice, shelf.jieba_words),
    )


def _pairs(evasion: Block, key: str) -> dict[str, str]:
    """Tables are written meant: forms ("最: 蕞嘬"); turned round here. A list's items are forms of several characters."""
    table: dict[str, str] = {}
    for meant, forms in (evasion.get(key) or {}).items():
        for form in forms if isinstance(forms, (str, list)) else str(forms):
            table[str(form)] = str(meant)
    return table


def read_shelf(root: Path) -> Shelf:
    """Reads all data files; problems are collected, so that lint can name them all."""
    shelf = Shelf(root)
    _read_files(shelf)
    remembered = _remembered(shelf)
    _read_lexicon(shelf)
    _read_goods(shelf)
    _read_law(shelf)
    _read_categories(shelf)
    _read_exemptions(shelf)
    for name in shelf.raw:
        if name.startswith("rules/"):
            _read_rule(shelf, name)
    if not remembered:
        _remember(shelf)
    return shelf


def _read_files(shelf: Shelf) -> None:
    """Contents of every data file, once; what is parsed is what the key was made of."""
    paths = [shelf.root / "categories.yaml"]
    for folder in ("law", "lexicon", "exemptions", "goods_data"):
        paths += sorted((shelf.root / folder).glob("*.yaml"))
    paths += sorted((shelf.root / "rules").rglob("*.yaml"))
    for path in paths:
        name = path.relative_to(shelf.root).as_posix()
        try:
            with path.open("rb") as stream:
                shelf.raw[name] = stream.read(MAX_BYTES + 1)
        except OSError as fault:
            shelf.problems.append(Problem(name, 1, f"读不了规则文件:{fault.strerror or fault}"))
    shelf.key = key_of(part for name, raw in shelf.raw.items() for part in (name.encode(), raw))


def _remembered(shelf: Shelf) -> bool:
    """Takes what was kept of these very contents; False when nothing was."""
    found = kept("library", shelf.key)
    if not isinstance(found, dict):
        return False
    shelf.parsed = {name: unpacked(block) for name, block in found["files"].items()}
    shelf.words.facts = {
        pattern: Facts(danger, None if required is None else frozenset(required))
        for pattern, (danger, required) in found["facts"].items()
    }
    shelf.words.forms = {
        written: tuple([Term(text, bool(open_end)) for text, open_end in forms])
        for written, forms in found["forms"].items()
    }
    shelf.words.expanded = found["expanded"]
    return True


def _remember(shelf: Shelf) -> None:
    try:
        files = {name: packed(block) for name, block in shelf.parsed.items()}
    except TypeError:  # a value that no rule has, such as a time of day
        return
    facts = {
        pattern: [known.danger, None if known.required is None else sorted(known.required)]
        for pattern, known in shelf.words.facts.items()
    }
    forms = {written: [[t.text, int(t.open_end)] for t in terms] for written, terms in shelf.words.forms.items()}
    known = {"files": files, "facts": facts, "forms": forms, "expanded": shelf.words.expanded}
    keep("library", shelf.key, known)


def _block(shelf: Shelf, name: str) -> Block | None:
    """The file's top mapping, parsed once; None, and a problem, when it has none."""
    if name not in shelf.parsed and name in shelf.raw:
        try:
            shelf.parsed[name] = parse_yaml(shelf.raw[name], name)
        except InputError as fault:
            line = fault.params.get("line")
            why = str(fault.params.get("problem") or fault)
            shelf.problems.append(Problem(name, line if isinstance(line, int) else 1, why))
    return shelf.parsed.get(name)


def _files(shelf: Shelf, folder: str) -> list[tuple[str, Block]]:
    names = [name for name in shelf.raw if name.startswith(f"{folder}/")]
    return [(name, block) for name in names if (block := _block(shelf, name)) is not None]


def _read_lexicon(shelf: Shelf) -> None:
    """Groups first in file order; a group may insert an earlier one by $name."""
    for name, block in _files(shelf, "lexicon"):
        stem = Path(name).stem
        compiler = Compiler(name, shelf.words, shelf.problems)
        if stem == "evasion":
            shelf.evasion = block
        elif stem == "_regional":
            shelf.words.regional = {
                folded(plain): tuple(map(folded, others)) for plain, others in (block.get("forms") or {}).items()
            }
        elif stem == "voice":
            shelf.voice = _voice(block, compiler)
        elif stem == "jieba":
            shelf.jieba_words = tuple(map(folded, compiler.strings(block.get("words"), block.line, "words")))
        else:
            for key, value in block.items():
                if key in shelf.words.groups:
                    compiler.wrong(block.at(key), f"词组“{key}”已在别处定义")
                shelf.words.groups[key] = compiler.finder(value, block.at(key))


def _voice(block: Block, compiler: Compiler) -> Voice:
    def weights(key: str) -> dict[float, Finder]:
        part = block.get(key) or Block()
        return {float(weight): compiler.finder(words, block.at(key)) for weight, words in part.items()}

    threshold = compiler.number(block.get("threshold"), block.at("threshold"), "threshold", 2.0)
    return Voice(weights("consumer"), weights("shop"), threshold)


def _read_goods(shelf: Shelf) -> None:
    blocks = _files(shelf, "goods_data")
    shelf.words.goods = frozenset(key for _, block in blocks for key in block if key != "cross-border")
    empty = Finder(())
    for name, block in blocks:
        compiler = Compiler(name, shelf.words, shelf.problems)
        for key, value in block.items():
            if not isinstance(value, Block):
                compiler.wrong(block.at(key), "商品类别应有 title、strong")
                continue
            title = compiler.bilingual(value.get("title"), value.line, "title ")

            def part(field_name: str, value: Block = value, compiler: Compiler = compiler) -> Finder:
                return compiler.finder(value[field_name], value.at(field_name)) if field_name in value else empty

            if key == "cross-border":
                shelf.cross_border = part("strong")
                continue
            parents = compiler.strings(value.get("is"), value.at("is"), "is")
            shelf.kinds[key] = Kind(
                key, title.zh, title.en, part("strong"), part("weak"), part("marks"), part("excludes"), parents
            )


def _read_law(shelf: Shelf) -> None:
    instruments: list[Instrument] = [instrument(block, name, shelf.problems) for name, block in _files(shelf, "law")]
    shelf.law = LawBook(instruments)


def _read_categories(shelf: Shelf) -> None:
    name = "categories.yaml"
    block = _block(shelf, name)
    if block is None:
        return
    compiler = Compiler(name, shelf.words, shelf.problems)
    for key, value in block.items():
        if not isinstance(value, Block):
            compiler.wrong(block.at(key), "类别应有 family、title、severity、elements、basis")
            continue
        shelf.categories[key] = _category(key, value, compiler, shelf.law)


def _category(key: str, value: Block, compiler: Compiler, law: LawBook) -> Category:
    basis = compiler.strings(value.get("basis"), value.at("basis"), "basis")
    for provision in basis:
        if not law.knows(provision):
            compiler.wrong(value.at("basis"), f"依据“{provision}”不在 law/ 里")
    family = str(value.get("family"))
    if family not in FAMILIES:
        compiler.wrong(value.at("family"), "family 应为 A–H")
    return Category(
        key, family, compiler.bilingual(value.get("title"), value.line, "title "),
        compiler.one_of(value.get("severity"), Severity, value.at("severity"), "severity ", Severity.MEDIUM),
        compiler.elements(value), basis, compiler.strings(value.get("needs"), value.at("needs"), "needs"),
        str(value.get("advice") or ""),
    )  # fmt: skip


def _read_exemptions(shelf: Shelf) -> None:
    for name, block in _files(shelf, "exemptions"):
        compiler = Compiler(name, shelf.words, shelf.problems)
        if Path(name).stem == "sets":
            shelf.words.exemption_sets = {
                key: compiler.strings(value, block.at(key), key) for key, value in block.items()
            }
            continue
        for key, value in block.items():
            if not isinstance(value, Block):
                compiler.wrong(block.at(key), "豁免应有 title、when、examples")
                continue
            if key in shelf.exemptions:
                compiler.wrong(block.at(key), f"豁免“{key}”已在 {shelf.exemptions[key].file} 定义")
            shelf.exemptions[key] = compiler.exemption(value, key)
    for set_name, members in shelf.words.exemption_sets.items():
        for member in members:
            if member not in shelf.exemptions:
                shelf.problems.append(Problem("exemptions/sets.yaml", 1, f"豁免组 {set_name} 里的“{member}”不存在"))


def _read_rule(shelf: Shelf, name: str) -> None:
    path = PurePosixPath(name)
    block = _block(shelf, name)
    if block is None:
        return
    compiler = Compiler(name, shelf.words, shelf.problems)
    rule = compiler.rule(block, shelf.categories, shelf.exemptions)
    if rule is None:
        return
    if rule.id != path.stem:
        compiler.wrong(block.at("id"), f"id“{rule.id}”应与文件名“{path.stem}”相同")
    if rule.id in shelf.rules:
        compiler.wrong(block.at("id"), f"id“{rule.id}”已用于 {shelf.rules[rule.id].file}")
        return
    family = shelf.categories[rule.category].family
    if not path.parent.name.startswith(family):
        compiler.wrong(block.at("category"), f"类别属于 {family} 类,文件应放在 rules/{family}… 文件夹")
    for provision in rule.basis:
        if not shelf.law.knows(provision):
            compiler.wrong(block.at("basis"), f"依据“{provision}”不在 law/ 里;可用的见 rules list --basis")
    shelf.rules[rule.id] = rule
    shelf.blocks[rule.id] = block


def title_of(names: Mapping[str, Any], key: str) -> Bilingual:
    """The title of a category or exemption, or its id when it is unknown."""
    known = names.get(key)
    return known.title if known is not None else Bilingual(key)
