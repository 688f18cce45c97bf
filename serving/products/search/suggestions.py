"""What a shopper may be typing: products, categories, sellers, and searches of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tantivy

from serving.products.search.documents import FIELD_END, folded_words
from serving.products.search.matching import words_begun
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
    for term, products in searcher.terms_with_prefix("completion", prefix, limit=MAX_COMPLETIONS):
        _, _, key, name = term.split(FIELD_END, 3)
        if key not in found:
            found[key] = Completion(key, name, products)
    return list(found.values())[:limit]


def searches_begun(popular: Mapping[str, int], text: str, limit: int) -> list[str]:
    """Return the popular searches of which a word begins with a text, the most popular first."""
    begun = folded_words(text)
    if not begun:
        return []
    matching = (each for each in popular if f" {begun}" in f" {folded_words(each)}")
    return sorted(matching, key=lambda each: (-popular[each], each))[:limit]
