"""What a search finds, in which order, and how it goes on from page to page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st

from common.cursor import BadCursor
from serving.kit.product_filters import Filters
from serving.products.search.documents import CATEGORY, SELLER, Listing, Standing, document_of
from serving.products.search.query import Found, Position, Search, Sort, find, window
from serving.products.search.suggestions import completions, products_begun, searches_begun
from tests.search_catalogue import listing, searcher_of

HOSTILE = [
    "",
    "   ",
    '"',
    "'; DROP TABLE products; --",
    "AND OR NOT",
    "name:lamp",
    "lamp* ~2 ^10",
    "/.*/",
    "[a TO z]",
    '+-&&||!(){}^"~*?:\\/',
    "de para com",
    "🎁🎁🎁",
    "a" * 10_000,
    "lamp " * 2_000,
    "\u202elamp\u202c",
    "देवनागरी",
    "\ufeff\u200b",
    "𝕝𝕒𝕞𝕡",
    "\U000e0041",
]


def names(found: Found) -> list[str | None]:
    return [hit.offers[0].name for hit in found.hits]


def search(searcher: tantivy.Searcher, text: str, limit: int = 20) -> list[str | None]:
    return names(find(searcher, Search(text), limit))


def test_words_are_found_whatever_their_case_accents_and_number() -> None:
    searcher = searcher_of([listing("Luminárias de Mesa", None), listing("Cadeira", None)])
    for text in ("luminária", "LUMINARIA", "luminarias", "mesa luminária"):
        assert search(searcher, text) == ["Luminárias de Mesa"]


def test_a_category_is_found_in_both_languages() -> None:
    searcher = searcher_of([listing("Glow 3000", "Lamps"), listing("Shirt", "Clothes")])
    assert search(searcher, "luminárias") == ["Glow 3000"]
    assert search(searcher, "lamps") == ["Glow 3000"]


def test_a_value_of_an_attribute_is_found_in_both_languages() -> None:
    searcher = searcher_of(
        [listing("Glow", attributes={"colour": "blue"}), listing("Shine", attributes={"colour": "red"})]
    )
    assert search(searcher, "blue lamp") == ["Glow"]
    assert search(searcher, "luminária vermelha") == ["Shine"]


def test_a_seller_and_an_id_are_found() -> None:
    one, other = listing("Glow"), listing("Shine", seller_id="seller-2", seller_name="Açaí & Cia")
    searcher = searcher_of([one, other])
    assert search(searcher, "acai cia") == ["Shine"]
    assert search(searcher, one.product_id) == ["Glow"]


def test_a_misspelt_word_is_found_if_few_products_have_it_as_it_is() -> None:
    searcher = searcher_of([listing("Luminária azul", None), listing("Cadeira", None)])
    found = find(searcher, Search("lumniaria"), 10)
    assert names(found) == ["Luminária azul"]
    assert found.did_you_mean == "luminária"
    assert [attempt.step for attempt in found.tried] == ["words", "spelling"]


def test_the_first_letter_of_a_misspelt_word_is_right() -> None:
    searcher = searcher_of([listing("Cadeira", None)])
    assert search(searcher, "cadiera") == ["Cadeira"]
    assert search(searcher_of([listing("Lamp", None)]), "lmap") == ["Lamp"]
    assert find(searcher, Search("madeira"), 10).products == 0


def test_a_word_with_digits_is_never_corrected() -> None:
    searcher = searcher_of([listing("Bateria ABC12345", None)])
    assert find(searcher, Search("abc12346"), 10).products == 0


def test_words_that_are_joined_or_split_are_found() -> None:
    searcher = searcher_of([listing("Football", None), listing("Guarda roupa", None)])
    assert search(searcher, "foot ball") == ["Football"]
    assert search(searcher, "guardaroupa") == ["Guarda roupa"]


def test_an_unfinished_last_word_is_found() -> None:
    searcher = searcher_of([listing("Luminária de mesa", None)])
    assert search(searcher, "mesa lumi") == ["Luminária de mesa"]


def test_the_last_word_is_dropped_if_nothing_has_all() -> None:
    searcher = searcher_of([listing("Cadeira azul", None), listing("Mesa", None)])
    found = find(searcher, Search("cadeira azul dobrável"), 10)
    assert names(found) == ["Cadeira azul"]
    assert [(attempt.step, attempt.text) for attempt in found.tried][-1] == ("fewer_words", "cadeira azul")


def test_a_search_that_finds_nothing_offers_what_sells_of_the_nearest_category() -> None:
    lamp, shirt = listing("Glow", "Lamps"), listing("Shirt", "Clothes")
    sells = {document_of(shirt.product_id, None): Standing(level=9)}
    searcher = searcher_of([lamp, shirt], standings=sells)
    found = find(searcher, Search("xyzzy"), 10)
    assert (found.products, names(found)) == (0, [])
    assert [hit.offers[0].name for hit in found.instead] == ["Shirt", "Glow"]


def test_products_in_stock_come_before_better_matches_and_these_before_what_sells() -> None:
    sold_out = listing("Lamp", in_stock=False)
    of_category, by_name = listing("Lamp one"), listing("Lamp for a shade", "Shades")
    in_description = listing("Glow", None, description="goes with every lamp")
    best_seller = listing("Lamp two")
    sells = {document_of(each.product_id, None): Standing(level=5) for each in (best_seller, in_description)}
    searcher = searcher_of([sold_out, of_category, by_name, in_description, best_seller], standings=sells)
    assert search(searcher, "lamp") == ["Lamp two", "Lamp one", "Lamp for a shade", "Glow", "Lamp"]


def test_a_synonym_matches_and_a_stem_matches_less() -> None:
    searcher = searcher_of(
        [listing("Decoração", None), listing("Decorar", None), listing("Sofá", None), listing("Couch", None)]
    )
    assert search(searcher, "couch") == ["Couch", "Sofá"]
    assert search(searcher, "decoração") == ["Decoração", "Decorar"]


def test_sorts_are_by_one_property() -> None:
    cheap, dear = (
        listing("Lamp", price_minor=5),
        listing("Lampe", price_minor=900, attributes={"brand": "Lamp"}),
    )
    liked = {document_of(dear.product_id, None): Standing(reviews=4, score_sum=20)}
    searcher = searcher_of([dear, cheap], standings=liked)
    orders = {sort: names(find(searcher, Search("", sort=sort), 9)) for sort in get_args(Sort)}
    assert orders["cheapest"] == ["Lamp", "Lampe"]
    assert orders["dearest"] == ["Lampe", "Lamp"]
    assert orders["rating"] == ["Lampe", "Lamp"]
    assert orders["newest"] == (
        ["Lampe", "Lamp"] if dear.listed_at_ms > cheap.listed_at_ms else ["Lamp", "Lampe"]
    )


def test_variants_are_one_product_that_is_found_by_the_words_of_each() -> None:
    red = listing("Lamp", attributes={"colour": "red"})
    blue = listing("Lamp", attributes={"colour": "blue"}, in_stock=False)
    searcher = searcher_of([red, blue], groups={red.product_id: "g", blue.product_id: "g"})
    for text in ("red lamp", "blue lamp", blue.product_id, "g"):
        assert find(searcher, Search(text), 10).products == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_an_error_or_a_query_of_the_engine(text: str) -> None:
    searcher = searcher_of([listing("Lamp"), listing("Cadeira", None)])
    found = find(searcher, Search(text), 10, with_facets=True)
    assert found.products <= 2
    assert products_begun(searcher, text, 5) is not None
    assert completions(searcher, SELLER, text, 5) is not None


ANY_SEARCHER = searcher_of([listing("Lamp"), listing("Cadeira azul", None), listing("🎁", None)])


@given(text=st.text(max_size=60))
def test_any_text_is_searched_without_an_error(text: str) -> None:
    find(ANY_SEARCHER, Search(text), 10)
    products_begun(ANY_SEARCHER, text, 5)


@given(name=st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
@settings(max_examples=settings.default.max_examples // 2)
def test_a_product_is_found_by_its_name_whatever_that_is(name: str) -> None:
    assert find(searcher_of([listing(name, None)]), Search(name), 10).products == 1


def pages(searcher: tantivy.Searcher, looked_for: Search, size: int) -> list[list[str]]:
    found: list[list[str]] = []
    after: Position | None = None
    while not found or after is not None:
        page = find(searcher, looked_for, size, after)
        found.append([hit.document for hit in page.hits])
        after = Position.decode(page.end.encode()) if page.end else None
    return found


NAMES = st.sampled_from(["Lamp", "Lamp shade", "Desk lamp", "Luminária", "Chair", "Lampion"])
LISTINGS = st.lists(
    st.builds(
        listing,
        NAMES,
        st.sampled_from(["Lamps", "Shades", None]),
        price_minor=st.integers(1, 3),
        in_stock=st.booleans(),
    ),
    max_size=30,
)


@given(
    listings=LISTINGS,
    text=st.sampled_from(["", "lamp", "lamps", "lampp", "lamp desk"]),
    sort=st.sampled_from(get_args(Sort)),
    size=st.integers(1, 7),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_pages_have_every_product_once_and_in_the_order_of_one_long_page(
    listings: Sequence[Listing], text: str, sort: Sort, size: int
) -> None:
    searcher = searcher_of(listings)
    whole = find(searcher, Search(text, sort=sort), 100)
    found = [document for page in pages(searcher, Search(text, sort=sort), size) for document in page]
    assert found == [hit.document for hit in whole.hits]
    assert len(set(found)) == len(found) == whole.products


def test_a_page_goes_on_behind_the_last_product_after_the_index_has_changed() -> None:
    lamps = [listing(f"Lamp {number}") for number in range(6)]
    first = find(searcher_of(lamps), Search("lamp"), 3)
    assert first.end is not None
    changed = searcher_of([*lamps[:2], *lamps[3:], listing("Lamp new")])
    second = find(changed, Search("lamp"), 3, first.end)
    assert [hit.document for hit in second.hits] == [
        document_of(each.product_id, None) for each in (lamps[1], lamps[0])
    ]


def test_a_window_up_to_a_position_has_also_what_has_come_since() -> None:
    lamps = [listing(f"Lamp {number}") for number in range(6)]
    first = window(searcher_of(lamps), Search("lamp"), 3)
    assert first.end is not None
    again = window(searcher_of([*lamps, listing("Lamp new")]), Search("lamp"), 1_000, first.end)
    assert names(again) == ["Lamp new", *names(first)]
    assert again.end == first.end


def test_a_window_of_all_products_has_no_end() -> None:
    assert window(searcher_of([listing("Lamp")]), Search("lamp"), 3).end is None


@pytest.mark.parametrize("cursor", ["", "x", "WzEsMl0", "🎁"])
def test_a_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        Position.decode(cursor)


def test_products_are_suggested_by_the_beginning_of_the_last_word() -> None:
    searcher = searcher_of([listing("Desk lamp"), listing("Desk chair", None)])
    assert [hit.offers[0].name for hit in products_begun(searcher, "desk la", 5)] == ["Desk lamp"]
    assert [hit.offers[0].name for hit in products_begun(searcher, "dsek lamp", 5)] == ["Desk lamp"]
    assert [hit.offers[0].name for hit in products_begun(searcher, "chiar", 5)] == ["Desk chair"]


def test_sellers_and_categories_are_suggested_by_any_of_their_words() -> None:
    searcher = searcher_of(
        [listing("Glow"), listing("Shine"), listing("Shirt", "Clothes", seller_id="2", seller_name="Bonito")]
    )
    assert [(each.key, each.products) for each in completions(searcher, SELLER, "bonit", 5)] == [
        ("seller-1", 2),
        ("2", 1),
    ]
    assert [each.key for each in completions(searcher, CATEGORY, "lumin", 5)] == ["Lamps"]
    assert completions(searcher, CATEGORY, "!", 5) == []


def test_nothing_is_suggested_of_a_product_that_is_gone() -> None:
    gone = listing("Luminarius", "Clothes", seller_id="2", seller_name="Bonito")
    searcher = searcher_of([listing("Luminária", seller_name="Ana"), gone], gone=[gone])
    assert completions(searcher, SELLER, "bonit", 5) == []
    assert completions(searcher, CATEGORY, "cloth", 5) == []
    assert find(searcher, Search("luminarus"), 5).did_you_mean == "luminária"
    assert find(searcher, Search("luminarius"), 5).did_you_mean == "luminarias"


def test_searches_of_others_are_suggested_with_the_most_popular_first() -> None:
    searcher = searcher_of([listing("Desk lamp"), listing("Lâmpada")])
    popular = {"desk lamp": 5, "Lâmpada": 9, "chair": 20, "lamp call 0800 1234": 99}
    assert searches_begun(searcher, popular, "lam", 5) == ["Lâmpada", "desk lamp"]


def test_filters_leave_products_that_fit_all() -> None:
    lamp = listing("Lamp", price_minor=500, attributes={"brand": "Acme"})
    searcher = searcher_of([lamp, replace(lamp, product_id="other", price_minor=501, seller_id="seller-2")])
    for filters in (
        Filters(price_max=500),
        Filters(price_min=500, price_max=500, seller_id="seller-1"),
        Filters(
            seller_id="seller-1", category="Home", in_stock=True, attributes=(("brand", ("Acme", "Other")),)
        ),
    ):
        assert [hit.offers[0].product_id for hit in find(searcher, Search("", filters), 9).hits] == [
            lamp.product_id
        ]
    assert find(searcher, Search("", Filters(price_min=2, price_max=1)), 9).products == 0


@given(
    offers=st.lists(
        st.tuples(st.sampled_from(["g1", "g2", None]), st.integers(1, 9), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    sort=st.sampled_from(["cheapest", "dearest"]),
    low=st.integers(1, 9),
    size=st.integers(1, 4),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_a_list_by_price_with_a_filter_ends_with_products_of_which_another_offer_passes_it(
    offers: Sequence[tuple[str | None, int, bool]], sort: Sort, low: int, size: int
) -> None:
    lamps = [listing("Lamp", price_minor=price, in_stock=in_stock) for _, price, in_stock in offers]
    groups = {lamp.product_id: group for lamp, (group, _, _) in zip(lamps, offers, strict=True) if group}
    products: dict[str, list[Listing]] = {}
    for lamp in lamps:
        products.setdefault(document_of(lamp.product_id, groups.get(lamp.product_id)), []).append(lamp)
    best = {
        key: min(of_product, key=lambda each: each.card_order).price_minor
        for key, of_product in products.items()
    }
    passing = [key for key in products if any(lamp.price_minor >= low for lamp in products[key])]
    expected = sorted((best[key] < low, -best[key] if sort == "dearest" else best[key]) for key in passing)
    search = Search("", Filters(price_min=low), sort)
    found = [key for page in pages(searcher_of(lamps, groups), search, size) for key in page]
    assert sorted(found) == sorted(passing)
    assert [(best[key] < low, -best[key] if sort == "dearest" else best[key]) for key in found] == expected
