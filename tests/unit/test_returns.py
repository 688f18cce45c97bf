from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Rejected
from producers.services.orders.model import SoldLine, check_return
from producers.services.payments.handlers import line_amount_minor

LAMPS = SoldLine(1, "lamp", "ana", quantity=2, amount_minor=1_000)
VASE = SoldLine(2, "vase", "ana", quantity=1, amount_minor=700)


def back(*lines, seller_id="ana"):
    """An `order_returned` of lines of (number, product, units, refund)."""
    names = ("line_number", "product_id", "quantity", "refund_minor")
    return {
        "order_id": "o", "seller_id": seller_id,
        "lines": [dict(zip(names, line, strict=True)) for line in lines],
    }  # fmt: skip


def test_lines_can_be_returned_in_parts_until_nothing_is_left():
    once = check_return([LAMPS, VASE], back((1, "lamp", 1, 400))).after
    twice = check_return(once.values(), back((1, "lamp", 1, 600))).after

    assert once == {1: replace(LAMPS, returned=1, refunded_minor=400)}
    assert twice == {1: replace(LAMPS, returned=2, refunded_minor=1_000)}


@pytest.mark.parametrize(
    "event",
    [
        back((1, "lamp", 3, 900)),
        back((1, "lamp", 2, 1_001)),
        back((1, "lamp", 2, 900), (1, "lamp", 1, 50)),
        back((1, "lamp", 1, 600), (1, "lamp", 1, 401)),
        back((1, "lamp", -1, 0)),
        back((2, "vase", 1, -1)),
        back((3, "lamp", 1, 1)),
        back((1, "vase", 1, 1)),
        back((1, "lamp", 1, 1), seller_id="bia"),
    ],
    ids=[
        "more units than were sold", "more than was paid", "the units of a line twice",
        "the money of a line twice", "negative units", "a negative refund", "no such line", "another product",
        "another seller",
    ],
)  # fmt: skip
def test_a_return_that_exceeds_or_does_not_fit_its_order_is_rejected(event):
    with pytest.raises(Rejected):
        check_return([LAMPS, VASE], event)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 1_200)), max_size=6))
def test_whatever_is_returned_no_line_gives_back_more_than_it_has(returns):
    line = LAMPS
    for quantity, refund_minor in returns:
        try:
            line = check_return([line], back((1, "lamp", quantity, refund_minor))).after[1]
        except Rejected:
            continue

    assert 0 <= line.returned <= line.quantity
    assert 0 <= line.refunded_minor <= 1_000


def test_the_amount_of_a_line_has_its_discount_shipping_and_tax():
    line = {
        "quantity": 3, "unit_price_minor": 100, "discount_minor": 50, "shipping_minor": 7, "tax_minor": 2
    }  # fmt: skip

    assert line_amount_minor(line) == 259
