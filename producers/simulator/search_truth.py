"""Labelled queries with which a search can be judged: what shoppers type, and which products they want.

A label follows from what a product is, never from the words of its title: its noun, its category and its
attributes. The words of a query are names of the noun (`world/nouns.toml`) and of attributes
(`schemas/product_categories.toml`), in English or Portuguese. A shopper who types `blue desk lamp` wants a
product whose noun is the desk lamp and whose colour is blue, whatever its seller calls it and in whichever
language. With the labels and gains of Amazon's ESCI data set:

    exact       1     the noun, and every attribute that the query names
    substitute  0.1   the noun without one of these attributes, or a noun of the same kind with all of them
    complement  0.01  anything else of the same category
    irrelevant  0     the rest

Pure. The same world gives the same queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from producers.simulator.misspelling import misspelt
from producers.simulator.randomness import named_rng
from producers.simulator.searches import described
from producers.simulator.world.categories import LANGUAGES, LEAVES, NOUNS
from producers.simulator.world.inflection import other_number, without_accents
from producers.simulator.world.world import World
from schemas.product_categories import default_tree

EXACT, SUBSTITUTE, COMPLEMENT, IRRELEVANT = 1.0, 0.1, 0.01, 0.0

Kind = Literal["exact", "typo", "inflected", "attribute", "language"]
Half = Literal["tune", "count"]

QUERIES: Mapping[Kind, int] = {"exact": 50, "typo": 40, "inflected": 30, "attribute": 40, "language": 40}
"""Kind → number of queries: spelt as in the lists of names; with typos; in the other number; with two
attributes; and in the language in which most of the wanted products are not titled. Half of each kind is to
tune a search with."""

FEWEST_WANTED = 3
"""Fewest products that a query wants exactly."""

MOST_WANTED = 60
"""Most products that a query wants exactly, so that a search has to choose."""

_SECOND_TYPO_FROM_LETTERS, _SECOND_TYPO_SHARE = 9, 0.25
_OTHER_LANGUAGE_SHARE = 0.6
_LEAF_OF_NOUN = tuple(place for place, leaf in enumerate(LEAVES) for _ in leaf.nouns)


@dataclass(frozen=True)
class Intent:
    """What a shopper wants: a noun (index of NOUNS) and values of attributes (key → value)."""

    noun: int
    attributes: Mapping[str, str]

    def label(self, noun: int, attributes: Mapping[str, str]) -> float:
        """Return the gain of a product of the same category with this noun and these attributes."""
        has_all = all(attributes.get(key) == value for key, value in self.attributes.items())
        if noun == self.noun:
            return EXACT if has_all else SUBSTITUTE
        return SUBSTITUTE if has_all and NOUNS[noun].kind == NOUNS[self.noun].kind else COMPLEMENT


@dataclass(frozen=True)
class LabelledQuery:
    """A query and its labels: product (index of the world's products) → gain, without irrelevant products."""

    query: str
    kind: Kind
    half: Half
    language: str
    intent: Intent
    gains: Mapping[int, float]


def labelled_queries(world: World, seed: int = 1) -> list[LabelledQuery]:
    """Return 200 queries: 100 to tune a search and 100 that count. No noun is in both halves.

    The world needs attributes (`WorldShape.has_contents`) and some 20,000 products.

    Raises:
        ValueError: the world has too few products for a kind of query.
    """
    nouns = named_rng(seed, "nouns of queries").permutation(len(NOUNS)).tolist()
    halves: dict[Half, list[int]] = {"tune": nouns[::2], "count": nouns[1::2]}
    found: list[LabelledQuery] = []
    for half, of_half in halves.items():
        for kind, count in QUERIES.items():
            rng = named_rng(seed, f"queries {half} {kind}")
            drawn = _drawn(world, rng, kind, half, of_half, {each.query for each in found})
            taken = [query for query, _ in zip(drawn, range(count // 2), strict=False)]
            if len(taken) < count // 2:
                raise ValueError(f"the world has too few products for {count} queries of the kind {kind}")
            found += taken
    return found


def ndcg(ranking: Sequence[int], gains: Mapping[int, float], depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `depth` products of a ranking, in [0, 1].

    Σ gain / log2(place + 1), over that of the best ranking (Järvelin and Kekäläinen, 2002).
    """
    best = sorted(gains.values(), reverse=True)[:depth]
    reached = [gains.get(product, IRRELEVANT) for product in ranking[:depth]]
    return _discounted(reached) / _discounted(best)


def _discounted(gains: Sequence[float]) -> float:
    return float(sum(gain / np.log2(place + 1) for place, gain in enumerate(gains, 1)))


_ATTEMPTS = 40
"""How often each noun is tried before a kind of query is given up."""


def _drawn(
    world: World, rng: np.random.Generator, kind: Kind, half: Half, nouns: list[int], known: set[str]
) -> Iterator[LabelledQuery]:
    seen = set(known)
    for _ in range(_ATTEMPTS):
        for noun in rng.permutation(nouns).tolist():
            query = _query(world, rng, kind, half, noun)
            if query is not None and query.query not in seen:
                seen.add(query.query)
                yield query


def _query(world: World, rng: np.random.Generator, kind: Kind, half: Half, noun: int) -> LabelledQuery | None:
    """Return a query about a product with this noun, or None if it would be none of this kind."""
    products = world.products
    start, end = products.starts[_LEAF_OF_NOUN[noun] : _LEAF_OF_NOUN[noun] + 2].tolist()
    rows = [row for row in range(start, end) if products.noun[row] == noun]
    if not rows:
        return None
    attributes = products.contents.attributes[rows[int(rng.integers(len(rows)))]]
    language = LANGUAGES[int(rng.random() < world.shape.portuguese_share)]
    intent = Intent(noun, {key: attributes[key] for key in _named(rng, kind, attributes)})
    gains = {
        row: intent.label(int(products.noun[row]), products.contents.attributes[row])
        for row in range(start, end)
    }
    wanted = [row for row, gain in gains.items() if gain == EXACT]
    if not FEWEST_WANTED <= len(wanted) <= MOST_WANTED:
        return None
    if kind == "language" and _share_in(world, wanted, language) > 1 - _OTHER_LANGUAGE_SHARE:
        return None
    query = _words(rng, kind, intent, language)
    return None if query is None else LabelledQuery(query, kind, half, language, intent, gains)


def _named(rng: np.random.Generator, kind: Kind, attributes: Mapping[str, str]) -> list[str]:
    """Return the attributes that the query names: two for `attribute`, else none or one."""
    others = [key for key in attributes if key != "brand"]
    if kind == "attribute":
        return rng.permutation(others)[:2].tolist()  # type: ignore[no-any-return]
    if kind == "language":
        return [others[int(rng.integers(len(others)))]]
    return [[], ["brand"], others[:1]][int(rng.integers(3))]


def _words(rng: np.random.Generator, kind: Kind, intent: Intent, language: str) -> str | None:
    """Return how a shopper types it; None if it would mean something else, or has no typo or other number."""
    names = NOUNS[intent.noun].names[language]
    name = names[int(rng.integers(len(names)))]
    if not intent.attributes and _fold(name) in _category_names():
        return None
    if kind == "inflected":
        inflected = other_number(name, language)
        if inflected == name:
            return None
        name = inflected
    for key, value in intent.attributes.items():
        name = f"{name} {value}" if key == "brand" else described(name, key, value, language)
    query = name.lower()
    if language == "pt_BR" and rng.random() < 0.5:
        query = without_accents(query)
    if kind != "typo":
        return query
    typed = misspelt(query, rng.random(), rng.random())
    if max(map(len, query.split(" "))) >= _SECOND_TYPO_FROM_LETTERS and rng.random() < _SECOND_TYPO_SHARE:
        typed = misspelt(typed, rng.random(), rng.random())
    return None if typed == query else typed


def _share_in(world: World, rows: list[int], language: str) -> float:
    sellers = world.products.seller[rows].tolist()
    return [world.sellers.languages[seller] for seller in sellers].count(language) / len(rows)


def _category_names() -> set[str]:
    return {_fold(name) for each in default_tree().categories.values() for name in each.names.values()}


def _fold(text: str) -> str:
    return without_accents(text.lower())
