import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from producers.services.inventory.model import (
    InsufficientStock,
    ReservedLine,
    Stock,
    StockKey,
    shortages,
    units,
)

LAMP, VASE = StockKey("lamp", "ana"), StockKey("vase", "ana")


def stock_of(key, on_hand=0, reserved=0, version=0):
    return Stock(*key, on_hand, reserved, on_hand - reserved, version)


def line(number, key, quantity, returned=0):
    return ReservedLine(number, key.product_id, key.seller_id, quantity, returned)


def test_lines_of_one_product_are_one_stock_change_in_lock_order():
    assert list(units([line(1, VASE, 2), line(2, LAMP, 1), line(3, VASE, 1)]).items()) == [
        (LAMP, 1),
        (VASE, 3),
    ]


def test_returned_units_are_not_restocked_again():
    assert units([line(1, LAMP, 3, returned=3), line(2, VASE, 3, returned=1)]) == {VASE: 2}


def test_two_lines_of_one_product_share_the_stock():
    lines = [line(1, LAMP, 2), line(2, LAMP, 2)]

    assert shortages(lines, {LAMP: stock_of(LAMP, on_hand=3)}) == [(lines[1], 1)]


def test_a_product_without_stock_is_sold_out():
    lines = [line(1, LAMP, 1)]

    assert shortages(lines, {}) == [(lines[0], 0)]


@pytest.mark.parametrize(
    "change",
    [
        lambda stock: stock.reserve(4),
        lambda stock: stock.release(3),
        lambda stock: stock.sell(3),
        lambda s: s.set(1),
    ],
)
def test_no_change_reserves_more_than_is_on_hand(change):
    with pytest.raises(InsufficientStock):
        change(stock_of(LAMP, on_hand=5, reserved=2, version=7))


@given(
    st.lists(
        st.builds(line, st.integers(1, 99), st.sampled_from([LAMP, VASE]), st.integers(1, 9)), max_size=9
    ),
    st.dictionaries(st.sampled_from([LAMP, VASE]), st.integers(0, 20)),
)
def test_an_order_can_be_reserved_if_and_only_if_it_has_no_shortages(lines, on_hand):
    stock = {key: stock_of(key, on_hand=count) for key, count in on_hand.items()}

    def reserve_all():
        for key, count in units(lines).items():
            stock.get(key, stock_of(key)).reserve(count)

    if shortages(lines, stock):
        with pytest.raises(InsufficientStock):
            reserve_all()
    else:
        reserve_all()


class OneProduct(RuleBasedStateMachine):
    """Orders of any size reserve, sell and release units of one product. Their sum stays correct."""

    def __init__(self):
        super().__init__()
        self.stock = stock_of(LAMP, on_hand=10, version=1)
        self.units, self.held, self.sold = 10, [], []

    @rule(count=st.integers(1, 12))
    def place(self, count):
        if shortages([line(1, LAMP, count)], {LAMP: self.stock}):
            return
        self.stock = self.stock.reserve(count)
        self.held.append(count)

    @precondition(lambda self: self.held)
    @rule()
    def confirm(self):
        self.sold.append(count := self.held.pop(0))
        self.stock = self.stock.sell(count)

    @precondition(lambda self: self.held)
    @rule()
    def cancel_unpaid(self):
        self.stock = self.stock.release(self.held.pop())

    @precondition(lambda self: self.sold)
    @rule()
    def cancel_sold(self):
        self.stock = self.stock.restock(self.sold.pop())

    @rule(received=st.integers(0, 5))
    def receive(self, received):
        self.stock = self.stock.set(self.stock.on_hand + received)
        self.units += received

    @invariant()
    def every_unit_is_somewhere(self):
        assert self.stock.reserved == sum(self.held)
        assert self.stock.on_hand + sum(self.sold) == self.units
        assert self.stock.available >= 0


TestOneProduct = OneProduct.TestCase
