"""What a shopper may be typing: products, categories, sellers, and searches of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import tantivy

from serving.products.search.documents import FIELD_END, folded_words
from serving.products.search.filters import count
from serving.products.search.index import any_of
from serving.products.search.matching import match, words_begun
from serving.products.search.query import Found, Hit, Search, find, listed

MAX_COMPLETIONS = 60
"""Completions that are read: a category has one for each language, and a seller one for each product."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A seller or a category, and how many products it has."""

    key: str
    name: str
    products: int


def products_begun(searcher: tantivy.Searcher, text: str, limit: int) -> Sequence[Hit]:
    """Return products that have all words of a text, the last of which may be unfinished.

    If there are none, return what a search for the text finds, without dropping a word of it.
    """
    query = words_begun(searcher, text)
    if query is None:
        return ()
    return listed(searcher, query, limit) or _spelt_otherwise(searcher, text, limit)


def _spelt_otherwise(searcher: tantivy.Searcher, text: str, limit: int) -> Sequence[Hit]:
    found: Found = find(searcher, Search(text), limit)
    return found.hits if all(attempt.step != "fewer_words" for attempt in found.tried) else ()


def completions(searcher: tantivy.Searcher, kind: str, text: str, limit: int) -> list[Completion]:
    """Return the sellers or the categories of whose name a word begins with a text, the largest first."""
    begun = folded_words(text)
    if not begun:
        return []
    found: dict[str, Completion] = {}
    prefix = f"{kind}{FIELD_END}{begun}"
    for term, _ in searcher.terms_with_prefix("completion", prefix, limit=MAX_COMPLETIONS):
        _, _, key, name = term.split(FIELD_END, 3)
        if key not in found and len(found) < limit:
            # The dictionary also has the names of those whose products are gone.
            products = count(searcher, any_of("completion", [term]))
            found |= {key: Completion(key, name, products)} if products else {}
    return list(found.values())


def searches_begun(
    searcher: tantivy.Searcher, popular: Mapping[str, int], text: str, limit: int
) -> list[str]:
    """Return the popular searches of which a word begins with a text, the most popular first.

    A product has all words of each: so nobody makes others see a text that is no search.
    """
    begun = folded_words(text)
    if not begun:
        return []
    matching = (each for each in popular if f" {begun}" in f" {folded_words(each)}")
    ranked = sorted(matching, key=lambda each: (-popular[each], each))[:MAX_COMPLETIONS]
    found = (each for each in ranked if count(searcher, match(searcher, each, 0, fill=False).any_level))
    return list(islice(found, limit))
