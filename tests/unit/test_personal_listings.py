"""The order of a list for a visitor, and the cursor of its pages."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.cursor import BadCursor, encode_cursor
from serving.recommendations.listings import MAX_CURSOR, WINDOW, Hit, PersonalCursor, Taste, by_taste


def hit(
    product_id: str, rank: int = 0, seller: str = "ana", category: str = "lamps", price: int = 100
) -> Hit:
    return Hit(product_id, rank, seller, category, price)


def order(hits: Sequence[Hit], taste: Taste, **interest: float) -> list[str]:
    return [placed.hit.product_id for placed in by_taste(hits, taste, interest)]


def test_without_a_taste_and_popularity_the_order_stays() -> None:
    assert order([hit("c"), hit("a"), hit("b", 1)], Taste()) == ["c", "a", "b"]


def test_what_goes_with_the_visitors_products_comes_first_but_never_before_a_better_match() -> None:
    hits = [hit("new"), hit("liked"), hit("far", 1), hit("adored", 1)]
    taste = Taste(neighbours={"liked": 0.4, "adored": 1.0})
    assert order(hits, taste) == ["liked", "new", "adored", "far"]


def test_sellers_and_prices_that_the_visitor_knows_come_before_others() -> None:
    taste = Taste.of({}, [hit("seen", seller="bob", price=1_000), hit("seen too", seller="bob", price=1_000)])
    hits = [hit("dear", price=9_000), hit("fits", price=1_100), hit("of bob", seller="bob", price=1_100)]
    assert order(hits, taste) == ["of bob", "fits", "dear"]


def test_only_a_product_whose_score_is_mostly_of_neighbours_follows_from_them() -> None:
    placed = by_taste([hit("liked"), hit("known")], Taste({"liked": 1.0, "known": 0.9}), {"known": 50.0})
    assert {one.hit.product_id: one.follows for one in placed} == {"liked": True, "known": False}


def test_a_refused_product_is_not_moved_up() -> None:
    hits = [hit("new"), hit("blocked"), hit("liked")]
    placed = by_taste(hits, Taste({"blocked": 1.0, "liked": 0.5}), {}, {"blocked"})
    assert [(one.hit.product_id, one.follows) for one in placed] == [
        ("liked", True), ("new", False), ("blocked", False),
    ]  # fmt: skip


@given(st.sets(st.text(min_size=1, max_size=128), min_size=1, max_size=WINDOW), st.sampled_from((None, "x")))
def test_a_cursor_says_what_was_shown(products: set[str], until: str | None) -> None:
    encoded = PersonalCursor(until, frozenset()).after(products).encode()
    decoded = PersonalCursor.decode(encoded)
    assert len(encoded) <= MAX_CURSOR
    assert decoded.until == until
    assert all(decoded.has_shown(each) for each in products)
    assert not decoded.has_shown("another product")


@pytest.mark.parametrize("cursor", [
    "x", "", encode_cursor("", ""), encode_cursor("", "A"), encode_cursor("", "AAAA"),
    encode_cursor(1, 2, "p"),
])  # fmt: skip
def test_another_text_is_no_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        PersonalCursor.decode(cursor)
