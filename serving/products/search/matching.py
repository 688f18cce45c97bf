"""How well products match a text: levels, the best first, and how a text is widened that finds too little.

Levels are discrete, as in Algolia or Meilisearch, because frequencies of words (BM25) say little about
titles of five words. A text is widened in steps: typing errors, the beginning of the last word and words
that are joined or split; then without the last word, and so on. Queries are built of terms: no text is
parsed as a query.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import tantivy
from tantivy import Query

from serving.products.search.documents import CATEGORY, FIELD_END, MAX_TERM, exact_term
from serving.products.search.filters import count
from serving.products.search.index import EVERYTHING, all_of, any_of, one_of
from serving.products.search.text import (
    SWAPPED,
    Phrase,
    Slot,
    allowed_typos,
    analyse,
    analysed,
    close_words,
    halves,
    joins,
    phrase_terms,
    slots_of,
)

FEW = 5
"""With fewer products, typing errors are looked for, too."""

MAX_SPELLINGS = 20
"""The number of words that a misspelt word may have been meant to be."""

MAX_BEGUN, MIN_BEGUN = 50, 2
"""The number of words that begin as the last word of a search, and the letters that it has at least."""

SURE = 100
"""Of more products with a word than these, one is still on offer."""

Step = Literal["words", "spelling", "fewer_words"]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """A way in which products were looked for: `text` is what of it was used."""

    step: Step
    text: str
    products: int


@dataclass(frozen=True, slots=True)
class Matching:
    """What a text matches. `levels` has a query for each, the best first; a product may be in several.

    `any_level` finds what is in any of them. `steps` is how far the text was widened: 0 not at all, 1 by
    spelling, 2 also without the last word, …
    """

    levels: Sequence[Query]
    any_level: Query
    steps: int = 0
    tried: Sequence[SearchStep] = ()
    did_you_mean: Sequence[str] | None = None


ALL = Matching([EVERYTHING], EVERYTHING)
"""Matches every product equally well."""


class _Levels:
    """The levels that were tried so far. `widest` has those that contain the others."""

    def __init__(self, searcher: tantivy.Searcher, levels: Sequence[Query], widest: Sequence[Query]) -> None:
        self._searcher = searcher
        self.levels, self.widest = [*levels], [*widest]
        self.tried: list[SearchStep] = []

    def add(self, level: Query) -> None:
        self.levels.append(level)
        self.widest.append(level)

    def count(self, step: Step, slots: Sequence[Slot]) -> int:
        """Note what was tried, and return how many products there are."""
        products = count(self._searcher, one_of(*self.widest))
        self.tried.append(SearchStep(step, " ".join(slot.text for slot in slots), products))
        return products

    def matching(self, steps: int, did_you_mean: Sequence[str] | None = None) -> Matching:
        return Matching(self.levels, one_of(*self.widest), steps, self.tried, did_you_mean)


def match(searcher: tantivy.Searcher, text: str, steps: int | None, fill: bool) -> Matching:
    """Return what a text matches; a blank text matches everything.

    Args:
        searcher: the state of the index.
        text: what was typed, of any length and with any characters.
        steps: how far the text is widened; None: as far as needed.
        fill: whether it is widened if it finds few products, and not only if it finds none.
    """
    if not text.strip():
        return ALL
    spelling = _Spelling(searcher, slots_of(text))
    slots, exact = spelling.slots, _exact(text)
    by_words = [*_levels(slots)]
    found = _Levels(searcher, [exact, *by_words], [exact, *by_words[-1:]])
    by_words_only = found.count("words", slots)
    if not slots or steps == 0 or (steps is None and by_words_only >= (FEW if fill else 1)):
        return found.matching(0)
    found.add(one_of(*(_all_slots("about", reading) for reading in spelling.readings())))
    products = found.count("spelling", slots)
    did_you_mean = spelling.correction() if products > by_words_only else None
    done = 1
    while done < len(slots) and (done < steps if steps is not None else not products):
        fewer = slots[:-done]
        found.add(_all_slots("anything", [spelling.widened(slot) for slot in fewer]))
        products = found.count("fewer_words", fewer)
        done += 1
    return found.matching(done, did_you_mean)


def nearest_category(searcher: tantivy.Searcher, text: str) -> Query | None:
    """Return the query for categories with a name of which a word begins like one of a text."""
    spelling = _Spelling(searcher, slots_of(text))
    phrases = [phrase for slot in spelling.slots for phrase in spelling.widened(slot).phrases]
    categories = {
        term.split(FIELD_END)[2]
        for form in {form for phrase in phrases for word in phrase for form in word.forms}
        for term, _ in searcher.terms_with_prefix(
            "completion", f"{CATEGORY}{FIELD_END}{form}", limit=MAX_BEGUN
        )
    }
    return any_of("category", categories) if categories else None


def _exact(text: str) -> Query:
    """Return the query for a product's id or whole name."""
    whole = text.strip().encode(errors="ignore").decode()[:MAX_TERM]
    return any_of("exact", {whole, exact_term(text)} - {""})


