"""What a text means to the search: its words, their forms and stems, synonyms, and spellings that are close.

Names are searched by *forms* of words: each word in lower case, without accents and compatible forms, and its
possible singulars in Portuguese and English. *Stems* join more words (`decorative`, `decoration`), and wrong
ones, too; so they match in a lower place. A stem is made before accents are removed, because the rules of
Portuguese need them. Languages are not guessed: a word is analysed as if it were of either. Pure.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import islice, pairwise, product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from clickhouse.query_files import LEFT_OUT

FILE = Path(__file__).with_name("synonyms.toml")

MAX_WORDS = 12
"""The largest number of words in a search. Further words are ignored."""

MAX_LETTERS = 48
"""Longer words are cut, in products and in searches."""

STEM = "~"
"""What a stem begins with, so that it equals no word."""

_OTHER_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h"}
)
"""Letters that people replace when they type, and that Unicode does not take apart."""

_LEFT_OUT = re.compile(f"[{LEFT_OUT}]")

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
"""Characters of scripts without spaces. Each counts as a word."""

_PIECE = re.compile(r"[^\W_]+|[^\w\s\x00-\x7f]")
"""A run of letters and digits, or one other character that is not ASCII."""

_COMPOUND = re.compile(r"[^\W\d_]+(?:[-'’‐][^\W_]+)+")
_MEASURE = re.compile(r"\b(\d+)(?:[.,]\d+)? ?([^\W\d_]{1,3})\b")


MAX_MARKS = 30
"""The number of marks in a row that count, as in the stream-safe format of Unicode (UAX #15): to normalise
them takes time that grows with their square."""


@cache
def _further_marks() -> re.Pattern[str]:
    """Return the pattern of marks in a row of which there are more than `MAX_MARKS`."""
    planes = map(chr, range(0x300, 0x20000))  # the others have none
    decomposed = ((each, unicodedata.normalize("NFKD", each)[0]) for each in planes)
    marks = "".join(each for each, first in decomposed if unicodedata.combining(first))
    return re.compile(f"(?<=[{marks}]{{{MAX_MARKS}}})[{marks}]+")


def _normalised(form: Literal["NFKC", "NFKD"], text: str) -> str:
    return unicodedata.normalize(form, _further_marks().sub("", text))


_MAY_BE_JOINED = re.compile(r"[-'’‐]|\d")
"""What a text has that is not only words of letters."""


def fold(text: str) -> str:
    """Return a text without case, compatible forms and the marks that people leave out when they type."""
    if text.isascii():
        return text.lower()
    decomposed = _normalised("NFKD", text).casefold().translate(_OTHER_LETTERS)
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", decomposed))


def split(text: str) -> list[str]:
    """Return the words of a text in lower case, with their accents; underscores and punctuation separate
    words.

    Marks and invisible characters belong to the word before them. A symbol, such as an emoji, is a word.
    """
    text = (text if text.isascii() else _normalised("NFKC", text)).lower()
    if text.isascii():
        return [piece[:MAX_LETTERS] for piece in _PIECE.findall(text)]
    words: list[str] = []
    end = -1  # of the newest word, unless something separates it from what follows
    for match in _PIECE.finditer(_CJK.sub(r" \g<0> ", text)):
        piece, touches = match.group(), match.start() == end
        kind = "L" if piece[0].isalnum() else unicodedata.category(piece)
        if kind in ("L", "Cf") or kind[0] == "M":
            end = match.end()
            if touches and words:
                words[-1] += "" if kind == "Cf" else piece
            elif kind != "Cf":
                words.append(piece)
        elif kind[0] == "S" or kind in ("Co", "Cn"):
            words.append(piece)
    return [word[:MAX_LETTERS] for word in words]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text. `plain` is the word as typed, folded; it is one of `forms`."""

    plain: str
    forms: frozenset[str]
    forms_and_stems: frozenset[str] = field(repr=False)
    """All terms by which the word is found."""


@lru_cache(maxsize=100_000)
def analyse(raw: str) -> Word:
    """Return the analysis of a word that `split` returned."""
    plain = fold(raw) or raw
    if not plain.isalpha():
        return Word(plain, frozenset((plain,)), frozenset((plain,)))
    forms = frozenset((plain, *_singulars(plain)))
    return Word(plain, forms, forms.union(_stems(raw, plain)) if len(plain) > 3 else forms)


_PLURALS: Mapping[str, tuple[str, ...]] = {
    # Portuguese, without accents (Orengo and Huyck 2001: A stemming algorithm for the Portuguese language)
    "oes": ("ao",),
    "aes": ("ao",),
    "ais": ("al",),
    "eis": ("el", "il"),
    "ois": ("ol",),
    "uis": ("ul",),
    "is": ("il",),
    "ns": ("m",),
    "res": ("r",),
    "zes": ("z",),
    # English
    "ies": ("y",),
    "ves": ("f", "fe"),
    "ses": ("s",),
    "xes": ("x",),
    "ches": ("ch",),
    "shes": ("sh",),
}
"""Endings of plurals → those of singulars. A plural without one of them, too, may have lost only its `s`."""

_NO_PLURAL = ("ss", "us")


def _singulars(plain: str) -> Iterator[str]:
    """Yield what the singular of a folded word may be. What is no word does no harm: nobody looks for it."""
    if len(plain) < 4 or plain[-1] != "s" or plain.endswith(_NO_PLURAL):
        return
    yield plain[:-1]
    for length in (2, 3, 4):
        for ending in _PLURALS.get(plain[-length:], ()):
            if len(plain) > length:
                yield plain[:-length] + ending


@cache
def _stemmer(language: str) -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(language)).build()


