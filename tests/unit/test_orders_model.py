from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.orders.model import (
    HIGHEST_PRICE_MINOR,
    MOST_LINES,
    MOST_UNITS,
    Line,
    Offer,
    Wanted,
    amount_minor,
    moves_on,
    payment_moves_on,
    priced,
)
from producers.orders.problems import OtherCurrency, PriceMoved, UnknownProduct

STATUSES = st.sampled_from(["placed", "confirmed", "cancelled", "shipped", "delivered"])
PAYMENTS = st.sampled_from(["pending", "failed", "captured", "refunded"])
LAMP = Offer("lamp", "ana", "BRL", 1_000, listed=True)


def test_a_line_costs_what_the_catalogue_says():
    assert priced([Wanted("lamp", 3)], [LAMP], "BRL") == [Line(1, "lamp", "ana", 3, 1_000)]


def test_of_several_sellers_the_cheapest_is_taken_unless_one_is_named():
    offers = [LAMP, replace(LAMP, seller_id="bia", price_minor=900), replace(LAMP, seller_id="caio")]

    lines = priced([Wanted("lamp", 1), Wanted("lamp", 1, "caio")], offers, "BRL")

    assert [(line.seller_id, line.unit_price_minor) for line in lines] == [("bia", 900), ("caio", 1_000)]


@pytest.mark.parametrize("wanted", [Wanted("vase", 1), Wanted("lamp", 1, "bia")])
def test_what_nobody_offers_is_unknown(wanted):
    with pytest.raises(UnknownProduct, match="Line 1"):
        priced([wanted], [LAMP], "BRL")


def test_what_was_delisted_is_unknown():
    with pytest.raises(UnknownProduct):
        priced([Wanted("lamp", 1)], [replace(LAMP, listed=False)], "BRL")


def test_an_offer_in_another_currency_does_not_do():
    with pytest.raises(OtherCurrency, match="sold in BRL"):
        priced([Wanted("lamp", 1)], [LAMP], "EUR")


def test_a_price_that_the_shopper_did_not_see_does_not_do():
    with pytest.raises(PriceMoved, match="now costs 1000"):
        priced([Wanted("lamp", 1, unit_price_minor=999)], [LAMP], "BRL")


@given(
    st.lists(
        st.builds(
            Line,
            line_number=st.just(1),
            product_id=st.just("lamp"),
            seller_id=st.just("ana"),
            quantity=st.integers(1, MOST_UNITS),
            unit_price_minor=st.integers(0, HIGHEST_PRICE_MINOR),
        ),
        max_size=MOST_LINES,
    )
)
def test_no_order_is_too_dear_for_a_double_and_all_of_it_is_charged(lines):
    amount = amount_minor(lines)

    assert amount == sum(line.quantity * line.unit_price_minor for line in lines)
    assert int(float(amount)) == amount < 2**53


@given(STATUSES, st.lists(STATUSES))
def test_whatever_news_come_in_whatever_order_nothing_goes_back_and_a_cancelled_order_stays_so(start, news):
    rank = {"placed": 0, "confirmed": 1, "shipped": 2, "delivered": 3, "cancelled": 4}
    status = start
    for to in news:
        before, status = status, to if moves_on(status, to) else status
        assert rank[status] >= rank[before]
        assert before != "cancelled" or status == "cancelled"
        assert status != "cancelled" or before in ("placed", "confirmed", "cancelled")


@given(st.sampled_from(["pending", "refunded"]), st.permutations(["failed", "captured"]))
def test_a_payment_ends_as_its_furthest_news_say_in_whatever_order_they_come(start, news):
    status = start
    for to in news:
        status = to if payment_moves_on(status, to) else status

    assert status == ("captured" if start == "pending" else "refunded")
