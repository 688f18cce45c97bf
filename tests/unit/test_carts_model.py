"""The rules of carts: adding, merging, what orders take and what comes back, prices and stock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import CART_PREFIX, new_cart_id
from common.problems import Problem
from producers.kit.listings import MAX_ORDER_LINES
from producers.kit.offers import Offer
from producers.services.carts.model import (
    MAX_UNITS,
    AddRequest,
    LineRequest,
    Lines,
    PricedLine,
    StoredCart,
    StoredLine,
    abandonment,
    added,
    altered,
    changes,
    choose_offer,
    guests_of,
    merged,
    priced,
    put_back,
    without_ordered,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
PRODUCTS = ("lamp", "rug", "vase")


def line(product_id: str = "lamp", quantity: int = 1, **changed: Any) -> StoredLine:
    known = {"seller_id": "ann", "is_saved": False, "currency": "BRL", "seen_minor": 100, "added_at": BEFORE}
    return StoredLine(product_id=product_id, quantity=quantity, **{**known, **changed})


def cart(*lines: StoredLine) -> dict[str, StoredLine]:
    return {each.product_id: each for each in lines}


def offer(seller_id: str = "ann", price_minor: int = 100, **changed: Any) -> Offer:
    return Offer("lamp", seller_id, **{"currency": "BRL", "listed": True, **changed}, price_minor=price_minor)


def add(quantity: int = 1, **changed: Any) -> AddRequest:
    return AddRequest(product_id="lamp", quantity=quantity, **changed)


def quantities(lines: Lines) -> dict[str, int]:
    return {product_id: each.quantity for product_id, each in lines.items()}


def ordered(*lines: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]


STORED = st.builds(
    line,
    st.sampled_from(PRODUCTS),
    st.integers(1, MAX_UNITS),
    is_saved=st.booleans(),
    seller_id=st.sampled_from(("ann", "bob")),
    added_at=st.sampled_from((BEFORE, NOW + timedelta(minutes=1))),
)
IN_CARTS = st.dictionaries(st.sampled_from(PRODUCTS), st.integers(1, 9) | st.integers(1, MAX_UNITS)).map(
    lambda units: cart(*(line(*each) for each in units.items()))
)
CARTS = st.lists(STORED, max_size=3).map(lambda lines: cart(*lines))
UNITS = st.integers(1, 9) | st.integers(1, 1_000)
ORDERED = st.lists(st.tuples(st.sampled_from(PRODUCTS), UNITS), max_size=4).map(lambda lines: ordered(*lines))


def test_a_cart_of_this_shop_is_known_by_its_id() -> None:
    assert new_cart_id().startswith(CART_PREFIX)
    assert new_cart_id() != new_cart_id()


def test_the_cheapest_listed_offer_in_the_shops_currency_is_chosen() -> None:
    offers = [
        *(offer("far", 1, currency="EUR"), offer("gone", 2, listed=False)),
        *(offer("bob", 90), offer("ann", 90), offer("eve", 95)),
    ]
    assert choose_offer(offers, None, "BRL") == offer("ann", 90)
    assert choose_offer(offers, "eve", "BRL") == offer("eve", 95)
    assert choose_offer(offers, "gone", "BRL") is None
    assert choose_offer(offers, "far", "BRL") is None


def test_units_are_added_to_those_in_the_cart_and_move_to_the_named_seller() -> None:
    after = added(cart(line(quantity=2)), add(3), offer("bob", 70), NOW)
    assert after == cart(line(quantity=5, seller_id="bob", seen_minor=70))


def test_adding_what_is_saved_for_later_puts_the_added_units_into_the_cart() -> None:
    after = added(cart(line(quantity=7, is_saved=True)), add(2), offer(), NOW)
    assert after == cart(line(quantity=2, added_at=NOW))


def test_a_line_has_999_units_at_most_and_a_cart_300_products() -> None:
    with pytest.raises(Problem, match="999 units") as refused:
        added(cart(line(quantity=999)), add(1), offer(), NOW)
    assert refused.value.kind == "too-many-units"
    full = cart(*(line(f"p{number}") for number in range(MAX_ORDER_LINES)))
    with pytest.raises(Problem, match="300 products") as refused:
        added(full, add(1), offer(), NOW)
    assert refused.value.kind == "cart-full"
    assert (
        len(added({**full, "lamp": line()} | {"p0": line("p0")}, add(1), offer(), NOW)) == 301
    )  # it is there


def test_what_a_request_leaves_out_stays() -> None:
    before = line(quantity=4, is_saved=True, seen_minor=90)
    assert altered(before, LineRequest(), None, NOW) == before
    assert altered(before, LineRequest(quantity=2), offer("bob", 70), NOW) == line(
        quantity=2, is_saved=True, seller_id="bob", seen_minor=70
    )
    assert altered(before, LineRequest(quantity=2), offer(price_minor=70), NOW) == line(
        quantity=2, is_saved=True, seen_minor=90
    )
    assert altered(before, LineRequest(is_price_seen=True), offer(price_minor=70), NOW) == line(
        quantity=4, is_saved=True, seen_minor=70
    )
    assert altered(before, LineRequest(is_saved=False), None, NOW) == line(
        quantity=4, seen_minor=90, added_at=NOW
    )


@given(CARTS, CARTS)
def test_a_merge_loses_no_product_and_doubles_none(own: dict[str, StoredLine], other: dict[str, StoredLine]):
    both = merged(own, other)

    assert both.keys() == own.keys() | other.keys()
    for product_id, kept in both.items():
        candidates = [each[product_id] for each in (own, other) if product_id in each]
        assert kept.units == max(each.units for each in candidates)
        assert (kept.seller_id, kept.quantity) in {(each.seller_id, each.quantity) for each in candidates}
    assert merged(both, other) == both


def test_a_cart_knows_each_guest_once_in_order_and_not_its_owner() -> None:
    assert guests_of("ana", "g2", "ana", "g1", "g2", "g3", "g1") == ["g2", "g1", "g3"]


def test_a_merge_keeps_the_guests_newest_products_that_the_cart_has_room_for() -> None:
    own = cart(*(line(f"p{number}") for number in range(MAX_ORDER_LINES - 1)))
    both = merged(own, cart(line("old"), line("new", added_at=NOW)))
    assert len(both) == MAX_ORDER_LINES
    assert "new" in both


@given(CARTS, ORDERED)
def test_an_order_takes_what_was_in_the_cart_and_gives_it_back(
    before: dict[str, StoredLine], lines: list[dict[str, Any]]
) -> None:
    left, taken = without_ordered("ana", before, lines, NOW, NOW)

    for product_id, kept in before.items():
        took = sum(each.quantity for each in taken if each.product_id == product_id)
        wanted = sum(each["quantity"] for each in lines if each["product_id"] == product_id)
        is_there = not kept.is_saved and kept.added_at <= NOW
        assert took == (min(kept.quantity, wanted) if is_there else 0)
        assert (left[product_id].quantity if product_id in left else 0) == kept.quantity - took
    assert quantities(put_back(left, taken, NOW)) == quantities(before)


@given(IN_CARTS, IN_CARTS, ORDERED)
def test_it_makes_no_difference_whether_carts_are_merged_before_an_order_or_after_it(
    own: dict[str, StoredLine], others: dict[str, StoredLine], lines: list[dict[str, Any]]
) -> None:
    left, _ = without_ordered("ana", merged(own, others), lines, NOW, NOW)

    own_left, own_gave = without_ordered("ana", own, lines, NOW, NOW)
    others_left, others_gave = without_ordered("guest", others, lines, NOW, NOW)
    both = merged(own_left, others_left)

    assert quantities(both) == quantities(left)
    assert quantities(put_back(both, [*own_gave, *others_gave], NOW)) == quantities(merged(own, others))


def test_units_that_were_left_are_added_up_and_a_product_that_is_there_again_does_not_double() -> None:
    for had in (2, 3, 5):
        left, taken = without_ordered("ana", cart(line(quantity=had)), ordered(("lamp", 2)), NOW, NOW)
        assert put_back(left, taken, NOW)["lamp"].quantity == had
    later = NOW + timedelta(seconds=1)
    for again, expected in ((1, 2), (2, 2), (5, 5)):
        assert put_back(cart(line(quantity=again, added_at=later)), taken, later)["lamp"].quantity == expected
    saved = cart(line(quantity=1, added_at=later, is_saved=True))
    assert put_back(saved, taken, later) == saved


@given(CARTS, CARTS)
def test_the_events_of_a_change_lead_from_the_one_cart_to_the_other(
    before: dict[str, StoredLine], after: dict[str, StoredLine]
) -> None:
    units = {product_id: each.units for product_id, each in before.items() if each.units}
    told = changes(before, after, NOW)
    for each in sorted(told, key=lambda event: event["occurred_at"]):
        assert each["quantity_before"] == units.pop(each["product_id"], 0)
        if each["quantity"]:
            units[each["product_id"]] = each["quantity"]
            assert each["seller_id"] == after[each["product_id"]].seller_id
    assert units == {product_id: each.units for product_id, each in after.items() if each.units}
    assert all(each["quantity"] != each["quantity_before"] for each in told)


def test_a_line_leaves_its_seller_before_it_comes_to_another() -> None:
    told = changes(cart(line(quantity=2)), cart(line(quantity=3, seller_id="bob")), NOW)
    assert [(each["seller_id"], each["quantity_before"], each["quantity"]) for each in told] == [
        ("ann", 2, 0),
        ("bob", 0, 3),
    ]
    assert told[1]["occurred_at"] - told[0]["occurred_at"] == timedelta(milliseconds=1)


def stored(**changed: Any) -> StoredCart:
    known = {"cart_id": "c", "shopper_id": "s", "guest_ids": [], "is_guest": False, "session_id": "v"}
    return StoredCart(
        **{
            **known,
            "changed_at": BEFORE,
            "touched_at": BEFORE,
            "is_idle": True,
            "voucher_codes": [],
            **changed,
        }
    )


def test_an_abandoned_cart_says_what_is_in_it_and_names_no_guest() -> None:
    lines = [line(quantity=2), line("rug", is_saved=True), line("far", currency="EUR")]
    told = abandonment(stored(shopper_id="v", is_guest=True), lines, "BRL")
    assert told is not None
    assert (told["shopper_id"], told["session_id"], told["changed_at"]) == (None, "v", BEFORE)
    assert (told["units"], told["amount_minor"]) == (2, 200)
    assert [each["product_id"] for each in told["lines"]] == ["lamp"]
    assert abandonment(stored(), lines[1:], "BRL") is None


def shown(quantity: int = 2, price_minor: int | None = 100, available: int | None = 5, **changed: Any):
    known = {"product_id": "lamp", "seller_id": "ann", "is_saved": False, "currency": "BRL"}
    return PricedLine(
        **{**known, "seen_minor": 100, "added_at": BEFORE, **changed},
        quantity=quantity,
        price_minor=price_minor,
        available=available,
    )


@pytest.mark.parametrize(
    ("row", "problem", "was_minor", "available"),
    [
        (shown(), None, None, 5),
        (shown(available=None), None, None, None),
        (shown(price_minor=120), None, 100, 5),
        (shown(available=1), "too_many", None, 1),
        (shown(available=-3), "sold_out", None, 0),
        (shown(price_minor=None), "not_listed", None, 5),
        (shown(price_minor=120, currency="EUR"), None, None, 5),
    ],
)
def test_a_line_says_what_has_changed_and_why_it_can_not_be_bought(
    row: PricedLine, problem: str | None, was_minor: int | None, available: int | None
) -> None:
    found = priced(stored(), [row], "BRL")
    ((only,),) = [parcel.lines for parcel in found.parcels]
    assert (only.problem, only.was_minor, only.available) == (problem, was_minor, available)
    assert found.can_be_bought == (problem is None)
    assert found.total_minor == (0 if problem else only.total_minor)


def test_a_line_that_was_seen_in_a_former_currency_and_is_not_listed_has_no_price() -> None:
    found = priced(stored(), [shown(price_minor=None, currency="EUR"), shown(price_minor=None)], "BRL")
    ((former, delisted),) = [parcel.lines for parcel in found.parcels]
    assert (former.unit_price_minor, former.was_minor, former.total_minor) == (None, None, 0)
    assert (delisted.unit_price_minor, delisted.was_minor, delisted.total_minor) == (100, None, 200)


def test_each_seller_has_a_parcel_and_what_is_saved_costs_nothing() -> None:
    rows = [
        shown(), shown(product_id="rug", seller_id="bob", quantity=1),
        shown(product_id="vase", is_saved=True),
    ]  # fmt: skip
    found = priced(stored(), rows, "BRL")
    assert [(parcel.seller_id, parcel.units, parcel.total_minor) for parcel in found.parcels] == [
        ("ann", 2, 200),
        ("bob", 1, 100),
    ]
    assert [each.product_id for each in found.saved] == ["vase"]
    assert (found.units, found.items_minor, found.shipping_minor, found.total_minor) == (3, 300, 0, 300)
    assert not priced(None, [], "BRL").can_be_bought
