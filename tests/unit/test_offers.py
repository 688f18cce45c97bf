"""Which of a product's offers a card shows, and how they are stored in Redis."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.kit.offers import Offer, choose_offer, read_offers


def offer(seller_id: str, price_minor: int = 1000, available: int | None = 5, listed: bool = True) -> Offer:
    return Offer("lamp", seller_id, "Lamp", "Lamps", "BRL", price_minor, listed, available)


OFFERS = st.lists(
    st.builds(
        offer,
        st.sampled_from(["ana", "bo", "cy"]),
        st.integers(1, 3),
        st.none() | st.integers(-1, 1),
        st.booleans(),
    ),
    unique_by=lambda one: one.seller_id,
    min_size=1,
)


@pytest.mark.parametrize(
    ("offers", "seller_id"),
    [
        ([offer("ana", 900, available=0), offer("bo", 1000)], "bo"),
        ([offer("ana", 1000), offer("bo", 900)], "bo"),
        ([offer("bo"), offer("ana")], "ana"),
        ([offer("ana", 900, listed=False), offer("bo", 1000, available=0)], "bo"),
        ([offer("ana", 1000, available=None), offer("bo", 1100, available=9)], "ana"),
        ([offer("ana", 1000, available=0), offer("bo", 900, available=0)], "bo"),
        ([offer("ana", listed=False)], "ana"),
    ],
)
def test_a_card_shows_what_is_in_stock_then_the_lowest_price_then_the_lowest_seller_id(
    offers: list[Offer], seller_id: str
) -> None:
    chosen = choose_offer(offers)
    assert chosen is not None
    assert chosen.seller_id == seller_id


@given(offers=OFFERS)
def test_a_card_is_for_sale_if_any_of_its_offers_is_whatever_their_order(offers: list[Offer]) -> None:
    chosen = choose_offer(offers)
    assert chosen is not None
    assert chosen.for_sale is any(one.for_sale for one in offers)
    assert choose_offer(reversed(offers)) == chosen


def test_a_product_without_an_offer_has_no_card() -> None:
    assert choose_offer([]) is None


def test_offers_are_read_with_the_stock_of_their_own_sellers() -> None:
    listed = {"seller_id": "ana", "name": None, "category": "Lamps", "currency": "BRL", "price_minor": 900}
    delisted = {"seller_id": "bo", "currency": "BRL", "price_minor": 800}
    listings = orjson.dumps([listed | {"listed": 1}, delisted | {"listed": 0}])
    ana, bo = read_offers("lamp", listings, b'{"bo": 3}')
    assert (ana.available, ana.listed, ana.name, ana.category) == (None, True, None, "Lamps")
    assert (bo.available, bo.listed, bo.name) == (3, False, None)
    assert read_offers("lamp", None, b'{"bo": 3}') == ()
