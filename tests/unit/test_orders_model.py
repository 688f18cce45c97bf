from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.problems import Problem
from producers.kit.listings import MAX_ORDER_LINES, MAX_PRICE_MINOR
from producers.kit.offers import Offer
from producers.services.orders.model import (
    MAX_UNITS,
    LineOffer,
    OrderedLine,
    OrderLineRequest,
    amount_minor,
    can_be_cancelled,
    can_become,
    payment_can_become,
    priced,
)
from producers.services.orders.problems import OTHER_CURRENCY, PRICE_MOVED, UNKNOWN_PRODUCT

STATUSES = st.sampled_from(["placed", "confirmed", "cancelled", "shipped", "delivered"])
PAYMENTS = st.sampled_from(["pending", "failed", "captured", "refunded"])
LAMP = Offer("lamp", "ana", "BRL", 1_000, listed=True)


def wanted(product_id, quantity, seller_id=None, unit_price_minor=None):
    return OrderLineRequest(
        product_id=product_id, quantity=quantity, seller_id=seller_id, unit_price_minor=unit_price_minor
    )


@contextmanager
def refused(problem, match):
    with pytest.raises(Problem, match=match) as refusal:
        yield
    assert problem.matches(refusal.value)


def offered(*offers, lines=1, commission_bp=1_200):
    """Return these offers for each of so many lines."""
    return [LineOffer(number, offer, commission_bp) for number in range(1, lines + 1) for offer in offers]


def test_a_line_costs_what_the_catalogue_says():
    lines = priced([wanted("lamp", 3)], offered(LAMP), "BRL")

    assert lines == [OrderedLine(1, "lamp", "ana", 3, 1_000, 0, 0, 0, None, None, None, 1_200)]


def test_a_line_has_the_commission_of_the_offer_that_is_bought():
    cheaper = LineOffer(1, replace(LAMP, seller_id="bia", price_minor=900), 700)

    (line,) = priced([wanted("lamp", 3)], [*offered(LAMP), cheaper], "BRL")

    assert (line.seller_id, line.commission_bp) == ("bia", 700)


def test_the_cheapest_seller_is_chosen_unless_one_is_named():
    offers = [LAMP, replace(LAMP, seller_id="bia", price_minor=900), replace(LAMP, seller_id="caio")]

    lines = priced([wanted("lamp", 1), wanted("lamp", 1, "caio")], offered(*offers, lines=2), "BRL")

    assert [(line.seller_id, line.unit_price_minor) for line in lines] == [("bia", 900), ("caio", 1_000)]


def test_a_product_without_an_offer_is_unknown():
    with refused(UNKNOWN_PRODUCT, match="Line 2"):
        priced([wanted("lamp", 1), wanted("vase", 1)], offered(LAMP), "BRL")


def test_a_product_that_another_seller_offers_is_unknown():
    with refused(UNKNOWN_PRODUCT, match="by seller 'bia'"):
        priced([wanted("lamp", 1, "bia")], offered(LAMP), "BRL")


def test_an_offer_in_another_currency_is_refused():
    with refused(OTHER_CURRENCY, match="sold in BRL"):
        priced([wanted("lamp", 1)], offered(LAMP), "EUR")


def test_a_price_that_the_shopper_did_not_see_is_refused():
    with refused(PRICE_MOVED, match="now costs 1000"):
        priced([wanted("lamp", 1, unit_price_minor=999)], offered(LAMP), "BRL")


@given(
    st.lists(
        st.builds(
            OrderedLine,
            line_number=st.just(1),
            product_id=st.just("lamp"),
            seller_id=st.just("ana"),
            quantity=st.integers(1, MAX_UNITS),
            unit_price_minor=st.integers(0, MAX_PRICE_MINOR),
            discount_minor=st.just(0),
            shipping_minor=st.just(0),
            tax_minor=st.just(0),
            marketplace_minor=st.none(),
            line_voucher_id=st.none(),
            order_voucher_id=st.none(),
            commission_bp=st.just(0),
        ),
        max_size=MAX_ORDER_LINES,
    )
)
def test_the_amount_of_every_order_is_exact_as_a_double(lines):
    amount = amount_minor(lines)

    assert amount == sum(line.quantity * line.unit_price_minor for line in lines)
    assert int(float(amount)) == amount < 2**53


@given(STATUSES, st.lists(STATUSES))
def test_a_status_never_goes_back_and_a_cancelled_order_stays_cancelled(start, news):
    rank = {"placed": 0, "confirmed": 1, "shipped": 2, "delivered": 3, "cancelled": 4}
    status = start
    for to in news:
        before, status = status, to if can_become(status, to) else status
        assert rank[status] >= rank[before]
        assert before != "cancelled" or status == "cancelled"
        assert status != "cancelled" or before in ("placed", "confirmed", "cancelled")


@given(STATUSES)
def test_an_order_is_cancelled_only_before_its_shipment_and_before_any_return(status):
    assert can_be_cancelled(status, has_returns=False) == (status in ("placed", "confirmed"))
    assert not can_be_cancelled(status, has_returns=True)


@given(st.sampled_from(["pending", "refunded"]), st.permutations(["failed", "captured"]))
def test_in_whatever_order_events_arrive_a_payment_ends_in_its_furthest_status(start, news):
    status = start
    for to in news:
        status = to if payment_can_become(status, to) else status

    assert status == ("captured" if start == "pending" else "refunded")