def _stems(raw: str, plain: str) -> Iterator[str]:
    """Yield the stems in both languages, by the rules of Snowball; the first letters keep them apart."""
    for word in {raw, plain}:
        yield from (f"{STEM}p{fold(stem)}" for stem in _stemmer("portuguese").analyze(word))
    yield from (f"{STEM}e{stem}" for stem in _stemmer("english").analyze(plain))


def analysed(text: str) -> list[Word]:
    """Return the words of a text."""
    return [analyse(raw) for raw in split(text)]


def joined_words(text: str) -> Iterator[str]:
    """Yield what people write as one word: `t-shirt` is also `tshirt`, `60 W` is `60w`, and `60W` is `60`."""
    if not _MAY_BE_JOINED.search(text):
        return
    folded = fold(text)
    for compound in _COMPOUND.findall(folded):
        yield "".join(letter for letter in compound if letter.isalnum())[:MAX_LETTERS]
    for number, unit in _MEASURE.findall(folded):
        yield from (number + unit, number)


class TextTerms(NamedTuple):
    """The terms by which a product with a text is found, and its plain words."""

    terms: frozenset[str]
    words: frozenset[str]


SHORT = 64
"""Texts up to this length are analysed once: names of categories and of values occur in many products."""


def text_terms(text: str) -> TextTerms:
    """Return the terms of a text."""
    return _short_text_terms(text) if len(text) <= SHORT else _text_terms(text)


def _text_terms(text: str) -> TextTerms:
    words = set(analysed(text))
    terms = frozenset(joined_words(text)).union(*(word.forms_and_stems for word in words))
    return TextTerms(terms, frozenset(word.plain for word in words))


_short_text_terms = lru_cache(maxsize=20_000)(_text_terms)


def terms_of_all(texts: Iterable[str]) -> TextTerms:
    """Return the terms of several texts together."""
    each = [text_terms(text) for text in texts]
    none = frozenset[str]()
    return TextTerms(none.union(*(one.terms for one in each)), none.union(*(one.words for one in each)))


@dataclass(frozen=True, slots=True)
class SearchWords:
    """Synonyms and stop words. `synonyms` has the other phrases of the groups that a phrase is in."""

    synonyms: Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]
    stop_words: frozenset[str]

    @property
    def longest(self) -> int:
        """The largest number of words in a phrase."""
        return max(map(len, self.synonyms), default=1)


