"""Carts: their lines, the merge at a sign-in, prices and stock, what orders take, and abandoned carts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from common.clock import system_clock
from common.ids import CART_PREFIX, new_id
from common.principal import Principal, guest
from producers.kit.postgres.pool import make_pool
from producers.services.carts.model import CART_DAYS
from producers.services.carts.store import EXPIRE_CARTS
from tests.integration.commerce.people import person

ORDER = {
    "line_number": 1, "seller_id": "seller-1", "unit_price_minor": 1_000, "discount_minor": 0,
    "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
}  # fmt: skip
"""A line of an order, without its product and quantity."""


class Visitor:
    """A guest or a person with a cart."""

    def __init__(self, shop, principal: Principal | None = None) -> None:
        self.shop = shop
        self.principal = principal or guest(new_id())
        self.http = shop.as_principal(self.principal)

    def signed_in(self) -> "Visitor":
        """Return the person as whom this guest signs in."""
        known = person()
        return Visitor(
            self.shop, replace(known, shopper_ids=(*known.shopper_ids, *self.principal.shopper_ids))
        )

    def add(self, product_id: str, quantity: int = 1, **fields: Any) -> httpx.Response:
        return self.http.post(
            "/v1/cart/lines", json={"product_id": product_id, "quantity": quantity, **fields}
        )

    def put(self, product_id: str, **fields: Any) -> httpx.Response:
        return self.http.put(f"/v1/cart/lines/{product_id}", json=fields)

    def cart(self) -> dict[str, Any]:
        return self.http.get("/v1/cart").raise_for_status().json()

    def line(self, product_id: str) -> dict[str, Any]:
        cart = self.cart()
        return next(line for line in lines_of(cart) + cart["saved"] if line["product_id"] == product_id)

    def units(self) -> dict[str, int]:
        """Return product → units in the cart."""
        return {line["product_id"]: line["quantity"] for line in lines_of(self.cart())}

    def tell(self, event: str, order_id: str, units: dict[str, int], **fields: Any) -> None:
        """Tell what becomes of an order of this shopper."""
        lines = [{**ORDER, "product_id": each, "quantity": quantity} for each, quantity in units.items()]
        subject = {"order_id": order_id, "shopper_id": self.principal.shopper_id, "currency": "BRL"}
        self.shop.tell(event, origin="orders", **subject, lines=lines, **fields)

    def place(self, order_id: str, **units: int) -> None:
        self.tell("order_placed", order_id, units)

    def cancel(self, order_id: str, reason: str = "payment_failed", **units: int) -> None:
        placed = {"placed_at": system_clock(), "confirmed_at": None}
        self.tell("order_cancelled", order_id, units, reason=reason, **placed)


def lines_of(cart: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for parcel in cart["parcels"] for line in parcel["lines"]]


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"].rpartition(":")[2]


@pytest.fixture
def visitor(shop):
    return Visitor(shop)


@pytest.fixture
def product(shop):
    """A function that lists a product, and waits until carts have read of it and of its stock."""

    def list_product(
        stock: int = 10, price_minor: int = 1_000, seller_id: str = "seller-1", **given: Any
    ) -> str:
        product_id = shop.product(stock, price_minor, seller_id=seller_id, **given)
        shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", product_id)
        shop.await_row("SELECT FROM carts.stock WHERE product_id = $1 AND available = $2", product_id, stock)
        return product_id

    return list_product


@pytest.fixture
def lamp(product):
    return product()


def told(shop, cart_id: str) -> list[tuple[Any, ...]]:
    """Return product, units before and after, and the reason of each change of a cart, in their order."""
    changes = [event for message in shop.messages("cart_changed")
               if (event := shop._decoder.decode(message.value()))["cart_id"] == cart_id]  # fmt: skip
    changes.sort(key=lambda event: event["occurred_at"])
    return [(e["product_id"], e["quantity_before"], e["quantity"], e["reason"]) for e in changes]


def test_a_cart_says_what_is_in_it_and_its_events_say_how_it_came(shop, visitor, lamp, product, eventually):
    assert visitor.cart()["cart_id"] is None

    rug = product(seller_id="seller-2", price_minor=50)
    visitor.add(lamp, 2).raise_for_status()
    visitor.add(rug, recommendation_id="list-1").raise_for_status()
    visitor.put(lamp, quantity=3).raise_for_status()
    cart = visitor.http.delete(f"/v1/cart/lines/{rug}").raise_for_status().json()

    assert cart == visitor.cart()
    assert cart["cart_id"].startswith(CART_PREFIX)
    assert [(parcel["seller_id"], parcel["total_minor"]) for parcel in cart["parcels"]] == [
        ("seller-1", 3_000)
    ]
    assert (cart["units"], cart["shipping_minor"], cart["total_minor"], cart["can_be_bought"]) == (
        3,
        0,
        3_000,
        True,
    )
    expected = [(lamp, 0, 2, None), (rug, 0, 1, None), (lamp, 2, 3, None), (rug, 1, 0, None)]
    eventually(lambda: told(shop, cart["cart_id"]) == expected)
    session_id = visitor.principal.shopper_id
    events = shop.events("cart_changed", session_id)
    assert {event["shopper_id"] for event in events} == {None}
    assert [event["recommendation_id"] for event in events] == [None, "list-1", None, None]


def test_the_cheapest_offer_is_taken_and_another_sellers_moves_the_line(shop, visitor, product):
    lamp = product(price_minor=900)
    dear = {"product_id": lamp, "seller_id": "seller-2", "currency": "BRL", "price_minor": 1_100}
    shop.tell("product_listed", **dear)
    shop.await_row("SELECT FROM carts.offers WHERE product_id = $1 AND seller_id = 'seller-2'", lamp)

    visitor.add(lamp).raise_for_status()
    assert visitor.line(lamp)["seller_id"] == "seller-1"
    visitor.add(lamp, seller_id="seller-2").raise_for_status()
    assert (visitor.line(lamp)["seller_id"], visitor.units()) == ("seller-2", {lamp: 2})
    visitor.add(lamp).raise_for_status()
    assert visitor.line(lamp)["seller_id"] == "seller-2"  # the line stays with its seller
    visitor.put(lamp, seller_id="seller-1").raise_for_status()
    assert (visitor.line(lamp)["seller_id"], visitor.units()) == ("seller-1", {lamp: 3})
    assert problem(visitor.put(lamp, seller_id="seller-9")) == (422, "unknown-product")


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 0}, {"quantity": 1_000}, {"quantity": "1"}, {"price_minor": 1}, {"status": "paid"},
        {"cart_id": "c"}, {"unit_price_minor": 1}, {"is_saved": True}, {"is_price_seen": True},
    ],
)  # fmt: skip
def test_what_a_shopper_can_not_say_is_refused_and_nothing_changes(visitor, lamp, fields):
    assert problem(visitor.http.post("/v1/cart/lines", json={"product_id": lamp, **fields})) == (
        422,
        "bad-parameter",
    )
    assert visitor.cart()["cart_id"] is None


def test_what_nobody_sells_can_not_be_put_into_a_cart(visitor, product):
    assert problem(visitor.add("p-nobody-has")) == (422, "unknown-product")
    assert problem(visitor.add(product(currency="EUR"))) == (422, "unknown-product")
    assert problem(visitor.add(product(), seller_id="seller-9")) == (422, "unknown-product")
    assert visitor.cart()["cart_id"] is None


def test_nobody_reaches_the_cart_of_another(shop, visitor, lamp):
    visitor.add(lamp).raise_for_status()
    other, owner = Visitor(shop), visitor.principal.shopper_id

    assert other.cart()["cart_id"] is None
    assert problem(other.put(lamp, quantity=2)) == (404, "unknown-cart-line")
    assert problem(other.add(lamp, shopper_id=owner)) == (403, "not-your-shopper")
    removal = f"/v1/cart/lines/{lamp}"
    assert problem(other.http.delete(removal, params={"shopper_id": owner})) == (403, "not-your-shopper")
    assert problem(shop.http.delete(removal)) == (403, "not-your-shopper")  # a process names whom it means
    assert visitor.units() == {lamp: 1}
    shop.http.delete(removal, params={"shopper_id": owner}).raise_for_status()
    assert visitor.units() == {}


def test_a_look_and_a_removal_make_no_cart(shop, visitor):
    empty = visitor.cart()
    assert visitor.http.delete("/v1/cart/lines/x").raise_for_status().json() == empty
    assert (empty["cart_id"], empty["touched_at"], visitor.cart()) == (None, None, empty)
    assert not shop.sql("SELECT FROM carts.carts WHERE shopper_id = $1", visitor.principal.shopper_id)


def test_a_key_adds_once_and_two_devices_add_both(visitor, lamp):
    body, key = {"product_id": lamp, "quantity": 2}, {"Idempotency-Key": new_id()}
    answers = [visitor.http.post("/v1/cart/lines", json=body, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()

    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: visitor.add(lamp), range(20)))
    assert {answer.status_code for answer in added} == {200}
    assert visitor.units() == {lamp: 22}


def test_what_is_saved_for_later_is_out_of_the_cart_and_comes_back(shop, visitor, lamp, eventually):
    visitor.add(lamp, 2).raise_for_status()

    saved = visitor.put(lamp, is_saved=True).json()
    assert (saved["parcels"], saved["can_be_bought"]) == ([], False)
    assert [(line["product_id"], line["quantity"]) for line in saved["saved"]] == [(lamp, 2)]
    back = visitor.put(lamp, is_saved=False).json()
    assert (back["units"], back["saved"]) == (2, [])
    expected = [(lamp, 0, 2, None), (lamp, 2, 0, None), (lamp, 0, 2, None)]
    eventually(lambda: told(shop, back["cart_id"]) == expected)


def test_a_cart_says_that_prices_and_stock_have_changed(shop, visitor, product, eventually):
    lamp, rug, vase = product(), product(stock=1), product()
    for each in (lamp, rug, vase):
        visitor.add(each, 2).raise_for_status()
    offer = {"product_id": lamp, "seller_id": "seller-1", "currency": "BRL", "price_minor": 1_200}
    shop.tell("product_changed", **offer, changed_fields=["price_minor"])
    shop.tell("product_delisted", product_id=vase, seller_id="seller-1", reason="seller_request")
    eventually(lambda: visitor.line(lamp)["was_minor"] == 1_000 and visitor.line(vase)["problem"])

    cart = visitor.cart()
    assert {line["product_id"]: line["problem"] for line in lines_of(cart)} == {
        lamp: None, rug: "too_many", vase: "not_listed",
    }  # fmt: skip
    assert (cart["total_minor"], cart["can_be_bought"]) == (2_400, False)
    visitor.put(lamp, quantity=1).raise_for_status()
    assert visitor.line(lamp)["was_minor"] == 1_000
    visitor.put(lamp, is_price_seen=True).raise_for_status()
    assert visitor.line(lamp)["was_minor"] is None
    visitor.put(vase, is_saved=True).raise_for_status()
    visitor.put(rug, quantity=1).raise_for_status()
    assert visitor.cart()["can_be_bought"]
    shop.set_stock(rug, 0).raise_for_status()
    eventually(lambda: visitor.line(rug)["problem"] == "sold_out")


def test_a_guests_cart_becomes_that_of_the_person(shop, visitor, lamp, eventually):
    before = visitor.add(lamp, 2).json()
    known = visitor.signed_in()

    assert known.cart() == before
    known.put(lamp, quantity=3).raise_for_status()
    eventually(lambda: told(shop, before["cart_id"]) == [(lamp, 0, 2, None), (lamp, 2, 3, None)])
    last = shop.events("cart_changed", visitor.principal.shopper_id)[-1]
    assert last["shopper_id"] == known.principal.shopper_id
    assert visitor.cart()["cart_id"] is None


def test_a_guest_who_signs_in_again_is_known_once(shop, visitor, lamp):
    known, guest_id = visitor.signed_in(), visitor.principal.shopper_id
    for _ in range(3):
        visitor.add(lamp).raise_for_status()
        cart_id = known.cart()["cart_id"]
    (row,) = shop.sql("SELECT guest_ids FROM carts.carts WHERE cart_id = $1", cart_id)
    assert row["guest_ids"] == [guest_id]


def test_carts_of_two_devices_are_merged_once_and_nothing_doubles(shop, visitor, product, eventually):
    both, phones, laptops = product(), product(), product()
    known = Visitor(shop, person())
    known.add(both, 1).raise_for_status()
    own = known.add(phones, 4).json()["cart_id"]
    visitor.add(both, 3).raise_for_status()
    guests = visitor.add(laptops).json()["cart_id"]
    ids = (*known.principal.shopper_ids, visitor.principal.shopper_id)
    known = Visitor(shop, replace(known.principal, shopper_ids=ids))

    with ThreadPoolExecutor(8) as threads:
        carts = list(threads.map(lambda _: known.cart(), range(16)))

    assert {cart["cart_id"] for cart in carts} == {own}
    assert known.units() == {both: 3, phones: 4, laptops: 1}
    assert not shop.sql("SELECT FROM carts.carts WHERE cart_id = $1", guests)
    eventually(lambda: (laptops, 1, 0, "merged") in told(shop, guests))
    assert told(shop, own)[2:] == [(both, 1, 3, "merged"), (laptops, 0, 1, "merged")]


def test_an_order_takes_its_units_and_those_that_were_added_meanwhile_stay(
    shop, visitor, product, eventually
):
    lamp, rug = product(), product()
    visitor.add(lamp, 2).raise_for_status()
    cart_id, order_id = visitor.add(rug).json()["cart_id"], new_id()
    visitor.add(lamp).raise_for_status()

    visitor.place(order_id, **{lamp: 2, rug: 1})
    eventually(lambda: visitor.units() == {lamp: 1})
    visitor.tell("order_confirmed", order_id, {lamp: 2, rug: 1}, placed_at=system_clock())
    eventually(lambda: not shop.sql("SELECT FROM carts.taken_lines WHERE order_id = $1", order_id))
    assert {(lamp, 3, 1, "ordered"), (rug, 1, 0, "ordered")} <= set(told(shop, cart_id))


@pytest.mark.parametrize(
    ("reason", "left"), [("payment_failed", 2), ("timed_out", 2), ("shopper_request", 0)]
)
def test_a_declined_card_leaves_the_cart_full(shop, visitor, lamp, eventually, reason, left):
    visitor.add(lamp, 2).raise_for_status()
    order_id = new_id()
    visitor.place(order_id, **{lamp: 2})
    eventually(lambda: visitor.units() == {})

    visitor.cancel(order_id, reason, **{lamp: 2})
    eventually(lambda: not shop.sql("SELECT FROM carts.taken_lines WHERE order_id = $1", order_id))

    assert visitor.units() == ({lamp: left} if left else {})


def test_an_order_of_a_part_of_a_line_comes_back_whole(visitor, lamp, eventually):
    visitor.add(lamp, 5).raise_for_status()
    order_id = new_id()
    visitor.place(order_id, **{lamp: 2})
    eventually(lambda: visitor.units() == {lamp: 3})
    visitor.cancel(order_id, **{lamp: 2})
    eventually(lambda: visitor.units() == {lamp: 5})


@pytest.mark.parametrize(("reason", "is_paid"), [("shopper_request", False), ("out_of_stock", True)])
def test_the_units_of_an_order_that_would_not_come_back_go_even_if_its_cancellation_is_read_first(
    shop, visitor, lamp, eventually, reason, is_paid
):
    visitor.add(lamp, 2).raise_for_status()
    order_id, now = new_id(), system_clock()
    ended = {"reason": reason, "placed_at": now, "confirmed_at": now if is_paid else None}
    visitor.tell("order_cancelled", order_id, {lamp: 2}, **ended)
    event_id = shop.events("order_cancelled", order_id)[0]["event_id"]
    shop.await_row("SELECT FROM carts.inbox WHERE topic = 'order_cancelled' AND id = $1", event_id)

    visitor.place(order_id, **{lamp: 2})

    eventually(lambda: visitor.units() == {})


def test_a_cancellation_that_comes_first_leaves_the_cart_as_it_is(shop, visitor, lamp, product, eventually):
    visitor.add(lamp, 2).raise_for_status()
    first, second, marker = new_id(), new_id(), product()
    visitor.add(marker).raise_for_status()
    visitor.cancel(first, **{lamp: 2})
    shop.await_row("SELECT FROM carts.cancelled_orders WHERE order_id = $1", first)
    visitor.place(first, **{lamp: 2})
    eventually(
        lambda: first in {key.decode() for message in shop.messages("order_placed") if (key := message.key())}
    )

    visitor.place(second, **{marker: 1})
    eventually(lambda: marker not in visitor.units())
    shop.await_row(
        "SELECT FROM carts.inbox WHERE topic = 'order_placed' AND id = $1",
        shop.events("order_placed", first)[0]["event_id"],
    )
    assert visitor.units() == {lamp: 2}


def test_the_order_of_a_guest_who_has_signed_in_meanwhile_finds_the_cart(visitor, lamp, eventually):
    visitor.add(lamp, 2).raise_for_status()
    order_id, placed_at = new_id(), system_clock()
    known = visitor.signed_in()
    assert known.units() == {lamp: 2}

    visitor.tell("order_placed", order_id, {lamp: 2}, occurred_at=placed_at)
    eventually(lambda: known.units() == {})
    visitor.cancel(order_id, **{lamp: 2})
    eventually(lambda: known.units() == {lamp: 2})

    visitor.add(lamp).raise_for_status()  # a new cart, of whoever uses the browser now
    visitor.place(new_id(), **{lamp: 1})
    eventually(lambda: visitor.units() == {})
    assert known.units() == {lamp: 2}


def test_the_order_of_whoever_signs_in_to_pay_takes_its_units_out_of_the_guests_cart(
    shop, visitor, product, eventually
):
    lamp, rug, known = product(), product(), visitor.signed_in()
    Visitor(shop, replace(known.principal, shopper_ids=known.principal.shopper_ids[:1])).add(lamp)
    cart_id = visitor.add(rug, 2).json()["cart_id"]
    order_id, session_id = new_id(), visitor.principal.shopper_id

    known.tell("order_placed", order_id, {lamp: 1, rug: 2}, session_id=session_id)
    eventually(lambda: told(shop, cart_id) == [(rug, 0, 2, None), (rug, 2, 0, "ordered")])
    assert known.units() == {}
    known.cancel(order_id, **{lamp: 1, rug: 2})
    eventually(lambda: known.units() == {lamp: 1, rug: 2})


def test_an_order_empties_both_carts_of_a_person_and_fills_both_again(shop, visitor, lamp, eventually):
    known = visitor.signed_in()
    account = Visitor(shop, replace(known.principal, shopper_ids=known.principal.shopper_ids[:1]))
    account.add(lamp, 2).raise_for_status()
    visitor.add(lamp, 3).raise_for_status()
    order_id, session_id = new_id(), visitor.principal.shopper_id

    known.tell("order_placed", order_id, {lamp: 2}, session_id=session_id)
    eventually(lambda: (account.units(), visitor.units()) == ({}, {lamp: 1}))
    known.cancel(order_id, **{lamp: 2})
    eventually(lambda: (account.units(), visitor.units()) == ({lamp: 2}, {lamp: 3}))
    assert known.units() == {lamp: 3}


def test_an_order_of_a_history_changes_no_cart(shop, visitor, lamp, eventually):
    visitor.add(lamp, 2).raise_for_status()
    order_id = new_id()
    visitor.tell("order_placed", order_id, {lamp: 2}, occurred_at=system_clock() - timedelta(days=8))
    eventually(lambda: shop.sql(
        "SELECT FROM carts.inbox WHERE id = $1", shop.events("order_placed", order_id)[0]["event_id"]
    ))  # fmt: skip
    assert visitor.units() == {lamp: 2}


def test_a_cart_of_300_lines_becomes_one_order(shop, visitor, product, eventually):
    products = [f"p-{new_id()}" for _ in range(300)]
    for each in products:
        shop.tell("product_listed", product_id=each, seller_id="seller-1", currency="BRL", price_minor=700)
    shop.await_row(
        "SELECT WHERE (SELECT count(*) FROM carts.offers WHERE product_id = ANY($1)) = 300", products
    )
    shop.await_row(
        "SELECT WHERE (SELECT count(*) FROM orders.offers WHERE product_id = ANY($1)) = 300", products
    )

    for each in products:
        visitor.add(each).raise_for_status()
    cart = visitor.cart()

    assert (cart["units"], cart["total_minor"]) == (300, 210_000)
    assert problem(visitor.add(product())) == (409, "cart-full")
    lines = [{"product_id": line["product_id"], "quantity": 1, "seller_id": line["seller_id"],
              "unit_price_minor": line["unit_price_minor"]} for line in lines_of(cart)]  # fmt: skip
    body = {"currency": "BRL", "payment": {"method": "credit_card", "token": "tok_visa"}, "lines": lines}
    order = visitor.http.post("/v1/orders", json=body, headers={"Idempotency-Key": new_id()})
    assert order.status_code == 202, order.text
    eventually(lambda: visitor.units() == {})


def test_an_abandoned_cart_is_told_once_after_each_change(shop, visitor, lamp, eventually):
    cart_id = visitor.add(lamp, 2).json()["cart_id"]

    def found() -> list[dict[str, Any]]:
        return shop.events("cart_abandoned", cart_id)

    def age(hours: int) -> None:
        moved = "touched_at = touched_at - $2::interval, changed_at = changed_at - $2::interval"
        shop.sql(f"UPDATE carts.carts SET {moved} WHERE cart_id = $1", cart_id, timedelta(hours=hours))

    assert found() == []
    age(5)
    (first,) = eventually(found)
    assert (first["units"], first["amount_minor"], first["shopper_id"]) == (2, 2_000, None)
    visitor.put(lamp, quantity=1).raise_for_status()
    age(24 * 31)
    shop.await_row("SELECT FROM carts.carts WHERE cart_id = $1 AND is_idle", cart_id)
    assert found() == [first]  # it is too old to be told of


def test_an_erased_shopper_has_no_cart(shop, lamp, eventually):
    known = Visitor(shop, person())
    cart_id = known.add(lamp, 2).json()["cart_id"]

    shop.tell("shopper_erased", origin="users", shopper_id=known.principal.shopper_id)
    eventually(lambda: not shop.sql("SELECT FROM carts.carts WHERE cart_id = $1", cart_id))
    assert known.cart()["cart_id"] is None
    assert problem(known.add(lamp)) == (404, "unknown-cart")
    eventually(lambda: told(shop, cart_id) == [(lamp, 0, 2, None), (lamp, 2, 0, "erased")])


def test_an_erasure_waits_for_an_order_that_is_taking_units_out_and_forgets_them(shop, lamp, eventually):
    known = Visitor(shop, person())
    cart_id = known.add(lamp).json()["cart_id"]
    take = """
        WITH cart AS (SELECT shopper_id FROM carts.carts WHERE cart_id = $1 FOR UPDATE)
        INSERT INTO carts.taken_lines SELECT $2, shopper_id, 'p', 's', 1, 'BRL', 1, now() FROM cart
    """
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM carts%'"
    with shop.locked(take, cart_id, order_id := new_id()):
        shop.tell("shopper_erased", origin="users", shopper_id=known.principal.shopper_id)
        shop.await_row(waiting)

    eventually(lambda: not shop.sql("SELECT FROM carts.carts WHERE cart_id = $1", cart_id))
    assert not shop.sql("SELECT FROM carts.taken_lines WHERE order_id = $1", order_id)


def test_an_erasure_forgets_what_was_taken_out_of_a_guests_cart_that_became_the_persons(
    shop, visitor, lamp, eventually
):
    cart_id = visitor.add(lamp).json()["cart_id"]
    visitor.place(order_id := new_id(), **{lamp: 1})
    shop.await_row("SELECT FROM carts.taken_lines WHERE order_id = $1", order_id)
    known = visitor.signed_in()
    assert known.cart()["cart_id"] == cart_id

    shop.tell("shopper_erased", origin="users", shopper_id=known.principal.shopper_id)
    eventually(lambda: not shop.sql("SELECT FROM carts.carts WHERE cart_id = $1", cart_id))
    assert not shop.sql("SELECT FROM carts.taken_lines WHERE order_id = $1", order_id)


def test_an_old_cart_that_is_being_changed_does_not_expire(shop, visitor, lamp):
    ids = [visitor.add(lamp).json()["cart_id"], Visitor(shop).add(lamp).json()["cart_id"]]
    old = "changed_at = now() - interval '31 days', touched_at = now() - interval '31 days', is_idle = true"
    shop.sql(f"UPDATE carts.carts SET {old} WHERE cart_id = ANY($1)", ids)

    async def expire() -> None:
        async with make_pool(shop.settings, "carts", 1) as pool:
            await pool.execute(EXPIRE_CARTS, CART_DAYS, 1_000)

    with shop.locked("SELECT FROM carts.carts WHERE cart_id = $1 FOR UPDATE", ids[0]):
        asyncio.run(expire())
    left = shop.sql("SELECT cart_id FROM carts.carts WHERE cart_id = ANY($1)", ids)
    assert left == [{"cart_id": ids[0]}]


def test_codes_are_kept_each_once_merged_at_a_sign_in_and_exported(shop, visitor, lamp):
    visitor.add(lamp)
    for number in (1, 2, 1):
        visitor.http.put(f"/v1/cart/vouchers/code-{number}", json={}).raise_for_status()
    assert visitor.cart()["voucher_codes"] == ["CODE-1", "CODE-2"]
    person = visitor.signed_in()
    for number in (2, 3, 4, 5):
        person.http.put(f"/v1/cart/vouchers/code-{number}", json={}).raise_for_status()
    assert person.cart()["voucher_codes"] == [f"CODE-{number}" for number in (1, 2, 3, 4, 5)]
    full = person.http.put("/v1/cart/vouchers/code-6", json={})
    assert (full.status_code, full.json()["type"]) == (409, "urn:souk:problem:too-many-codes")
    asked = {"shopper_ids": list(person.principal.shopper_ids)}
    assert len(shop.http.post("/v1/cart/exports", json=asked).json()["voucher_codes"]) == 5
    for _ in range(2):
        left = person.http.delete("/v1/cart/vouchers/CODE-3").json()["voucher_codes"]
    assert left == ["CODE-1", "CODE-2", "CODE-4", "CODE-5"]
    assert person.http.put("/v1/cart/vouchers/a b", json={}).status_code == 422


def test_only_a_confirmed_order_with_a_voucher_takes_the_codes_out(shop, visitor, lamp, eventually):
    visitor.add(lamp)
    visitor.http.put("/v1/cart/vouchers/code-1", json={}).raise_for_status()
    shopper_id = visitor.principal.shopper_ids[0]
    common = {"shopper_id": shopper_id, "currency": "BRL", "placed_at": system_clock()}

    plain = {**ORDER, "product_id": lamp, "quantity": 1}
    shop.tell("order_confirmed", "orders", order_id=new_id(), **common, lines=[plain])
    used = {**plain, "order_voucher_id": new_id()}
    order_id = new_id()
    shop.tell("order_confirmed", "orders", order_id=order_id, **common, lines=[plain])
    assert visitor.cart()["voucher_codes"] == ["CODE-1"]
    shop.tell("order_confirmed", "orders", order_id=order_id, **common, lines=[used])
    eventually(lambda: visitor.cart()["voucher_codes"] == [])
