"""Filters of a search as queries, and facets: how many products each further filter would leave.

A facet is counted without its own filter (disjunctive facets): with the filter "red", the facet of colours
still says how many blue ones there are. Filters on several attributes in which variants differ match only
products of which one variant has all of them, and their facets are counted in the same way. All counts are
exact.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise, product
from typing import Annotated, Any

import tantivy
from pydantic import Field
from tantivy import FieldType, Query
from typing_extensions import TypedDict

from serving.kit.product_filters import Filters
from serving.products.search.documents import (
    FIELD_END,
    MAX_COMBINED,
    MAX_PRICE,
    MAX_TERM,
    PAIR_END,
    PRICE_BOUNDS,
    SCHEMA,
    attribute_term,
    combination_term,
    first_price_key,
)
from serving.products.search.index import EVERYTHING, all_of, any_of

MAX_VALUES = 20
"""The number of values of a facet: those with the most products. Categories are a tree: all are shown."""

MAX_ATTRIBUTES = 12
"""The number of attributes that have a facet: those with the most products."""

_EVERY_VALUE, _READ_VALUES = 65_000, 2_000
"""The number of values that are counted, more than a facet has, and of those that are then read."""

_COUNTED_VALUES = 10 * MAX_VALUES
"""The number of values of which each takes a query of its own."""

_IN_STOCK = Query.term_query(SCHEMA, "in_stock", True)

Chosen = Mapping[str, Sequence[str]]
"""Attribute → the values of which a product has one."""


class FacetValue(TypedDict):
    """A value of a filter."""

    value: Annotated[str, Field(examples=["Lamps"])]
    products: Annotated[int, Field(description="The products that it would leave, with all other filters.")]
    chosen: Annotated[bool, Field(description="Whether it is a filter of this list.")]


class SellerValue(FacetValue):
    """A seller as a value of a filter."""

    name: str | None


class PriceBand(TypedDict):
    """Prices from `from_minor` to before `to_minor`, null for any."""

    from_minor: int | None
    to_minor: int | None
    products: int


class AtLeastStars(TypedDict):
    """Products with a mean of at least so many stars."""

    stars: int
    products: int


class AttributeFacet(TypedDict):
    """The values of an attribute."""

    attribute: Annotated[str, Field(examples=["colour"])]
    values: list[FacetValue]


class Facets(TypedDict):
    """How many products each filter would leave, each facet counted without its own filter."""

    categories: Annotated[list[FacetValue], Field(description="Categories, with those above them.")]
    sellers: list[SellerValue]
    attributes: list[AttributeFacet]
    prices: list[PriceBand]
    stars: list[AtLeastStars]
    in_stock: Annotated[int, Field(description="The products of which a unit is in stock.")]


class Conditions:
    """The filters of a search as queries, together and each without one of them.

    `variant_keys` are those of `variant_keys_in`.
    """

    def __init__(self, filters: Filters, variant_keys: Collection[str]) -> None:
        self.filters, self._variant_keys = filters, variant_keys
        self.attributes: Chosen = {key: values for key, values in filters.attributes if values}
        self._plain: dict[str, Query] = {}
        if filters.category:
            self._plain["category"] = any_of("category", [filters.category[:MAX_TERM]])
        if filters.seller_id:
            self._plain["seller"] = any_of("seller", [filters.seller_id])
        if filters.price_min is not None or filters.price_max is not None:
            self._plain["price"] = _between("price", filters.price_min, filters.price_max)
        if filters.stars is not None:
            self._plain["stars"] = _between("stars", 100 * filters.stars, None)
        for key, values in self.attributes.items():
            if key not in self._variant_keys:
                terms = [attribute_term(key, value) for value in values]
                self._plain[f"attribute {key}"] = any_of("attribute", terms)

    def query(self, without: str = "") -> Query:
        """Return the query for products that pass all filters, except those of one facet."""
        queries = [query for name, query in self._plain.items() if name != without]
        in_stock = self.filters.in_stock and without != "in_stock"
        chosen = self.variant_values(without)
        if chosen:
            queries.append(_one_variant(chosen, in_stock))
        elif in_stock:
            queries.append(_IN_STOCK)
        return all_of(*queries) if queries else EVERYTHING

    def in_stock(self) -> Query:
        """Return the query for products of which a wanted variant is in stock, by the filters on variants."""
        chosen = self.variant_values()
        return _one_variant(chosen, in_stock=True) if chosen else _IN_STOCK

    def best_price(self) -> Query | None:
        """Return the query for products of which the best offer passes the filter on prices; None without
        one."""
        low, high = self.filters.price_min, self.filters.price_max
        if low is None and high is None:
            return None
        last = None if high is None else first_price_key(min(high, MAX_PRICE) + 1) - 1
        return _between("by_price", first_price_key(min(low or 0, MAX_PRICE)), last)

    def is_of_variants(self, key: str) -> bool:
        """Return whether variants of a product differ in an attribute."""
        return key in self._variant_keys

    def variant_values(self, without: str = "") -> Chosen:
        """Return the filters on attributes in which variants differ, except those of one facet."""
        return {
            key: values
            for key, values in sorted(self.attributes.items())
            if key in self._variant_keys and without != f"attribute {key}"
        }

    def filtered_facets(self) -> list[str]:
        """Return the names of the facets that have a filter, besides attributes."""
        names = [name for name in ("category", "seller", "price", "stars") if name in self._plain]
        return [*names, *(["in_stock"] if self.filters.in_stock else [])]


def _between(name: str, low: int | None, high: int | None) -> Query:
    low, high = max(0, low or 0), 2**63 if high is None else high
    return (
        Query.range_query(SCHEMA, name, FieldType.Unsigned, low, high) if low <= high else Query.empty_query()
    )


def _one_variant(chosen: Chosen, in_stock: bool) -> Query:
    """Return the query for products of which one variant has a value of each of these attributes.

    With more than `MAX_COMBINED` attributes, one variant has each `MAX_COMBINED` of them.
    """
    keys = sorted(chosen)
    queries = []
    for some in combinations(keys, min(len(keys), MAX_COMBINED)):
        pairs = product(*([attribute_term(key, value) for value in chosen[key]] for key in some))
        queries.append(
            any_of(_variant_field(in_stock), [combination_term(others, own) for *others, own in pairs])
        )
    return all_of(*queries)


def _variant_field(in_stock: bool) -> str:
    return "variant_in_stock" if in_stock else "variant"


def variant_keys_in(searcher: tantivy.Searcher) -> frozenset[str]:
    """Return the attributes in which variants differ. An index has the same ones as long as it lives."""
    return frozenset(key for key, _ in searcher.terms_with_prefix("variant_key", ""))


def count(searcher: tantivy.Searcher, query: Query) -> int:
    """Return how many products a query finds."""
    result: Any = searcher.search(query, limit=1, count=True, order_by_field="by_price")
    return int(result.count)


class FacetCounter:
    """Counts the facets of what a search finds."""

    def __init__(self, searcher: tantivy.Searcher, text: Query, conditions: Conditions) -> None:
        self._searcher, self._text, self._conditions = searcher, text, conditions

    def facets(self) -> Facets:
        """Return all facets. One pass counts those without a filter, and one each of the others."""
        filters, conditions = self._conditions.filters, self._conditions
        filtered = conditions.filtered_facets()
        counted = self._aggregate("", [name for name in _AGGREGATIONS if name not in filtered])
        for name in filtered:
            if name in _AGGREGATIONS:
                counted |= self._aggregate(name, [name])
        return {
            "categories": _values(
                counted["category"], self._chosen("category", filters.category), _EVERY_VALUE
            ),
            "sellers": _sellers(counted["seller"], self._chosen("seller", filters.seller_id)),
            "attributes": self._attributes(counted["attribute"]),
            "prices": _price_bands(counted["price"]),
            "stars": _at_least_stars(counted["stars"]),
            "in_stock": count(self._searcher, all_of(self._found("in_stock"), self._conditions.in_stock())),
        }

    def _chosen(self, name: str, value: str) -> dict[str, int]:
        """Return how many products have the value of a filter, which may be none of the largest."""
        has_value = any_of(name, [value[:MAX_TERM]])
        return {value: count(self._searcher, all_of(self._found(name), has_value))} if value else {}

    def _found(self, without: str) -> Query:
        return all_of(self._text, self._conditions.query(without))

    def _aggregate(self, without: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        asked = {name: _AGGREGATIONS[name] for name in names}
        found = self._searcher.aggregate(self._found(without), asked) if asked else {}
        return {name: found[name]["buckets"] for name in asked}

    def _attributes(self, buckets: Iterable[Mapping[str, Any]]) -> list[AttributeFacet]:
        """Return the facets of attributes. `buckets` counts their values with all filters."""
        counts: dict[str, dict[str, int]] = {key: {} for key in self._conditions.attributes}
        for bucket in buckets:
            key, _, value = bucket["key"].partition(FIELD_END)
            counts.setdefault(key, {})[value] = bucket["doc_count"]
        chosen = self._conditions.attributes
        order = sorted(counts, key=lambda key: (key not in chosen, -sum(counts[key].values()), key))
        facets: list[AttributeFacet] = []
        for key in order[:MAX_ATTRIBUTES]:
            values = self._values_of(key, counts[key])
            own = {value: values.get(value, 0) for value in chosen.get(key, ())}
            facets.append({"attribute": key, "values": _ranked(values, own)})
        return facets

    def _values_of(self, key: str, with_all_filters: Mapping[str, int]) -> Mapping[str, int]:
        """Return value → products, counted without the filter of this attribute."""
        name, conditions = f"attribute {key}", self._conditions
        others = conditions.variant_values(name)
        if conditions.is_of_variants(key) and (others or conditions.filters.in_stock):
            return self._values_of_variants(key, others)
        if key not in conditions.attributes:
            return with_all_filters
        prefix = attribute_term(key, "")
        return self._with_prefix("attribute", prefix, self._found(name))

    def _values_of_variants(self, key: str, others: Chosen) -> Mapping[str, int]:
        """Return value → products of which one variant has it, and a value of each of `others`."""
        field, found = _variant_field(self._conditions.filters.in_stock), self._found(f"attribute {key}")
        if len(others) < MAX_COMBINED:
            chosen = [*product(*([attribute_term(each, value) for value in others[each]] for each in others))]
            counts = [
                self._with_prefix(field, PAIR_END.join((*terms, attribute_term(key, ""))), found)
                for terms in chosen
            ]
            if len(counts) == 1:
                return counts[0]
        else:
            counts = [self._with_prefix(field, attribute_term(key, ""), found)]
        # A product may have several of the combinations: count the products of the values with the most.
        most: Counter[str] = Counter()
        for each in counts:
            most.update(each)
        wanted = self._conditions.attributes.get(key, ())
        values = dict.fromkeys((*dict(most.most_common(_COUNTED_VALUES)), *wanted))
        in_stock = self._conditions.filters.in_stock
        return {
            value: count(self._searcher, all_of(found, _one_variant({**others, key: [value]}, in_stock)))
            for value in values
        }

    def _with_prefix(self, field: str, prefix: str, found: Query) -> dict[str, int]:
        """Return the rest of each term that begins with `prefix`, and how many products have it."""
        terms = self._searcher.terms_with_prefix(field, prefix, found)
        return {
            term[len(prefix) :]: products for term, products in terms if PAIR_END not in term[len(prefix) :]
        }


_TERMS = {"size": 10 * MAX_VALUES, "segment_size": _EVERY_VALUE}

_STAR_BOUNDS = (1, 2, 3, 4)

_AGGREGATIONS: Mapping[str, Any] = {
    "category": {"terms": {"field": "category", **_TERMS}},
    "seller": {"terms": {"field": "seller_name", **_TERMS}},
    "attribute": {"terms": {"field": "attribute", **_TERMS, "size": _READ_VALUES}},
    "price": {"terms": {"field": "price_band", "size": len(PRICE_BOUNDS) + 1}},
    "stars": {
        "range": {
            "field": "stars",
            "ranges": [{"from": 100 * low, "to": 100 * low + 100} for low in _STAR_BOUNDS] + [{"from": 500}],
        }
    },
}


def _values(
    buckets: Iterable[Mapping[str, Any]], chosen: Mapping[str, int], most: int = MAX_VALUES
) -> list[FacetValue]:
    return _ranked({bucket["key"]: bucket["doc_count"] for bucket in buckets}, chosen, most)


def _sellers(buckets: Iterable[Mapping[str, Any]], chosen: Mapping[str, int]) -> list[SellerValue]:
    names: dict[str, str | None] = {}
    counts: Counter[str] = Counter()
    for bucket in buckets:  # a seller who has just changed the name has two
        seller_id, _, name = bucket["key"].partition(FIELD_END)
        names[seller_id] = name or None
        counts[seller_id] += bucket["doc_count"]
    return [{**value, "name": names.get(value["value"])} for value in _ranked(counts, chosen)]


def _ranked(counts: Mapping[str, int], chosen: Mapping[str, int], most: int = MAX_VALUES) -> list[FacetValue]:
    """Return the chosen values and those with the most products, the largest first."""
    every = {**counts, **chosen}
    order = sorted(every, key=lambda value: (-every[value], value))
    shown = {*order[:most], *chosen}
    return [
        {"value": value, "products": every[value], "chosen": value in chosen}
        for value in order
        if value in shown
    ]


def _price_bands(buckets: Iterable[Mapping[str, Any]]) -> list[PriceBand]:
    """Return the bands that have products."""
    products = {int(bucket["key"]): bucket["doc_count"] for bucket in buckets}
    upper = dict(pairwise((0, *PRICE_BOUNDS)))
    return [
        {"from_minor": low or None, "to_minor": upper.get(low), "products": products[low]}
        for low in sorted(products)
    ]


def _at_least_stars(buckets: Iterable[Mapping[str, Any]]) -> list[AtLeastStars]:
    counts = {int(bucket["from"]) // 100: bucket["doc_count"] for bucket in buckets if bucket.get("from")}
    return [
        {"stars": low, "products": sum(counts[at] for at in counts if at >= low)}
        for low in reversed(_STAR_BOUNDS)
    ]