def _levels(slots: Sequence[Slot]) -> Iterator[Query]:
    """Yield the queries for products that have all words, the best level first. The last contains the others.

    The name of the product's category says best what a product is: a lamp shade is no lamp.
    """
    if slots:
        is_of_category = any_of("category_name", _named(slots))
        in_name, in_about = _all_slots("name", slots), _all_slots("about", slots)
        yield all_of(in_name, is_of_category)
        yield all_of(in_about, is_of_category)
        yield in_name
        yield in_about
        yield _all_slots("about", slots, with_stems=True)
        yield _all_slots("anything", slots, with_stems=True)


MAX_NAME = 4
"""The number of words of the name of a category that a text may have."""


def _named(slots: Sequence[Slot]) -> set[str]:
    """Return the terms of all that a text may call a category: words in a row, and synonyms."""
    words = [word for slot in slots for word in slot.typed]
    rows = [words[at : at + length] for at in range(len(words)) for length in range(1, MAX_NAME + 1)]
    return {
        term
        for phrase in (*rows, *(each for slot in slots for each in slot.synonyms))
        for term in phrase_terms(phrase)
    }


def _all_slots(name: str, slots: Sequence[Slot], with_stems: bool = False) -> Query:
    return all_of(*(_in_field(name, slot, with_stems) for slot in slots))


def _in_field(name: str, slot: Slot, with_stems: bool = False) -> Query:
    return one_of(
        *(
            all_of(*(any_of(name, word.forms_and_stems if with_stems else word.forms) for word in phrase))
            for phrase in slot.phrases
        )
    )


class _Spelling:
    """What else the words of a search may be: spelt otherwise, longer, joined or split."""

    def __init__(self, searcher: tantivy.Searcher, slots: Sequence[Slot]) -> None:
        self._searcher = searcher
        self.slots = slots
        self._found: dict[str, list[str]] = {}

    def readings(self) -> Iterator[Sequence[Slot]]:
        """Yield the slots with all spellings; then, for each neighbours that are one word, with that word."""
        widened = [self.widened(slot) for slot in self.slots]
        if widened:
            last = widened[-1]
            widened[-1] = Slot(last.typed, (*last.synonyms, *self._begun(last)))
        yield widened
        for at, joined in joins(self.slots):
            if self._is_known(joined):
                yield [*widened[:at], Slot((analyse(joined),)), *widened[at + 2 :]]

    def widened(self, slot: Slot) -> Slot:
        """Return a slot with the words that were perhaps meant."""
        if len(slot.typed) > 1:
            return slot
        return Slot(
            slot.typed,
            (*slot.synonyms, *((analyse(word),) for word in self._close(slot)), *self._halves(slot)),
        )

    def correction(self) -> list[str] | None:
        """Return the words of the search with those replaced that no product has; None if nothing changes."""
        words: list[str] = []
        at, joined = 0, {at: word for at, word in joins(self.slots) if self._is_known(word)}
        changed = False
        while at < len(self.slots):
            slot = self.slots[at]
            plain = [word.plain for word in slot.typed]
            known = all(any(map(self._is_known, word.forms)) for word in slot.typed)
            if at in joined and not known:
                words.append(joined[at])
                at, changed = at + 2, True
                continue
            if not known and len(plain) == 1 and (meant := self._meant(slot)):
                plain, changed = meant, True
            words += plain
            at += 1
        return words if changed else None

    def _meant(self, slot: Slot) -> list[str]:
        """Return the word that was most likely meant, or two words; empty if nothing is known."""
        if close := next(filter(self._is_known, self._close(slot)), None):
            return [close]
        return next(([word.plain for word in phrase] for phrase in self._halves(slot)), [])

    def _close(self, slot: Slot) -> list[str]:
        plain = slot.typed[0].plain
        if len(plain) != SWAPPED and not allowed_typos(plain):
            return []
        if plain not in self._found:  # it reads all words with this letter, and each step asks for it
            words = dict(self._searcher.terms_with_prefix("word", plain[0]))
            self._found[plain] = close_words(plain, words)[:MAX_SPELLINGS]
        return self._found[plain]

    def _halves(self, slot: Slot) -> Iterator[Phrase]:
        for one, other in halves(slot.typed[0].plain):
            if self._is_known(one) and self._is_known(other):
                yield analyse(one), analyse(other)

    def _begun(self, slot: Slot) -> Iterator[Phrase]:
        plain = slot.typed[-1].plain
        if len(plain) >= MIN_BEGUN:
            for word, _ in self._searcher.terms_with_prefix("word", plain, limit=MAX_BEGUN):
                yield (*slot.typed[:-1], analyse(word))

    def _is_known(self, plain: str) -> bool:
        """Return whether a product has a word. The dictionary also has words of products that are gone."""
        products = self._searcher.doc_freq("word", plain)
        return products > SURE or (products > 0 and count(self._searcher, any_of("word", [plain])) > 0)


def words_begun(searcher: tantivy.Searcher, text: str) -> Query | None:
    """Return the query for products that have all words of a text, of which the last may be unfinished."""
    words = analysed(text)
    if not words:
        return None
    *whole, last = words
    begun = [
        word for word, _ in islice(searcher.terms_with_prefix("word", last.plain, limit=MAX_BEGUN), MAX_BEGUN)
    ]
    queries = [any_of("about", word.forms_and_stems) for word in whole]
    return all_of(*queries, any_of("about", {*begun, *last.forms}))