@cache
def search_words() -> SearchWords:
    """Return the content of `synonyms.toml`."""
    content: Mapping[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    synonyms: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {}
    for group in content["synonyms"]:
        phrases = [tuple(split(phrase)) for phrase in group]
        for phrase in phrases:
            key = tuple(map(fold, phrase))
            others = (other for other in phrases if other != phrase)
            synonyms[key] = tuple(dict.fromkeys((*synonyms.get(key, ()), *others)))
    return SearchWords(synonyms, frozenset(map(fold, content["stop_words"])))


def words_that_matter(text: str, known: SearchWords | None = None) -> list[Word]:
    """Return the words of a text without stop words, unless there is nothing else."""
    stop_words, words = (known or search_words()).stop_words, analysed(text)
    return [word for word in words if word.plain not in stop_words] or words


MAX_SPELLINGS = 64
"""The number of spellings of a phrase, each word in the plural or in the singular."""


def phrase_terms(phrase: Sequence[Word]) -> set[str]:
    """Return the terms of a whole phrase: each has one form of each word."""
    spellings = product(*(sorted(word.forms) for word in phrase))
    return {" ".join(spelling) for spelling in islice(spellings, MAX_SPELLINGS)}


Phrase = tuple[Word, ...]
"""Words that a product must all have, in any order."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a search that a product must have: what was typed, or something that means the same."""

    typed: Phrase
    synonyms: tuple[Phrase, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """All phrases, of which a product has one."""
        return self.typed, *self.synonyms

    @property
    def text(self) -> str:
        """What was typed, folded."""
        return " ".join(word.plain for word in self.typed)


def slots_of(text: str, known: SearchWords | None = None) -> list[Slot]:
    """Return what a product must have to match a search.

    Stop words are left out, unless there is nothing else. The longest phrase with a synonym is one slot.
    """
    known = known or search_words()
    words = words_that_matter(text, known)[:MAX_WORDS]
    slots: list[Slot] = []
    at = 0
    while at < len(words):
        for length in range(min(known.longest, len(words) - at), 0, -1):
            typed = tuple(words[at : at + length])
            others = _synonyms_of(typed, known)
            if others or length == 1:
                slots.append(Slot(typed, others))
                at += length
                break
    return slots


def _synonyms_of(typed: Phrase, known: SearchWords) -> tuple[Phrase, ...]:
    found = (known.synonyms.get(key, ()) for key in product(*(sorted(word.forms) for word in typed)))
    return tuple(tuple(map(analyse, phrase)) for phrases in found for phrase in phrases)


def allowed_typos(plain: str) -> int:
    """Return how many typos a word may have: none with a digit, else one from 5 letters, two from 9."""
    if not plain.isalpha() or len(plain) < 5:
        return 0
    return 1 if len(plain) < 9 else 2


def within(one: str, other: str, typos: int) -> bool:
    """Return whether so many typos make one word of the other.

    A typo adds, omits or replaces a letter, or swaps two neighbours (Damerau 1964; no letter is changed
    twice).
    """
    at, shorter = 0, min(len(one), len(other))
    while at < shorter and one[at] == other[at]:
        at += 1
    left, right = one[at:], other[at:]
    if typos == 0 or not left or not right:
        return len(left) + len(right) <= typos
    if abs(len(left) - len(right)) > typos:
        return False
    swapped = left[:2] == right[1::-1] and len(left) > 1
    return (
        within(left[1:], right[1:], typos - 1)
        or within(left[1:], right, typos - 1)
        or within(left, right[1:], typos - 1)
        or (swapped and within(left[2:], right[2:], typos - 1))
    )


SWAPPED = 4
"""The number of letters of words in which only a swap is looked for."""


def close_words(plain: str, known: Mapping[str, int]) -> list[str]:
    """Return the words that a word may have been meant to be: with fewer typos first, then the more frequent.

    In a word of `SWAPPED` letters, two neighbours may be swapped (`lmap`); any other typo makes another word.

    `known` has words with the same first letter, and how many products have each.
    """
    typos = allowed_typos(plain)
    if len(plain) == SWAPPED and plain.isalpha():
        same_length = (word for word in known if len(word) == SWAPPED and word != plain)
        swapped = [word for word in same_length if sorted(word) == sorted(plain) and within(plain, word, 1)]
        return sorted(swapped, key=lambda word: (-known[word], word))
    found: list[tuple[int, int, str]] = []
    for word, products in known.items():
        if word == plain or abs(len(word) - len(plain)) > typos or not word.isalpha():
            continue
        for distance in range(1, typos + 1):
            if within(plain, word, distance):
                found.append((distance, -products, word))
                break
    return [word for _, _, word in sorted(found)]


MIN_PART = 3
"""The smallest number of letters of each part of a word that is split."""


def halves(plain: str) -> Iterator[tuple[str, str]]:
    """Yield each pair of words into which a word can be split."""
    if plain.isalpha():
        for at in range(MIN_PART, len(plain) - MIN_PART + 1):
            yield plain[:at], plain[at:]


def joins(slots: Sequence[Slot]) -> Iterator[tuple[int, str]]:
    """Yield each pair of neighbours as one word: the position of the first, and the word."""
    for at, (one, other) in enumerate(pairwise(slots)):
        if len(one.typed) == len(other.typed) == 1:
            yield at, one.typed[0].plain + other.typed[0].plain
