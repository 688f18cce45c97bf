"""Facets and filters, compared with a scan of all products."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.product_categories import with_ancestors
from serving.kit.product_filters import Filters
from serving.products.search.documents import PRICE_BOUNDS, Listing, Standing, document_of
from serving.products.search.query import Search, find
from tests.search_catalogue import TREE, listing, searcher_of

VARIANT_KEYS = ("colour", "fabric", "size")
VALUES = {
    "colour": ("red", "blue", "green"),
    "size": ("S", "M", "L"),
    "fabric": ("wool", "silk"),
    "brand": ("A", "B"),
}

ATTRIBUTES = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) for key, values in VALUES.items()}
)

OFFERS = st.lists(
    st.tuples(
        st.sampled_from(["g1", "g2", "g3", None, None]),
        st.builds(
            listing,
            st.just("Lamp"),
            st.sampled_from(["Lamps", "Clothes", None]),
            attributes=ATTRIBUTES,
            seller_id=st.sampled_from(["s1", "s2"]),
            price_minor=st.sampled_from([0, 99, 100, 199, 200, 12_345]),
            in_stock=st.booleans(),
        ),
    ),
    min_size=1,
    max_size=14,
)

FILTERS = st.builds(
    Filters,
    category=st.sampled_from(["", "", "Home", "Clothes"]),
    seller_id=st.sampled_from(["", "", "s1"]),
    price_min=st.sampled_from([None, None, 100]),
    price_max=st.sampled_from([None, None, 199]),
    stars=st.sampled_from([None, None, 3]),
    in_stock=st.booleans(),
    attributes=st.dictionaries(
        st.sampled_from([*VALUES]),
        st.sampled_from(["red", "blue", "M", "S", "wool", "A"]).map(lambda value: (value,)),
        max_size=3,
    ).map(lambda chosen: tuple(sorted(chosen.items()))),
)

Product = Sequence[Listing]


def categories_of(offer: Listing) -> list[str]:
    """Return the category of an offer and those above it."""
    return [*with_ancestors(offer.category, TREE.categories)] if offer.category else []


def fits(product: Product, standing: Standing, filters: Filters) -> bool:
    """Whether a product passes all filters, by their definitions."""
    categories = {above for offer in product for above in categories_of(offer)}
    plain = [(key, values) for key, values in filters.attributes if key not in VARIANT_KEYS]
    of_variants = [(key, values) for key, values in filters.attributes if key in VARIANT_KEYS]
    has_variant = any(
        all(offer.attributes.get(key) in values for key, values in of_variants)
        and (offer.in_stock or not filters.in_stock)
        for offer in product
    )
    return (
        (not filters.category or filters.category in categories)
        and (not filters.seller_id or filters.seller_id in {offer.seller_id for offer in product})
        and any(
            (filters.price_min is None or offer.price_minor >= filters.price_min)
            and (filters.price_max is None or offer.price_minor <= filters.price_max)
            for offer in product
        )
        and (filters.stars is None or standing.stars >= 100 * filters.stars)
        and all(any(offer.attributes.get(key) in values for offer in product) for key, values in plain)
        and has_variant
    )


def without_attribute(filters: Filters, key: str) -> Filters:
    return replace(filters, attributes=tuple(each for each in filters.attributes if each[0] != key))


@given(offers=OFFERS, filters=FILTERS, scores=st.lists(st.sampled_from([1, 3, 5]), max_size=4))
@settings(max_examples=settings.default.max_examples // 2)
def test_filters_and_facets_are_those_of_a_scan(
    offers: Sequence[tuple[str | None, Listing]], filters: Filters, scores: Sequence[int]
) -> None:
    groups = {offer.product_id: group for group, offer in offers if group}
    products: dict[str, list[Listing]] = {}
    for _, offer in offers:
        products.setdefault(document_of(offer.product_id, groups.get(offer.product_id)), []).append(offer)
    standings = {
        document: Standing(1, score) for document, score in zip(sorted(products), scores, strict=False)
    }
    searcher = searcher_of([offer for _, offer in offers], groups, standings)

    def scan(wanted: Filters) -> dict[str, Product]:
        return {
            document: product
            for document, product in products.items()
            if fits(product, standings.get(document, Standing()), wanted)
        }

    def counts(wanted: Filters, values: Callable[[Product], set[str]]) -> Mapping[str, int]:
        return Counter(value for product in scan(wanted).values() for value in values(product))

    found = find(searcher, Search("lamp", filters), 100, with_facets=True)
    assert {hit.document for hit in found.hits} == scan(filters).keys()
    assert found.products == len(scan(filters))
    facets = found.facets
    assert facets is not None
    assert {each["value"]: each["products"] for each in facets["categories"] if each["products"]} == counts(
        replace(filters, category=""),
        lambda product: {above for offer in product for above in categories_of(offer)},
    )
    assert {each["value"]: each["products"] for each in facets["sellers"] if each["products"]} == counts(
        replace(filters, seller_id=""), lambda product: {offer.seller_id for offer in product}
    )
    assert facets["in_stock"] == len(scan(replace(filters, in_stock=True)))
    assert {each["stars"]: each["products"] for each in facets["stars"]} == {
        stars: len(scan(replace(filters, stars=stars))) for stars in (1, 2, 3, 4)
    }
    assert [(each["from_minor"], each["to_minor"], each["products"]) for each in facets["prices"]] == [
        (low or None, high, number)
        for low, high in zip((0, *PRICE_BOUNDS), (*PRICE_BOUNDS, None), strict=True)
        if (number := len(scan(replace(filters, price_min=low, price_max=high and high - 1))))
    ]
    for facet in facets["attributes"]:
        key = facet["attribute"]
        expected = {
            value: len(scan(replace(wanted, attributes=tuple(sorted((*wanted.attributes, (key, (value,))))))))
            for wanted in [without_attribute(filters, key)]
            for value in VALUES[key]
        }
        assert {each["value"]: each["products"] for each in facet["values"] if each["products"]} == {
            value: number for value, number in expected.items() if number
        }


def test_two_attributes_of_variants_must_be_those_of_one_variant() -> None:
    red_small = listing("Shirt", "Clothes", attributes={"colour": "red", "size": "S"})
    blue_medium = listing("Shirt", "Clothes", attributes={"colour": "blue", "size": "M"})
    searcher = searcher_of(
        [red_small, blue_medium], groups={red_small.product_id: "g", blue_medium.product_id: "g"}
    )

    def found(**chosen: str) -> int:
        attributes = tuple(sorted((key, (value,)) for key, value in chosen.items()))
        return find(searcher, Search("", Filters(attributes=attributes)), 9).products

    assert found(colour="red", size="S") == 1
    assert found(colour="red", size="M") == 0


def test_several_values_of_an_attribute_leave_products_that_have_one_of_them() -> None:
    offers = [
        listing("Shirt", "Clothes", attributes={"colour": colour, "size": "M"})
        for colour in ("red", "blue", "green")
    ]
    groups = {offers[0].product_id: "g", offers[1].product_id: "g"}
    searcher = searcher_of(offers, groups)
    found = find(
        searcher,
        Search("", Filters(attributes=(("colour", ("red", "blue")),))),
        9,
        with_facets=True,
    )
    assert found.products == 1
    assert found.facets is not None
    sizes = next(each for each in found.facets["attributes"] if each["attribute"] == "size")
    assert sizes["values"] == [{"value": "M", "products": 1, "chosen": False}]
    colours = next(each for each in found.facets["attributes"] if each["attribute"] == "colour")
    assert {each["value"]: each["chosen"] for each in colours["values"]} == {
        "red": True,
        "blue": True,
        "green": False,
    }
